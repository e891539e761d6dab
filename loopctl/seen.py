"""The failed tasks of a recording one by one, for its pictures: of a long loop the first and the last ones."""

from loopbreaker.model import ServiceRef, TaskFailure
from loopbreaker.picture.timeline import Task

# As many at either end as fill the rows of a picture.
_SHOWN = 200


class SeenFailures:
    """Bounded for each service, whatever the recording holds."""

    def __init__(self) -> None:
        self._tasks: dict[ServiceRef, dict[str, Task]] = {}
        self._dropped: dict[ServiceRef, int] = {}

    def add(self, failure: TaskFailure) -> None:
        """One more; a task that is told of again is one task."""
        tasks = self._tasks.setdefault(failure.service, {})
        tasks[failure.task_id] = as_task(failure)
        if len(tasks) > 3 * _SHOWN:
            names = list(tasks)
            for name in names[_SHOWN:-_SHOWN]:
                del tasks[name]
            self._dropped[failure.service] = self._dropped.get(failure.service, 0) + len(names) - 2 * _SHOWN

    def of(self, service: ServiceRef, *, since: float, until: float) -> tuple[tuple[Task, ...], tuple[Task, ...]]:
        """The tasks that failed within a time, oldest first: the first ones, and where some were dropped the last."""
        tasks = self._tasks.get(service, {}).values()
        first, rest = list(tasks)[:_SHOWN], list(tasks)[_SHOWN:]
        if not self._dropped.get(service):
            return _within([*first, *rest], since, until), ()
        return _within(first, since, until), _within(rest, since, until)

    def forget(self, service: ServiceRef) -> None:
        """A loop is over: the next one of the service begins afresh."""
        self._tasks.pop(service, None)
        self._dropped.pop(service, None)


def as_task(failure: TaskFailure) -> Task:
    """A failure as a picture shows it. A task that never started has no lifetime."""
    return Task(
        service=failure.service.name,
        created_at=failure.created_at,
        started_at=failure.failed_at - failure.lifetime if failure.lifetime else None,
        failed_at=failure.failed_at,
        category=failure.category,
        exit_code=failure.exit_code,
    )


def _within(tasks: list[Task], since: float, until: float) -> tuple[Task, ...]:
    found = [task for task in tasks if task.failed_at is not None and since <= task.failed_at <= until]
    return tuple(sorted(found, key=lambda task: task.created_at))
