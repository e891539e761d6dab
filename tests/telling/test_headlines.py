"""The headline and the state of a service, for what can be known of it when it is told."""

from typing import Any

import pytest

from loopbreaker.remembering.incident import Signal
from loopbreaker.remembering.notice import Notice, NoticeKind
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import Step
from loopbreaker.telling.words import Telling, headline, state
from tests.builders import SERVICE, T0, looping, trip

K = NoticeKind


def telling(
    kind: NoticeKind,
    after: Record,
    *,
    before: Record | None = None,
    reason: str = "so it is",
    services: int = 0,
    at: float = 200,
) -> Telling:
    return Telling(before, after, Notice(1, kind, T0 + at, reason, services=services))


def held(step: Step = Step.HELD, **fields: Any) -> Record:
    return looping(trip=trip(step=step, desired_count=4, **fields))


def gone() -> Record:
    return Record(service=SERVICE)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (telling(K.LOOPING, looping()), "is in a restart loop"),
        (telling(K.LOOPING, looping(times=2)), "is in a restart loop again"),
        (telling(K.LOOPING, looping(signal=Signal.EMPTY, times=3)), "runs none of its tasks again"),
        (telling(K.LOOPING, looping(), at=100 + 3600), "is in a restart loop"),
        (telling(K.LOOPING, looping(), at=100 + 3601), "was in a restart loop"),
        (telling(K.LOOPING, looping(longest_gap=1500.0), at=100 + 4500), "is in a restart loop"),
        (telling(K.LOOPING, looping(longest_gap=1500.0), at=100 + 4501), "was in a restart loop"),
        (telling(K.NOT_STOPPED, looping()), "loops on and was not acted on"),
        (telling(K.NOT_STOPPED, held(Step.UNTAG)), "is left at 0"),
        (telling(K.NOT_STOPPED, held(Step.RESTORE_SCALING)), "is left at 0"),
        (telling(K.NOT_STOPPED, held(Step.UNTAG, undo=True)), "loops on and was not acted on"),
        (telling(K.NOT_STOPPED, held(Step.READY)), "loops on and was not acted on"),
        (telling(K.NOT_STOPPED, held()), "is still held at 0"),
        (telling(K.STILL_LOOPING, held(Step.PROBING)), "is still being tried"),
        (telling(K.STILL_LOOPING, looping()), "still loops"),
        (telling(K.STILL_LOOPING, looping(signal=Signal.PLACEMENT)), "still gets no capacity for its tasks"),
        (telling(K.STILL_LOOPING, looping(), services=1), "still loops"),
        (telling(K.STILL_LOOPING, looping(), services=2), "and 1 more services still loop"),
        (telling(K.STILL_LOOPING, looping(), services=1200), "and 1,199 more services still loop"),
        (telling(K.DIGEST, gone(), services=1), "loses tasks now and then"),
        (telling(K.DIGEST, gone(), services=2), "and 1 more service lose tasks now and then"),
        (telling(K.DIGEST, gone(), services=9), "and 8 more services lose tasks now and then"),
        (telling(K.RECOVERED, gone(), before=looping()), "is no longer in a restart loop"),
        (telling(K.RECOVERED, gone(), before=looping(signal=Signal.EMPTY)), "runs tasks again"),
        (telling(K.RECOVERED, gone()), "is no longer in a restart loop"),
        (telling(K.STOPPED, held(), before=looping()), "was stopped"),
        (telling(K.STOPPED, held(), before=held(Step.STOP_AGAIN)), "was stopped again"),
        (telling(K.STOPPED, held()), "was stopped"),
        (telling(K.DOWN, held()), "is DOWN at 0: held and could not be brought back"),
    ],
)
def test_headlines(told: Telling, words: str) -> None:
    """The rest of a sentence that begins with the name of the service."""
    assert headline(told) == words


WATCHED = "watched until it has proved itself"
BY_OTHERS = f"started by somebody else; {WATCHED}"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (telling(K.STOPPED, held()), "held at 0 tasks by Loopbreaker; it had 4"),
        (telling(K.PROBING, held(Step.PROBING)), "1 task is being tried; it had 4"),
        (telling(K.PROBING, held(Step.SET_ONE)), "1 task is being tried; it had 4"),
        (telling(K.PROBING, held(Step.PROBING_ALL)), "4 tasks are being tried; it had 4"),
        (telling(K.RECOVERED, gone(), before=looping()), "not in a restart loop"),
        (telling(K.NOT_STOPPED, held(Step.UNTAG)), "at 0 tasks, as somebody set it"),
        (telling(K.BACK, looping(), before=held()), f"started with 4 tasks; {WATCHED}"),
        (telling(K.BACK, looping(), before=held(), reason="set to 7, not by Loopbreaker"), BY_OTHERS),
        (telling(K.BACK, looping()), BY_OTHERS),
        (telling(K.BACK, looping(), before=looping()), BY_OTHERS),
        (
            telling(K.BACK, held(Step.RESTORE_SCALING), before=held()),
            "started with its tasks, but its scaling is still suspended",
        ),
        (telling(K.BACK, held(Step.UNTAG), before=held()), f"started with 4 tasks; {WATCHED}"),
        (telling(K.ROLLED_BACK, held(Step.ROLLING_BACK)), "ECS is taking it back to the revision before"),
        (telling(K.ROLLED_BACK, held(Step.STOP_DEPLOYMENT)), "ECS is taking it back to the revision before"),
        (telling(K.LOOPING, looping(), at=100 + 7200), "no task has failed for 2 h"),
        (telling(K.LOOPING, looping(signal=Signal.EMPTY)), "none of its tasks runs"),
        (
            telling(K.LOOPING, looping(desired_count=2)),
            "ECS goes on restarting its tasks (2 tasks wanted); Loopbreaker has not touched it",
        ),
        (
            telling(K.LOOPING, looping(desired_count=None)),
            "ECS goes on restarting its tasks; Loopbreaker has not touched it",
        ),
        (telling(K.NOT_STOPPED, looping(desired_count=0)), "ECS goes on restarting its tasks"),
        (telling(K.STILL_LOOPING, looping(desired_count=1)), "ECS goes on restarting its tasks (1 task wanted)"),
    ],
)
def test_states(told: Telling, words: str) -> None:
    """How the service stands, by the record, whatever is told of it."""
    assert state(told) == words
