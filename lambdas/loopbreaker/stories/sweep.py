"""What `sweep` does each minute: ask for a look at every service whose time has come."""

from collections.abc import Callable
from dataclasses import dataclass

from loopbreaker.stories.ports import Calendar, UnreadableError
from loopbreaker.treating.look import ask


@dataclass(frozen=True, slots=True)
class Swept:
    """One run: how many services were asked for, what is wrong with each record that could not be read, and the faults
    of the store with others."""

    asked: int
    unreadable: tuple[str, ...] = ()
    faults: tuple[Exception, ...] = ()


def sweep(
    store: Calendar,
    *,
    clock: Callable[[], float],
    seconds: float,
    limit: int,
    passing: tuple[type[Exception], ...] = (),
) -> Swept:
    """Ask for attention to each service that is due, for at most so many seconds: the next run goes on from there.

    Whoever saved the record meanwhile has looked already. What is a `passing` fault of the store with one service
    keeps no other waiting.
    """
    began = now = clock()
    asked, unreadable, faults = 0, [], []
    for service in store.due(now=began, limit=limit):
        if now > began + seconds:
            break
        try:
            record = store.load(service)
            if record.due_at is not None and record.due_at <= now and store.save(ask(record, now=now)):
                asked += 1
        except UnreadableError as error:
            unreadable.append(str(error))
        except passing as fault:
            faults.append(fault)
        now = clock()
    return Swept(asked=asked, unreadable=tuple(unreadable), faults=tuple(faults))
