"""Whether what people read was so: each message held against the simulation's own truth at that moment.

It reads the words, as a person would, and knows nothing of how they came about.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from math import inf

from benchmarks.breaker.stage import CLUSTER, HOUR, MINUTE
from loopbreaker.telling.messages import Message
from simulation import Simulation

# What is told may be so old: a look, an answer of ECS, a message under way.
_OLD = 5 * MINUTE
# Who reads that something goes on believes that it was seen within so long.
_LATELY = 2 * HOUR
_REMEMBERED = 36 * HOUR


@dataclass
class Reader:
    """Someone who believes what is written, and looks."""

    sim: Simulation
    epoch: float
    failures: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    counts: dict[str, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    untrue: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # by service, what was not so

    def failed(self, name: str) -> None:
        """A task of a service has failed, now."""
        self.failures[name].append(self.sim.now)

    def look(self, name: str) -> None:
        """Note the desired count."""
        desired = self.sim.service(CLUSTER, name).wanted
        if not self.counts[name] or self.counts[name][-1][1] != desired:
            self.counts[name].append((self.sim.now, desired))

    def _counts(self, name: str, *, within: float) -> set[int]:
        """The desired counts that the service had within so many seconds."""
        since, known = self.sim.now - within, self.counts[name]
        ended = [later for later, _ in known[1:]] + [inf]
        return {count for (_, count), end in zip(known, ended, strict=True) if end > since}

    def read(self, message: Message) -> None:
        """Hold one message against the truth."""
        name = message.service.name
        self.look(name)
        for what in (*self._of_state(name, message), *self._of_numbers(name, message)):
            self.untrue[name].append(f"{message.notice.kind.value} after {self.sim.now / MINUTE:.0f} min: {what}")

    def _of_state(self, name: str, message: Message) -> Iterator[str]:
        state, now = message.detail["state"], self.sim.now
        lately = self._counts(name, within=_OLD)
        if ("held at 0" in state or "as somebody set it" in state) and 0 not in lately:
            yield f"{state}; desired count {lately}"
        if ("goes on restarting" in state or "being tried" in state or "started with" in state) and lately == {0}:
            yield f"{state}; desired count 0"
        if "goes on restarting" in state and not any(at > now - _LATELY for at in self.failures[name]):
            yield f"{state}; no task failed of late"
        if (wanted := re.search(r"\((\d+) tasks? wanted\)", state)) and int(wanted[1]) not in lately:
            yield f"{state}; desired count {lately}"
        had = self._counts(name, within=_REMEMBERED)
        if (saved := re.search(r"it had (\d+)", state)) and int(saved[1]) not in had:
            yield f"{state}; it never had"
        service = self.sim.service(CLUSTER, name)
        serves = self.sim.serving(CLUSTER, name) or service.status != "ACTIVE" or not service.desired
        if message.notice.kind.value == "recovered" and not serves:
            yield "it serves nobody"

    def _of_numbers(self, name: str, message: Message) -> Iterator[str]:
        detail = message.detail
        if "incident" not in detail:
            return
        first, last = (self._when(detail[key]) for key in ("firstFailureAt", "lastFailureAt"))
        truth = sum(at >= first - MINUTE for at in self.failures[name])
        # Of a great many some are counted twice: what comes twice is known by the newest of them.
        if detail["failedTasks"] > 1.01 * truth + 1:
            yield f"{detail['failedTasks']} tasks failed; it was {truth}"
        hours = max((last - first) / HOUR, 0.1)
        rate = re.search(r"about ([\d,]+) an\s+hour", message.text)
        if rate and int(rate[1].replace(",", "")) > 1.6 * truth / hours + 2:
            yield f"{rate[0]}; it was {truth} in {hours:.1f} hours"
        if last > self.sim.now + MINUTE:
            yield "a task failed in the future"

    def _when(self, said: str) -> float:
        return datetime.fromisoformat(said).timestamp() - self.epoch
