"""The messages that are shown: every kind, every cause, and the states in which a kind can be true in two ways."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from loopbreaker.judging.incident import because
from loopbreaker.model import Category, ServiceRef
from loopbreaker.remembering.incident import Incident, Signal
from loopbreaker.remembering.notice import NoticeKind, Told
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record, Verdict
from loopbreaker.remembering.trip import Scaling, Step, Trip
from loopbreaker.telling.contents import Background
from loopbreaker.telling.diagnosis import NOTHING, Diagnosis, Difference
from loopbreaker.telling.mass import Other
from previews.evidence import EVIDENCE, SUMS

CLUSTER = "arn:aws:ecs:eu-west-1:123456789012:cluster/prod"
SERVICE = ServiceRef(CLUSTER, "checkout")
BEGAN = 1_793_523_660.0  # 2026-11-01 09:01 UTC
RUNBOOK = "https://git.example.com/platform/loopbreaker/docs/runbook"
_DEFINITION = "arn:aws:ecs:eu-west-1:123456789012:task-definition/checkout:42"
_TASK = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"

_CHANGES = (
    Difference("image of web", "checkout:1.4", "checkout:1.5"),
    Difference("memory of web", "1024 MiB", "512 MiB"),
    Difference("variables of web", "", "FEATURE_NEW_CART"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One message to look at: its name, the step from which it comes, and what was found out."""

    name: str
    before: Record | None
    after: Record
    background: Background


def cases() -> Iterator[Case]:
    """Every cause of a loop that was found; then every other kind, in each state in which it is told."""
    for category in EVIDENCE:
        yield _case(f"looping-{category.value}", looping(category), NoticeKind.LOOPING, reason(category))
    crash = looping(Category.APP_CRASH)
    for kind, before, after, why in _others(crash):
        yield _case(kind, before, after[1], why, after=after[0])
    yield _mass()
    yield _mass_goes_on()
    yield _digest()


def looping(category: Category, **fields: Any) -> Record:
    """A record of a loop that was found two minutes after its first failure, at its third generation."""
    words, code = EVIDENCE[category]
    unstarted = category is Category.PLACEMENT
    known: dict[str, Any] = {
        "signal": Signal.PLACEMENT if unstarted else Signal.FAST,
        "opened_at": BEGAN + 132,
        "first_failure_at": BEGAN,
        "last_failure_at": BEGAN + 128,
        "depth": 0 if unstarted else 3,
        "category": category,
        "failed_tasks": 0 if unstarted else 12,
        "longest_lifetime": 3.0,
        "longest_gap": 41.0,
        "container": "" if unstarted or category is Category.UNKNOWN else "web",
        "exit_code": code,
        "evidence": words,
        "task_definition": _DEFINITION,
        "deployment_id": "ecs-svc/1111111111111111111",
        "desired_count": 4,
    }
    return Record(service=SERVICE, version=3, verdict=Verdict.LOOPING, incident=Incident(**(known | fields)))


def reason(category: Category) -> str:
    if category is Category.PLACEMENT:
        return "ECS has found no capacity for tasks of this service for a while"
    return "replacements failed 3 times in a row"


def trip(step: Step, *, at: float) -> Trip:
    return Trip(
        step=step,
        since=at,
        lease_until=at,
        desired_count=6,
        deployment_id="ecs-svc/1111111111111111111",
        task_definition=_DEFINITION,
        zeroed=True,
        scaling=Scaling(minimum=2, dynamic_in_suspended=False, dynamic_out_suspended=False, scheduled_suspended=False),
    )


def _read() -> Iterator[tuple[str, Record, tuple[Record, NoticeKind], str]]:
    """What no event told of."""
    kinds = NoticeKind
    inside = looping(Category.UNKNOWN, signal=Signal.RESTARTS, depth=0, failed_tasks=0, evidence="", task_definition="")
    assert inside.incident is not None
    yield "looping-restarts", inside, (inside, kinds.LOOPING), because(inside.incident)
    empty = replace(inside, incident=replace(inside.incident, signal=Signal.EMPTY, last_failure_at=BEGAN + 16_000))
    assert empty.incident is not None
    yield "looping-empty", empty, (empty, kinds.LOOPING), because(empty.incident)
    yield "still-empty", empty, (empty, kinds.STILL_LOOPING), "it was found 4 hours ago and is not over"
    yield (
        "runs-again",
        empty,
        (Record(service=SERVICE, version=9), kinds.RECOVERED),
        "no task failed for 45 minutes and all 4 tasks run",
    )


def _others(crash: Record) -> Iterator[tuple[str, Record, tuple[Record, NoticeKind], str]]:
    long = looping(Category.APP_CRASH, last_failure_at=BEGAN + 6 * 3600, failed_tasks=612, depth=310)
    assert long.incident is not None
    slow = replace(long, incident=replace(long.incident, signal=Signal.SLOW, failed_tasks=14, depth=9))
    impaired = looping(Category.IMAGE_PULL, signal=Signal.IMPAIRED, depth=2, failed_tasks=5)
    short = looping(Category.APP_CRASH, last_failure_at=BEGAN + 1890, failed_tasks=58, depth=29, desired_count=6)
    assert short.incident is not None
    stopped = Told(BEGAN + 1900, NoticeKind.STOPPED, "nobody was served; desired count set from 6 tasks to 0")
    known = replace(short.incident, messages=(stopped,))
    held = replace(short, incident=known, trip=trip(Step.HELD, at=BEGAN + 1900), trips=(BEGAN + 1900,))
    tried = replace(held, trip=trip(Step.PROBING, at=BEGAN + 3000))
    returned = replace(known, messages=(stopped, Told(BEGAN + 9000, NoticeKind.BACK, "it serves")))
    back = replace(held, trip=None)
    rolling = replace(crash, trip=trip(Step.ROLLING_BACK, at=BEGAN + 200))
    over = Record(service=SERVICE, version=9, trips=held.trips)
    kinds = NoticeKind
    in_a_row = "replacements failed 9 times in a row"
    yield "looping-slow", slow, (slow, kinds.LOOPING), in_a_row
    impaired_why = "ECS cannot start tasks of this service"
    yield "looping-impaired", impaired, (impaired, kinds.LOOPING), impaired_why
    yield from _read()
    again = _again(crash)
    assert again.incident is not None
    yield "looping-again", crash, (again, kinds.LOOPING), because(again.incident)
    yield "stopped", short, (held, kinds.STOPPED), "nobody was served; desired count set from 6 tasks to 0"
    yield (
        "stopped-again",
        tried,
        (held, kinds.STOPPED),
        "what was tried failed as well; it is tried again, more and more rarely",
    )
    yield (
        "rolled-back",
        crash,
        (rolling, kinds.ROLLED_BACK),
        "its new tasks fail again and again: the deployment was stopped and is rolled back",
    )
    yield (
        "rollback-failed",
        rolling,
        (replace(crash, trip=None), kinds.ROLLBACK_FAILED),
        "tasks of the revision that it was rolled back to fail again and again as well",
    )
    yield "not-stopped", long, (long, kinds.NOT_STOPPED), "2 tasks still serve"
    refused = "its count could not be set: AWS refused it (UpdateService: AccessDeniedException)"
    zero = "somebody set its desired count to 0"
    yield "left-at-0", held, (replace(held, trip=trip(Step.UNTAG, at=BEGAN + 3000)), kinds.NOT_STOPPED), zero
    yield "down", held, (held, kinds.DOWN), refused
    yield "probing", held, (tried, kinds.PROBING), "1 task was started, to see whether the loop is over"
    yield "back-by-a-fix", held, (back, kinds.BACK), "another task definition was deployed: checkout:43"
    somebody = (
        "its desired count was set to 6, not by Loopbreaker: by a person, Terraform, CloudFormation or a scaling "
        "schedule"
    )
    yield "back-by-somebody", held, (back, kinds.BACK), somebody
    suspended = replace(held, trip=trip(Step.RESTORE_SCALING, at=BEGAN + 9000))
    left = (
        "its scaling is still suspended, because it could not be given back: "
        "AWS refused it (RegisterScalableTarget: AccessDeniedException)"
    )
    yield "back-without-scaling", held, (suspended, kinds.BACK), left
    yield "still-looping", long, (long, kinds.STILL_LOOPING), "it was found 6 hours ago and is not over"
    yield "still-held", held, (held, kinds.STILL_LOOPING), "it was found 4 hours ago and is not over"
    problem = "tag loopbreaker:action is 'Stop!', and has to be one of alert, rollback, stop, ignore"
    yield "bad-tag", crash, (crash, kinds.BAD_TAG), problem
    yield (
        "mass-over",
        long,
        (over, kinds.MASS_OVER),
        "none of the services that began to loop together does so any more",
    )
    yield "recovered", long, (over, kinds.RECOVERED), "no task failed for 20 minutes and all 6 tasks run"
    was_back = replace(held, trip=None, incident=returned)
    yield "recovered-after-a-stop", was_back, (over, kinds.RECOVERED), "no task failed for 2 hours and all 6 tasks run"
    yield "recovered-deleted", long, (over, kinds.RECOVERED), "the service was deleted"


def _again(record: Record) -> Record:
    assert record.incident is not None
    return replace(record, incident=replace(record.incident, opened_at=BEGAN - 20_000, times=2))


# Seconds after the first failure at which these are told; the others a moment after the last one.
_LATER = {
    "stopped-again": 4500,
    "probing": 3600,
    "back-by-a-fix": 9000,
    "back-by-somebody": 9000,
    "back-without-scaling": 9000,
    "left-at-0": 9000,
    "recovered-after-a-stop": 9900,
    "down": 9000,
    "still-held": 14_600,
    "looping-empty": 1800,
    "still-empty": 14_600,
    "runs-again": 18_000,
}


def _case(name: str, before: Record, kind: NoticeKind, why: str, *, after: Record | None = None) -> Case:
    incident = before.incident
    assert incident is not None
    told = tell(
        after or before,
        kind,
        at=BEGAN + _LATER[name] if name in _LATER else max(BEGAN + 140, incident.last_failure_at + 60),
        reason=why,
    )
    diagnosis = found(incident.category) if incident.task_definition else NOTHING
    return Case(name, before, told, Background(diagnosis=diagnosis, runbook=RUNBOOK))


_NEVER_STARTED = (
    Category.CANNOT_START,
    Category.DISK,
    Category.IMAGE_PULL,
    Category.RESOURCE_INIT,
    Category.NETWORK_ENI,
    Category.PLACEMENT,
)
_NO_LINES = ("the container wrote nothing, or never started", "ECS shows no task that stopped")


def found(category: Category) -> Diagnosis:
    """What a look at the failed task gives, for a service on Fargate that writes to CloudWatch Logs."""
    started = category not in _NEVER_STARTED
    return Diagnosis(
        task_id="" if category is Category.PLACEMENT else _TASK,
        log_group="/ecs/checkout",
        log_stream="" if category is Category.PLACEMENT else f"web/web/{_TASK}",
        lines=("starting checkout 1.5", "reading /etc/checkout.yml", "KeyError: 'cart_url'") if started else (),
        compared_with="checkout:41",
        changes=_CHANGES if category is not Category.ELB_HEALTH_CHECK else (),
        deployed_at=BEGAN - (360 if category is not Category.ELB_HEALTH_CHECK else 12 * 86_400),
        deployed_by="arn:aws:iam::123456789012:role/deploy",
        vcpu=0.25,
        memory_mib=512,
        fargate=True,
        sums=SUMS.get(category, ()),
        left_out=() if started else (f"the last log lines: {_NO_LINES[category is Category.PLACEMENT]}",),
    )


def _mass() -> Case:
    record = looping(Category.RESOURCE_INIT)
    names = ("cart", "checkout", "login", "orders", "search", "stock")
    shares = ("the registry 123456789012.dkr.ecr.eu-west-1.amazonaws.com", "the subnet subnet-0a1b2c3d4e5f60718")
    others = tuple(
        Other(ServiceRef(CLUSTER, name), record.incident, Diagnosis(shares=shares if name != "login" else shares[:1]))
        for name in names
    )
    listed = ", ".join(f"prod/{name}" for name in names)
    why = f"6 services began to loop within 10 minutes, so none is acted on: {listed}"
    told = tell(record, NoticeKind.MASS, at=BEGAN + 140, reason=why)
    return Case("mass", record, told, Background(others=others, runbook=RUNBOOK))


def _digest() -> Case:
    """What ails and does not loop."""
    calm = Record(service=SERVICE, version=4)
    lines = (
        "prod/checkout: 6 tasks failed after 3.2 to 4.1 h (out-of-memory)",
        "prod/search: 5 tasks of 4 deployments failed at their start, and others ran in their place (app-crash)",
    )
    told = tell(calm, NoticeKind.DIGEST, at=BEGAN, reason="; ".join(lines), services=len(lines))
    return Case("digest", calm, told, Background(runbook=RUNBOOK))


def _mass_goes_on() -> Case:
    record = looping(Category.RESOURCE_INIT, last_failure_at=BEGAN + 4 * 3600, failed_tasks=96, depth=88)
    why = "35 of the services that began to loop together still do; this one was found 4 hours ago"
    told = tell(record, NoticeKind.STILL_LOOPING, at=BEGAN + 4 * 3600 + 60, reason=why, services=35)
    background = Background(diagnosis=found(Category.RESOURCE_INIT), runbook=RUNBOOK)
    return Case("still-looping-mass", record, told, background)
