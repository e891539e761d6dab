"""Loops that come again: what opens within a day of the last end is the same incident, taken up again. Pure."""

from dataclasses import replace

from loopbreaker.judging.ending import OPENINGS_A_DAY
from loopbreaker.judging.ration import DAY, told_at
from loopbreaker.remembering.incident import Incident, Past

# A pause longer than this says nothing more about how long the next quiet may be deceptive, in seconds.
LONGEST_PAUSE = 7200.0


def closed(incident: Incident, *, at: float) -> Past:
    """What is remembered of an incident that is over."""
    return Past(
        opened_at=incident.opened_at,
        openings=incident.openings,
        times=incident.times,
        last_failure_at=incident.last_failure_at,
        longest_gap=incident.longest_gap,
        deployment_id=incident.deployment_id,
        closed_at=at,
        told_at=told_at(incident, now=at),
    )


def taken_up(past: Past | None, incident: Incident, *, now: float) -> Incident:
    """The incident that opens now, as the last one taken up again where that ended within a day.

    It has the same id. The pause was one of its quiet times, so the next has to last longer before it is believed;
    but where something else was deployed meanwhile the pause says nothing of that.
    """
    openings = (*(past.openings if past else ()), incident.opened_at)
    told_before = past.told_at if past else ()
    incident = replace(incident, openings=openings[-OPENINGS_A_DAY:], told_before=told_before)
    if past is None or now > past.closed_at + DAY:
        return incident
    gap = incident.longest_gap
    if incident.deployment_id == past.deployment_id:
        pause = min(incident.first_failure_at - past.last_failure_at, LONGEST_PAUSE)
        gap = max(gap, past.longest_gap, pause)
    return replace(incident, opened_at=past.opened_at, times=past.times + 1, longest_gap=gap)
