"""What each rule made of each stream: loops found and when, alarms that were false, messages sent."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.detection.rules import RULES
from benchmarks.detection.saying import Message
from benchmarks.detection.scenario import DAY, Loop, Scenario
from benchmarks.detection.watching import USUAL, Watch
from simulation import Delivery

# The last tasks of a loop are reported minutes after it has ended.
_AFTERMATH = 900.0


@dataclass(frozen=True, slots=True)
class Found:
    """How late a loop was found: minutes since its first failure, and tasks that had failed by then.

    Both are 0 where the alarm came before any task had failed.
    """

    minutes: float
    failed_tasks: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """One rule on one stream. `found` has an entry per loop, None where it was missed.

    A loop that comes again while people still know of it from before needs no message and has no entry.
    messages: those that were sent. most_a_day: most of them to one service within 24 hours.
    wrongly_over: how often a loop was called over, and went on failing.
    """

    scenario: str
    group: str
    tasks: int
    seed: int
    rule: str
    found: tuple[Found | None, ...]
    false_alarms: int
    messages: int
    most_a_day: int = 0
    wrongly_over: int = 0
    attack: bool = False
    why: tuple[str, ...] = ()


def judge(
    scenario: Scenario, seed: int, *, rules: Sequence[str] = tuple(RULES), delivery: Delivery = USUAL
) -> list[Outcome]:
    """Let each rule see one stream of the scenario, and hold what it said against the truth."""
    watch = Watch(scenario, seed, delivery)
    judged = {name: RULES[name](watch) for name in rules}
    said: dict[str, list[Message]] = {name: [] for name in judged}
    for seen in watch.stream():
        for name, rule in judged.items():
            said[name].extend(rule.see(seen))
    failures = {loop: _of_loop(loop, watch) for loop in watch.loops}
    return [_outcome(scenario, seed, name, said[name], failures) for name in rules]


def _of_loop(loop: Loop, watch: Watch) -> list[float]:
    failed_at = watch.failed_at[loop.service]
    return failed_at[bisect_left(failed_at, loop.begins) : bisect_right(failed_at, loop.ends)]


def _outcome(
    scenario: Scenario, seed: int, rule: str, messages: Sequence[Message], failures: dict[Loop, list[float]]
) -> Outcome:
    alarms = [message for message in messages if message.alarm and not message.over]
    true = [message for message in alarms if any(_belongs(message, loop) for loop in failures)]
    found = [_found(loop, failed_at, true) for loop, failed_at in failures.items() if not _known(loop, messages)]
    return Outcome(
        scenario=scenario.name,
        group=scenario.group.value,
        tasks=scenario.tasks,
        seed=seed,
        rule=rule,
        found=tuple(found),
        false_alarms=len(alarms) - len(true),
        messages=sum(message.sent for message in messages),
        most_a_day=_most_a_day(messages),
        wrongly_over=sum(_wrongly_over(message, failures) for message in messages),
        attack=scenario.attack,
        why=tuple(message.why for message in alarms if message.why and message not in true)[:3],
    )


def _belongs(alarm: Message, loop: Loop) -> bool:
    return alarm.service == loop.service and loop.begins <= alarm.at <= loop.ends + _AFTERMATH


def _found(loop: Loop, failed_at: Sequence[float], alarms: Sequence[Message]) -> Found | None:
    first = next((alarm.at for alarm in alarms if _belongs(alarm, loop)), None)
    if first is None:
        return None
    late = max(first - failed_at[0], 0.0) if failed_at else 0.0
    return Found(minutes=late / 60, failed_tasks=bisect_right(failed_at, first))


def _known(loop: Loop, messages: Sequence[Message]) -> bool:
    """Whether no message is needed, since people know of the ailment from an earlier loop, or none is to be told."""
    if loop.optional:
        return True
    told = (message for message in messages if message.alarm or message.over)
    before = [message for message in told if message.service == loop.service and message.at < loop.begins]
    return loop.again and bool(before) and not before[-1].over


def _wrongly_over(message: Message, failures: dict[Loop, list[float]]) -> bool:
    return message.over and any(
        loop.service == message.service and loop.begins <= message.at < loop.ends and failed_at[-1:] > [message.at]
        for loop, failed_at in failures.items()
        if not loop.optional
    )


def _most_a_day(messages: Sequence[Message]) -> int:
    most = 0
    for service in {message.service for message in messages}:
        times = [message.at for message in messages if message.service == service and message.sent]
        most = max([most, *(bisect_left(times, at + DAY) - number for number, at in enumerate(times))])
    return most
