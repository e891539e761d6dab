"""What was found out about a loop, as parts of its message. Pure."""

from collections.abc import Iterator

from loopbreaker.remembering.incident import Incident
from loopbreaker.telling.diagnosis import Diagnosis
from loopbreaker.telling.letter import Block, clean
from loopbreaker.telling.plain import span

_MOST_CHANGES = 10


def found(incident: Incident, diagnosis: Diagnosis) -> Iterator[Block]:
    """What the look at the failed task gave."""
    if diagnosis.sums:
        yield Block("Beside the cause", text=" ".join(diagnosis.sums), rank=1)
    yield from changed(incident, diagnosis)
    if diagnosis.lines:
        container = clean(incident.container, most=80) or "that failed"
        lines = tuple(clean(line) for line in diagnosis.lines)
        yield Block("Last log lines", text=f"Of the container {container}:", lines=lines, rank=5)
    if diagnosis.left_out:
        yield Block(
            "Not found out", text=" ".join(f"{part[:1].upper()}{part[1:]}." for part in diagnosis.left_out), rank=6
        )


def changed(incident: Incident, diagnosis: Diagnosis) -> Iterator[Block]:
    """What is deployed, since when, and how it differs from what ran before."""
    if not (diagnosis.compared_with or diagnosis.deployed_at):
        return
    said, long_ago = [], False
    if diagnosis.deployed_at:
        before = incident.first_failure_at - diagnosis.deployed_at
        when = f"{span(before)} before the first failure" if before >= 0 else f"{span(-before)} after the first failure"
        by = f", registered by {clean(diagnosis.deployed_by, most=120)}" if diagnosis.deployed_by else ""
        said.append(f"{incident.task_definition.rsplit('/', 1)[-1]} was deployed {when}{by}.")
        long_ago = before > 86_400
        if long_ago:
            said.append(f"Nothing was deployed for {span(before)}: look at what it depends on.")
    if diagnosis.compared_with and diagnosis.changes:
        said.append(f"Against {diagnosis.compared_with}, which ran before:")
    elif diagnosis.compared_with and not long_ago:
        said.append(f"It does not differ from {diagnosis.compared_with}, which ran before.")
    rows = [
        (clean(c.what, most=80), f"{_side(c.before)} -> {_side(c.after)}") for c in diagnosis.changes[:_MOST_CHANGES]
    ]
    if len(diagnosis.changes) > _MOST_CHANGES:
        rows.append(("and", f"{len(diagnosis.changes) - _MOST_CHANGES} more"))
    yield Block("What changed", text=" ".join(said), rows=tuple(rows), rank=2)


def _side(text: str) -> str:
    return clean(text, most=120) or "none"
