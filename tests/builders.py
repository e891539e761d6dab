"""Builds what the core works with: failures, incidents, records and facts. Times are seconds after `T0`."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from typing import Any

from loopbreaker.judging.detection import observe
from loopbreaker.judging.ladder import climb
from loopbreaker.judging.ladder import depth as ladder_depth
from loopbreaker.model import Category, ServiceRef, ServiceSignal, SignalKind, TaskFailure
from loopbreaker.policy import Policy, Profile
from loopbreaker.remembering.incident import Incident, Signal
from loopbreaker.remembering.record import Record, Verdict
from loopbreaker.remembering.rung import Ladder
from loopbreaker.remembering.trip import Step, Trip
from loopbreaker.treating.facts import Deployment, Facts, RunningTask, ServiceDeployment
from tests.task_events import CLUSTER_ARN, CREATED, arn

T0 = CREATED
SERVICE = ServiceRef(CLUSTER_ARN, "web")
POLICY = Policy()
DEPLOYMENT = "ecs-svc/1111111111111111111"
OLDER_DEPLOYMENT = "ecs-svc/2222222222222222222"
TASK_DEFINITION = arn("task-definition/web:7")

_numbers = count(1)


def task_failure(created: float, failed: float, *, lifetime: float | None = None, **fields: Any) -> TaskFailure:
    """A task that ran from its creation to its failure, unless `lifetime` says otherwise."""
    known: dict[str, Any] = {
        "service": SERVICE,
        "task_id": f"{next(_numbers):032x}",
        "created_at": T0 + created,
        "failed_at": T0 + failed,
        "lifetime": failed - created if lifetime is None else lifetime,
        "category": Category.APP_CRASH,
        "container": "web",
        "evidence": "exit code 1",
        "exit_code": 1,
        "deployment_id": DEPLOYMENT,
        "task_definition": TASK_DEFINITION,
    }
    return TaskFailure(**(known | fields))


def crash_loop(
    generations: int, *, lifetime: float = 10, restart: float = 20, start: float = 0, slots: int = 1, **fields: Any
) -> list[TaskFailure]:
    """Every slot starts a task, which fails after `lifetime`; `restart` later comes the next. Slots are 1 s apart."""
    period = lifetime + restart
    return [
        task_failure(start + slot + n * period, start + slot + n * period + lifetime, **fields)
        for n in range(generations)
        for slot in range(slots)
    ]


def start_first_loop(generations: int, *, lifetime: float = 300) -> list[TaskFailure]:
    """Tasks that fail their health check, each replaced at half of its life and stopped once that runs."""
    made = [n * (lifetime / 2 + 10) for n in range(generations)]
    return [task_failure(at, at + lifetime, category=Category.ELB_HEALTH_CHECK) for at in made]


def signal(at: float, kind: SignalKind = SignalKind.START_IMPAIRED) -> ServiceSignal:
    return ServiceSignal(service=SERVICE, kind=kind, at=T0 + at)


def climbed(failures: Iterable[TaskFailure], profile: Profile = POLICY.fast) -> Ladder:
    """The ladder after these failures arrived one by one."""
    ladder: Ladder = ()
    for failure in failures:
        ladder = climb(ladder, [failure], profile)
    return ladder


def depth(ladder: Ladder, profile: Profile = POLICY.fast) -> int:
    return ladder_depth(ladder, profile)


def observed(
    failures: Iterable[TaskFailure] = (),
    *,
    record: Record | None = None,
    signals: Iterable[ServiceSignal] = (),
    policy: Policy = POLICY,
) -> Record:
    """The record after these failures and statements arrived one by one, each at its own time."""
    known = record or Record(service=SERVICE)
    for failure in failures:
        known = observe(known, failures=[failure], policy=policy, now=failure.failed_at)
    for said in signals:
        known = observe(known, signals=[said], policy=policy, now=said.at)
    return known


def incident(**fields: Any) -> Incident:
    """A one-task crash loop at its fourth generation, found at its third."""
    known: dict[str, Any] = {
        "signal": Signal.FAST,
        "opened_at": T0 + 90,
        "first_failure_at": T0 + 10,
        "last_failure_at": T0 + 100,
        "depth": 4,
        "category": Category.APP_CRASH,
        "failed_tasks": 4,
        "longest_lifetime": 10.0,
        "longest_gap": 30.0,
        "container": "web",
        "exit_code": 1,
        "evidence": "exit code 1",
        "task_definition": TASK_DEFINITION,
        "deployment_id": DEPLOYMENT,
        "desired_count": 2,
    }
    return Incident(**(known | fields))


def looping(**fields: Any) -> Record:
    """The record of a service that loops; what is not a field of the record is one of its incident."""
    of_record = {name: value for name, value in fields.items() if name in Record.__slots__}
    of_incident = {name: value for name, value in fields.items() if name not in of_record}
    loop = incident(**of_incident)
    known = Record(
        service=SERVICE, version=3, verdict=Verdict.LOOPING, incident=loop, fast=climbed(crash_loop(loop.depth))
    )
    return replace(known, **of_record)


def deployment(**fields: Any) -> Deployment:
    known: dict[str, Any] = {
        "id": DEPLOYMENT,
        "status": "PRIMARY",
        "task_definition": TASK_DEFINITION,
        "running": 0,
        "rollout": "COMPLETED",
        "created_at": T0 - 86_400,
    }
    return Deployment(**(known | fields))


def rollout(**fields: Any) -> ServiceDeployment:
    """The service deployment under way, from one revision that runs, with ECS's own circuit breaker off."""
    known: dict[str, Any] = {
        "arn": arn("service-deployment/prod/web/abc"),
        "status": "IN_PROGRESS",
        "sources": (2,),
        "breaker": "DISABLED",
        "failures": 0,
        "threshold": 0,
    }
    return ServiceDeployment(**(known | fields))


def running_task(started: float | None, **fields: Any) -> RunningTask:
    known: dict[str, Any] = {
        "last_status": "RUNNING",
        "health": "UNKNOWN",
        "started_at": None if started is None else T0 + started,
        "deployment_id": DEPLOYMENT,
    }
    return RunningTask(**(known | fields))


def facts(*, action: str | None = "stop", **fields: Any) -> Facts:
    """A service of two tasks whose owner has opted in to being stopped, between two deployments."""
    known: dict[str, Any] = {
        "exists": True,
        "desired_count": 2,
        "tags": {} if action is None else {"loopbreaker:action": action},
        "deployments": (deployment(),),
    }
    return Facts(**(known | fields))


def trip(**fields: Any) -> Trip:
    known: dict[str, Any] = {
        "step": Step.HELD,
        "since": T0 + 200,
        "lease_until": T0 + 200,
        "desired_count": 2,
        "deployment_id": DEPLOYMENT,
        "task_definition": TASK_DEFINITION,
        "scaling": None,
        "looping_since": T0,
        "zeroed": True,
    }
    return Trip(**(known | fields))
