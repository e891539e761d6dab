"""Worlds that somebody would write who wants a loop to be lost, or told twice: eight services loop in each of them."""

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from benchmarks.cost.dynamodb import throttled
from benchmarks.cost.installation import Installation, Killed, installed
from benchmarks.cost.workloads import BEGIN
from benchmarks.storm.storms import Sent, mass

SERVICES, FAILURES, MINUTE = 8, 24, 60.0
END = BEGIN + 45 * MINUTE


def as_it_is(sent: Sent) -> Iterator[Sent]:
    yield sent


def twice(sent: Sent) -> Iterator[Sent]:
    at, event = sent
    yield sent
    yield at, event


def with_long_names(sent: Sent) -> Iterator[Sent]:
    """All names as long as ECS allows."""
    at, event = sent
    detail = event["detail"]
    detail["clusterArn"] = f"arn:aws:ecs:us-east-1:123456789012:cluster/{'c' * 255}"
    detail["group"] = detail["group"].ljust(len("service:") + 255, "x")
    detail["taskDefinitionArn"] = f"arn:aws:ecs:us-east-1:123456789012:task-definition/{'t' * 255}:42"
    detail["containers"][0]["name"] = "n" * 255
    yield at, event


def with_poison(sent: Sent) -> Iterator[Sent]:
    """Beside each event one that nobody can read."""
    at, _ = sent
    yield sent
    yield at, {"detail-type": "ECS Task State Change", "detail": {"clusterArn": 1}}


def nothing(_ours: Installation) -> None:
    pass


def killed_now_and_then(ours: Installation) -> None:
    """Each function dies at one call of the table in thirty."""
    random = Random(1)

    def fault(_call: str, _key: str) -> None:
        if random.random() < 1 / 30:
            raise Killed

    ours.table.fault = fault


def away(what: str, *, minutes: float) -> Callable[[Installation], None]:
    """A function, or the partition of what began lately, or the sweep: away from the second minute on."""
    begin, end = BEGIN + 2 * MINUTE, BEGIN + (2 + minutes) * MINUTE

    def prepare(ours: Installation) -> None:
        invoke = ours._invoke

        def invoked(function: str, event: Any) -> Any:
            return None if function == what and begin <= ours.now < end else invoke(function, event)

        def fault(call: str, key: str) -> None:
            if key == what and begin <= ours.now < end:
                raise throttled(call)

        ours._invoke = invoked  # type: ignore[method-assign]
        ours.table.fault = fault

    return prepare


WORLDS: dict[str, tuple[Callable[[Sent], Iterator[Sent]], Callable[[Installation], None], float]] = {
    "every message twice": (twice, nothing, 20),
    "names of 255 letters": (with_long_names, nothing, 20),
    "poison beside each event": (with_poison, nothing, 20),
    "functions that die": (as_it_is, killed_now_and_then, 30),
    "no respond": (as_it_is, away("respond", minutes=15), 40),
    "no notify": (as_it_is, away("notify", minutes=15), 20),
    "no sweep": (as_it_is, away("sweep", minutes=15), 20),
    "one partition takes nothing": (as_it_is, away("LOOPS", minutes=15), 30),
}


@pytest.mark.parametrize("world", WORLDS)
def test_each_loop_is_told_in_time_and_by_itself_once(world: str) -> None:
    """Whatever is repeated, refused, killed or away: people are told of all that loop, of none by itself twice, within
    so many minutes, and nothing is left lying. The seventh and the eighth are no reason for a summary of their own."""
    change, prepare, minutes = WORLDS[world]
    with installed(BEGIN, pollers=5) as ours:
        prepare(ours)
        for known in mass(SERVICES, failures=FAILURES, within=5 * MINUTE, random=Random(8)):
            for at, event in change(known):
                ours.run(at)
                ours.send(event, at=at)
        ours.run(END)
        told = [(at, message.detail) for at, message in ours.outbox.sent]
        alone = Counter(detail["serviceName"] for _, detail in told if detail["transition"] == "looping")
        at_once = [(at, detail["serviceCount"]) for at, detail in told if detail["transition"] == "mass"]
        lying = any(ours._lanes.values())
    assert max(alone.values()) == 1
    assert not lying
    last_at, number = at_once[-1]
    assert number == SERVICES
    assert last_at <= BEGIN + minutes * MINUTE
