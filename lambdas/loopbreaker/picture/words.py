"""The words of a picture: its title, what it says to those who do not see it, and short labels."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum

from loopbreaker.model import Category
from loopbreaker.picture.timeline import Mark, Moment, Timeline, counted

_DAY = 86_400.0


class Cause(StrEnum):
    """How a task ended, in as many kinds as there are signs to tell apart without colour."""

    ENDED = "ended by itself"
    KILLED = "killed"
    NEVER_STARTED = "never started"
    UNHEALTHY = "failed health checks"
    OTHER = "failed, cause unknown"


def cause(category: Category | None) -> Cause:
    """The kind of end that a category is."""
    match category:
        case Category.APP_CRASH | Category.SEGFAULT | Category.CLEAN_EXIT | Category.TERMINATED:
            return Cause.ENDED
        case Category.OUT_OF_MEMORY | Category.KILLED:
            return Cause.KILLED
        case (
            Category.CANNOT_START
            | Category.DISK
            | Category.IMAGE_PULL
            | Category.RESOURCE_INIT
            | Category.NETWORK_ENI
            | Category.PLACEMENT
        ):
            return Cause.NEVER_STARTED
        case Category.ELB_HEALTH_CHECK | Category.CONTAINER_HEALTH_CHECK:
            return Cause.UNHEALTHY
        case _:
            return Cause.OTHER


def headline(timeline: Timeline) -> str:
    """What looped, where."""
    services = timeline.services
    if len(services) > 1:
        return f"{len(services):,} services in {timeline.cluster}"
    return f"{timeline.service} in {timeline.cluster}"


def summary(timeline: Timeline) -> str:
    """One line: how many failures in what time, why, what came of it."""
    if not timeline.failures:
        return "no task failed"
    span = timeline.last_failure_at - timeline.first_failure_at
    parts = [f"{count(timeline.failures, 'failed task')} in {duration(span)}" if span else "1 failed task"]
    parts.append(causes(timeline))
    found = _first(timeline, Moment.FOUND)
    if found:
        parts.append(f"found after {duration(found.at - timeline.first_failure_at)}")
    if timeline.dollars is not None:
        parts.append(f"at most {money(timeline.dollars)}")
    return " · ".join(parts)


def causes(timeline: Timeline) -> str:
    """The most frequent cause with its exit code, and how many others there are."""
    seen = Counter((task.category, task.exit_code) for task in timeline.tasks if task.category)
    if not seen:
        return "cause unknown"
    (category, code), _ = seen.most_common(1)[0]
    others = len({other for other, _ in seen}) - 1
    told = f"{category.value}, exit code {code}" if category and code is not None else str(category and category.value)
    return f"{told}, and {count(others, 'other cause')}" if others else told


def left_out(timeline: Timeline, folded: int) -> str:
    """What stands in place of the failures that are not drawn."""
    same = len({task.category for task in timeline.tasks if task.category}) == 1
    return f"× {folded:,} {'alike' if same else 'more'}"


def description(timeline: Timeline, *, lanes: int, folded: int) -> str:
    """What the picture shows, in sentences."""
    lines = [f"Restart loop of {headline(timeline)}: {summary(timeline)}."]
    lines.append(f"Each of {count(lanes, 'row')} is a task slot; each bar is a task, from its start to its failure.")
    if folded:
        lines.append(f"{folded:,} failures between the first and the last ones are left out.")
    if timeline.serving:
        lines.append(f"{count(timeline.serving, 'other task')} run all the while.")
    lines += [
        f"{moment(mark.at)}: {mark.moment.value}{f' ({mark.why})' if mark.why else ''}." for mark in _told(timeline)
    ]
    lines += [f"Held at 0 for {duration(end - begin)}." for begin, end in timeline.held()]
    if peak := peak_rate(timeline):
        lines.append(f"At most {peak:,.0f} restarts an hour.")
    return " ".join(lines)


def _told(timeline: Timeline) -> Iterable[Mark]:
    marks = sorted(timeline.marks, key=lambda mark: mark.at)
    return marks if len(marks) <= 12 else [*marks[:8], *marks[-4:]]


def peak_rate(timeline: Timeline) -> float:
    """The most restarts in one hour's pace, over the intervals of the counts."""
    return max((c.failures * 3600 / (c.until - c.since) for c in counted(timeline)), default=0.0)


def _first(timeline: Timeline, wanted: Moment) -> Mark | None:
    return next((mark for mark in sorted(timeline.marks, key=lambda m: m.at) if mark.moment is wanted), None)


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float) -> str:
    """A span in at most two units, as people say it."""
    seconds = max(0.0, seconds)
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    if minutes < 48 * 60:
        hours, rest = divmod(minutes, 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def money(dollars: float) -> str:
    if dollars < 0.01:
        return "less than $0.01"
    return f"${dollars:,.2f}" if dollars < 100 else f"${dollars:,.0f}"


def moment(at: float) -> str:
    return _date(at).strftime("%Y-%m-%d %H:%M UTC")


def clock(at: float, *, span: float) -> str:
    """The time of day; with seconds, or with the date, where the span asks for it."""
    if span > 1.5 * _DAY:
        return _date(at).strftime("%b %d %H:%M")
    return _date(at).strftime("%H:%M:%S" if span < 300 else "%H:%M")


def _date(at: float) -> datetime:
    return datetime.fromtimestamp(at, tz=UTC)


def plain(text: str) -> str:
    """Text from outside without what would move a cursor or break a document."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def cut(text: str, room: int) -> str:
    """As much as there is room for; what is missing is shown to be missing."""
    return text if len(text) <= room else f"{text[: max(room - 1, 0)]}…"
