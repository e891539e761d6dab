"""Looks that find several things at once: what the owner asks, what waits for room, what is said and what is not."""

from dataclasses import replace
from typing import Any

import pytest

from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import Step
from loopbreaker.treating.facts import Facts
from loopbreaker.treating.look import consider
from tests.builders import T0, facts, looping, running_task
from tests.unit.cases import NOW, case, dead, seen, trip

HOUR, DAY = 3600.0, 86_400.0
LATER = NOW + 2 * HOUR
SIX = tuple(LATER - 1000.0 * n for n in range(6, 0, -1))


def looked(record: Record, found: Facts, *, at: float = LATER) -> Record:
    return consider(case(record, found, now=at)).record


def held(step: Step = Step.HELD, *, record: Record | None = None, **fields: Any) -> Record:
    """Held since a moment ago, of a loop that has lasted so long that a reminder is due."""
    return replace(record or dead(), trip=trip(step, **({"since": LATER - 60} | fields)))


def told(record: Record) -> list[str]:
    return [notice.kind.value for notice in record.notices]


def of(record: Record) -> Incident:
    assert record.incident is not None
    return record.incident


def test_a_held_service_is_said_to_be_held_on() -> None:
    """While nothing happens to it."""
    assert told(looked(held(), seen(0))) == ["still-looping"]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (held(since=LATER - DAY), []),
        (held(record=dead(resume_asked=True)), []),
        (held(Step.RESTORE_COUNT, since=LATER - 900), ["down"]),
    ],
)
def test_while_something_happens_nobody_is_told_how_it_stands(record: Record, said: list[str]) -> None:
    """It is being tried or brought back by this very look, or people hear why it cannot be: reminders come later."""
    assert told(looked(record, seen(0))) == said


def test_what_the_owner_asks_for_meanwhile_is_kept_while_it_is_held() -> None:
    """Where to read of it, in the look that goes on with the treatment."""
    found = seen(0, tags={"loopbreaker:channel": "C0123456789"})
    assert of(looked(held(), found)).channel == "C0123456789"


def test_that_it_loops_is_told_as_soon_as_there_is_room() -> None:
    """By a look, where nothing fails anew: six messages within a day were enough, and one of them is a day old now."""
    kept = dead(told=("kept-back",), told_before=SIX, reminded=9)
    found = facts(action="alert")
    assert told(looked(kept, found)) == []
    later = looked(kept, found, at=SIX[0] + DAY)
    assert [(notice.kind.value, notice.at) for notice in later.notices] == [("looping", SIX[0] + DAY)]
    assert later.notices[0].reason == "replacements failed 36 times in a row"
    assert "kept-back" not in of(later).told


def test_what_was_in_a_digest_this_week_is_known_after_a_loop_as_well() -> None:
    """The end of an incident forgets its failures, and not what people read."""
    record = looping(digested_at=T0 - DAY, desired_count=1)
    found = facts(action=None, desired_count=1, tasks=(running_task(0, health="HEALTHY"),))
    over = looked(record, found, at=T0 + 9000)
    assert (over.incident, over.digested_at) == (None, T0 - DAY)
