"""The headline, the state and the severity of a message: true in every state a record can be in. Pure."""

from dataclasses import dataclass
from typing import assert_never

from loopbreaker.remembering.incident import Incident, Signal
from loopbreaker.remembering.notice import Notice, NoticeKind
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import BreakerState, Step
from loopbreaker.telling.letter import Severity
from loopbreaker.telling.plain import count, span


@dataclass(frozen=True, slots=True)
class Telling:
    """One notice and the two versions of the record between which it came to be owed."""

    before: Record | None
    after: Record
    notice: Notice

    @property
    def incident(self) -> Incident | None:
        """The incident that the notice is about: over already where the notice says so."""
        return self.after.incident or (self.before.incident if self.before else None)

    @property
    def held(self) -> bool:
        return self.after.breaker is not BreakerState.CLOSED


_HEADLINES = {
    NoticeKind.MASS: "and others are in a restart loop",
    NoticeKind.ROLLED_BACK: "is being rolled back",
    NoticeKind.ROLLBACK_FAILED: "was rolled back, and the earlier revision fails too",
    NoticeKind.PROBING: "is being tried",
    NoticeKind.BACK: "was started again",
    NoticeKind.BAD_TAG: "has a tag that is not understood",
    NoticeKind.DOWN: "is DOWN at 0: held and could not be brought back",
    NoticeKind.MASS_OVER: "and others are over a trouble that they shared",
    NoticeKind.RECOVERED: "is no longer in a restart loop",
}


# What the service does, and what it did where no task has failed for long.
_LOOPS = {
    Signal.FAST: ("is in a restart loop", "was in a restart loop"),
    Signal.SLOW: ("is in a slow restart loop", "was in a slow restart loop"),
    Signal.UNHEALTHY: ("fails its health checks over and over", "failed its health checks over and over"),
    Signal.IMPAIRED: ("cannot start its tasks", "could not start its tasks"),
    Signal.PLACEMENT: ("gets no capacity for its tasks", "got no capacity for its tasks"),
    Signal.STORM: ("loses its tasks one after another", "lost its tasks one after another"),
    Signal.RESTARTS: ("restarts containers inside its tasks", "restarted containers inside its tasks"),
    Signal.EMPTY: ("runs none of its tasks", "ran none of its tasks"),
}
_QUIET = 3600.0
_STILL = {
    Signal.PLACEMENT: "gets no capacity for its tasks",
    Signal.RESTARTS: "restarts containers inside its tasks",
    Signal.EMPTY: "runs none of its tasks",
}
_NO_LONGER = {
    Signal.RESTARTS: "no longer restarts containers inside its tasks",
    Signal.EMPTY: "runs tasks again",
}


def headline(telling: Telling) -> str:
    """What happened, as the rest of a sentence that begins with the service's name."""
    signal = telling.incident.signal if telling.incident else Signal.FAST
    match telling.notice.kind:
        case NoticeKind.LOOPING:
            return _loops(telling)
        case NoticeKind.NOT_STOPPED:
            return _held_or(telling, "is left at 0" if left_at_zero(telling) else "loops on and was not acted on")
        case NoticeKind.DIGEST:
            more = telling.notice.services - 1
            others = f"and {count(more, 'more service')} lose" if more > 0 else "loses"
            return f"{others} tasks now and then"
        case NoticeKind.STILL_LOOPING if telling.notice.services > 1:
            return f"and {telling.notice.services - 1:,} more services still loop"
        case NoticeKind.STILL_LOOPING:
            return _held_or(telling, f"still {_STILL.get(signal, 'loops')}")
        case NoticeKind.RECOVERED if signal in _NO_LONGER:
            return _NO_LONGER[signal]
        case NoticeKind.STOPPED:
            again = telling.before is not None and telling.before.breaker is BreakerState.HALF_OPEN
            return "was stopped again" if again else "was stopped"
        case kind:
            return _HEADLINES[kind]


def state(telling: Telling) -> str:
    """How the service stands now, as half a sentence; from the record, whatever the notice."""
    record, trip = telling.after, telling.after.trip
    if record.breaker is BreakerState.OPEN and trip:
        return f"held at 0 tasks by Loopbreaker; it had {trip.desired_count}"
    if record.breaker is BreakerState.HALF_OPEN and trip:
        one = trip.step in (Step.SET_ONE, Step.PROBING)
        tried = 1 if one else trip.desired_count
        return f"{count(tried, 'task')} {'is' if tried == 1 else 'are'} being tried; it had {trip.desired_count}"
    return "not in a restart loop" if record.incident is None else _running(telling)


_WHAT_ECS_DOES = {
    Signal.PLACEMENT: "ECS goes on looking for capacity",
    Signal.RESTARTS: "its tasks run, and ECS goes on restarting containers inside them",
    Signal.EMPTY: "none of its tasks runs",
}


def _running(telling: Telling) -> str:
    """The state of a service that loops, or did a moment ago, and that we do not hold."""
    trip, incident = telling.after.trip, telling.incident
    if left_at_zero(telling):
        return "at 0 tasks, as somebody set it"
    if telling.notice.kind is NoticeKind.BACK:
        if scaling_is_left(telling):
            return "started with its tasks, but its scaling is still suspended"
        before = telling.before.trip if telling.before else None
        raised = "not by Loopbreaker" in telling.notice.reason
        wanted = f"with {count(before.desired_count, 'task')}" if before and not raised else "by somebody else"
        return f"started {wanted}; watched until it has proved itself"
    if trip and trip.step in (Step.STOP_DEPLOYMENT, Step.ROLLING_BACK):
        return "ECS is taking it back to the revision before"
    if quiet := _quiet_for(telling):
        return f"no task has failed for {span(quiet)}"
    if incident and incident.signal in _WHAT_ECS_DOES:
        return _WHAT_ECS_DOES[incident.signal]
    wanted = f" ({count(incident.desired_count, 'task')} wanted)" if incident and incident.desired_count else ""
    untouched = "; Loopbreaker has not touched it" if telling.notice.kind is NoticeKind.LOOPING else ""
    return f"ECS goes on restarting its tasks{wanted}{untouched}"


def left_at_zero(telling: Telling) -> bool:
    """Whether somebody else set the service to 0, before we did or while we held it: that stands."""
    trip = telling.after.trip
    if telling.notice.kind is not NoticeKind.NOT_STOPPED or trip is None or trip.undo:
        return False
    return trip.step in (Step.UNTAG, Step.RESTORE_SCALING)


def scaling_is_left(telling: Telling) -> bool:
    """Whether the count is back, and AWS does not let us give the scaling back."""
    trip = telling.after.trip
    return telling.notice.kind is NoticeKind.BACK and trip is not None and trip.step is Step.RESTORE_SCALING


def severity(telling: Telling) -> Severity:
    """Critical where nobody is served and only a person may help; information where nothing is asked of people."""
    kind = telling.notice.kind
    match kind:
        case NoticeKind.DOWN | NoticeKind.MASS | NoticeKind.STOPPED | NoticeKind.ROLLBACK_FAILED:
            return Severity.CRITICAL
        case NoticeKind.NOT_STOPPED if telling.held:
            return Severity.CRITICAL
        case NoticeKind.BACK if scaling_is_left(telling):
            return Severity.WARNING
        case NoticeKind.LOOPING | NoticeKind.NOT_STOPPED | NoticeKind.ROLLED_BACK | NoticeKind.STILL_LOOPING:
            return Severity.WARNING
        case NoticeKind.BAD_TAG:
            return Severity.WARNING
        case NoticeKind.PROBING | NoticeKind.BACK | NoticeKind.MASS_OVER | NoticeKind.RECOVERED | NoticeKind.DIGEST:
            return Severity.INFO
    assert_never(kind)


def _loops(telling: Telling) -> str:
    incident = telling.incident
    now, then = _LOOPS[incident.signal if incident else Signal.FAST]
    again = " again" if incident and incident.times > 1 else ""
    return f"{then if _quiet_for(telling) else now}{again}"


def _quiet_for(telling: Telling) -> float:
    """For how long, in seconds, no task has failed, where that is so long that it may be over; else 0.

    Events may come a day late, and silence that its owner asked for may end after the loop did.
    """
    incident = telling.incident
    if incident is None:
        return 0.0
    quiet = telling.notice.at - incident.last_failure_at
    return quiet if quiet > max(_QUIET, 3 * incident.longest_gap) else 0.0


def _held_or(telling: Telling, otherwise: str) -> str:
    """What a service that we hold is, whatever else would be said of it."""
    match telling.after.breaker:
        case BreakerState.OPEN:
            return "is still held at 0"
        case BreakerState.HALF_OPEN:
            return "is still being tried"
        case BreakerState.CLOSED:
            return otherwise
