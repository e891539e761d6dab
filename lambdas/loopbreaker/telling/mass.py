"""Many services that began to loop at once: how many, which, and what they share. Pure."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from loopbreaker.model import Category, ServiceRef
from loopbreaker.remembering.incident import Incident
from loopbreaker.telling.diagnosis import NOTHING, Diagnosis
from loopbreaker.telling.letter import Block, clean
from loopbreaker.telling.plain import count, span

OVER = "The trouble that many services shared is over"
# Words in what ECS says that name what a task depends on; each as a word, since there is an "ecr" in every secret.
_DEPENDENCIES = {
    "secretsmanager": "Secrets Manager",
    "asm": "Secrets Manager",
    "ssm": "Systems Manager parameters",
    "ecr": "Amazon ECR",
    "registry": "the image registry",
    "docker.io": "Docker Hub",
    "toomanyrequests": "a rate limit of the registry",
    "kms": "KMS",
    "efs": "EFS",
    "i/o timeout": "the network",
    "no such host": "name resolution (DNS)",
    "connection refused": "a server that refuses connections",
    "context deadline exceeded": "the network",
    "logger": "logging",
    "subnet": "a subnet",
}
# How ECS begins what it says of either.
_EITHER = "unable to pull secrets or registry auth"
_MOST_LISTED = 25


@dataclass(frozen=True, slots=True)
class Other:
    """One of the services of a shared trouble. `incident` is None where it is not known, or over."""

    service: ServiceRef
    incident: Incident | None = None
    diagnosis: Diagnosis = NOTHING


def headline(service: ServiceRef, others: tuple[Other, ...], number: int) -> str:
    """`number` is that of all, of whom some are known; empty where nothing is known of any."""
    names = {other.service for other in others}
    number = max(number, len(names))
    if number < 2 or not names:
        return ""
    clusters = {name.cluster for name in names}
    where = f" in {service.cluster}" if clusters == {service.cluster} else f" in {count(len(clusters), 'cluster')}"
    return f"{number:,} services began to loop at once{where}"


def facts(others: tuple[Other, ...], number: int) -> Iterator[tuple[str, str]]:
    known = [other.incident for other in others if other.incident]
    if not known:
        return
    failed = f"{sum(i.failed_tasks for i in known):,} failed tasks"
    whole = number <= len(others)
    yield "Services", f"{len(others)}, {failed}" if whole else f"{number:,}; {failed} in the newest {len(others)}"
    causes = Counter(incident.category.value for incident in known).most_common()
    yield "Causes", ", ".join(f"{name} ({number})" for name, number in causes)
    apart = max(i.opened_at for i in known) - min(i.opened_at for i in known)
    yield "Began", f"within {span(max(60, apart))} of each other"


def blocks(others: tuple[Other, ...], number: int, show: str) -> Iterator[Block]:
    """What they share, what to do, and which they are; `show` is the command that names all that loop."""
    shares = shared(others)
    text = "Most of them have in common:" if shares else "Nothing in common was found in what ECS says of them."
    yield Block("What they share", text=text, lines=tuple(f"- {share}" for share in shares))
    yield Block(
        "What to do",
        text="Look for one cause, not for many: what they share above, then image registry, NAT gateway, secrets, "
        "roles, a zone, a database. Nothing was stopped or rolled back for any of them; "
        "there is no message for each. Mend the cause, and they come back by themselves. All that loop now:",
        commands=(show,),
    )
    if others:
        number = max(number, len(others))
        more = (f"and {number - _MOST_LISTED:,} more",) if number > _MOST_LISTED else ()
        yield Block("The services", lines=(*_listed(others[:_MOST_LISTED]), *more), rank=1)


def _listed(others: tuple[Other, ...]) -> Iterator[str]:
    """Which they are, those with one reason together; the most first."""
    alike: dict[str, list[str]] = {}
    for other in others:
        alike.setdefault(_said(other), []).append(f"{other.service.cluster}/{other.service.name}")
    for said, names in sorted(alike.items(), key=lambda each: (-len(each[1]), each)):
        yield f"{said or 'no reason is known'}: {', '.join(sorted(names))}"


def shared(others: tuple[Other, ...]) -> tuple[str, ...]:
    """What at least two of them, and more than half, have in common; the most frequent first."""
    found: Counter[str] = Counter()
    for other in others:
        found.update(dict.fromkeys(_traits(other), 1))
    least = max(2, len(others) // 2 + 1)
    return tuple(f"{trait} ({number} of {len(others)})" for trait, number in found.most_common() if number >= least)


def shortened(why: str) -> str:
    """The reason without the names of the services, which stand in a list of their own."""
    return why.partition(": ")[0]


def _traits(other: Other) -> Iterator[str]:
    yield from other.diagnosis.shares
    if other.incident is None:
        return
    if other.incident.category is not Category.UNKNOWN:
        yield f"the cause {other.incident.category.value}"
    words = other.incident.evidence.lower().replace(_EITHER, "")
    for meant in dict.fromkeys(meant for word, meant in _DEPENDENCIES.items() if re.search(rf"\b{word}\b", words)):
        yield f"a reason that names {meant}"


def _said(other: Other) -> str:
    incident = other.incident
    if incident is None:
        return ""
    evidence = f' ("{clean(incident.evidence, most=80)}")' if incident.evidence else ""
    return f"{incident.category.value}{evidence}"
