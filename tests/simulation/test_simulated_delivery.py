"""How simulated events arrive."""

from collections import Counter
from datetime import datetime
from itertools import pairwise

from simulation import Delivery, Failure, constant, crash
from tests.simulation.scenes import scene


def test_duplicates_are_the_same_event() -> None:
    """A copy has the id and the `detail.version` of the first, and there are about as many as asked for."""
    sim = scene(behaviour=crash(Failure.APP_CRASH), desired_count=10, delivery=Delivery(duplicates=0.1))
    events = sim.run_until(3600)
    copies = Counter(event["id"] for event in events)
    assert set(copies.values()) == {1, 2}
    assert 0.07 < sum(n == 2 for n in copies.values()) / len(copies) < 0.13
    versions = {(e["id"], e["detail"]["version"]) for e in events if "version" in e["detail"]}
    assert len(versions) == len({id_ for id_, _ in versions})


def test_disorder_puts_old_events_behind_young_ones() -> None:
    """With disorder some events arrive after younger ones; without it, and with an even delay, none does."""

    def out_of_order(delivery: Delivery) -> int:
        events = scene(behaviour=crash(Failure.APP_CRASH), desired_count=10, delivery=delivery).run_until(3600)
        times = [datetime.fromisoformat(event["time"]) for event in events]
        return sum(later < earlier for earlier, later in pairwise(times))

    assert out_of_order(Delivery(delay=constant(0.5))) == 0
    assert out_of_order(Delivery(delay=constant(0.5), disorder=0.2)) > 50


def test_delivery_does_not_change_what_happens() -> None:
    """The road has its own chance: the same tasks live and die, however their events travel."""

    def stops(delivery: Delivery) -> set[str]:
        events = scene(behaviour=crash(Failure.APP_CRASH), desired_count=3, delivery=delivery).run_until(3600)
        return {f"{e['detail']['taskArn']} {e['detail']['stoppedAt']}" for e in events if "stoppedAt" in e["detail"]}

    assert stops(Delivery(delay=constant(0))) == stops(Delivery(delay=constant(0), duplicates=0.5))


def test_the_envelope_is_eventbridges() -> None:
    """Source, account, Region and resources are those of the account, and the source can be another."""
    event = scene(delivery=Delivery(source="custom.ecs-test")).run_until(30)[0]
    assert set(event) == {
        "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
    }  # fmt: skip
    assert (event["version"], event["source"], event["region"]) == ("0", "custom.ecs-test", "eu-west-1")


def test_a_rule_may_let_through_only_some_states() -> None:
    """Events of other task states are never made; service and deployment events still come."""
    sim = scene(behaviour=crash(Failure.APP_CRASH), delivery=Delivery(statuses={"STOPPED"}))
    events = sim.run_until(3600)
    assert {e["detail"]["lastStatus"] for e in events if "lastStatus" in e["detail"]} == {"STOPPED"}
    assert any(e["detail-type"] == "ECS Deployment State Change" for e in events)


def test_the_stream_runs_time_only_as_far_as_it_is_read() -> None:
    """The first event is there before the rest has happened."""
    sim = scene(behaviour=crash(Failure.APP_CRASH))
    next(sim.stream(7200))
    assert sim.now < 20
