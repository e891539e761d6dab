"""How long a service was held, by what people were told; and limits beside their causes."""

from typing import Any

import pytest

from loopbreaker.remembering.notice import NoticeKind, Told
from loopbreaker.telling.costs import held_for
from loopbreaker.telling.sums import balancer_check, memory
from tests.builders import T0, incident

STOPPED, BACK, RECOVERED, PROBING = NoticeKind.STOPPED, NoticeKind.BACK, NoticeKind.RECOVERED, NoticeKind.PROBING


@pytest.mark.parametrize(
    ("told", "until", "held"),
    [
        ([], 100, 0),
        ([(10, STOPPED)], 100, 90),
        ([(10, STOPPED)], 10, 0),
        ([(10, STOPPED)], 5, 0),
        ([(10, STOPPED), (40, PROBING), (60, BACK)], 100, 50),
        ([(10, STOPPED), (60, RECOVERED)], 100, 50),
        ([(60, BACK), (10, STOPPED)], 100, 50),
        ([(10, STOPPED), (60, BACK), (70, STOPPED)], 100, 80),
        ([(10, STOPPED), (60, BACK), (70, STOPPED), (75, RECOVERED)], 100, 55),
        ([(10, STOPPED), (30, STOPPED), (60, BACK)], 100, 50),
        ([(5, BACK), (10, STOPPED), (60, BACK), (80, RECOVERED)], 100, 50),
    ],
)
def test_how_long_a_service_was_held(told: list[tuple[float, NoticeKind]], until: float, held: float) -> None:
    """From the first word that it was stopped to the one that it is back, each time; tries are part of it."""
    messages = tuple(Told(T0 + at, kind, "x") for at, kind in told)
    assert held_for(incident(messages=messages), until=T0 + until) == held


def of(**fields: Any) -> dict[str, Any]:
    return {"containerDefinitions": [{"name": "sidecar", "memory": 64}, {"name": "web", **fields}]}


@pytest.mark.parametrize(
    ("definition", "before", "said"),
    [
        (of(memory=512), of(memory=512), "The memory limit of container web is 512 MiB."),
        (of(memory="512"), None, "The memory limit of container web is 512 MiB."),
        (of(memory=512), of(), "The memory limit of container web is 512 MiB."),
        (
            of(memory=512),
            of(memory=256),
            "The memory limit of container web is 512 MiB; it was 256 MiB in the revision before.",
        ),
    ],
)
def test_the_limit_is_that_of_the_container_itself(
    definition: dict[str, Any], before: dict[str, Any] | None, said: str
) -> None:
    """Not of its neighbour; what was unlimited, or the same, was nothing else."""
    assert list(memory(definition, "web", before)) == [said]


@pytest.mark.parametrize("limit", [None, 0, "", "1 GB"])
def test_what_is_no_limit_is_not_told(limit: object) -> None:
    """Nor is a number made of it."""
    assert list(memory(of(memory=limit), "web", None)) == []


def test_of_two_target_groups_the_one_counts_that_is_first_to_give_up() -> None:
    """However often it asks."""
    groups = [
        {"HealthCheckIntervalSeconds": 5, "UnhealthyThresholdCount": 10, "HealthCheckPath": "/often"},
        {"HealthCheckIntervalSeconds": 20, "UnhealthyThresholdCount": 2, "HealthCheckPath": "/soon"},
    ]
    for given in (groups, groups[::-1]):
        (said,) = balancer_check(0, given, 64)
        assert "40 s after its start" in said
        assert "2 failed checks of /soon 20 s apart" in said
