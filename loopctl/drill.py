"""A drill of a deployed stack: a loop that does not exist goes the way of a real one, and each hop is timed."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from loopbreaker.drill import CLUSTER, SOURCE, WHAT_IT_IS
from loopbreaker.model import ServiceRef
from loopbreaker.treating.look import ask

# So many generations make a loop by any policy that is likely; one after the other, in seconds.
_TASKS, _BEAT = 8, 30.0
_PATIENCE, _PAUSE = 180.0, 2.0


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop of the drill: when it was reached, in seconds since the start, or what to look at where it was not."""

    what: str
    after: float | None
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Installation:
    """The clients and names of the stack that is drilled."""

    events: Any
    logs: Any
    table: Any
    notify_log: str
    where: str

    def service(self, now: float) -> ServiceRef:
        """The service of a drill that begins now: no other drill has its name."""
        return ServiceRef(f"{self.where}:cluster/{CLUSTER}", f"this-is-a-drill-{now:.0f}")


def entries(service: ServiceRef, *, now: float) -> list[dict[str, str]]:
    """What is put on the event bus: tasks that crashed one after the other, the last of them just now."""
    return [
        {
            "Source": SOURCE,
            "DetailType": "ECS Task State Change",
            "Detail": json.dumps(_crashed(service, number, created=now - (_TASKS - number) * _BEAT)),
        }
        for number in range(_TASKS)
    ]


def _crashed(service: ServiceRef, number: int, *, created: float) -> dict[str, object]:
    def at(seconds: float) -> str:
        return datetime.fromtimestamp(created + seconds, UTC).isoformat(timespec="milliseconds")

    task = service.cluster_arn.replace(":cluster/", ":task/")
    return {
        "clusterArn": service.cluster_arn,
        "taskArn": f"{task}/{service.name}-{number}",
        "group": f"service:{service.name}",
        "lastStatus": "STOPPED",
        "stopCode": "EssentialContainerExited",
        "stoppedReason": f"Essential container in task exited. {WHAT_IT_IS}",
        "containers": [{"name": "drill", "lastStatus": "STOPPED", "exitCode": 1, "reason": WHAT_IT_IS}],
        "createdAt": at(0),
        "startedAt": at(10),
        "stoppingAt": at(15),
        "executionStoppedAt": at(15),
        "stoppedAt": at(20),
        "updatedAt": at(20),
    }


def run(stack: Installation, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> Iterator[Hop]:
    """Each hop as it is reached; the first that is not reached in three minutes is the last."""
    begun = clock()
    service = stack.service(begun)
    answer = stack.events.put_events(Entries=entries(service, now=begun))
    if answer["FailedEntryCount"]:
        refused = next(e["ErrorCode"] for e in answer["Entries"] if e.get("ErrorCode"))
        yield Hop("events on the bus", None, f"EventBridge refused them: {refused}")
        return
    yield Hop("events on the bus", clock() - begun)
    hops: tuple[tuple[str, Callable[[], bool], str], ...] = (
        (
            "counted by detect",
            lambda: stack.table.load(service).version > 0,
            "the rule Drill, the event queue, and the logs of detect; is the stack older than this command?",
        ),
        (
            "found by respond",
            lambda: stack.table.load(service).incident is not None,
            "the logs of respond, and the queue of RespondFailed",
        ),
        ("told by notify", lambda: _is_told(stack, service), "the logs of notify, and the queue of NotifyFailed"),
    )
    for what, reached, remedy in hops:
        if not _wait(reached, clock=clock, sleep=sleep):
            yield Hop(what, None, remedy)
            return
        yield Hop(what, clock() - begun)
    stack.table.save(ask(stack.table.load(service), now=clock()))
    over = _wait(lambda: stack.table.load(service).incident is None, clock=clock, sleep=sleep)
    yield Hop("over again", clock() - begun if over else None, "the logs of respond; the drill ends by itself in time")


def _is_told(stack: Installation, service: ServiceRef) -> bool:
    found = stack.logs.filter_log_events(logGroupName=stack.notify_log, filterPattern=f'"{service.name}"')
    return any("message sent" in event["message"] for event in found["events"])


def _wait(reached: Callable[[], bool], *, clock: Callable[[], float], sleep: Callable[[float], None]) -> bool:
    until = clock() + _PATIENCE
    while not reached():
        if clock() >= until:
            return False
        sleep(_PAUSE)
    return True
