"""What the restarts of a loop cost, counted and never extrapolated from a minute, and what holding it spared. Pure."""

from collections.abc import Iterator, Sequence

from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.telling.diagnosis import Diagnosis
from loopbreaker.telling.letter import Block
from loopbreaker.telling.plain import count, dollars, span
from loopbreaker.telling.prices import AS_OF, REGION, Burn, burn
from loopbreaker.telling.words import Telling, left_at_zero

# Messages about a loop that goes on: only there a day to come costs something.
_GOES_ON = (NoticeKind.LOOPING, NoticeKind.NOT_STOPPED, NoticeKind.STILL_LOOPING)
# Messages that say what a loop came to, and after which a service that was stopped is held no more.
_ENDS = (NoticeKind.BACK, NoticeKind.RECOVERED)


def burned(spells: Sequence[Incident], diagnosis: Diagnosis) -> Burn:
    """What the restarts of an incident cost, counted from the first failure to the last of each time that it looped."""
    return burn(
        restarts=sum(spell.failed_tasks for spell in spells),
        seconds=sum(spell.last_failure_at - spell.first_failure_at for spell in spells),
        category=spells[-1].category,
        vcpu=diagnosis.vcpu,
        gib=diagnosis.memory_mib / 1024,
        fargate=diagnosis.fargate,
    )


def cost(spells: Sequence[Incident], told: Telling, diagnosis: Diagnosis) -> Iterator[Block]:
    """Nothing is said of a day before it was measured for a while; the whole stands in the end, and what was spared."""
    burn = burned(spells, diagnosis)
    if burn.per_hour is None or burn.per_day is None or not burn.parts:
        return
    so_far = f"{count(burn.restarts, 'restart')} in {span(burn.seconds)}: up to about {dollars(burn.total)}"
    goes_on = told.notice.kind in _GOES_ON and not told.held and not left_at_zero(told)
    said = [f"{so_far}, {dollars(burn.per_day)} a day." if goes_on else f"{so_far}."]
    if told.notice.kind in _ENDS and (held := sum(held_for(spell, until=told.notice.at) for spell in spells)):
        spared = burn.per_hour * held / 3600
        said.append(
            f"It was held for {span(held)}: about {count(round(spared), 'restart')} and "
            f"{dollars(spared * burn.each)} were spared."
        )
    rows = tuple((dollars(part.per_restart), part.what) for part in burn.parts)
    said.append(f"Each restart, at list prices of {REGION} in {AS_OF}:")
    over = told.notice.kind in _ENDS or told.held or left_at_zero(told)
    yield Block("What it cost" if over else "What it costs", text=" ".join(said), rows=rows, rank=3)


def held_for(incident: Incident, *, until: float) -> float:
    """For how many seconds of an incident its service was held at 0 or tried, by what people were told of it."""
    held, since = 0.0, None
    for message in sorted(incident.messages, key=lambda message: message.at):
        if message.kind is NoticeKind.STOPPED and since is None:
            since = message.at
        elif message.kind in _ENDS and since is not None:
            held, since = held + message.at - since, None
    return held if since is None else held + max(0.0, until - since)
