"""What is read from the facts of a service, and which services may be touched: tables, at the edge of each number."""

from dataclasses import replace
from typing import Any

import pytest

from loopbreaker.model import Category
from loopbreaker.treating.facts import Deployment, Facts, RunningTask, survivors
from loopbreaker.treating.scope import Scope
from loopbreaker.treating.served import serving
from tests.builders import OLDER_DEPLOYMENT, SERVICE, T0, deployment, facts, running_task

NOW = T0 + 1000


def test_the_primary_deployment_is_the_one_that_ecs_calls_so() -> None:
    """Wherever it stands among the others; where none is, there is none."""
    older, new = deployment(id=OLDER_DEPLOYMENT, status="ACTIVE"), deployment()
    assert facts(deployments=(older, new)).primary == new
    assert facts(deployments=(older,)).primary is None


@pytest.mark.parametrize(
    ("rollouts", "under_way"),
    [
        ((), False),
        (("COMPLETED",), False),
        (("IN_PROGRESS", "COMPLETED"), True),
        (("FAILED", "IN_PROGRESS"), True),
        (("", "FAILED"), False),
    ],
)
def test_one_deployment_that_is_under_way_is_enough(rollouts: tuple[str, ...], under_way: bool) -> None:
    """Whatever the others are: tasks of two revisions may run."""
    deployments: tuple[Deployment, ...] = tuple(deployment(rollout=said) for said in rollouts)
    assert facts(deployments=deployments).in_progress is under_way


@pytest.mark.parametrize(
    ("fields", "longest", "survives"),
    [
        ({"started_at": NOW - 121}, 0, True),
        ({"started_at": NOW - 120}, 0, False),
        ({"started_at": NOW - 201}, 100, True),
        ({"started_at": NOW - 200}, 100, False),
        ({"started_at": NOW - 900, "health": "UNHEALTHY"}, 0, False),
        ({"started_at": NOW - 900, "target_health": "unhealthy"}, 0, False),
        ({"started_at": NOW - 900, "target_health": "healthy"}, 0, True),
        ({"started_at": NOW - 900, "last_status": "DEACTIVATING"}, 0, False),
        ({"started_at": None, "last_status": "PENDING"}, 0, False),
    ],
)
def test_who_has_survived(fields: dict[str, Any], longest: float, survives: bool) -> None:
    """Who runs well, and has run for more than two minutes and more than twice as long as any that failed."""
    seen = facts(tasks=(replace(running_task(0), **fields),))
    assert bool(survivors(seen, longest_lifetime=longest, survivor_age=120, now=NOW)) is survives


NONE: frozenset[Category] = frozenset()
BY_TARGET = frozenset({Category.ELB_HEALTH_CHECK})
BY_CONTAINER = frozenset({Category.CONTAINER_HEALTH_CHECK})


@pytest.mark.parametrize(
    ("fields", "causes", "serves"),
    [
        ({}, NONE, True),
        ({"started_at": NOW - 61}, NONE, True),
        ({"started_at": NOW - 60}, NONE, False),
        ({"started_at": NOW - 60, "health": "HEALTHY"}, NONE, True),
        ({"started_at": NOW - 60, "target_health": "healthy"}, NONE, True),
        ({"target_health": "initial"}, NONE, False),
        ({"target_health": "initial", "health": "HEALTHY"}, NONE, True),
        # A load balancer whose targets are all unhealthy sends them traffic all the same.
        ({"target_health": "unhealthy"}, NONE, True),
        ({"target_health": "unhealthy"}, BY_CONTAINER, True),
        ({"target_health": "unhealthy"}, BY_TARGET, False),
        ({"target_health": ""}, BY_TARGET, True),
        ({"target_health": ""}, BY_CONTAINER, False),
        ({"health": "UNHEALTHY"}, NONE, True),
        ({"last_status": "PENDING"}, NONE, False),
        ({"last_status": "PENDING", "health": "HEALTHY"}, NONE, False),
        ({"started_at": None}, NONE, False),
    ],
)
def test_who_serves(fields: dict[str, Any], causes: frozenset[Category], serves: bool) -> None:
    """In doubt a task that has run for more than a minute; not one that ECS itself replaces for its bad health."""
    task: RunningTask = replace(running_task(0), **fields)
    assert bool(serving((task,), serving_after=60, causes=causes, now=NOW)) is serves


@pytest.mark.parametrize(
    ("scope", "acts"),
    [
        (Scope(), True),
        (Scope(allow=("prod/web",)), True),
        (Scope(allow=("stage/*", "prod/w*")), True),
        (Scope(allow=("stage/*",)), False),
        (Scope(allow=("web",)), False),
        (Scope(deny=("prod/web",)), False),
        (Scope(deny=("stage/*", "*/web")), False),
        (Scope(deny=("stage/*",)), True),
        (Scope(allow=("prod/*",), deny=("prod/web",)), False),
    ],
)
def test_on_which_services_an_installation_acts(scope: Scope, acts: bool) -> None:
    """On all where nothing is said; one pattern that fits is enough, and one that forbids outweighs all."""
    assert scope.allows(SERVICE) is acts


def test_a_service_that_is_gone_has_no_facts() -> None:
    """Nothing is read from it that could lead to action."""
    gone = Facts(exists=False)
    assert (gone.primary, gone.in_progress, gone.desired_count, gone.tasks) == (None, False, 0, ())
