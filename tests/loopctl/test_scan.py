"""`loopctl scan`: what loops now, from ECS's own answers, without an installation."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from loopbreaker.aws.ecs import LiveEcs
from loopbreaker.model import Category
from loopbreaker.policy import Policy
from loopctl.cli import app
from loopctl.survey import Survey, survey
from simulation import Failure, ServiceSpec, Simulation, crash
from tests.aws.fake_clients import refusal
from tests.loopctl.json_schemas import check

MINUTE = 60.0


def account() -> Simulation:
    """Two clusters; in `prod` a service loops beside those that live."""
    sim = Simulation(seed=3)
    sim.create_cluster("prod")
    sim.create_cluster("stage")
    for number in range(23):
        sim.create_service(ServiceSpec(cluster="prod", name=f"fine-{number}", desired_count=2))
    sim.create_service(ServiceSpec(cluster="stage", name="web"))
    sim.create_service(ServiceSpec(cluster="prod", name="checkout", behaviour=crash(Failure.APP_CRASH)))
    return sim


def look(sim: Simulation, ecs: Any = None, told: list[str] | None = None) -> Survey:
    client = ecs or sim.client("ecs")
    facts = LiveEcs(client, sim.client("application-autoscaling"), lambda: sim.client("elbv2"))
    names = told if told is not None else []
    return survey(client, facts, region="eu-west-1", policy=Policy(), now=sim.utc_now.timestamp(), told=names.append)


def test_a_service_that_loops_is_found_among_those_that_live() -> None:
    """With its cause, its rate and what it costs; every service is counted, and nothing is called that changes."""
    sim = account()
    sim.run_until(40 * MINUTE)
    sim.scale("prod", "fine-1", 0)
    sim.advance(2 * MINUTE)
    told: list[str] = []
    found = look(sim, told=told)
    (loop,) = found.looping
    assert (loop.service.cluster, loop.service.name) == ("prod", "checkout")
    assert loop.incident.category is Category.APP_CRASH
    assert loop.burn.per_hour is not None
    assert 10 < loop.burn.per_hour < 60
    assert (found.clusters, found.services, found.unread) == (2, 25, ())
    assert told == ["prod", "stage"]
    assert {operation for operation, _ in sim.calls if not operation.startswith(("List", "Describe"))} == set()


def test_a_loop_that_is_over_is_not_said_to_go_on() -> None:
    """Its failures are still shown by ECS, but its task runs."""
    sim = account()
    sim.run_until(20 * MINUTE)
    sim.behave("prod", "checkout", crash(Failure.APP_CRASH, slots=()))
    sim.advance(25 * MINUTE)
    assert look(sim).looping == ()


def test_a_service_whose_tasks_never_start_is_found_by_what_ecs_says() -> None:
    """Throttled, its failures come far apart; ECS's own words in the list of messages tell."""
    sim = account()
    sim.create_service(ServiceSpec(cluster="stage", name="pulls", behaviour=crash(Failure.IMAGE_PULL)))
    sim.run_until(55 * MINUTE)
    assert "pulls" in {loop.service.name for loop in look(sim).looping}


def test_what_may_not_be_read_is_named_and_the_rest_is_read() -> None:
    """A cluster that a policy denies costs nobody else."""
    sim = account()
    sim.run_until(40 * MINUTE)
    found = look(sim, ecs=_Denied(sim.client("ecs"), cluster="stage"))
    (unread,) = found.unread
    assert unread.startswith("cluster stage: ListServices: AccessDeniedException: ")
    assert [loop.service.name for loop in found.looping] == ["checkout"]


class _Denied:
    """A client that may not list the services of one cluster."""

    def __init__(self, client: Any, *, cluster: str) -> None:
        self._client, self._cluster = client, cluster

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def get_paginator(self, operation: str) -> Any:
        return _Pages(self._client.get_paginator(operation), self._cluster)


class _Pages:
    def __init__(self, pages: Any, cluster: str) -> None:
        self._pages, self._cluster = pages, cluster

    def paginate(self, **parameters: Any) -> Iterator[Any]:
        if str(parameters.get("cluster", "")).endswith(self._cluster):
            raise refusal("AccessDeniedException", "ListServices")
        yield from self._pages.paginate(**parameters)


# -- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Simulation:
    """The simulated account behind the SDK; time is the simulation's."""
    sim = account()
    sim.run_until(40 * MINUTE)
    monkeypatch.setattr("boto3.Session", lambda **given: _Session(sim, given.get("region_name") or "eu-west-1"))
    monkeypatch.setattr("time.time", sim.utc_now.timestamp)
    return sim


class _Session:
    def __init__(self, sim: Simulation, region: str) -> None:
        self._sim, self.region_name = sim, region

    def get_available_regions(self, service: str) -> list[str]:
        assert service == "ecs"
        return ["af-south-1", "eu-west-1"]

    def client(self, name: str, **_: object) -> Any:
        if self.region_name == "af-south-1":
            raise refusal("UnrecognizedClientException", "ListClusters")
        return self._sim.client(name)


@pytest.mark.usefixtures("deployed")
def test_people_read_one_loop_in_two_lines_and_a_sum() -> None:
    """The service, its cause, its rate, its cost at most, and how many services were looked at."""
    result = CliRunner().invoke(app, ["scan"])
    name, cause, summary, cost = result.stdout.splitlines()
    assert (result.exit_code, result.stderr) == (0, "")
    assert name == "prod/checkout"
    assert cause.startswith("  app-crash, exit 1, container app: ")
    assert " restarts an hour, at most about $" in cause
    assert summary == "1 of 25 services in 2 clusters (eu-west-1) loops now."
    assert "list prices of 20" in cost
    assert max(len(line) for line in result.stdout.splitlines()) <= 80


@pytest.mark.usefixtures("deployed")
def test_programs_read_one_object_a_loop() -> None:
    """With --exit-code a loop is 3; a Region that is not enabled is passed over, and the others are read."""
    result = CliRunner().invoke(app, ["scan", "--json", "--exit-code", "--all-regions"])
    (line,) = result.stdout.splitlines()
    (found,) = check("scan", line)
    assert (found["cluster"], found["service"], found["category"]) == ("prod", "checkout", "app-crash")
    assert result.exit_code == 3
    assert result.stderr == ""
    assert CliRunner().invoke(app, ["scan", "--all-regions"]).exit_code == 0


def test_no_region_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, with what to do."""
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    result = CliRunner().invoke(app, ["scan"])
    assert result.exit_code == 1
    assert "use --region" in result.stderr
