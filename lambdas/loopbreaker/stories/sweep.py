"""What `sweep` does each minute: ask for a look at every service whose time has come."""

from loopbreaker.stories.ports import Calendar
from loopbreaker.treating.look import ask


def sweep(store: Calendar, *, now: float, limit: int) -> int:
    """Ask for attention to each service that is due; how many were asked for.

    Whoever saved the record meanwhile has looked already.
    """
    asked = 0
    for service in store.due(now=now, limit=limit):
        record = store.load(service)
        if record.due_at is not None and record.due_at <= now and store.save(ask(record, now=now)):
            asked += 1
    return asked
