"""Worlds that an enemy of the rules would write, one of each sort, judged by the simulation's truth.

More cases and seeds of them, and more kinds, are lived by `make bench-breaker`.
"""

from typing import Any

import pytest

from benchmarks.breaker.judgement import Judgement
from benchmarks.breaker.kinds import KINDS
from benchmarks.breaker.oracle import judge
from benchmarks.breaker.stage import World
from benchmarks.breaker.summary import broken

_BY_NAME = {kind.name: kind for kind in KINDS}


def lived(name: str, **case: Any) -> list[Judgement]:
    """What came of a kind of world of the benchmark, and it is sure that nobody was harmed whom no rule could spare."""
    kind = _BY_NAME[name]
    judgements = judge(World(kind, case, 1))
    for judged in judgements:
        harm = {"lost_before", "late", "wrong_rollbacks"} - set(kind.excused)
        assert [what for what in sorted(harm) if getattr(judged, what)] == [], judged
        assert broken(judged) == [], judged
        assert sum(judged.messages.values()) <= 6 + kind.hours, judged
    return judgements


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("half die in their start period", {"share": 0.8}),
        ("hangs, and a slow check sees it late", {"tasks": 1}),
        ("an essential proxy dies", {"life": 70}),
        ("one start in so many is lucky", {"tasks": 1, "rarely": 20}),
        ("two causes in turns", {"pause": 5}),
        ("Spot takes all tasks again and again", {}),
        ("a DAEMON service loops", {"minutes": 90}),
        ("no room for a new revision", {}),
        ("a new service that somebody waits for", {"minutes": 200}),
        ("the opt-in comes and goes", {"minutes": 20}),
        ("a standby that never turns healthy", {"check": "load balancer"}),
    ],
    ids=str,
)
def test_left_alone(name: str, case: dict[str, Any]) -> None:
    """Whoever serves now and then, may not be touched, or is waited for, is not touched."""
    assert not any(judged.acted for judged in lived(name, **case))


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("a long start period, and an outage", {"period": 900, "minutes": 90}),
        ("a load balancer that lies, and an outage", {"says": "unhealthy", "minutes": 60}),
        ("jobs of 20 min, and an outage", {"minutes": 120}),
        ("60 tasks, and an outage", {"minutes": 50}),
        ("all container instances go", {"looping": True}),
        ("muted or manual while it is held", {"how": "manual"}),
        ("the owner changes the waits", {}),
        ("a clock that wanders", {"to": -900.0}),
        ("target tracking moves the count", {}),
        ("the maximum is lowered while held", {}),
        ("a controller resets the count", {"every": 10}),
        ("set to 1 while it is held", {}),
        ("a stack rolls back in the middle", {"after": 3}),
        ("a fix that fails too, while it is held", {"pause": 120}),
        ("deleted while held, made again with 0", {}),
        ("deleted in its first deployment", {}),
        ("without rights for a while", {}),
        ("calls are throttled at random", {"what": "acts", "share": 0.5}),
        ("a chain of services", {"length": 3, "minutes": 60}),
        ("its hosts go while it is held", {"minutes": 8}),
        ("our table is away", {"since": 2.3, "minutes": 40}),
    ],
    ids=str,
)
def test_stopped_and_back(name: str, case: dict[str, Any]) -> None:
    """Who serves nobody for long enough is stopped, is back in time, and nothing of anybody's is lost on the way."""
    assert all(judged.acted for judged in lived(name, **case))


@pytest.mark.parametrize("strategy", ["BLUE_GREEN", "CANARY"])
def test_rolled_back_when_the_old_revision_serves_again(strategy: str) -> None:
    """That the old revision failed for a while too is no reason to leave a deployment that never serves."""
    (judged,) = lived("green loops, then blue as well", strategy=strategy, minutes=15)
    assert judged.rollbacks == 1


def test_a_bad_roll_out_that_took_the_place_of_some() -> None:
    """It is taken back while the rest of the old tasks serves."""
    (judged,) = lived("a bad roll-out that replaces some", minimum=50, maximum=100)
    assert judged.rollbacks == 1
