"""The twin in characters: what the drawing shows, in every width of terminal."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopbreaker.picture.text import text
from loopbreaker.picture.timeline import Mark, Moment, Timeline
from tests.picture.loops import T0, chain, loop, stopped

TIMELINES = {
    "loop": loop(10, dollars=3.0),
    "stopped": stopped(),
    "week": loop(10_000, dollars=454.0),
    "mass": Timeline("prod", "", T0 + 900, tuple(t for n in range(25) for t in chain(5, service=f"s-{n}"))),
    "calm": Timeline("prod", "web", T0, ()),
}


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("name", TIMELINES)
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    """A line that wraps destroys every row below it."""
    assert max(map(len, text(TIMELINES[name], width=width).splitlines())) <= width


def test_a_loop_in_eighty_columns() -> None:
    """The whole picture: a sign for each failure, the moment it was found, the pace, the money."""
    drawn = text(loop(6, dollars=3.0), width=80)
    rows = drawn.splitlines()
    assert rows[0] == "web in prod"
    assert rows[1] == "6 failed tasks in 5 min · app-crash, exit code 1 · found after 2 min"
    slot = next(row for row in rows if row.startswith("slot 1"))
    assert slot.count("✕") == 6
    assert slot.count("░") >= 6
    assert "│ found 00:04" in drawn
    assert next(row for row in rows if row.startswith("money")).endswith("$3.00")
    assert rows[-1] == "░ starting  █ running  ✕ ended by itself"


def test_no_failure_that_is_shown_loses_its_sign() -> None:
    """Bars may touch; the sign at the end of one is never covered by the start of the next."""
    for width in (60, 80, 120):
        slots = [row for row in text(loop(10_000), width=width).splitlines() if row.startswith("slot")]
        assert sum(row.count("✕") for row in slots) == 11


def test_what_is_left_out_is_counted() -> None:
    """In the middle of the row, and with the time that it took."""
    drawn = text(loop(10_000), width=80)
    assert "× 9,989 alike" in drawn
    assert "(6 d" in drawn


def test_a_service_that_is_held_is_dotted() -> None:
    """Between the stop and the probe nothing runs, and that is visible."""
    slot = next(row for row in text(stopped(), width=120).splitlines() if row.startswith("slot 1"))
    assert "│····" in slot


def test_a_terminal_that_knows_ascii_alone_gets_ascii() -> None:
    """Every sign has a twin of its own there."""
    drawn = text(stopped(), width=80, ascii_only=True)
    assert drawn.isascii()
    assert "x ended by itself" in drawn
    assert "?" not in drawn


MARKS = st.lists(st.builds(Mark, st.sampled_from(Moment), st.floats(T0 - 9000, T0 + 90_000)), max_size=30)


@settings(deadline=None)
@given(st.integers(0, 60), MARKS, st.integers(40, 130))
def test_whatever_happened_it_fits(tasks: int, marks: list[Mark], width: int) -> None:
    """Any number of moments at any time, in any width."""
    drawn = text(loop(tasks, marks=tuple(marks)), width=width)
    assert max(map(len, drawn.splitlines())) <= width
