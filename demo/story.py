"""The story: one service begins to loop, is stopped, and comes back with a fix; the other is left alone.

Everything happens in the simulated ECS; the stack hears of it by events alone, and people by the topic alone.
"""

from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from queue import SimpleQueue
from time import monotonic, sleep
from typing import Any

from demo.deployment import Deployed
from demo.ministack import Ministack
from demo.sandbox import ACCOUNT, REGION
from demo.screen import Check, Screen
from demo.wiring import Letter, Mailbox, put, waiting
from loopbreaker.aws.store import Table
from loopbreaker.judging.suspicion import fast_depth
from loopbreaker.model import ServiceRef
from loopbreaker.policy import Policy
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import BreakerState
from simulation import Delivery, Failure, ServiceSpec, Simulation, Timing, constant, crash, uniform
from simulation.server import Server

SOURCE = "demo.ecs"
CONTEXT = {
    "action": "stop",
    "event_source": SOURCE,
    # ECS is 20 times as fast as it is; so, or more so, are the waiting times that count here.
    "policy": "confirm_after=4,survivor_age=10,serving_after=5,stop_after=30,fresh_after=20,cool_down=600",
    "keep_data": "false",
}
SPEED_UP = 20

_CLUSTER, _LOOPING, _HEALTHY = "demo", "checkout", "storefront"
_COUNTS = {_LOOPING: 2, _HEALTHY: 3}
_OPTED_IN = {"loopbreaker:action": "stop"}
_LIFETIME = 2.0  # seconds a task of the looping service lives
_PATIENCE = 150.0  # seconds for the whole story; it takes about 65, up to a minute of it for the sweep
_PAUSE = 4.0  # seconds between the news that the service was stopped and the fix
_SETTLED = 5.0  # seconds in which nothing more is said
_TICK = 0.2
_SWEEP = 60.0  # seconds from one look of the clock to the next

_PHRASES = ("is in a restart loop", "was stopped", "was started again")
_MEANINGS = {
    1: ": a task failed",
    2: ": its replacement failed too",
    3: ": and the replacement of that, which is a loop",
}

Events = SimpleQueue[dict[str, Any]]
Scene = tuple[float, str, str, Callable[[], object]]
"""Seconds since the beginning, who does what, and how."""


def cluster(start: datetime) -> Simulation:
    """An ECS with two services whose owners let them be stopped, both without any trouble yet."""
    delivery = Delivery(source=SOURCE, delay=uniform(0.05, 0.3), duplicates=0.2, disorder=0.1, late=uniform(0.5, 2))
    ecs = Simulation(
        seed=7, start=start, timing=Timing().faster(SPEED_UP), delivery=delivery, account=ACCOUNT, region=REGION
    )
    ecs.create_cluster(_CLUSTER)
    for name, count in _COUNTS.items():
        ecs.create_service(ServiceSpec(cluster=_CLUSTER, name=name, desired_count=count, tags=_OPTED_IN))
    return ecs


class Story:
    """Plays the scenes, carries the events of ECS to the bus, and shows what comes of it."""

    def __init__(self, *, ecs: Server, events: Events, aws: Ministack, stack: Deployed, screen: Screen) -> None:
        self._ecs, self._events, self._stack, self._screen = ecs, events, stack, screen
        self._bus, self._sqs = aws.client("events"), aws.client("sqs")
        self._table = Table(aws.client("dynamodb"), stack.table)
        self._mailbox = Mailbox(aws, stack.topic_arn)
        self._looping = self._ref(_LOOPING)
        self._letters: list[Letter] = []
        self._seen: set[str] = set()
        self._generation = 0
        self._fixed_at: float | None = None
        self._last_news = monotonic()

    def play(self) -> list[Check]:
        """Play to the end, or for as long as a story may take; then say whether it went as it should."""
        while not self._events.empty():
            self._events.get()  # what happened before anybody listened
        began, scenes = monotonic(), deque(self._scenes())
        with self._screen.status() as status:
            while monotonic() < began + _PATIENCE and (scenes or not self._is_over()):
                while scenes and monotonic() >= began + scenes[0][0]:
                    self._act(scenes.popleft())
                self._carry()
                self._watch()
                self._fix()
                status.show(f"{self._counts(_LOOPING)}, {self._counts(_HEALTHY)}{self._waits()}")
                sleep(_TICK)
        return list(self._checks())

    def _scenes(self) -> list[Scene]:
        sim = self._ecs.simulation
        return [
            (0, "people", f"deploy a new revision of {_HEALTHY}", lambda: sim.deploy(_CLUSTER, _HEALTHY)),
            (2, "ECS", f"{_LOOPING} loses its database: each task dies {_LIFETIME:.0f} s after its start", self._break),
            (10, "people", f"scale {_HEALTHY} out, from 3 tasks to 5", lambda: sim.scale(_CLUSTER, _HEALTHY, 5)),
            (18, "people", f"scale {_HEALTHY} in, from 5 tasks to 3", lambda: sim.scale(_CLUSTER, _HEALTHY, 3)),
        ]

    def _break(self) -> None:
        sim = self._ecs.simulation
        sim.behave(_CLUSTER, _LOOPING, crash(Failure.APP_CRASH, after=constant(_LIFETIME)))
        sim.churn.blip(_CLUSTER, _LOOPING)

    def _fix(self) -> None:
        """People read that the service was stopped, and deploy a revision that works; they leave its count at 0."""
        if self._fixed_at is not None or len(self._letters) < 2 or monotonic() < self._last_news + _PAUSE:
            return
        self._fixed_at = monotonic()
        sim = self._ecs.simulation
        what = f"deploy a fix of {_LOOPING}; Loopbreaker looks at it once a minute"
        self._act((0, "people", what, lambda: sim.deploy(_CLUSTER, _LOOPING)))

    def _act(self, scene: Scene) -> None:
        _, who, what, action = scene
        self._screen.say(who, what)
        with self._ecs.lock:
            action()

    # -- what is shown ------------------------------------------------------------------------------

    def _carry(self) -> None:
        """Take the events of ECS to the bus, and show the stops among them."""
        batch = []
        while not self._events.empty():
            batch.append(self._events.get())
        put(self._bus, batch)
        for event in batch:
            if event["detail"].get("lastStatus") == "STOPPED":
                again = event["id"] in self._seen
                self._seen.add(event["id"])
                name, what = _stop(event["detail"])
                again_too = " (delivered again)" if again else ""
                self._screen.say("ECS", f"{name} {what}{again_too}", quiet=again or name != _LOOPING)

    def _watch(self) -> None:
        """Show a further generation, and what people read."""
        generation = _generation(self._table.load(self._looping))
        if generation > self._generation:
            self._generation = generation
            self._screen.say("detect", f"{_LOOPING} generation {generation}{_MEANINGS.get(generation, '')}")
        for letter in self._mailbox.collect():
            self._letters.append(letter)
            self._last_news = monotonic()
            self._screen.letter(letter.subject, letter.text)

    def _counts(self, name: str) -> str:
        with self._ecs.lock:
            service = self._ecs.simulation.service(_CLUSTER, name)
            running = sum(task.last_status == "RUNNING" for task in service.live.values())
            return f"{name}: {running} of {service.desired} tasks run"

    def _waits(self) -> str:
        """How long it may still take until the sweep finds the fix."""
        if self._fixed_at is None or len(self._letters) >= len(_PHRASES):
            return ""
        return f", looked at within {max(0.0, self._fixed_at + _SWEEP - monotonic()):.0f} s"

    def _ref(self, name: str) -> ServiceRef:
        return ServiceRef(cluster_arn=f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{_CLUSTER}", name=name)

    # -- how it ends --------------------------------------------------------------------------------

    def _is_over(self) -> bool:
        """The service is back, both are steady, and nothing was said for a while."""
        with self._ecs.lock:
            services = [self._ecs.simulation.service(_CLUSTER, name) for name in _COUNTS]
            steady = all(service.steady_since is not None and service.desired for service in services)
        quiet = monotonic() > self._last_news + _SETTLED and self._events.empty()
        return self._fixed_at is not None and steady and quiet and len(self._letters) >= len(_PHRASES)

    def _checks(self) -> Iterator[Check]:
        wanted = [f"[Loopbreaker] {_LOOPING} {phrase} in {_CLUSTER}" for phrase in _PHRASES]
        subjects = [letter.subject for letter in self._letters]
        yield Check(
            f"three messages: {_LOOPING} {', '.join(_PHRASES)}",
            subjects == wanted,
            "\n".join(subjects) or "no message",
        )
        zeroed = [kwargs for name, kwargs in self._ecs.simulation.calls if name == "UpdateService"]
        counts = [kwargs["desiredCount"] for kwargs in zeroed]
        yield Check(
            f"{_LOOPING} was set to 0 tasks, and back to {_COUNTS[_LOOPING]}",
            counts == [0, _COUNTS[_LOOPING]] and all(kwargs["service"] == _LOOPING for kwargs in zeroed),
            f"set to {', then '.join(map(str, counts))}",
        )
        record, tasks = self._table.load(self._looping), self._counts(_LOOPING)
        count = _COUNTS[_LOOPING]
        yield Check(
            f"{_LOOPING} serves again",
            tasks == f"{_LOOPING}: {count} of {count} tasks run" and record.breaker is BreakerState.CLOSED,
            f"{tasks}, {'not held' if record.breaker is BreakerState.CLOSED else 'held'}",
        )
        tasks = self._counts(_HEALTHY)
        count = _COUNTS[_HEALTHY]
        yield Check(f"{_HEALTHY} serves", tasks == f"{_HEALTHY}: {count} of {count} tasks run", tasks)
        version = self._table.load(self._ref(_HEALTHY)).version
        yield Check(f"{_HEALTHY} left no trace in the table", version == 0, f"{version} versions of its record")
        left = waiting(self._sqs, self._stack.queues.values())
        yield Check("every queue is empty, the dead-letter queues too", left == 0, f"{left} messages")


def _stop(detail: dict[str, Any]) -> tuple[str, str]:
    """The service of a stopped task, and what ECS says of the stop."""
    codes = [f", exit code {c['exitCode']}" for c in detail["containers"] if "exitCode" in c]
    task = detail["taskArn"][-6:]
    return detail["group"].removeprefix("service:"), f"task {task} stopped: {detail['stoppedReason']}{''.join(codes)}"


def _generation(record: Record) -> int:
    """How many times in a row a replacement has failed."""
    return max(fast_depth(record, Policy()), record.incident.depth if record.incident else 0)
