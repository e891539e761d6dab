"""An account to test in: the stack as deployed, a simulated ECS whose events reach it, and a subscriber."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from threading import Lock
from time import monotonic, sleep, time
from typing import Any

from demo.deployment import Deployed
from demo.ministack import Ministack
from demo.sandbox import ACCOUNT, REGION
from demo.wiring import Letter, Mailbox, put, waiting
from loopbreaker.aws.store import Table
from loopbreaker.model import ServiceRef
from loopbreaker.remembering.record import Record
from simulation import Delivery, ServiceSpec, Simulation, Timing, uniform
from simulation.server import Server

SOURCE = "test.ecs"
CLUSTER = "prod"
CONTEXT = {
    "action": "stop",
    "event_source": SOURCE,
    "policy": (
        "confirm_after=1,survivor_age=4,quiet_after=3,flaky_mtbf=6,"
        "serving_after=4,stop_after=8,fresh_after=10,cool_down=900"
    ),
    "keep_data": "false",
}
_SPEED_UP = 50
_PATIENCE = 45.0  # seconds for anything to come about; most of it takes two or three

Event = dict[str, Any]


def empty_cluster(start: datetime) -> Simulation:
    """A fast ECS whose events come late, twice and out of order now and then."""
    delivery = Delivery(source=SOURCE, delay=uniform(0.02, 0.2), duplicates=0.1, disorder=0.1, late=uniform(0.2, 1))
    ecs = Simulation(
        seed=3, start=start, timing=Timing().faster(_SPEED_UP), delivery=delivery, account=ACCOUNT, region=REGION
    )
    ecs.create_cluster(CLUSTER)
    return ecs


class Relay:
    """Takes the events of the simulated ECS to the bus, once there is one to take them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.bus: Any = None
        self._at_work = Lock()

    def __call__(self, event: Event) -> None:
        with self._at_work:
            if self.bus is not None:
                self.events.append(event)
                put(self.bus, [event])

    def close(self) -> None:
        """Takes no more events; one that is on its way arrives before the bus goes."""
        with self._at_work:
            self.bus = None


@dataclass
class Account:
    """What the tests act on and look at. `letters` are all messages that people got so far."""

    ecs: Server
    relay: Relay
    aws: Ministack
    stack: Deployed
    mailbox: Mailbox
    letters: list[Letter] = field(default_factory=list)

    @cached_property
    def sqs(self) -> Any:
        return self.aws.client("sqs")

    @cached_property
    def lambdas(self) -> Any:
        return self.aws.client("lambda")

    @cached_property
    def dynamodb(self) -> Any:
        return self.aws.client("dynamodb")

    @cached_property
    def logs(self) -> Any:
        return self.aws.client("logs")

    @property
    def table(self) -> Table:
        return Table(self.dynamodb, self.stack.table)

    # -- what happens -------------------------------------------------------------------------------

    def create(self, name: str, *, count: int, tags: dict[str, str] | None = None) -> None:
        """A healthy service, which is on its way to its steady state."""
        spec = ServiceSpec(cluster=CLUSTER, name=name, desired_count=count, tags=tags or {})
        self.act(lambda ecs: ecs.create_service(spec))

    def act(self, action: Callable[[Simulation], object]) -> None:
        """Do something to the simulated ECS, whose time runs in a thread of its own."""
        with self.ecs.lock:
            action(self.ecs.simulation)

    def settle(self, name: str) -> None:
        """Wait until the service is steady and nothing of it is on its way down."""
        service = self.ecs.simulation.service(CLUSTER, name)
        until(
            lambda: service.steady_since is not None and len(service.live) == service.desired,
            what=f"{name} reaches its steady state",
        )

    def let_time_pass(self, name: str) -> None:
        """What is due later on is due now, and the clock ticks."""
        record = self.table.load(self.ref(name))
        if record.asked_at is not None:
            return  # it is being looked at
        self.table.save(replace(record, due_at=time()))
        self.lambdas.invoke(FunctionName=self.stack.functions["sweep"], Payload=b"{}")

    # -- what came of it ----------------------------------------------------------------------------

    def ref(self, name: str) -> ServiceRef:
        return ServiceRef(cluster_arn=f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{CLUSTER}", name=name)

    def record(self, name: str) -> Record:
        return self.table.load(self.ref(name))

    def subjects(self, name: str) -> list[str]:
        """Subjects of the messages about a service so far."""
        self.letters += self.mailbox.collect()
        return [letter.subject for letter in self.letters if f" {name} " in letter.subject]

    def items(self, name: str = "") -> list[str]:
        """Sort keys of the table's items, of one service or of all."""
        found = self.dynamodb.get_paginator("scan").paginate(TableName=self.stack.table)
        items = [item for page in found for item in page["Items"]]
        return sorted(i["sk"]["S"] for i in items if not name or i["pk"]["S"] == self.ref(name).key)

    def calls(self, operation: str, name: str) -> list[dict[str, Any]]:
        """Calls of an ECS operation that named the service."""
        return [
            given for called, given in self.ecs.simulation.calls if (called, given.get("service")) == (operation, name)
        ]

    def revision(self, name: str) -> int:
        """Number of the task definition that the service is meant to run."""
        return self.ecs.simulation.service(CLUSTER, name).primary.definition.revision

    def desired_count(self, name: str) -> int:
        return self.ecs.simulation.service(CLUSTER, name).desired

    def log(self, function: str) -> list[str]:
        """Every line that a function has logged."""
        given = self.lambdas.get_function_configuration(FunctionName=self.stack.functions[function])
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=given["LoggingConfig"]["LogGroup"])
        return [event["message"] for page in pages for event in page["events"]]

    def invocations(self, function: str) -> int:
        return sum(line.startswith("START ") for line in self.log(function))

    def drained(self) -> None:
        """Wait until every event that was sent has been dealt with, and what follows from it."""
        until(lambda: waiting(self.sqs, [self.stack.event_queue]) == 0, what="the event queue is empty")
        sleep(1.0)  # the functions behind the table's stream are not seen to be at work

    def bodies(self, queue: str) -> list[str]:
        """Bodies of the messages in a queue, which is emptied."""
        found: list[str] = []
        while messages := self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(message["Body"])
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return found


def until(condition: Callable[[], object], *, what: str, patience: float = _PATIENCE) -> None:
    """Wait for something to come about; AssertionError that says what did not."""
    deadline = monotonic() + patience
    while not condition():
        assert monotonic() < deadline, f"waited {patience:.0f} s in vain until {what}"
        sleep(0.1)
