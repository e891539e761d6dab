"""Deployments that run two revisions side by side and move the traffic: blue/green, canary, linear.

The new revision is started beside the old one, takes the traffic at once or in steps, and both run on through the bake
time before the old one goes (`strategy` and `bakeTimeInMinutes` of the API). A PAUSE hook holds the deployment before
the traffic moves, until somebody continues it.
"""

from collections.abc import Callable

from simulation.core.state import Deployment, Service, ServiceDeployment
from simulation.core.world import World
from simulation.delivery.statements import hook_change

PAUSED_AT = "POST_SCALE_UP"


def advance(world: World, service: Service) -> None:
    """Go on where the new revision has just become healthy as a whole."""
    record = service.history[-1]
    if record.status != "IN_PROGRESS" or record.stage not in ("", "SCALE_UP"):
        return
    record.stage = "SCALE_UP"
    if not service.primary.all_fit():
        return
    if service.spec.pauses:
        record.stage, record.hook_id = PAUSED_AT, world.uuid()
        hook_change(world, record)
    else:
        _shift(world, service, record, 0)


def go_on(world: World, record: ServiceDeployment) -> None:
    """Somebody continued a deployment that waited."""
    if record.stage == PAUSED_AT and record.status == "IN_PROGRESS":
        _shift(world, record.target.service, record, 0)


def keeps(service: Service, old: Deployment) -> bool:
    """Whether an old revision still runs in full: it has traffic, or would get it back at once."""
    record = service.history[-1]
    going = record.status in ("IN_PROGRESS", "ROLLBACK_REQUESTED") and old.rollout_state != "FAILED"
    return going and (old.traffic > 0 or record.stage == "BAKE_TIME")


def _shift(world: World, service: Service, record: ServiceDeployment, step: int) -> None:
    shift = service.spec.shift
    assert shift is not None
    shares = shift.shares()
    record.stage = "PRODUCTION_TRAFFIC_SHIFT"
    record.target.traffic = shares[step]
    for source in record.sources:
        source.traffic = min(source.traffic, 100 - shares[step])
    if step + 1 < len(shares):
        world.clock.after(shift.step_bake, _if_going, record, lambda: _shift(world, service, record, step + 1))
    else:
        record.stage = "BAKE_TIME"
        world.clock.after(shift.bake, _if_going, record, lambda: _clean_up(world, service, record))


def _clean_up(world: World, service: Service, record: ServiceDeployment) -> None:
    record.stage = "CLEAN_UP"
    world.on_stir(service)


def _if_going(record: ServiceDeployment, action: Callable[[], None]) -> None:
    """A deployment that was rolled back or given up meanwhile goes nowhere."""
    if record.status == "IN_PROGRESS":
        action()
