"""Tasks that never start, too far apart for a chain: ECS throttles the service, and may have done so for days. Pure.

ECS waits up to 27 minutes between two starts of such a service ("Amazon ECS service throttle logic").
"""

from loopbreaker.remembering.rung import Ladder

_ENOUGH = 3
# The longest wait, and the time that a start takes until it has failed; and the least that so many of them take.
_APART, _LASTS = 2100.0, 1200.0


def failed_starts(ladder: Ladder) -> tuple[float, ...]:
    """When the last few tasks of one deployment failed that never started, with none between them that did.

    Empty where they were fewer than three, or within twenty minutes, or too far apart. That no task started between
    them and runs is for ECS to say.
    """
    newest = sorted(ladder, key=lambda rung: rung.failed_at, reverse=True)
    found: list[float] = []
    for rung in newest:
        other = rung.deployment_id != newest[0].deployment_id
        if rung.lifetime or other or (found and found[-1] - rung.failed_at > _APART):
            break
        found.append(rung.failed_at)
    lasts = len(found) >= _ENOUGH and found[0] - found[-1] >= _LASTS
    return tuple(reversed(found)) if lasts else ()
