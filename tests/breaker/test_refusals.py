"""What happens where AWS refuses a call: nothing is left half done, people are told once, nothing is tried for ever."""

from typing import Any

import pytest

from loopbreaker.remembering.trip import BreakerState
from tests.breaker.world import BROKEN, COUNT, World, broken, fixed, scaled, world


def _refused(made: World, call: str, *, code: str = "AccessDeniedException", until: float = 1e9, **only: Any) -> World:
    """AWS refuses a call, where its parameters are these."""

    def these(params: dict[str, Any]) -> bool:
        return all(params.get(key) == value for key, value in only.items())

    made.stage.refuses(call, code=code, until=until, when=these)
    return made


def _flags(made: World) -> list[bool]:
    answer = made.sim.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    return [flag for target in answer["ScalableTargets"] for flag in target["SuspendedState"].values()]


@pytest.mark.parametrize("call", ["UpdateService", "RegisterScalableTarget"])
def test_the_stop_is_refused(call: str) -> None:
    """A stop that is refused leaves the count and the flags as they were, and is told once."""
    made = _refused(scaled(broken()), call)
    made.go(2400)
    assert made.sim.service("prod", "web").desired == COUNT
    assert _flags(made) == [False, False, False]
    assert made.record().breaker is BreakerState.CLOSED
    assert made.kinds().count("looping") == 1
    assert "AWS refused it" in next(told.text for told in made.told if told.kind == "not-stopped")


def test_the_rollback_is_refused() -> None:
    """A rollback that is refused is told once, and the deployment is left to people."""
    made = world()
    made.stage.deploys(150, BROKEN)
    made = _refused(made, "StopServiceDeployment", code="UnsupportedFeatureException")
    made.go(1500)
    assert made.kinds()[:2] == ["looping", "not-stopped"]
    assert made.kinds().count("not-stopped") == 1


def test_the_way_back_is_refused_for_a_while() -> None:
    """A way back that is refused is tried again until it works; the saved count is kept and the trouble told once."""
    made = _refused(fixed(scaled(broken()), at=800), "UpdateService", until=1300, desiredCount=COUNT)
    made.go(1200)
    record = made.record()
    assert record.trip is not None
    assert record.trip.desired_count == COUNT
    assert made.kinds().count("down") == 1
    made.go(1200)
    assert made.sim.service("prod", "web").desired == COUNT
    assert _flags(made) == [False, False, False]


@pytest.mark.parametrize("code", ["ThrottlingException", "ServerException"])
def test_what_passes_is_tried_again(code: str) -> None:
    """Throttling and faults of AWS are not refusals: the stream and the sweep try again until it works."""
    made = _refused(scaled(broken()), "UpdateService", code=code, until=700)
    made.go(1200)
    assert made.kinds() == ["looping", "stopped"]
