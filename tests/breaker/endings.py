"""How a story ends, with a disturbance and without: what the tests of crashes and of interleavings compare."""

from collections import Counter
from dataclasses import dataclass

from tests.breaker.scenarios import Scenario, no_count_is_lost
from tests.breaker.world import Crash, World

CHANGES = (
    "RegisterScalableTarget",
    "StopServiceDeployment",
    "UpdateService",
    "table.archive",
    "table.gather",
    "table.save",
)
"""Calls that change something; all others only read."""
FIRST = "table.load"
"""The call with which each invocation begins."""


@dataclass(frozen=True)
class End:
    """What is compared: the service, its scaling, the record, the messages."""

    desired: int
    suspended: tuple[bool, ...]
    breaker: str
    verdict: str
    trip: int | None
    kinds: tuple[str, ...]


def play(scenario: Scenario, crash: Crash | None = None) -> World:
    """The world after the story, in which the function was perhaps killed once."""
    made = scenario.build()
    made.crash = crash
    made.run(scenario.ends)
    no_count_is_lost(made)
    return made


def end_of(made: World) -> End:
    record = made.record()
    targets = made.sim.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    flags = [flag for target in targets["ScalableTargets"] for flag in target["SuspendedState"].values()]
    return End(
        desired=made.sim.service("prod", "web").desired,
        suspended=tuple(flags),
        breaker=record.breaker.value,
        verdict=record.verdict.value,
        trip=record.trip.desired_count if record.trip else None,
        kinds=tuple(made.kinds()),
    )


def undisturbed(scenario: Scenario) -> tuple[End, list[str]]:
    """The end as it should be, and the calls on the way."""
    count = Crash(at=0, after=False)
    return end_of(play(scenario, count)), count.names


def agree(end: End, expected: End) -> bool:
    """The same end; at most one message more, and none missing."""
    missing = Counter(expected.kinds) - Counter(end.kinds)
    extra = Counter(end.kinds) - Counter(expected.kinds)
    same = (end.desired, end.suspended, end.breaker, end.verdict, end.trip) == (
        expected.desired,
        expected.suspended,
        expected.breaker,
        expected.verdict,
        expected.trip,
    )
    return same and not missing and extra.total() <= 1
