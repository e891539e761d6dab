"""When an incident is over. Pure.

Not when its entry condition stops holding: once ECS throttles a service its failures come up to 27 minutes apart.
"""

from dataclasses import dataclass

from loopbreaker.policy import Policy
from loopbreaker.remembering.incident import Incident

DAY = 86_400.0
# So often at most is one service said to loop within a day, and as often to have recovered.
OPENINGS_A_DAY = 3


@dataclass(frozen=True, slots=True)
class Tasks:
    """What runs of a service: the desired count, tasks that run, and those of them that outlived the failed ones."""

    desired: int
    running: int
    lasting: int


def quiet_at(incident: Incident, policy: Policy) -> float:
    """From when on the absence of failures means something: twice the longest gap between two of them."""
    quiet = incident.last_failure_at + max(policy.quiet_after, 2 * incident.longest_gap)
    return max(quiet, _not_before(incident))


def over(incident: Incident, tasks: Tasks, *, policy: Policy, now: float) -> str:
    """Why the incident is over, now that ECS says what runs; empty while it lasts.

    Some service never has all of its tasks at once, or never one that is old enough: it is renewed often, or one of
    its tasks finds no place. So a longer quiet is enough where anything runs.
    """
    if now < _not_before(incident):
        return ""
    if tasks.desired == 0:
        return "somebody set its desired count to 0"
    minutes = f"no task failed for {(now - incident.last_failure_at) / 60:.0f} minutes"
    if now >= quiet_at(incident, policy) and tasks.lasting >= tasks.desired:
        return f"{minutes} and " + ("its task runs" if tasks.desired == 1 else f"all {tasks.desired} tasks run")
    longer = max(policy.long_quiet_after, 3 * (incident.longest_gap + incident.longest_lifetime))
    if now >= incident.last_failure_at + longer and tasks.running:
        return f"{minutes} and {tasks.running} of {tasks.desired} tasks run"
    return ""


def over_unasked(incident: Incident, why: str, *, policy: Policy, now: float) -> str:
    """The same where ECS could not be asked: a long quiet stands for it.

    Of failures that were delivered late more may be on their way: quiet begins when they were heard of.
    """
    quiet = max(policy.blind_quiet_after, 2 * incident.longest_gap)
    if now < max(incident.last_failure_at, incident.found_at) + quiet or now < _not_before(incident):
        return ""
    minutes = (now - incident.last_failure_at) / 60
    return f"no task failed for {minutes:.0f} minutes; ECS could not be asked ({why})"


def _not_before(incident: Incident) -> float:
    """What has come again so often lasts until the first time is a day ago: nobody is told of every swing."""
    return incident.openings[-OPENINGS_A_DAY] + DAY if len(incident.openings) >= OPENINGS_A_DAY else 0.0
