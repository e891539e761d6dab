"""The scale: later is never further to the left, and what is dull takes little room."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from loopbreaker.picture.lanes import arrange
from loopbreaker.picture.scale import scale
from loopbreaker.picture.timeline import Mark, Moment, Timeline
from tests.picture.loops import T0, loop, stopped

DAYS = st.floats(-86_400, 12 * 86_400).map(lambda seconds: T0 + seconds)
MARKS = st.lists(st.builds(Mark, st.sampled_from(Moment), DAYS), max_size=20)


@settings(deadline=None)
@given(st.integers(0, 400), MARKS, st.lists(DAYS, min_size=2, max_size=20))
def test_later_is_never_further_to_the_left(tasks: int, marks: list[Mark], times: list[float]) -> None:
    """And everything is within the two ends, whatever happened when."""
    timeline = loop(tasks, marks=tuple(marks))
    room = scale(timeline, arrange(timeline), left=100, right=900)
    places = [room.place(at) for at in sorted(times)]
    assert all(one <= two + 1e-9 for one, two in pairwise(places))
    assert all(99.999 <= place <= 900.001 for place in places)
    assert all(abs(one.right - two.left) < 1e-6 for one, two in pairwise(room.pieces))


@settings(deadline=None)
@given(st.integers(0, 400), MARKS)
def test_ticks_stand_where_their_time_is(tasks: int, marks: list[Mark]) -> None:
    """A label of the axis is at the place of its time."""
    timeline = loop(tasks, marks=tuple(marks))
    room = scale(timeline, arrange(timeline), left=0, right=800)
    assert all(abs(room.place(at) - place) < 1e-6 for at, place in room.ticks(60))


def test_a_week_without_news_takes_little_room() -> None:
    """What failed on Monday and was stopped on Sunday is not two dots at the ends of a line."""
    timeline = loop(10, marks=(Mark(Moment.OVER, T0 + 7 * 86_400),))
    timeline = Timeline("prod", "web", T0 + 7 * 86_400, timeline.first, marks=timeline.marks)
    room = scale(timeline, arrange(timeline), left=0, right=800)
    assert room.place(T0 + 600) > 400
    assert [piece.folded for piece in room.pieces] == [False, True, False]


def test_the_first_and_the_last_tasks_of_a_long_loop_have_room() -> None:
    """Each bar of a loop of a week is wide enough to be seen."""
    timeline = loop(10_000)
    shown = arrange(timeline)
    room = scale(timeline, shown, left=0, right=800)
    widths = [room.place(task.failed_at or 0) - room.place(task.created_at) for task in shown.lanes[0].tasks]
    assert min(widths) > 15


def test_a_loop_that_was_stopped_leaves_room_for_how_it_began() -> None:
    """Holding a service for hours does not squeeze its failures."""
    timeline = stopped()
    shown = arrange(timeline)
    room = scale(timeline, shown, left=0, right=800)
    widths = [room.place(t.failed_at) - room.place(t.created_at) for t in shown.lanes[0].tasks if t.failed_at]
    assert min(widths) > 10
