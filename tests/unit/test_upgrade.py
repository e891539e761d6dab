"""What earlier versions stored is read, attended to and told of by this one.

`stored_items.json` has items as the code of those commits wrote them: a service that failed twelve times, one that is
held at 0 and was told of twice, and an incident that is over. Nothing in it was made by the code that reads it.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loopbreaker.aws.codec import CodecError
from loopbreaker.aws.store import closed_in, from_item, to_item
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import owed, tell
from loopbreaker.remembering.record import Record, Verdict
from loopbreaker.remembering.trip import BreakerState, Step
from loopbreaker.stories.detect import Observation, detect
from loopbreaker.stories.resume import resume
from loopctl.memory import MemoryStore
from tests.builders import POLICY, SERVICE, T0, looping, task_failure, trip

STORED: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("stored_items.json").read_text(encoding="utf-8")
)
HELD = [commit for commit, items in STORED.items() if "held" in items]


@pytest.mark.parametrize("commit", STORED)
def test_failures_that_were_counted_before_the_upgrade_count(commit: str) -> None:
    """Twelve in a row are remembered: with the next failure of the same task slot the service loops."""
    record = from_item(STORED[commit]["looping"])
    assert (record.service.cluster, record.service.name, record.fast[-1].generation) == ("prod", "web", 12)
    store = MemoryStore()
    store.save(replace(record, version=0))
    failure = task_failure(360, 370)
    change = detect([Observation(record.service, failure)], store=store, policy=POLICY, now=T0 + 371)
    assert change is not None
    assert change.after.suspicion or change.after.verdict is Verdict.LOOPING
    assert change.after.fast[-1].generation == 13


@pytest.mark.parametrize("commit", HELD)
def test_a_service_that_was_stopped_before_the_upgrade_can_be_brought_back(commit: str) -> None:
    """With the count that it had; and what people were told is not told again."""
    record = from_item(STORED[commit]["held"])
    assert record.breaker is BreakerState.OPEN
    assert record.trip is not None
    assert (record.trip.desired_count, record.trip.zeroed) == (2, True)
    assert [notice.kind for notice in record.notices] == [NoticeKind.LOOPING, NoticeKind.STOPPED]
    store = MemoryStore()
    store.save(replace(record, version=0))
    asked = resume(record.service, store=store, now=T0 + 9000)
    assert asked is not None
    assert asked.resume_asked
    assert owed(record, asked) == ()
    (told,) = owed(record, tell(asked, NoticeKind.BACK, at=T0 + 9001, reason="somebody asked"))
    assert told.number == 3


@pytest.mark.parametrize("commit", STORED)
def test_what_looped_before_the_upgrade_is_history(commit: str) -> None:
    """`loopctl history` and a relapse look at incidents that earlier versions closed."""
    closed = closed_in(STORED[commit]["closed"])
    assert (closed.incident.depth, closed.incident.failed_tasks, closed.incident.exit_code) == (4, 4, 1)
    assert (closed.closed_at, closed.reason) == (T0 + 4000, "no task failed for 12 minutes")


@pytest.mark.parametrize(("commit", "which"), [(c, w) for c in STORED for w in ("looping", "held") if w in STORED[c]])
def test_what_is_saved_after_the_upgrade_says_the_same(commit: str, which: str) -> None:
    """The first save by this version rewrites the item, and loses nothing of what the earlier one knew."""
    record = from_item(STORED[commit][which])
    again = from_item(to_item(record))
    assert _without_version(again) == _without_version(record)


def _without_version(record: Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in Record.__slots__ if name != "version"}


@pytest.mark.parametrize(
    "changed", [{"version": {}}, {"version": {"N": None}}, {"version": None}, {"notices": {}}, {"notices": {"L": [1]}}]
)
def test_an_item_without_what_every_version_wrote_is_named(changed: dict[str, Any]) -> None:
    """It is none of ours, and no other error."""
    with pytest.raises(CodecError, match="version or notices: absent, or not of their types"):
        from_item(to_item(Record(service=SERVICE)) | changed)


@pytest.mark.parametrize(("step", "zeroed"), [(Step.HELD, True), (Step.READY, False), (Step.ROLLING_BACK, False)])
def test_only_who_is_held_is_taken_for_set_to_0(step: Step, zeroed: bool) -> None:
    """An earlier version did not write it down; of a stop that only begins it is not so."""
    record = looping(trip=trip(step=step, zeroed=False))
    stored = from_item(to_item(record)).trip
    assert stored is not None
    assert stored.zeroed is zeroed
