"""What `loopctl` prints: JSON objects for programs, tables and sentences for people."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.table import Table
from rich.text import Text

from loopbreaker.model import Category, Label, ServiceRef
from loopbreaker.policy import Threshold
from loopbreaker.record import Incident, NoticeKind, Record
from loopctl.explain import Explanation
from loopctl.replay import Change, Replay

_CHANGE_STYLES = {
    NoticeKind.LOOPING: "bold red",
    NoticeKind.MASS: "bold magenta",
    NoticeKind.RECOVERED: "green",
}
# Columns from which on a table of changes has room for reasons.
_ROOM = 130
LABEL_STYLES = {
    Label.FAILURE: "red",
    Label.NORMAL: "green",
    Label.NOT_FINAL: "dim",
    Label.STANDALONE: "cyan",
    Label.NOT_A_STOP: "dim",
    Label.INVALID: "bold yellow",
}


def change_json(change: Change) -> str:
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


def record_json(record: Record) -> str:
    """What is remembered of one service, as one line."""
    incident, trip = record.incident, record.trip
    return json.dumps(
        {
            "cluster": record.service.cluster,
            "service": record.service.name,
            "verdict": record.verdict.value,
            "breaker": record.breaker.value,
            "step": trip.step.value if trip else None,
            "saved_desired_count": trip.desired_count if trip else None,
            "category": incident.category.value if incident else None,
            "depth": incident.depth if incident else None,
            "failed_tasks": incident.failed_tasks if incident else None,
            "first_failure_at": _iso(incident.first_failure_at) if incident else None,
        }
    )


def records_table(records: Sequence[Record]) -> Table:
    """The same for people."""
    table = Table(box=None, pad_edge=False)
    for column in ("CLUSTER", "SERVICE", "STATE", "SAVED COUNT", "SINCE", "GENERATIONS", "CAUSE"):
        table.add_column(column)
    for record in records:
        incident, trip = record.incident, record.trip
        table.add_row(
            record.service.cluster,
            record.service.name,
            f"{record.verdict.value}, breaker {record.breaker.value}" if incident else "suspected",
            str(trip.desired_count) if trip else "",
            _iso(incident.first_failure_at) if incident else "",
            str(incident.depth) if incident else "",
            incident.category.value if incident else "",
        )
    return table


def explanation_json(found: Explanation) -> str:
    """What one event is, as one line."""
    return json.dumps(
        {
            "task": found.task,
            "service": found.service.name if found.service else None,
            "label": found.label.value,
            "category": found.category.value if found.category else None,
            "counts": found.counts,
            "why": found.why,
        }
    )


def changes_table(changes: Iterable[Change], *, width: int) -> Table:
    """Every change, in the order in which it would have been told; the whole story where there is room for it."""
    wide = width >= _ROOM
    table = _table("at", "service", "change", "cause", "failed", "depth", *(["since", "signal", "reason"] * wide))
    for change in changes:
        incident, kind = change.incident, change.notice.kind
        more = [_time(incident.first_failure_at), incident.signal.value, Text(change.notice.reason)]
        table.add_row(
            _time(change.notice.at),
            Text(_name(change.service)),
            Text(kind.value, style=_CHANGE_STYLES.get(kind, "")),
            incident.category.value,
            f"{incident.failed_tasks:,}",
            str(incident.depth),
            *(more * wide),
        )
    return table


def replay_summary(replay: Replay, changes: Sequence[Change]) -> str:
    """What came of a replay, in sentences."""
    found = Counter(change.notice.kind for change in changes)
    loops, recovered = found[NoticeKind.LOOPING], found[NoticeKind.RECOVERED]
    span = f", {_time(replay.began_at)} to {_time(replay.now)} UTC" if replay.began_at is not None else ""
    result = f"{_count(loops, 'restart loop')}, {recovered:,} recovered" if loops else "no restart loop"
    lines = [f"{_count(replay.events, 'event')}{span}: {result}."]
    lines += [_still(service, incident) for service, incident in replay.looping()]
    return "\n".join(lines)


def _still(service: ServiceRef, incident: Incident) -> str:
    last = _time(incident.last_failure_at)
    return f"Still looping where the recording ends: {_name(service)}, whose last failure was at {last}."


def explanation_line(found: Explanation, label: str) -> str:
    """What one event is, in aligned columns. `label` is the label as it is to be shown."""
    category = found.category.value if found.category else "-"
    counts = "counts" if found.counts else "-"
    service = _name(found.service) if found.service else "-"
    return f"{label} {category:22} {counts:6}  {service}  {_plain(found.task or '-')}  {_plain(found.why)}"


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
