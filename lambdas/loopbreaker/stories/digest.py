"""What is done once a day with services that ail and do not loop: one message for all, of each once a week."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from loopbreaker.judging.ailing import ailing
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Policy
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record
from loopbreaker.stories.ports import ConflictError, Records, UnreadableError
from loopbreaker.stories.saving import saved
from loopbreaker.treating.owner import wishes

# A message that names more is read by nobody.
_MOST = 25
BETWEEN = "; "


def digest(
    records: Iterable[Record],
    tags: Mapping[ServiceRef, Mapping[str, str]],
    *,
    store: Records,
    policy: Policy,
    now: float,
) -> int:
    """Tell of all services that ail, in the name of the worst; how many those are.

    Told first and noted then: a crash in between repeats a service the next day, and loses none. Whose owner asked for
    silence is left out.
    """
    found = sorted(
        (
            (ailment, record.service)
            for record in records
            if (ailment := ailing(record, policy, now=now)) and not _silent(record, tags, now)
        ),
        key=lambda one: (-one[0].number, one[1]),
    )[:_MOST]
    if not found:
        return 0
    lines = [f"{service.cluster}/{service.name}: {ailment.words}" for ailment, service in found]

    def told(record: Record) -> Record:
        return tell(_noted(record, now), NoticeKind.DIGEST, at=now, reason=BETWEEN.join(lines), services=len(found))

    (_, worst), *others = found
    saved(worst, told, store=store)
    for _, service in others:
        _note(service, store=store, now=now)
    return len(found)


def _note(service: ServiceRef, *, store: Records, now: float) -> None:
    try:
        saved(service, lambda record: _noted(record, now), store=store)
    except (ConflictError, UnreadableError):
        # It is told once more.
        return


def _noted(record: Record, now: float) -> Record:
    return replace(record, digested_at=now)


def _silent(record: Record, tags: Mapping[ServiceRef, Mapping[str, str]], now: float) -> bool:
    return wishes(tags.get(record.service, {})).silent(now, record.history.shown)
