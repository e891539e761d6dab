"""The virtual clock: a queue of happenings, run in order of their time."""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import count
from typing import Any

_Happening = tuple[float, int, Callable[..., object], tuple[Any, ...]]


class Clock:
    """Time in seconds since the start of the simulation, which moves only from one happening to the next.

    Happenings of the same time run in the order in which they were asked for.
    """

    def __init__(self, start: datetime) -> None:
        """Start at `start`, which must carry a time zone; it is cut to whole milliseconds, as ECS reports them."""
        if start.tzinfo is None:
            raise ValueError("start: a time zone is needed, such as datetime(2026, 1, 5, tzinfo=UTC)")
        self.start = start.replace(microsecond=start.microsecond // 1000 * 1000)
        self.now = 0.0
        # The same few times are told again and again, in each event of a task and in each look at a service.
        self.moment = lru_cache(maxsize=8192)(self._moment)
        self.iso = lru_cache(maxsize=8192)(self._iso)
        self._queue: list[_Happening] = []
        self._order = count()

    def at(self, when: float, action: Callable[..., object], *args: Any) -> None:
        """Run `action(*args)` at `when` seconds; a time that has passed means now."""
        heapq.heappush(self._queue, (max(when, self.now), next(self._order), action, args))

    def after(self, delay: float, action: Callable[..., object], *args: Any) -> None:
        """Run `action(*args)` `delay` seconds from now."""
        self.at(self.now + delay, action, *args)

    def next_due(self) -> float | None:
        """The time of the next happening, or None where nothing is to come."""
        return self._queue[0][0] if self._queue else None

    def step(self, until: float) -> bool:
        """Run the next happening that is due by `until`; False (and the time is `until`) where there is none."""
        if not self._queue or self._queue[0][0] > until:
            self.now = max(self.now, until)
            return False
        self.now, _, action, args = heapq.heappop(self._queue)
        action(*args)
        return True

    def _moment(self, seconds: float) -> datetime:
        """The date and time of `seconds`, in whole milliseconds."""
        return self.start + timedelta(milliseconds=round(seconds * 1000))

    def _iso(self, seconds: float) -> str:
        """The date and time of `seconds` as events write it, such as `2026-01-05T00:00:01.250Z`."""
        return self.moment(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
