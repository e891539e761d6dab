"""What is remembered of a loop, as a picture takes it. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from loopbreaker.picture.loops import Loop
from loopbreaker.picture.timeline import Count, Mark, Moment, Task, Timeline
from loopbreaker.remembering.history import Failed
from loopbreaker.remembering.notice import NoticeKind, Receipt, Told

MOMENTS: dict[NoticeKind, Moment] = {
    NoticeKind.LOOPING: Moment.TOLD,
    NoticeKind.MASS: Moment.TOLD,
    NoticeKind.STILL_LOOPING: Moment.REMINDED,
    NoticeKind.STOPPED: Moment.STOPPED,
    NoticeKind.ROLLED_BACK: Moment.ROLLED_BACK,
    NoticeKind.PROBING: Moment.PROBE,
    NoticeKind.BACK: Moment.BACK,
    NoticeKind.RECOVERED: Moment.OVER,
    NoticeKind.MASS_OVER: Moment.OVER,
}
"""The moments that a message tells of; others, such as a tag that is not understood, change nothing to be drawn."""


def timeline(loop: Loop, *, now: float) -> Timeline:
    """The picture of a loop until it was over, or until now."""
    incident = loop.incident
    until = loop.closed_at if loop.closed_at is not None else now
    first = loop.spells[0].history.first
    last = tuple(failed for failed in incident.history.shown if failed not in first)
    return Timeline(
        cluster=loop.service.cluster,
        service=loop.service.name,
        until=max(until, incident.last_failure_at),
        first=tuple(_task(loop.service.name, failed) for failed in first),
        last=tuple(_task(loop.service.name, failed) for failed in last),
        between=max(0, loop.failed_tasks - len(first) - len(last)),
        counts=_counts(loop),
        marks=_marks(loop),
        dollars=loop.burn.total,
    )


def with_tasks(drawn: Timeline, first: Sequence[Task], last: Sequence[Task]) -> Timeline:
    """The same picture with more of its tasks known one by one; those that nobody kept are still counted."""
    if len(first) + len(last) <= len(drawn.tasks):
        return drawn
    between = max(0, drawn.failures - len(first) - len(last))
    if between and not last:
        first, last = first[: len(first) // 2], first[len(first) // 2 :]
    return replace(drawn, first=tuple(first), last=tuple(last), between=between)


def together(drawn: Sequence[Timeline]) -> Timeline:
    """Loops of one cluster that began together, as one picture: a row for each service."""
    tasks = sorted((task for one in drawn for task in one.tasks), key=lambda task: task.created_at)
    first_of_kind: dict[Moment, Mark] = {}
    for mark in sorted((mark for one in drawn for mark in one.marks), key=lambda mark: mark.at):
        first_of_kind.setdefault(mark.moment, mark)
    return Timeline(
        cluster=drawn[0].cluster,
        service="",
        until=max(one.until for one in drawn),
        first=tuple(tasks),
        between=sum(one.between for one in drawn),
        marks=tuple(first_of_kind.values()),
        dollars=sum(one.dollars or 0.0 for one in drawn),
    )


def marks_of(messages: Sequence[Told | Receipt]) -> list[Mark]:
    """A mark for each message that has a moment."""
    return [Mark(MOMENTS[told.kind], told.at, told.reason) for told in messages if told.kind in MOMENTS]


def _task(service: str, failed: Failed) -> Task:
    started = failed.at - failed.lifetime if failed.lifetime else None
    created = failed.created_at or (started if started is not None else failed.at)
    return Task(service, created, started, failed.at, failed.category, failed.exit_code)


def _counts(loop: Loop) -> tuple[Count, ...]:
    """The stored intervals of each time that it looped, on the widest of their scales, with the quiet in between."""
    histories = [spell.history for spell in loop.spells if spell.history.counts]
    if not histories:
        return ()
    width = max(history.width for history in histories)
    failed: Counter[int] = Counter()
    for history in histories:
        for n, count in enumerate(history.counts):
            failed[int((history.since + n * history.width) // width)] += count
    return tuple(Count(n * width, (n + 1) * width, failed[n]) for n in range(min(failed), max(failed) + 1))


def _marks(loop: Loop) -> tuple[Mark, ...]:
    found = dict.fromkeys((*loop.incident.openings, *(spell.found_at for spell in loop.spells)))
    marks = [Mark(Moment.FOUND, at) for at in found]
    marks += marks_of(loop.messages)
    if loop.diagnosis and loop.diagnosis.deployed_at:
        marks.append(Mark(Moment.DEPLOYMENT, loop.diagnosis.deployed_at, loop.incident.task_definition))
    ended = [mark.at for mark in marks if mark.moment is Moment.OVER]
    if loop.closed_at is not None and max(ended, default=0.0) < loop.incident.found_at:
        marks.append(Mark(Moment.OVER, loop.closed_at, loop.closed_because))
    return tuple(sorted(marks, key=lambda mark: mark.at))
