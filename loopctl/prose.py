"""What people read of loops on a terminal: short blocks that fit any width. Pure; every time is UTC."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from loopbreaker import STACK
from loopbreaker.picture.loops import Loop, state
from loopbreaker.picture.words import plain
from loopbreaker.remembering.history import SHOWN, Failed
from loopbreaker.remembering.notice import Receipt
from loopbreaker.remembering.record import Record
from loopbreaker.telling.commands import acknowledge, mute, resume, show, wrapped
from loopbreaker.telling.diagnosis import Diagnosis
from loopbreaker.telling.plain import count, dollars, span, time_of

# Nobody reads longer lines with pleasure.
_WIDEST = 100


def fitted(text: str, *, width: int, indent: str = "", hang: int = 2) -> str:
    """Text broken between words; the lines after the first are indented by `hang` more."""
    lines = wrap(
        plain(text),
        min(width, _WIDEST),
        initial_indent=indent,
        subsequent_indent=indent + " " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines)


def joined(parts: Sequence[str], *, width: int, indent: str = "") -> str:
    """Parts separated by dots, broken between parts where that is enough."""
    lines: list[str] = []
    for part in filter(None, parts):
        if lines and len(lines[-1]) + 3 + len(part) <= min(width, _WIDEST):
            lines[-1] += f" · {part}"
        else:
            lines.append(f"{indent}{part}")
    return "\n".join(fitted(line.strip(), width=width, indent=indent) for line in lines)


def status(loops: Sequence[Loop], suspected: Sequence[Record], *, now: float, width: int, stack: str = STACK) -> str:
    """What loops now: one line for all, a block for each. `stack` is asked by the commands that are printed."""
    held = sum(loop.state in ("held at 0", "being tried") for loop in loops)
    looping = len(loops) - held
    said = [f"{count(looping, 'service')} {'loops' if looping == 1 else 'loop'}"]
    said += [f"{held} held by Loopbreaker"] if held else []
    said += [f"{len(suspected)} suspected"] if suspected else []
    blocks = [fitted(f"{', '.join(said)}; {time_of(now)}.", width=width)]
    blocks += [_open(loop, now=now, width=width, stack=stack) for loop in loops]
    blocks += [_suspected(record, now=now, width=width) for record in suspected]
    return "\n\n".join(blocks)


def history(loops: Sequence[Loop], *, now: float, width: int, stack: str = STACK) -> str:
    """A block for each loop, the newest first."""
    return "\n\n".join(_past(loop, now=now, width=width, stack=stack) for loop in loops)


def story(loop: Loop, *, now: float, width: int, stack: str = STACK) -> str:
    """All that is known of one loop, without its picture."""
    return "\n\n".join(block for block in _story(loop, now=now, width=width, stack=stack) if block)


def cause(loop: Loop) -> str:
    """Why its tasks fail, with the evidence."""
    incident = loop.incident
    said = [incident.category.value]
    said += [f"in {incident.container}"] if incident.container else []
    said += [f"exit code {incident.exit_code}"] if incident.exit_code is not None else []
    evidence = incident.evidence if incident.evidence != f"exit code {incident.exit_code}" else ""
    return ", ".join(said) + (f': "{evidence}"' if evidence else "")


def _open(loop: Loop, *, now: float, width: int, stack: str) -> str:
    incident, record = loop.incident, loop.record
    since = trip.since if record and (trip := record.trip) else loop.first_failure_at
    had = f", had {count(record.trip.desired_count, 'task')}" if record and record.trip else ""
    commands = [show(loop.service, stack)]
    commands += [resume(loop.service, stack)] if loop.state == "held at 0" else []
    return "\n".join(
        [
            fitted(f"{loop.name}  {loop.state.upper()} for {span(now - since)}{had}", width=width),
            joined([_failures(loop), cause(loop)], width=width, indent="  "),
            *(["  acknowledged"] if incident.acknowledged else []),
            *_pasted(commands, width=width),
        ]
    )


def _suspected(record: Record, *, now: float, width: int) -> str:
    suspicion = record.suspicion
    said = f" for {span(now - suspicion.since)}, {suspicion.depth} failures in a row" if suspicion else ""
    name = f"{record.service.cluster}/{record.service.name}"
    return fitted(f"{name}  {state(record).upper()}{said}: ECS is being asked", width=width)


def _past(loop: Loop, *, now: float, width: int, stack: str) -> str:
    incident = loop.incident
    until = loop.closed_at if loop.closed_at is not None else now
    kinds = list(dict.fromkeys(told.kind.value for told in loop.messages if told.kind.value not in _PLAIN))
    again = f"{incident.times} times" if incident.times > 1 else ""
    ended = f"over: {loop.closed_because}" if loop.closed_because else loop.state
    return "\n".join(
        [
            fitted(
                f"{time_of(loop.first_failure_at)}  {loop.name}  {span(until - loop.first_failure_at)}",
                width=width,
            ),
            joined([_failures(loop), cause(loop), again, *kinds], width=width, indent="  "),
            fitted(ended, width=width, indent="  "),
            *_pasted([show(loop.service, stack, number=loop.incident.id)], width=width),
        ]
    )


_PLAIN = ("looping", "recovered")


def _failures(loop: Loop) -> str:
    burn = loop.burn
    rate = f", {burn.per_hour:,.0f} an hour" if burn.per_hour is not None else ""
    money = f", {dollars(burn.total)} at most" if burn.total else ""
    return f"{count(loop.failed_tasks, 'failed task')}{rate}{money}"


def _story(loop: Loop, *, now: float, width: int, stack: str) -> Iterator[str]:
    incident, service = loop.incident, loop.service
    until = loop.closed_at if loop.closed_at is not None else now
    facts = [
        ("State", loop.state if not loop.closed_because else f"over: {loop.closed_because}"),
        ("Where", f"cluster {service.cluster}, account {service.account}, {service.region}"),
        ("Lasted", f"{span(until - loop.first_failure_at)}, from {time_of(loop.first_failure_at)}"),
        ("Failures", f"{_failures(loop)}, {incident.depth} in a row"),
        ("Cause", cause(loop)),
        ("Revision", incident.task_definition.rsplit("/", 1)[-1]),
        ("Again", f"{incident.times} times since {time_of(incident.opened_at)}" if incident.times > 1 else ""),
        ("Costs", "; ".join(f"{dollars(part.per_restart)} for {part.what}" for part in loop.burn.parts)),
    ]
    yield "\n".join(fitted(f"{name + ':':<10}{said}", width=width, hang=10) for name, said in facts if said)
    if loop.messages:
        yield "\n".join(["TOLD", *(line for one in loop.messages for line in _told(one, width))])
    if loop.diagnosis:
        yield from _diagnosed(loop.diagnosis, width)
    first = loop.spells[0].history.first
    last = tuple(failed for failed in incident.history.shown if failed not in first)[-SHOWN:]
    if first or last:
        left = loop.failed_tasks - len(first) - len(last)
        lines = [fitted(_failed(one), width=width, indent="  ") for one in first]
        lines += [f"  … {left:,} more …"] if left > 0 else []
        lines += [fitted(_failed(one), width=width, indent="  ") for one in last]
        yield "\n".join(["FAILED TASKS", *lines])
    commands = [resume(service, stack)] if loop.state == "held at 0" else []
    commands += [acknowledge(service, stack), mute(service, stack, span="2h")] if loop.record else []
    yield "\n".join(["COMMANDS", *_pasted(commands, width=width)]) if commands else ""


def _pasted(commands: Sequence[str], *, width: int) -> Iterator[str]:
    """Each on lines of its own, broken so that a shell takes them together."""
    for command in commands:
        yield from (f"  {line}" for line in wrapped(command, width=width - 2))


def _told(one: Receipt, width: int) -> Iterator[str]:
    """What was told, and below it whom."""
    yield fitted(f"{time_of(one.at)}  {one.kind.value}: {one.reason}", width=width, indent="  ")
    if one.to:
        yield fitted(f"to {', '.join(one.to)}", width=width, indent="    ")


def _diagnosed(found: Diagnosis, width: int) -> Iterator[str]:
    changed = []
    if found.deployed_at:
        by = f", registered by {found.deployed_by}" if found.deployed_by else ""
        changed.append(f"deployed {time_of(found.deployed_at)}{by}")
    if found.compared_with:
        no = "" if found.changes else "no difference "
        changed.append(f"{no}against {found.compared_with}, which ran before")
    changed += [f"{one.what}: {one.before or '-'} -> {one.after or '-'}" for one in found.changes]
    changed += [*found.sums, *(f"left out: {why}" for why in found.left_out)]
    if changed:
        yield "\n".join(["WHAT CHANGED", *(fitted(line, width=width, indent="  ") for line in changed)])
    if found.lines:
        head = f"LAST LOG LINES of {found.log_stream}" if found.log_stream else "LAST LOG LINES"
        yield "\n".join([fitted(head, width=width), *(fitted(line, width=width, indent="  ") for line in found.lines)])


def _failed(failed: Failed) -> str:
    lived = f"lived {span(failed.lifetime)}" if failed.lifetime else "never started"
    code = f", exit code {failed.exit_code}" if failed.exit_code is not None else ""
    evidence = (
        f': "{failed.evidence}"' if failed.evidence and failed.evidence != f"exit code {failed.exit_code}" else ""
    )
    return f"{time_of(failed.at)}  {failed.category.value}{code}, {lived}{evidence}"
