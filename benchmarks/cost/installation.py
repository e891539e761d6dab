"""The installation in one process on a virtual clock: queue, detect, table, stream, respond, notify and the clock.

The handlers are the shipped ones, given what Lambda would give them. Batches form as the event source mappings of
`infra/functions.py` let them: messages wait for others up to the window, per poller; changes of a record go by lanes,
all of one service in one of them. Each poller invokes a process of its own, which remembers what it saved.
"""

import heapq
import io
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any
from unittest.mock import patch
from zlib import crc32

from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.cost.dynamodb import DynamoDB, Item, image
from loopbreaker.model import ServiceRef
from loopbreaker.stories.saving import Memory
from loopbreaker.telling.messages import Message
from loopbreaker.treating.facts import Facts, Unknown

WINDOW = 22.0
BATCH, STREAM_BATCH, LANES = 100, 10, 10
VISIBLE_AFTER, TRIES = 390.0, 11
STREAM_RETRY = 30.0
# Lambda gives up on a batch that it tried again so often; `notify` goes on for a day.
STREAM_TRIES = {"respond": 10}

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")


@dataclass
class Context:
    """What Lambda passes beside the event."""

    function_name: str = "loopbreaker"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:loopbreaker"
    aws_request_id: str = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@dataclass
class Cluster:
    """ECS, as `respond` asks it: how many tasks a service wants; or why it does not answer."""

    desired: Callable[[ServiceRef], int] = lambda service: 1
    serves: Callable[[ServiceRef], bool] = lambda service: False
    down: str = ""
    looks: int = 0
    tags: dict[str, str] = field(default_factory=dict)

    def read(self, service: ServiceRef) -> Facts | Unknown:
        self.looks += 1
        if self.down:
            return Unknown(why=self.down)
        return Facts(exists=True, desired_count=self.desired(service), tags=self.tags)


@dataclass
class Outbox:
    """Where messages go; `down` is raised instead. `noted` is told who took one."""

    sent: list[tuple[float, Message]] = field(default_factory=list)
    down: Exception | None = None
    clock: Callable[[], float] = float
    before: Callable[[], None] = lambda: None
    noted: Callable[[Message, tuple[str, ...]], None] = lambda message, to: None

    def publish(self, message: Message) -> None:
        self.before()
        if self.down:
            raise self.down
        self.sent.append((self.clock(), message))
        self.noted(message, ("event bus default", "mail topic loops"))


@dataclass(order=True)
class _Waiting:
    """A message in the queue, or a lane's batch in the stream, from some time on."""

    at: float
    order: int
    what: Any = field(compare=False)


class Installation:
    """One account and Region with Loopbreaker in it. `now` is the time of the virtual clock."""

    def __init__(self, *, begin: float, pollers: int = 1, window: float = WINDOW, seed: int = 1) -> None:
        self.now = begin
        self.table = DynamoDB(on_write=self._changed)
        self.ecs = Cluster()
        self.outbox = Outbox(clock=lambda: self.now)
        self.invocations: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.poison: list[str] = []
        self.given_up: list[Item] = []
        self.log = io.StringIO()
        self.log_bytes = 0
        self._random = Random(seed)
        self._window = window
        self._pollers: list[list[tuple[str, int]]] = [[] for _ in range(pollers)]
        self._opened: list[float] = [0.0] * pollers
        self._memories = [Memory() for _ in range(pollers)]
        self._queue: list[_Waiting] = []
        self._lanes: dict[tuple[str, int], list[Item]] = defaultdict(list)
        self._blocked: dict[tuple[str, int], float] = {}
        # What is left of a batch that failed comes again as it is, so often already: what came since waits behind it.
        self._again: dict[tuple[str, int], tuple[int, int]] = {}
        self._numbers = count(1)
        self._swept_at = begin - begin % 60

    # -- what happens -----------------------------------------------------------------------------

    def send(self, event: Item, *, at: float) -> None:
        """An event reaches the queue at that time."""
        self._put((json.dumps(event), 1), at)

    def run(self, until: float) -> None:
        """Let time pass: messages, windows that end, lanes that are tried again, the clock."""
        while True:
            at = min(
                self._queue[0].at if self._queue else until,
                *(self._window_ends(n) for n in range(len(self._pollers))),
                self._swept_at + 60,
                *(self._blocked.values() or [until]),
                until,
            )
            if at >= until:
                break
            self.now = max(self.now, at)
            self._step()
        self.now = max(self.now, until)

    def _step(self) -> None:
        while self._queue and self._queue[0].at <= self.now:
            self._receive(heapq.heappop(self._queue).what)
        for number in range(len(self._pollers)):
            if self._pollers[number] and self._window_ends(number) <= self.now:
                self._flush(number)
        if self._swept_at + 60 <= self.now:
            self._swept_at += 60
            self.sweep()
        self._drain()

    # -- the queue and detect ---------------------------------------------------------------------

    def _put(self, message: tuple[str, int], at: float) -> None:
        heapq.heappush(self._queue, _Waiting(at, next(self._numbers), message))

    def _receive(self, message: tuple[str, int]) -> None:
        number = self._random.randrange(len(self._pollers))
        if not self._pollers[number]:
            self._opened[number] = self.now
        self._pollers[number].append(message)
        if len(self._pollers[number]) == BATCH:
            self._flush(number)

    def _window_ends(self, number: int) -> float:
        return self._opened[number] + self._window if self._pollers[number] else float("inf")

    def _flush(self, number: int) -> None:
        batch, self._pollers[number] = self._pollers[number], []
        # One for each message that is sent; one for each ten that are received, and that are deleted.
        self.requests["sqs"] += len(batch) + 2 * -(-len(batch) // 10)
        for body, tries in self.detect(batch, poller=number):
            if tries >= TRIES:
                self.poison.append(body)
            else:
                self._put((body, tries + 1), self.now + VISIBLE_AFTER)
        self._drain()

    def detect(self, batch: list[tuple[str, int]], *, poller: int = 0) -> list[tuple[str, int]]:
        """The messages that are to be delivered again."""
        from handlers import detect  # noqa: PLC0415 - its clients are made of this table

        records = [{"messageId": str(n), "body": body} for n, (body, _) in enumerate(batch)]
        with patch.object(detect, "MEMORY", self._memories[poller]):
            answer = self._invoke("detect", {"Records": records})
        if answer is None:
            self._memories[poller] = Memory()
            return batch
        return [batch[int(item["itemIdentifier"])] for item in answer["batchItemFailures"]]

    # -- the table's stream, respond and notify ---------------------------------------------------

    def _changed(self, old: Item | None, new: Item) -> None:
        if new["sk"]["S"] != "SERVICE":
            return
        images = {"NewImage": image(new), **({"OldImage": image(old)} if old else {})}
        record = {"dynamodb": {**images, "SequenceNumber": str(next(self._numbers))}}
        lane = crc32(new["pk"]["S"].encode()) % LANES
        for function, attribute in (("respond", "asked_at"), ("notify", "notice_number")):
            if attribute in new:
                self._lanes[function, lane].append(record)

    def _drain(self) -> None:
        """Deliver what the stream holds, lane by lane, until nothing is left but what failed."""
        for lane in [lane for lane, at in self._blocked.items() if at <= self.now]:
            del self._blocked[lane]
        while ready := [lane for lane, records in self._lanes.items() if records and lane not in self._blocked]:
            for lane in ready:
                self._deliver(lane)

    def _deliver(self, lane: tuple[str, int]) -> None:
        size, tries = self._again.pop(lane, (STREAM_BATCH, 0))
        batch = self._lanes[lane][:size]
        answer = self._invoke(lane[0], {"Records": batch})
        failures = answer["batchItemFailures"] if answer else [{"itemIdentifier": _number(batch[0])}]
        done = len(batch)
        if failures:
            done = [_number(record) for record in batch].index(failures[0]["itemIdentifier"])
            if tries == STREAM_TRIES.get(lane[0]):
                self.given_up += batch[done:]
                done = len(batch)
            else:
                self._again[lane] = (len(batch) - done, tries + 1)
                self._blocked[lane] = self.now + STREAM_RETRY
        del self._lanes[lane][:done]

    def sweep(self) -> None:
        self._invoke("sweep", {})
        self._drain()

    def _invoke(self, function: str, event: Item) -> Any:
        """What the function answers; None where it was killed or raised."""
        from handlers import detect, notify, respond, sweep  # noqa: PLC0415 - their clients are made of this table

        handler = {"detect": detect, "respond": respond, "notify": notify, "sweep": sweep}[function].handler
        self.invocations[function] += 1
        try:
            with redirect_stdout(self.log):
                return handler(event, Context())
        except (Killed, ClientError, BotoCoreError):
            return None
        finally:
            self.log_bytes += self.log.tell()
            self.log.seek(0)
            self.log.truncate()


class Killed(BaseException):
    """The function dies at this call; nothing that it holds is saved, and nobody catches this."""


def _number(record: Item) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


@contextmanager
def installed(begin: float, *, mode: str = "alert", **fields: Any) -> Iterator[Installation]:
    """An installation whose handlers use its table, its ECS, its outbox and its clock; its ECS is never changed."""
    with ExitStack() as stack:
        environment = {
            "TABLE_NAME": "loops",
            "INDEX_NAME": "due",
            "TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:loops",
            "POWERTOOLS_SERVICE_NAME": "loopbreaker",
            "POWERTOOLS_METRICS_NAMESPACE": "Loopbreaker",
        }
        stack.enter_context(patch.dict(os.environ, environment))
        # They read the environment.
        from handlers import notify, observability, receipts, respond, wiring  # noqa: PLC0415
        from loopbreaker.policy import Mode, Policy  # noqa: PLC0415
        from loopbreaker.stories.respond import Tools  # noqa: PLC0415
        from loopbreaker.treating.scope import Scope  # noqa: PLC0415

        ours = Installation(begin=begin, **fields)
        stack.enter_context(patch("time.time", lambda: ours.now))
        stack.enter_context(patch.object(wiring, "client", lambda _service: ours.table))
        stack.enter_context(patch.object(notify, "client", lambda _service: ours.table))
        stack.enter_context(patch.object(notify, "publisher", lambda: ours.outbox))
        stack.enter_context(patch.object(receipts, "client", lambda _service: ours.table))
        ours.outbox.noted = notify._noted
        tools = Tools(
            store=wiring.table.__wrapped__(),
            ecs=ours.ecs,  # type: ignore[arg-type]
            mode=Mode(mode),
            scope=Scope(),
            policy=Policy(),
            clock=respond.clock,
        )
        stack.enter_context(patch.object(respond, "tools", lambda: tools))
        for handler in observability.logger.handlers:
            stack.enter_context(patch.object(handler, "stream", ours.log))
        for made in (wiring.table, wiring.settings, receipts.receipts):
            made.cache_clear()
            stack.callback(made.cache_clear)
        yield ours
