"""When an incident is over. Pure.

Not when its entry condition stops holding: once ECS throttles a service its failures come up to 27 minutes apart.
"""

from dataclasses import dataclass
from math import inf

from loopbreaker.judging.ration import DAY, room_for_more_at
from loopbreaker.policy import Policy
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.record import Record

# So often at most is one service said to loop within a day, and as often to have recovered.
OPENINGS_A_DAY = 3


@dataclass(frozen=True, slots=True)
class Tasks:
    """What runs of a service: the desired count, tasks that run, and those of them that outlived the failed ones.

    proven: whether more is known than that they run: that their health checks pass, or that something was done.
    """

    desired: int
    running: int
    lasting: int
    proven: bool = True


def quiet_at(incident: Incident, policy: Policy) -> float:
    """From when on the absence of failures means something: twice the longest gap between two of them."""
    quiet = incident.last_failure_at + max(policy.quiet_after, 2 * incident.longest_gap)
    return max(quiet, _not_before(incident))


def over(incident: Incident, tasks: Tasks, *, policy: Policy, now: float) -> str:
    """Why the incident is over, now that ECS says what runs; empty while it lasts.

    What merely runs may hang, and die later: where nothing is known of its health and nobody changed anything, it is
    believed once it has run for as long as a flaky service does. Where no task ever started, that they run is enough.
    Some service never has all of its tasks at once, or never one that is old enough: it is renewed often, or one of
    its tasks finds no place. So a longer quiet is enough where anything runs.
    """
    if now < _not_before(incident):
        return ""
    if tasks.desired == 0:
        return "somebody set its desired count to 0"
    minutes = f"no task failed for {(now - incident.last_failure_at) / 60:.0f} minutes"
    if not tasks.proven and incident.longest_lifetime and now < incident.last_failure_at + policy.flaky_mtbf:
        return ""
    if now >= quiet_at(incident, policy) and tasks.lasting >= tasks.desired:
        return f"{minutes} and " + ("its task runs" if tasks.desired == 1 else f"all {tasks.desired} tasks run")
    if now >= _long_quiet_at(incident, policy) and tasks.running:
        return f"{minutes} and {tasks.running} of {tasks.desired} tasks run"
    return ""


def over_unasked(incident: Incident, why: str, *, policy: Policy, now: float) -> str:
    """The same where ECS could not be asked: a long quiet stands for it.

    Of failures that were delivered late more may be on their way: quiet begins when they were heard of.
    """
    if now < _blind_quiet_at(incident, policy) or now < _not_before(incident):
        return ""
    minutes = (now - incident.last_failure_at) / 60
    return f"no task failed for {minutes:.0f} minutes; ECS could not be asked ({why})"


def may_be_the_fix(deployment_id: str, record: Record) -> bool:
    """Whether a deployment of which no task fails may have ended it: not where others did not, in the same incident or
    since it was over the last time.
    """
    incident = record.incident
    assert incident is not None
    if not incident.deployment_id or deployment_id == incident.deployment_id:
        return False
    since = incident.first_failure_at
    failed = {
        rung.deployment_id for rung in (*record.fast, *record.slow) if rung.generation and rung.failed_at >= since
    }
    return incident.times == 1 and len(failed - {""}) < 2


def next_end(incident: Incident, *, policy: Policy, now: float) -> float:
    """The next moment at which time alone may end it: a look is due then, however rare looks have become."""
    believed = incident.last_failure_at + policy.flaky_mtbf
    ends = (believed, _long_quiet_at(incident, policy), _blind_quiet_at(incident, policy))
    return min((end for end in ends if end > now), default=inf)


def _long_quiet_at(incident: Incident, policy: Policy) -> float:
    """From when on it is enough that anything runs."""
    longest = incident.longest_gap + incident.longest_lifetime
    return incident.last_failure_at + max(policy.long_quiet_after, 3 * longest)


def _blind_quiet_at(incident: Incident, policy: Policy) -> float:
    """From when on quiet is enough where ECS does not answer."""
    return max(incident.last_failure_at, incident.found_at) + max(policy.blind_quiet_after, 2 * incident.longest_gap)


def _not_before(incident: Incident) -> float:
    """What has come again so often lasts until the first time is a day ago: nobody is told of every swing."""
    opened = incident.openings[-OPENINGS_A_DAY] + DAY if len(incident.openings) >= OPENINGS_A_DAY else 0.0
    return max(opened, room_for_more_at(incident))
