"""Tags of a service that say nothing that is understood: told once for each, before they are needed. Pure."""

from dataclasses import replace

from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record
from loopbreaker.treating.owner import Wishes

# Of a service whose tags are all wrong.
_MOST = 20


def mistaken(record: Record, wishes: Wishes, *, silent: bool, now: float) -> Record:
    """The record with one message owed for all that is newly wrong; what was corrected may be told again.

    Where the owner asked for silence nothing is told, and nothing taken for told.
    """
    problems = wishes.problems[:_MOST]
    fresh = [problem for problem in problems if problem not in record.mistakes]
    if fresh and silent:
        return record
    if problems == record.mistakes:
        return record
    noted = replace(record, mistakes=problems, touched_at=max(record.touched_at, now))
    return tell(noted, NoticeKind.BAD_TAG, at=now, reason="; ".join(fresh)) if fresh else noted
