"""What comes of a record that `respond` could not attend to in all the tries that Lambda gives it."""

from collections import Counter
from itertools import chain
from random import Random
from typing import Any
from unittest.mock import patch

from benchmarks.cost import installation
from benchmarks.cost.dynamodb import throttled
from benchmarks.cost.installation import STREAM_RETRY, STREAM_TRIES, WINDOW, Installation, installed
from benchmarks.cost.workloads import BEGIN
from benchmarks.storm.storms import loop

MINUTE = 60.0
SOON = 2 * MINUTE + 5 + WINDOW + 5
"""From the first failure of a loop that fails each minute to its message."""
MENDED = BEGIN + 40 * MINUTE


def refuse_one(ours: Installation, service: str) -> None:
    """The table answers `respond`, and nobody else, with a refusal whenever it is asked about this service."""
    invoke, running = ours._invoke, ""

    def invoked(name: str, event: Any) -> Any:
        nonlocal running
        running = name
        return invoke(name, event)

    def fault(call: str, key: str) -> None:
        if running == "respond" and key.endswith(f"#{service}") and ours.now < MENDED:
            raise throttled(call)

    ours._invoke = invoked  # type: ignore[assignment,method-assign]
    ours.table.fault = fault


def test_who_is_given_up_is_kept_for_people_and_looked_at_again() -> None:
    """One service cannot be looked at for forty minutes, and shares its lane of the stream with all others: they wait
    for the tries of its first look and for no more, and each is told once, as it is itself when it can be looked at."""
    random = Random(4)
    others = {f"s{n}": BEGIN + 20 + 200.0 * n for n in range(6)}
    loops = [loop(name, begin=at, failures=8, every=60, random=random) for name, at in others.items()]
    sick = loop("sick", begin=BEGIN, failures=45, every=60, random=random)
    with patch.object(installation, "LANES", 1), installed(BEGIN) as ours:
        refuse_one(ours, "sick")
        for at, event in sorted(chain(sick, *loops), key=lambda sent: sent[0]):
            ours.run(at)
            ours.send(event, at=at)
        ours.run(MENDED + 20 * MINUTE)
        given_up = {record["dynamodb"]["NewImage"]["pk"]["S"].partition("#")[2] for record in ours.given_up}
        told = [(message.detail["serviceName"], at) for at, message in ours.outbox.sent]
        waiting = any(ours._lanes.values())
    assert "sick" in given_up
    assert not waiting
    assert Counter(name for name, _ in told if name != "sick") == dict.fromkeys(others, 1)
    when = dict(told)
    assert all(when[name] - begin <= SOON + STREAM_TRIES["respond"] * STREAM_RETRY for name, begin in others.items())
    given_up_at = BEGIN + SOON + STREAM_TRIES["respond"] * STREAM_RETRY
    later = {name: begin for name, begin in others.items() if begin > given_up_at}
    assert len(later) > 2
    assert all(when[name] - begin <= SOON + 30 for name, begin in later.items()), "one try, and not ten for each wish"
    assert len([name for name, _ in told if name == "sick"]) == 1
    assert MENDED <= when["sick"] <= MENDED + 65
