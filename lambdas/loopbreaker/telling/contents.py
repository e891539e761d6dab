"""What a message is made of: facts, what was found out, what it costs, what to do, and commands for it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from loopbreaker import STACK
from loopbreaker.drill import WHAT_IT_IS, is_drill
from loopbreaker.model import Category
from loopbreaker.remembering.incident import Incident, Signal
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.telling import commands, mass
from loopbreaker.telling.advice import advice, meaning
from loopbreaker.telling.costs import burned, cost
from loopbreaker.telling.diagnosis import NOTHING, Diagnosis
from loopbreaker.telling.found import changed, found
from loopbreaker.telling.letter import Block, Letter, clean, short
from loopbreaker.telling.plain import count, iso, span, time_of
from loopbreaker.telling.words import Telling, headline, left_at_zero, scaling_is_left, severity, state

_MUTE_FOR = 86_400
# What was read and not told by a task has no cause yet, and a page of its own.
_OWN_PAGE = {Signal.RESTARTS: "restarts", Signal.EMPTY: "empty"}
# What is to be done after these, with the advice for the cause where it stands.
_AFTER = {
    NoticeKind.ROLLED_BACK: "Nothing at once: ECS takes it back. Mend the cause before the next deployment.",
    NoticeKind.ROLLBACK_FAILED: "Do not deploy once more: the cause is not in the revision. "
    "Look at what both revisions depend on: a database, a secret, a queue, the network.",
}
_OF_A_DIGEST = (
    "Nothing at once: each is named once a week at most. Tasks that end after hours often leak memory or lose a "
    "connection; starts that fail now and then make deployments slow."
)
_MOST_NAME = 60
# ECS shows a stopped task for about an hour (ECS developer guide, "Viewing stopped task errors").
_TASK_IS_KEPT = 3600


@dataclass(frozen=True, slots=True)
class Background:
    """What a message may say beside the record: the diagnosis, the others of a shared trouble, where the runbook is.

    earlier: the same incident as it was before it came again, the oldest first.
    stack: name of the installation, for the commands that ask it.
    """

    diagnosis: Diagnosis = NOTHING
    earlier: tuple[Incident, ...] = ()
    others: tuple[mass.Other, ...] = ()
    runbook: str = ""
    stack: str = STACK


def write(told: Telling, known: Background) -> Letter:
    """The message in its parts."""
    service, why = told.after.service, _why(told)
    account = ("Account", f"{service.account}, {service.region}")
    match told.notice.kind:
        case NoticeKind.MASS:
            number, show = told.notice.services, commands.status(service, known.stack)
            return Letter(
                headline=mass.headline(service, known.others, number) or f"{named(told)} {headline(told)}",
                why=mass.shortened(why),
                severity=severity(told),
                facts=(account, *mass.facts(known.others, number)),
                blocks=tuple(mass.blocks(known.others, number, show)),
                links=tuple(_links(told, known)),
            )
        case NoticeKind.MASS_OVER:
            return Letter(f"{mass.OVER} in {service.region}", why, severity(told), facts=(account,))
        case NoticeKind.DIGEST:
            lead, ails = f"{named(told)} {headline(told)}", tuple(_of_a_digest(told))
            return Letter(lead, why, severity(told), facts=(account,), blocks=ails)
        case _:
            return _of_one(told, known, why)


def _of_one(told: Telling, known: Background, why: str) -> Letter:
    """A message that is about one service."""
    return Letter(
        headline=f"{named(told)} {headline(told)}",
        why=why,
        severity=severity(told),
        facts=tuple(_facts(told, known.earlier)),
        blocks=tuple(_blocks(told, known)),
        links=tuple(_links(told, known)),
    )


def _why(told: Telling) -> str:
    if told.notice.kind is NoticeKind.DIGEST and told.notice.reason:
        return "tasks that fail now and then are no restart loop, and worth knowing of"
    return clean(told.notice.reason, most=500) or "no reason was recorded"


def named(told: Telling) -> str:
    """The service in the headline: ECS allows 255 characters, which would leave no room to say what happened."""
    return short(told.after.service.name, _MOST_NAME)


def _facts(told: Telling, earlier: tuple[Incident, ...]) -> Iterator[tuple[str, str]]:
    service, incident, over = told.after.service, told.incident, told.after.incident is None
    if is_drill(service):
        yield "Drill", WHAT_IT_IS
    if told.held or told.notice.kind is not NoticeKind.RECOVERED:
        yield "Now", state(told)
    yield "Service", service.name
    yield "Cluster", f"{service.cluster} (account {service.account}, {service.region})"
    if incident is None:
        return
    yield from _when(told, incident, over=over)
    if incident.failed_tasks:
        yield "Failed", _failed(incident, told.notice.reason)
    if earlier:
        failed = sum(spell.failed_tasks for spell in (*earlier, incident))
        yield (
            "In all",
            f"{count(failed, 'failed task')}; found {incident.times} times since {time_of(incident.opened_at)}",
        )
    yield "Cause", f"{incident.category.value}: {advice(incident.category, incident.signal).means}"
    if evidence := _evidence(incident):
        yield "Evidence", evidence
    if told.after.mistakes and told.notice.kind is not NoticeKind.BAD_TAG:
        yield "Tags", clean("; ".join(told.after.mistakes))
    if incident.task_definition:
        name = _name(incident.task_definition)
        both = told.notice.kind is NoticeKind.ROLLBACK_FAILED
        says = f"{name} failed last, the other one before it" if both else f"{name} is the one that failed"
        yield "Revision", says if incident.failed_tasks else name


def _when(told: Telling, incident: Incident, *, over: bool) -> Iterator[tuple[str, str]]:
    if over:
        lasted = span(incident.last_failure_at - incident.first_failure_at)
        yield "Lasted", f"{lasted}, from {time_of(incident.first_failure_at)}"
        backs = [message for message in incident.messages if message.kind is NoticeKind.BACK]
        if backs:
            yield "Back", f"{time_of(backs[-1].at)}: {clean(backs[-1].reason)}"
    else:
        ago = span(told.notice.at - incident.first_failure_at)
        yield "Since", f"{time_of(incident.first_failure_at)} ({ago} ago)"


def _failed(incident: Incident, why: str) -> str:
    said = count(incident.failed_tasks, "task")
    rate = burned((incident,), NOTHING).per_hour
    if rate is not None:
        said += f", about {rate:.0f} an hour"
    elif incident.failed_tasks > 1:
        said += f" within {span(incident.last_failure_at - incident.first_failure_at)}"
    if incident.depth > 1 and f"{incident.depth} times in a row" not in why:
        said += f"; {incident.depth} times in a row the replacement of a failed task failed too"
    return said


def _evidence(incident: Incident) -> str:
    said = [f"container {clean(incident.container, most=80)}"] if incident.container else []
    if incident.exit_code is not None:
        usual = meaning(incident.exit_code, incident.category)
        said.append(f"exit code {incident.exit_code}" + (f" ({usual})" if usual else ""))
    if incident.evidence and incident.evidence != f"exit code {incident.exit_code}":
        said.append(f'"{clean(incident.evidence)}"')
    return ", ".join(said)


def _blocks(told: Telling, known: Background) -> Iterator[Block]:
    incident, kind = told.incident, told.notice.kind
    if kind is NoticeKind.BAD_TAG:
        yield _correct_tag(told)
    if incident is None:
        return
    match kind:
        case NoticeKind.STILL_LOOPING if told.notice.services > 1:
            yield _all_of_them(told, known.stack)
            yield from _of_a_loop(told, incident, known)
        case NoticeKind.LOOPING | NoticeKind.NOT_STOPPED | NoticeKind.STILL_LOOPING:
            yield from _of_a_loop(told, incident, known)
        case NoticeKind.STOPPED | NoticeKind.ROLLED_BACK | NoticeKind.ROLLBACK_FAILED:
            yield from _found(told, incident, known)
            yield _what_to_do(told, incident, known.diagnosis)
            yield from _bring_back(told, known.stack) if kind is NoticeKind.STOPPED else ()
        case NoticeKind.DOWN:
            # Nobody is served: what helps comes first.
            yield from _bring_back(told, known.stack)
            yield from changed(incident, known.diagnosis)
            yield _what_to_do(told, incident, known.diagnosis)
        case NoticeKind.RECOVERED | NoticeKind.BACK:
            yield from _give_scaling_back(told) if scaling_is_left(told) else ()
            yield from cost((*known.earlier, incident), told, known.diagnosis)
        case NoticeKind.PROBING | NoticeKind.MASS | NoticeKind.MASS_OVER | NoticeKind.BAD_TAG | NoticeKind.DIGEST:
            return
        case _:
            assert_never(kind)


def _of_a_loop(told: Telling, incident: Incident, known: Background) -> Iterator[Block]:
    if left_at_zero(told):
        yield from cost((*known.earlier, incident), told, known.diagnosis)
        return
    yield from _found(told, incident, known)
    yield _what_to_do(told, incident, known.diagnosis)
    yield from _bring_back(told, known.stack) if told.held else _silence(told, known.stack)


def _found(told: Telling, incident: Incident, known: Background) -> Iterator[Block]:
    yield from found(incident, known.diagnosis)
    yield from cost((*known.earlier, incident), told, known.diagnosis)


def _correct_tag(told: Telling) -> Block:
    arn = commands.service_arn(told.after.service)
    command = f"aws ecs list-tags-for-resource --region {told.after.service.region} --resource-arn {arn}"
    text = "Correct the tag. Until then it counts as not set."
    return Block("What to do", text=text, commands=(command,))


def _of_a_digest(told: Telling) -> Iterator[Block]:
    yield Block("In the last day", lines=tuple(clean(line) for line in told.notice.reason.split("; ")))
    yield Block("What to do", text=_OF_A_DIGEST)


def _what_to_do(told: Telling, incident: Incident, diagnosis: Diagnosis) -> Block:
    service = told.after.service
    command = commands.check(
        service,
        incident.category,
        incident.signal,
        task_definition=incident.task_definition,
        task_id=diagnosis.task_id,
        log_group=diagnosis.log_group,
    )
    first = _AFTER.get(told.notice.kind, "{}").format(advice(incident.category, incident.signal).first)
    return Block("What to do", text=first, commands=(command,))


def _bring_back(told: Telling, stack: str) -> Iterator[Block]:
    trip, service = told.after.trip, told.after.service
    if trip is None:
        return
    if told.notice.kind is NoticeKind.DOWN:
        text = "Nobody is served, and Loopbreaker cannot change it. Give the service its tasks back by hand:"
    else:
        text = (
            "Deploy the fix: another task definition on the service brings it back by itself. Unless its tag "
            "loopbreaker:recovery says manual, Loopbreaker also tries it from time to time. To bring it back as it is:"
        )
        yield Block("Bring it back", text=text, commands=(commands.resume(service, stack),))
        text = "The same without loopctl, the count first:"
    yield Block("Bring it back by hand", text=text, commands=tuple(commands.resume_commands(service, trip)))


def _give_scaling_back(told: Telling) -> Iterator[Block]:
    trip = told.after.trip
    assert trip is not None
    text = "Give its scaling back by hand, and mend the permission that is missing:"
    yield Block("What to do", text=text, commands=tuple(commands.resume_commands(told.after.service, trip)[1:]))


def _silence(told: Telling, stack: str) -> Iterator[Block]:
    service, until = told.after.service, iso(told.notice.at + _MUTE_FOR)[:16] + "Z"
    text = "No more reminders of this loop; what changes is still told:"
    yield Block("Say that you are at it", text=text, commands=(commands.acknowledge(service, stack),), rank=4)
    text = "Until tomorrow no message about this service, and no action. With loopctl, or else by the tag itself:"
    quiet = (commands.mute(service, stack), *commands.silence(service, until=until))
    yield Block("Silence it", text=text, commands=quiet, rank=4)


def _all_of_them(told: Telling, stack: str) -> Block:
    text = f"What follows is of {named(told)}, as one of them. All that loop now:"
    return Block("All of them", text=text, commands=(commands.status(told.after.service, stack),))


def _links(told: Telling, known: Background) -> Iterator[tuple[str, str]]:
    service, diagnosis = told.after.service, known.diagnosis
    if told.notice.kind is NoticeKind.MASS:
        yield "Console", commands.clusters_url(service)
        yield "Runbook", runbook(known.runbook, "mass")
        return
    yield "Console", commands.console_url(service)
    if told.incident is None:
        return
    fresh = told.notice.at - told.incident.opened_at < _TASK_IS_KEPT
    if diagnosis.task_id and fresh:
        yield "Task", commands.task_url(service, diagnosis.task_id)
    if diagnosis.log_group and diagnosis.log_stream:
        yield "Log", commands.logs_url(service, diagnosis.log_group, diagnosis.log_stream)
    if told.after.incident:
        yield "Runbook", runbook(known.runbook, _OWN_PAGE.get(told.incident.signal, told.incident.category))


def runbook(base: str, page: str | Category) -> str:
    """The address of a page of the runbook: below the address that was configured, else the file in the project."""
    return f"{base.rstrip('/')}/{page}.md" if base else f"docs/runbook/{page}.md"


def _name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
