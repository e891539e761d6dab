"""When another service is back, who is held and who may be tried is still for the owners to say."""

from benchmarks.breaker.kinds.ways import dead
from benchmarks.breaker.oracle import judge
from benchmarks.breaker.stage import HOUR, Kind, Stage, World

_STOP = {"loopbreaker:action": "stop"}


def _need_the_same(stage: Stage) -> None:
    """Three lack one thing for three hours: one that nobody opted in, one left to people, one that may be tried."""
    stage.began, stage.ended = HOUR, 4 * HOUR
    owners = {"free": {}, "manual": {**_STOP, "loopbreaker:recovery": "manual"}, "probed": _STOP}
    for name, tags in owners.items():
        stage.service(name, tags=tags)
        stage.breaks(HOUR, dead(3, until=stage.ended), name=name)


def test_a_service_that_is_left_to_people_is_not_tried_because_another_is_back() -> None:
    """It is set to 0 once and stays there, with a word; the other is tried, and both kept from nothing they served."""
    found = {judged.service: judged for judged in judge(World(Kind("a test", _need_the_same, 6, 1), {}, 1))}
    assert found["manual"].calls == 1
    assert found["manual"].silent == 0
    assert "probing" not in found["manual"].messages
    assert found["probed"].messages["back"] == 1
    assert found["probed"].down_after < 15 * 60
    assert [judged.lost_before for judged in found.values()] == [0, 0, 0]
