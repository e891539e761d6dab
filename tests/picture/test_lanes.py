"""Rows and arrows: what is drawn beside what."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopbreaker.model import Category
from loopbreaker.picture.lanes import MOST_LANES, arrange
from loopbreaker.picture.timeline import Task, Timeline
from tests.picture.loops import T0, chain, loop


def drawn(*tasks: Task) -> Timeline:
    return Timeline("prod", "web", T0 + 10_000, tuple(sorted(tasks, key=lambda task: task.created_at)))


def test_a_chain_is_one_row_with_an_arrow_to_each_replacement() -> None:
    """Ten tasks after one another are one slot, and nine replacements."""
    shown = arrange(loop(10))
    assert [len(lane.tasks) for lane in shown.lanes] == [10]
    assert [(arrow.failed, arrow.replacement) for arrow in shown.arrows] == list(pairwise(chain(10)))


def test_two_slots_are_two_rows() -> None:
    """Tasks that run side by side never share a row."""
    shown = arrange(drawn(*chain(5), *chain(5, start=T0 + 20)))
    assert [len(lane.tasks) for lane in shown.lanes] == [5, 5]


def test_the_slot_that_waited_longest_is_filled_first() -> None:
    """Of two free slots the one that was left earlier gets the next task."""
    early, late = Task("web", T0, T0, T0 + 50, Category.KILLED), Task("web", T0, T0, T0 + 60, Category.KILLED)
    next_ = Task("web", T0 + 70, T0 + 75, T0 + 90, Category.KILLED)
    [arrow] = arrange(drawn(early, late, next_)).arrows
    assert arrow.failed == early


def test_a_replacement_that_is_started_first_stands_beside_the_task_it_replaces() -> None:
    """ECS starts the replacement of an unhealthy task before it stops it: the arrow goes to another row."""
    tasks = [
        Task("web", T0 + 150 * n, T0 + 150 * n + 30, T0 + 150 * n + 330, Category.ELB_HEALTH_CHECK) for n in range(5)
    ]
    shown = arrange(drawn(*tasks))
    assert [(arrow.failed, arrow.replacement) for arrow in sorted(shown.arrows, key=lambda a: a.failed.created_at)] == [
        *pairwise(tasks)
    ]
    assert all(arrow.failed_lane != arrow.lane for arrow in shown.arrows)


def test_services_do_not_share_rows() -> None:
    """In a mass event each service keeps rows of its own, and their tasks never replace each other."""
    shown = arrange(drawn(*chain(3, service="a"), *chain(3, start=T0 + 500, service="b")))
    assert [lane.service for lane in shown.lanes] == ["a", "b"]
    assert all(arrow.failed.service == arrow.replacement.service for arrow in shown.arrows)


def test_a_long_loop_shows_its_ends_and_the_number_between() -> None:
    """Nothing is dropped without being counted, and no arrow crosses what is left out."""
    timeline = loop(1000)
    shown = arrange(timeline)
    seen = sum(len(lane.tasks) for lane in shown.lanes)
    assert seen <= 16
    assert shown.folded == 1000 - seen
    assert shown.lanes[0].tasks[0] == timeline.first[0]
    assert shown.lanes[-1].tasks[-1] == timeline.first[-1]
    assert all(arrow.replacement.created_at - (arrow.failed.failed_at or 0) < 60 for arrow in shown.arrows)


def test_a_stored_loop_says_what_was_not_kept() -> None:
    """Where only the first and the last tasks are known, the number between comes from the store."""
    stored = Timeline("prod", "web", T0 + 700_000, chain(4), chain(4, start=T0 + 690_000), between=9_992)
    shown = arrange(stored)
    assert (shown.folded, stored.failures) == (9_992, 10_000)
    assert shown.fold == (chain(4)[-1].failed_at, T0 + 690_000)


def test_rows_are_bounded() -> None:
    """Of many slots some are drawn, and the others counted."""
    shown = arrange(drawn(*(task for slot in range(40) for task in chain(2, start=T0 + slot))))
    assert (len(shown.lanes), shown.more) == (MOST_LANES, 40 - MOST_LANES)


TIMES = st.floats(0, 5000).map(lambda seconds: T0 + seconds)


@settings(deadline=None)
@given(
    st.lists(st.tuples(TIMES, st.floats(0, 500), st.sampled_from(["a", "b"]), st.sampled_from(Category)), max_size=60)
)
def test_whatever_the_tasks_are_no_row_overlaps_itself(made: list[tuple[float, float, str, Category]]) -> None:
    """And every task is drawn or counted."""
    tasks = [Task(service, at, at + life / 2, at + life, category) for at, life, service, category in made]
    shown = arrange(drawn(*tasks))
    for lane in shown.lanes:
        assert all((one.failed_at or 0) <= two.created_at for one, two in pairwise(lane.tasks))
    if not shown.more:
        assert sum(len(lane.tasks) for lane in shown.lanes) + shown.folded == len(tasks)


@pytest.mark.parametrize("tasks", [0, 1])
def test_little_is_drawn_too(tasks: int) -> None:
    """Nothing and one task have no arrows."""
    assert arrange(loop(tasks)).arrows == ()
