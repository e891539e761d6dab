"""When an incident is over. Pure.

Not when its entry condition stops holding: once ECS throttles a service its failures come up to 27 minutes apart.
"""

from dataclasses import dataclass
from math import inf

from loopbreaker.policy import Policy
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.notice import NoticeKind

DAY = 86_400.0
# So often at most is one service said to loop within a day, and as often to have recovered.
OPENINGS_A_DAY = 3
# So many messages of a day leave room for that it is over, that it loops again, and that it has become worse: six.
_LEAVE_ROOM = 3
_OF_THE_LOOP = (NoticeKind.LOOPING, NoticeKind.STILL_LOOPING, NoticeKind.RECOVERED)


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


def next_end(incident: Incident, *, policy: Policy, now: float) -> float:
    """The next moment at which time alone may end it: a look is due then, however rare looks have become."""
    quiet_since = incident.last_failure_at
    longer = max(policy.long_quiet_after, 3 * (incident.longest_gap + incident.longest_lifetime))
    unasked = max(quiet_since, incident.found_at) + max(policy.blind_quiet_after, 2 * incident.longest_gap)
    ends = (quiet_since + policy.flaky_mtbf, quiet_since + longer, unasked)
    return min((end for end in ends if end > now), default=inf)


def told_at(incident: Incident, *, now: float) -> tuple[float, ...]:
    """When people were told within the last day that the service loops, loops on, or does not any more."""
    of_it = (message.at for message in incident.messages if message.kind in _OF_THE_LOOP)
    return tuple(at for at in (*incident.told_before, *of_it) if at > now - DAY)


def may_remind(incident: Incident, *, now: float) -> bool:
    """Whether people were told so little within the last day that a reminder is not too much."""
    return len(told_at(incident, now=now)) < _LEAVE_ROOM


def _not_before(incident: Incident) -> float:
    """What has come again so often lasts until the first time is a day ago: nobody is told of every swing."""
    opened = incident.openings[-OPENINGS_A_DAY] + DAY if len(incident.openings) >= OPENINGS_A_DAY else 0.0
    told = told_at(incident, now=incident.found_at)
    return max(opened, told[-_LEAVE_ROOM - 1] + DAY if len(told) > _LEAVE_ROOM else 0.0)
