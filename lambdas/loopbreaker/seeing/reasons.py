"""Why a task stopped: stop code, reason texts and exit codes become one `Classification`.

What is known about ECS stands in `reason_tables`; here is the order in which it is asked.
"""

from collections.abc import Iterable
from typing import NamedTuple

from loopbreaker.model import Category, Classification, Container, Label, TaskFailure, TaskState
from loopbreaker.seeing.reason_tables import (
    CAUSES,
    ESSENTIAL_EXIT,
    EXIT_CODES,
    FAULTS,
    HEALTH_CHECKS,
    INJECTED,
    NOISE,
    ORDINARY,
    ORDINARY_STOP_CODES,
    PLACEMENT,
    STICKY,
    TEXT_STOP_CODES,
    Rule,
)

_RANKS = {code: rank for rank, rule in enumerate(EXIT_CODES) for code in rule.codes}
_OTHER_CODE = next(rank for rank, rule in enumerate(EXIT_CODES) if not rule.codes)
# Clocks of ECS and of an agent that keep time differ by less than this, in seconds.
_CLOCKS = 60.0
_EVIDENCE_LENGTH = 255
# What a task goes through between the decision to stop it and STOPPED (developer guide, "Amazon ECS task lifecycle").
_ON_THEIR_WAY = ("DEACTIVATING", "STOPPING", "DEPROVISIONING")


class _Finding(NamedTuple):
    """A category and what it rests on. `why` lacks the full stop."""

    category: Category
    container: str
    evidence: str
    exit_code: int | None
    why: str


def classify(task: TaskState) -> Classification:
    """The verdict on one task: is this stop a failure, of which kind, whose, and does it count?

    Never fails. A task that is not STOPPED has no category: ECS sends its stop code and exit codes several times
    before the stop is final. A task of no service keeps its category and does not count, nor does a placement failure.
    """
    if task.last_status != "STOPPED":
        why = f"The task is {task.last_status}; its stop is judged once it is STOPPED."
        if foreseen := _foreseen(task):
            why = f"{foreseen.why}, and is {task.last_status}: one failure with the STOPPED event that follows."
        return Classification(Label.NOT_FINAL, None, counts=False, container="", evidence="", exit_code=None, why=why)
    label, found = _verdict(task)
    why = f"{found.why}."
    if task.service is None:
        label, why = Label.STANDALONE, f"{found.why}; no service restarts this task."
    return Classification(
        label=label,
        category=found.category,
        counts=label is Label.FAILURE and found.category is not Category.PLACEMENT,
        container=found.container,
        evidence=found.evidence,
        exit_code=found.exit_code,
        why=why,
    )


def failure(task: TaskState, verdict: Classification) -> TaskFailure | None:
    """The failure that this stop is, or None where it is none.

    A task that failed its health checks has failed when ECS decides to stop it, and ECS says so at once: behind a load
    balancer the task drains for minutes before it is STOPPED. Both events tell of one failure, at one time.
    Where ECS sent none of the three stop times, the time the event was sent stands for them: later, but close.
    """
    found = verdict if verdict.counts else _foreseen(task)
    if found is None or task.service is None or found.category is None:
        return None
    failed_at = max(_stopped_at(task), task.created_at)
    return TaskFailure(
        service=task.service,
        task_id=task.task_id,
        created_at=task.created_at,
        failed_at=failed_at,
        # ECS tells times to the millisecond.
        lifetime=0.0 if task.started_at is None else round(max(failed_at - task.started_at, 0.0), 3),
        category=found.category,
        container=found.container,
        evidence=found.evidence,
        exit_code=found.exit_code,
        deployment_id=task.started_by if task.started_by.startswith("ecs-svc/") else "",
        task_definition=task.task_definition,
        late=max(task.sent_at - failed_at, 0.0),
    )


def _stopped_at(task: TaskState) -> float:
    """The earliest of the times at which the task stopped, as far as they can be true.

    `executionStoppedAt` is by the clock of the agent, the others are by that of ECS: where the agent's says that a
    task ended before it started, or long before ECS heard of it, ECS's stand.
    """
    heard = [at for at in (task.stopping_at, task.stopped_at) if at is not None]
    ended, started = task.execution_stopped_at, task.started_at or task.created_at
    if ended is not None and ended >= max(started, task.stopping_at or started) - _CLOCKS:
        heard.append(ended)
    return min(heard, default=task.sent_at)


def _foreseen(task: TaskState) -> _Finding | None:
    """The failed health check for which ECS is about to stop the task.

    Only where ECS says since when: else the STOPPED event would tell of another time, and so of another failure.
    """
    decided = task.last_status in _ON_THEIR_WAY and task.stop_code == "ServiceSchedulerInitiated"
    return _by_text(HEALTH_CHECKS, task_text=task.stopped_reason) if decided and task.stopping_at is not None else None


def _verdict(task: TaskState) -> tuple[Label, _Finding]:
    code = task.stop_code
    if code == "EssentialContainerExited":
        return Label.FAILURE, _exited(task)
    if code == "TaskFailedToStart":
        return Label.FAILURE, _not_started(task)
    if code in ORDINARY_STOP_CODES:
        return Label.NORMAL, _of_task(*ORDINARY_STOP_CODES[code], evidence=task.stopped_reason or code)
    return _by_words(task)


def _by_words(task: TaskState) -> tuple[Label, _Finding]:
    """Stop codes that healthy life and failed health checks share, and those that say nothing to us."""
    code, text = task.stop_code, task.stopped_reason
    if found := _by_text(HEALTH_CHECKS, task_text=text):
        return Label.FAILURE, found
    if found := _by_text(ORDINARY, task_text=text):
        return Label.NORMAL, found
    if code in TEXT_STOP_CODES:
        return Label.NORMAL, _of_task(*TEXT_STOP_CODES[code], evidence=text or code)
    return _without_stop_code(task)


def _exited(task: TaskState) -> _Finding:
    """An essential container ended by itself, which is a failure whatever its exit code."""
    found = _culprit(task, zero_tells=True)
    return found or _of_task(Category.UNKNOWN, "stopped, and ECS does not say why", evidence=task.stopped_reason)


def _not_started(task: TaskState) -> _Finding:
    """A task that never ran. An exit code 0 tells nothing here: containers that prepare the others end so."""
    text = task.stopped_reason
    return (
        _culprit(task, zero_tells=False)
        or _by_text(PLACEMENT, task_text=text)
        or _of_task(Category.UNKNOWN, "did not start, and ECS does not say why", evidence=text)
    )


def _without_stop_code(task: TaskState) -> tuple[Label, _Finding]:
    """A stop code that is absent (events of old) or new to us: the text decides, then the order of times.

    A task that ends by itself has `executionStoppedAt` <= `stoppingAt`; one that is told to stop has it the other way
    round (seen in every public sample, not documented). Where a time is absent the stop counts: a new way to fail
    that nobody hears of is worse than a stop too many, for one stop makes no loop.
    """
    text = task.stopped_reason
    if ESSENTIAL_EXIT in text.lower():
        return Label.FAILURE, _exited(task)
    if found := _by_text(CAUSES, task.containers, task_text=text) or _by_text(PLACEMENT, task_text=text):
        return Label.FAILURE, found
    began, ended = task.stopping_at, task.execution_stopped_at
    if began is not None and ended is not None and began < ended:
        return Label.NORMAL, _of_task(
            Category.UNKNOWN, "was told to stop from outside, for a reason that is not known", evidence=text
        )
    return Label.FAILURE, _of_task(Category.UNKNOWN, "stopped for a reason that is not known", evidence=text)


def _culprit(task: TaskState, *, zero_tells: bool) -> _Finding | None:
    """What made the task stop: a telling text, else the likeliest exit code, else a text that tells little."""
    own = [container for container in task.containers if not container.name.startswith(INJECTED)]
    return (
        _by_text(CAUSES, own, task_text=task.stopped_reason)
        or _by_exit_code(own, zero_tells=zero_tells)
        or _by_text(CAUSES, task.containers)
        or _by_exit_code(task.containers, zero_tells=zero_tells)
        or _by_text(FAULTS, task.containers, task_text=task.stopped_reason)
    )


def _by_text(rules: Iterable[Rule], containers: Iterable[Container] = (), *, task_text: str = "") -> _Finding | None:
    """The first rule that matches a text. A container's text goes before the task's: it names the culprit."""
    texts = [(container.name, container.reason, container.exit_code) for container in containers]
    texts.append(("", task_text, None))
    causes = [(text.lower(), name, text, code) for name, text, code in texts if _is_cause(text.lower(), code)]
    for rule in rules:
        for words, name, text, code in causes:
            if any(word in words for word in rule.words):
                return _Finding(rule.category, name, _evidence(text), code, f"{_subject(name)} {rule.why}")
    return None


def _is_cause(text: str, exit_code: int | None) -> bool:
    return bool(text) and not text.startswith(NOISE) and (exit_code is None or not text.startswith(STICKY))


def _by_exit_code(containers: Iterable[Container], *, zero_tells: bool) -> _Finding | None:
    """The container whose exit code tells most. Of several alike, the first that ECS lists."""
    ended = [
        (_rank(container.exit_code), container)
        for container in containers
        if container.exit_code is not None and (zero_tells or container.exit_code != 0)
    ]
    if not ended:
        return None
    rank, container = min(ended, key=lambda ranked: ranked[0])
    evidence = f"exit code {container.exit_code}"
    category, why, _ = EXIT_CODES[rank]
    why = f"{_subject(container.name)} {why} ({evidence})"
    return _Finding(category, container.name, evidence, container.exit_code, why)


def _rank(exit_code: int) -> int:
    """Place in EXIT_CODES. Windows codes are unsigned, but some relays make them signed."""
    return _RANKS.get(exit_code % 2**32, _OTHER_CODE)


def _of_task(category: Category, why: str, *, evidence: str) -> _Finding:
    return _Finding(category, "", _evidence(evidence), None, f"The task {why}")


def _subject(container: str) -> str:
    return f"Container {container}" if container else "The task"


def _evidence(text: str) -> str:
    """The reason's own words, on one line and not too many."""
    line = " ".join(text.split())
    return line if len(line) <= _EVIDENCE_LENGTH else f"{line[: _EVIDENCE_LENGTH - 1]}…"
