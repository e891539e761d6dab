"""Messages to look at: of records that a test makes, and of every case that is previewed."""

from dataclasses import replace
from typing import Any

from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import BreakerState, Scaling, Step
from loopbreaker.telling.contents import Background
from loopbreaker.telling.messages import Message, compose
from previews.cases import Case, cases
from tests.builders import T0, looping, trip

NOW = T0 + 3610
SCALING = Scaling(minimum=2, dynamic_in_suspended=False, dynamic_out_suspended=True, scheduled_suspended=False)
CASES = list(cases())
NAMES = [case.name for case in CASES]


def told(
    record: Record,
    kind: NoticeKind,
    reason: str = "a reason",
    *,
    before: Record | None = None,
    background: Background | None = None,
) -> Message:
    """The message of one step to `record`."""
    after = tell(record, kind, at=NOW, reason=reason)
    return compose(before or record, after, after.notices[-1], background)


def of(case: Case) -> Message:
    return compose(case.before, case.after, case.after.notices[-1], case.background)


def held(state: BreakerState = BreakerState.OPEN, **fields: Any) -> Record:
    """A service that is held at 0, or tried with one task."""
    step = Step.HELD if state is BreakerState.OPEN else Step.PROBING
    return looping(trip=replace(trip(), step=step, **fields))


def over(record: Record) -> Record:
    """The record after its incident has ended."""
    return Record(service=record.service, version=4, notices=record.notices)
