"""What `loopctl` prints: JSON objects for programs, tables and sentences for people."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from loopbreaker.model import Category, Label, ServiceRef
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.thresholds import Threshold
from loopctl.explain import Explanation
from loopctl.prose import fitted, joined
from loopctl.replay import Announcement, Replay

_CHANGE_STYLES = {
    NoticeKind.LOOPING: "bold red",
    NoticeKind.MASS: "bold magenta",
    NoticeKind.RECOVERED: "green",
}
ROOM = 130
"""Columns from which on the table of changes has room for its reasons."""
LABEL_STYLES = {
    Label.FAILURE: "red",
    Label.NORMAL: "green",
    Label.NOT_FINAL: "dim",
    Label.STANDALONE: "cyan",
    Label.NOT_A_STOP: "dim",
    Label.INVALID: "bold yellow",
}


def change_json(change: Announcement) -> str:
    """One change as one line."""
    incident = change.incident
    return json.dumps(
        {
            "at": _iso(change.notice.at),
            "cluster": change.service.cluster,
            "service": change.service.name,
            "transition": change.notice.kind.value,
            "profile": incident.signal.value,
            "category": incident.category.value,
            "depth": incident.depth,
            "failed_tasks": incident.failed_tasks,
            "first_failure_at": _iso(incident.first_failure_at),
            "reason": change.notice.reason,
        }
    )


def explanation(found: Explanation) -> dict[str, Any]:
    """What one event is, as `docs/schemas/explanation.schema.json` has it."""
    return {
        "at": _iso(found.at) if found.at is not None else None,
        "task": found.task,
        "cluster": found.service.cluster if found.service else None,
        "service": found.service.name if found.service else None,
        "label": found.label.value,
        "category": found.category.value if found.category else None,
        "counts": found.counts,
        "why": found.why,
    }


def explanation_json(found: Explanation) -> str:
    """The same as one line."""
    return json.dumps(explanation(found))


def changes_table(changes: Iterable[Announcement]) -> Table:
    """Every change, in the order in which it would have been told, for a wide screen."""
    table = _table("at", "service", "change", "cause", "failed", "depth", "since", "signal", "reason")
    for change in changes:
        incident, kind = change.incident, change.notice.kind
        table.add_row(
            _time(change.notice.at),
            Text(_name(change.service)),
            Text(kind.value, style=_CHANGE_STYLES.get(kind, "")),
            incident.category.value,
            f"{incident.failed_tasks:,}",
            str(incident.depth),
            _time(incident.first_failure_at),
            incident.signal.value,
            Text(change.notice.reason),
        )
    return table


def changes_blocks(changes: Iterable[Announcement], *, width: int) -> str:
    """The same for a narrow one: what, and below it why."""
    lines: list[str] = []
    for change in changes:
        incident = change.incident
        said = [incident.category.value, _count(incident.failed_tasks, "failed task"), change.notice.reason]
        head = f"{_time(change.notice.at)}  {_name(change.service)}  {change.notice.kind.value.upper()}"
        lines += [fitted(head, width=width), joined(said, width=width, indent="  ")]
    return "\n".join(lines)


def replay_summary(replay: Replay, changes: Sequence[Announcement], *, unreadable: int = 0) -> list[str]:
    """What came of a replay, in sentences."""
    found = Counter(change.notice.kind for change in changes)
    loops, recovered = found[NoticeKind.LOOPING], found[NoticeKind.RECOVERED]
    span = f", {_time(replay.began_at)} to {_time(replay.now)} UTC" if replay.began_at is not None else ""
    result = f"{_count(loops, 'restart loop')}, {recovered:,} recovered" if loops else "no restart loop"
    lines = [f"{_count(replay.events, 'event')}{span}: {result}."]
    lines += [f"{unreadable:,} could not be read."] if unreadable else []
    return [*lines, *(_still(service, incident) for service, incident in replay.looping())]


def _still(service: ServiceRef, incident: Incident) -> str:
    last = _time(incident.last_failure_at)
    return f"Still looping where the recording ends: {_name(service)}, whose last failure was at {last}."


def explanation_line(found: Explanation, label: str, *, width: int) -> str:
    """What one event is, in aligned columns, or on a narrow screen in two lines. `label` is as it is to be shown."""
    at = _time(found.at) if found.at is not None else "-" * 19
    category = found.category.value if found.category else "-"
    service = _name(found.service) if found.service else "-"
    if width < ROOM:
        head = f"{at}  {label.strip()}  {service}  {category if found.category else ''}".rstrip()
        return f"{head}\n{fitted(found.why, width=width, indent='  ')}"
    counts = "counts" if found.counts else "-"
    return f"{at}  {label} {category:22} {counts:6}  {service}  {_plain(found.task or '-')}  {_plain(found.why)}"


def totals_table(totals: Counter[tuple[Label, Category | None]]) -> Table:
    """How many events have which label and category, the most frequent first."""
    table = _table("label", "category", "events")
    for (label, category), events in sorted(totals.items(), key=lambda item: (-item[1], item[0][0], item[0][1] or "")):
        table.add_row(Text(label.value, style=LABEL_STYLES[label]), category.value if category else "-", f"{events:,}")
    return table


def thresholds_table(thresholds: Iterable[Threshold]) -> Table:
    """The thresholds and what they are."""
    table = _table("threshold", "default", "meaning")
    for threshold in thresholds:
        table.add_row(threshold.key, f"{threshold.default:g}", threshold.meaning)
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        numeric = heading in ("depth", "failed", "events", "default")
        wraps = heading in ("service", "reason", "meaning")
        table.add_column(heading, justify="right" if numeric else "left", no_wrap=not wraps, overflow="fold")
    return table


def _name(service: ServiceRef) -> str:
    return _plain(f"{service.cluster}/{service.name}")


def _plain(text: str) -> str:
    """Text from outside without what would move the cursor."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _time(at: float) -> str:
    return _moment(at).strftime("%Y-%m-%d %H:%M:%S")


def _iso(at: float) -> str:
    return _moment(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, tz=UTC)
