"""The breaker, step by step: what follows from each step, by what ECS says, what AWS answers, and what people did."""

from dataclasses import replace
from typing import Any

import pytest

from loopbreaker.model import Category
from loopbreaker.policy import Mode
from loopbreaker.remembering.record import Lived, Record
from loopbreaker.remembering.trip import BreakerState, Scaling, Step
from loopbreaker.treating.breaker import blind, recheck
from loopbreaker.treating.facts import Facts
from loopbreaker.treating.holding import next_try_at
from loopbreaker.treating.steps import CALLS, LEASE, RECHECK, UNDER_WAY, Call, after_call, after_refusal, order_of
from tests.builders import DEPLOYMENT, POLICY, T0, climbed, crash_loop, deployment, facts, rollout, running_task
from tests.unit.cases import FREE, HELD_TAG, NOW, SUSPENDED, case, dead, deploying, seen, trip

DAY = 86_400.0


def looked(
    step: Step, found: Facts, *, mode: Mode = Mode.STOP, began: int = 1, record: Any = None, **fields: Any
) -> Record:
    """The record after one look at this step."""
    before = replace(record or dead(), trip=trip(step, **fields))
    assert before.trip is not None
    return recheck(case(before, found, mode=mode, began=began), before.trip)


def step_of(record: Record) -> Step | None:
    return record.trip.step if record.trip else None


def kinds(record: Record) -> list[str]:
    return [notice.kind.value for notice in record.notices]


# -- on the way to 0 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "found", "expected"),
    [
        (Step.TAG, seen(4, scaling=FREE, held=False), Step.TAG),
        (Step.TAG, seen(4, scaling=FREE), Step.SUSPEND_SCALING),
        (Step.TAG, seen(4, scaling=SUSPENDED), Step.SET_ZERO),
        (Step.TAG, seen(4, scaling=None), Step.SET_ZERO),
        # What we did a moment ago is not asked for again.
        (Step.READY, seen(4, scaling=FREE, held=False), Step.SET_ZERO),
        # The tag was put on: an answer that does not show it yet is an old one.
        (Step.SUSPEND_SCALING, seen(4, scaling=FREE, held=False), Step.SUSPEND_SCALING),
        (Step.SUSPEND_SCALING, seen(4, scaling=SUSPENDED), Step.SET_ZERO),
        (Step.SET_ZERO, seen(4, scaling=SUSPENDED), Step.SET_ZERO),
        (Step.SET_ZERO, seen(4, scaling=FREE), Step.SUSPEND_SCALING),
        (Step.SET_ZERO, seen(0), Step.HELD),
    ],
)
def test_the_way_to_zero(step: Step, found: Facts, expected: Step) -> None:
    """Tag, suspend, set 0: each is done where it is not done yet, and nothing is done twice."""
    assert step_of(looked(step, found, zeroed=step is Step.SET_ZERO)) is expected


SERVES = (running_task(NOW - T0 - 3600, health="HEALTHY"),)
GONE = [
    seen(4, scaling=FREE, held=False, tasks=SERVES),
    seen(4, scaling=FREE, held=False, tags={"loopbreaker:action": "alert"}),
    seen(4, scaling=FREE, held=False, tags={"loopbreaker:mute-until": "2999-01-01T00:00Z"}),
    seen(4, scaling=FREE, held=False, deployments=(deployment(id="ecs-svc/3"),)),
    seen(4, scaling=FREE, held=False, rollout=rollout()),
    seen(3, scaling=FREE, held=False),
]


@pytest.mark.parametrize("found", GONE)
def test_a_stop_whose_reason_is_gone_is_given_up(found: Facts) -> None:
    """Whatever changed between the decision and the call, nothing is done, and the trip ends."""
    given_up = looked(Step.TAG, found, zeroed=False)
    assert given_up.trip is None
    assert given_up.breaker is BreakerState.CLOSED
    assert given_up.incident is not None
    assert given_up.incident.finding is None


@pytest.mark.parametrize("found", GONE)
def test_what_was_taken_is_given_back_first(found: Facts) -> None:
    """Flags that we suspended and the tag go before the trip may end."""
    taken = replace(found, scaling=SUSPENDED, tags={**found.tags, **HELD_TAG})
    assert step_of(looked(Step.SET_ZERO, taken)) is Step.RESTORE_SCALING
    tagged = replace(found, tags={**found.tags, **HELD_TAG})
    assert step_of(looked(Step.SUSPEND_SCALING, tagged, zeroed=False, since=NOW - 660)) is Step.UNTAG


def test_giving_up_keeps_what_is_known_of_the_loop() -> None:
    """A stop that was not even begun does not make the service look healthy."""
    given_up = looked(Step.TAG, GONE[0], zeroed=False)
    assert given_up.fast == dead().fast
    assert kinds(given_up) == ["not-stopped"]
    assert kinds(looked(Step.TAG, GONE[0], zeroed=False, record=given_up)) == ["not-stopped"], "told once"


def test_a_mode_or_a_mass_event_ends_it_too() -> None:
    """What the installation allows is asked right before the call as well."""
    assert looked(Step.TAG, seen(4, held=False), mode=Mode.ROLLBACK, zeroed=False).trip is None
    assert looked(Step.TAG, seen(4, held=False), began=6, zeroed=False).trip is None


def test_a_persons_zero_stands() -> None:
    """Somebody set 0 before we did: a second look agrees, nothing is lifted, and what stays suspended is said."""
    first = looked(Step.READY, seen(0), zeroed=False, since=NOW - 600)
    assert first.trip is not None
    assert (first.trip.step, first.trip.odd_at) == (Step.READY, NOW)
    again = recheck(case(first, seen(0), now=NOW + 121), first.trip)
    assert step_of(again) is Step.UNTAG
    assert kinds(again) == ["not-stopped"]
    assert "stays suspended" in again.notices[-1].reason
    done = after_call(again, again.trip or trip(Step.UNTAG), deployment_id="", now=NOW + 32)
    assert (done.trip, kinds(done)) == (None, ["not-stopped"])


def test_zero_in_the_middle_of_a_deployment_is_undone() -> None:
    """Where another deployment began with our call, its count comes back at once."""
    for found in (seen(0, deployments=(deployment(id="ecs-svc/3"),)), seen(0, rollout=rollout())):
        assert step_of(looked(Step.SET_ZERO, found)) is Step.RESTORE_COUNT
    begun = replace(dead(), trip=trip(Step.SET_ZERO))
    assert begun.trip is not None
    undone = after_call(begun, begun.trip, deployment_id="ecs-svc/3", now=NOW)
    assert step_of(undone) is Step.RESTORE_COUNT
    assert undone.trip is not None
    assert undone.trip.undo


# -- answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "scaling", "expected"),
    [
        (Step.TAG, FREE, Step.SUSPEND_SCALING),
        (Step.TAG, None, Step.READY),
        (Step.SUSPEND_SCALING, FREE, Step.READY),
        (Step.SET_ZERO, FREE, Step.HELD),
        (Step.SET_ONE, FREE, Step.PROBING),
        (Step.SET_ALL, FREE, Step.PROBING_ALL),
        (Step.STOP_AGAIN, FREE, Step.HELD),
        (Step.RESTORE_COUNT, FREE, Step.RESTORE_SCALING),
        (Step.RESTORE_COUNT, None, Step.UNTAG),
        (Step.RESTORE_SCALING, FREE, Step.UNTAG),
        (Step.UNTAG, FREE, None),
        (Step.STOP_DEPLOYMENT, None, Step.ROLLING_BACK),
    ],
)
def test_what_follows_an_answer(step: Step, scaling: Scaling | None, expected: Step | None) -> None:
    """Each call that was taken leads to the next step; one that makes a call is leased to whoever took it."""
    begun = replace(dead(), trip=trip(step, scaling=scaling))
    assert begun.trip is not None
    after = after_call(begun, begun.trip, deployment_id=DEPLOYMENT, now=NOW)
    assert step_of(after) is expected
    if after.trip:
        leased = after.trip.step in UNDER_WAY
        assert after.trip.lease_until == (NOW + LEASE if leased else NOW)
        assert after.due_at == NOW + (LEASE if leased else RECHECK)


def test_every_step_is_one_or_the_other() -> None:
    """A step names a call or waits; what a call needs is in the trip."""
    waiting = {Step.HELD, Step.PROBING, Step.PROBING_ALL, Step.ROLLING_BACK}
    assert set(Step) - UNDER_WAY == waiting
    assert UNDER_WAY - set(CALLS) == {Step.READY}
    orders = {step: order_of(trip(step, service_deployment="arn")) for step in Step}
    assert all(orders[step] is None for step in waiting)
    counts = {step: order.count for step, order in orders.items() if order and order.call is Call.SET_COUNT}
    assert counts == {
        Step.SET_ZERO: 0,
        Step.STOP_AGAIN: 0,
        Step.SET_ONE: 1,
        Step.SET_ALL: 4,
        Step.RESTORE_COUNT: 4,
    }
    suspend, resume = orders[Step.SUSPEND_SCALING], orders[Step.RESTORE_SCALING]
    assert suspend is not None
    assert resume is not None
    assert (suspend.scaling, resume.scaling) == (SUSPENDED, FREE)
    rolled = orders[Step.STOP_DEPLOYMENT]
    assert rolled is not None
    assert rolled.arn == "arn"
    tag = orders[Step.TAG]
    assert tag is not None
    assert tag.count == 4


@pytest.mark.parametrize(
    ("step", "expected", "kind"),
    [
        (Step.TAG, None, "not-stopped"),
        (Step.SUSPEND_SCALING, Step.RESTORE_SCALING, None),
        (Step.SET_ZERO, Step.RESTORE_SCALING, None),
        (Step.SET_ONE, Step.HELD, "down"),
        (Step.SET_ALL, Step.HELD, "down"),
        (Step.STOP_AGAIN, Step.RESTORE_COUNT, None),
        (Step.RESTORE_COUNT, Step.RESTORE_COUNT, "down"),
        (Step.RESTORE_SCALING, Step.RESTORE_SCALING, "back"),
        (Step.UNTAG, None, None),
        (Step.STOP_DEPLOYMENT, None, "not-stopped"),
    ],
)
def test_what_follows_a_refusal(step: Step, expected: Step | None, kind: str | None) -> None:
    """A refusal is told as what it is, and never leaves what was taken without a way back."""
    begun = replace(dead(), trip=trip(step))
    assert begun.trip is not None
    after = after_refusal(begun, begun.trip, why="UpdateService: AccessDeniedException", now=NOW)
    assert step_of(after) is expected
    assert kinds(after) == ([kind] if kind else [])
    assert all("AccessDeniedException" in notice.reason for notice in after.notices)


@pytest.mark.parametrize("step", [Step.TAG, Step.SUSPEND_SCALING, Step.SET_ZERO, Step.STOP_AGAIN, Step.STOP_DEPLOYMENT])
def test_what_was_refused_is_not_tried_again_for_a_day(step: Step) -> None:
    """Nobody is told twelve times in a night that AWS refuses."""
    begun = replace(dead(), trip=trip(step))
    assert begun.trip is not None
    after = after_refusal(begun, begun.trip, why="no", now=NOW)
    assert after.incident is not None
    assert after.incident.refused_until == NOW + DAY


def test_a_service_that_is_down_is_told_of_once_a_day_for_each_cause() -> None:
    """The same trouble is said again after a day, another at once; a service that is not at 0 is not said to be."""
    record = replace(dead(), trip=trip(Step.RESTORE_COUNT))
    for at, why in ((NOW, "a"), (NOW + 600, "a"), (NOW + DAY - 1, "a"), (NOW + DAY, "a"), (NOW + DAY + 1, "b")):
        assert record.trip is not None
        record = after_refusal(record, record.trip, why=why, now=at)
    assert kinds(record) == ["down", "down", "down"]
    running = replace(dead(), trip=trip(Step.RESTORE_COUNT, zeroed=False))
    assert running.trip is not None
    assert kinds(after_refusal(running, running.trip, why="a", now=NOW)) == []


# -- held ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"tags": {"loopbreaker:action": "alert"}},
        {"tags": {"loopbreaker:action": "rollback"}},
        {"tags": {"loopbreaker:action": "ignore"}},
        {"deployments": (deployment(task_definition="web:8"),)},
    ],
)
def test_held_and_wanted_back(fields: dict[str, Any]) -> None:
    """A fix, or an owner who no longer asks to be stopped, brings the service back."""
    assert step_of(looked(Step.HELD, seen(0, **fields))) is Step.RESTORE_COUNT


def test_held_and_wanted_back_by_us() -> None:
    """A wish of an operator, a mass event that is seen late, a scope that changed: each brings it back."""
    assert step_of(looked(Step.HELD, seen(0), record=replace(dead(), resume_asked=True))) is Step.RESTORE_COUNT
    assert step_of(looked(Step.HELD, seen(0), began=6)) is Step.RESTORE_COUNT
    held = replace(dead(), trip=trip(Step.HELD))
    assert held.trip is not None
    assert step_of(recheck(case(held, seen(0), in_scope=False), held.trip)) is Step.RESTORE_COUNT


def test_held_until_its_time() -> None:
    """It is held while it is too early to try, and for ever where its owner brings it back by hand."""
    assert step_of(looked(Step.HELD, seen(0), since=NOW - 419, looping_since=NOW - 2219)) is Step.HELD
    assert step_of(looked(Step.HELD, seen(0), since=NOW - 420, looping_since=NOW - 2220)) is Step.SET_ONE
    manual = {"loopbreaker:recovery": "manual"}
    assert step_of(looked(Step.HELD, seen(0, tags=manual), since=NOW - DAY)) is Step.HELD
    assert step_of(looked(Step.HELD, seen(0, rollout=rollout()), since=NOW - DAY)) is Step.HELD


@pytest.mark.parametrize(("lasted", "hold"), [(0, 420), (2040, 420), (3600, 1200), (36_000, 17_400), (1e6, DAY)])
def test_how_long_it_is_held(lasted: float, hold: float) -> None:
    """Half of the time that the loop has lasted, less what a try and the way back take; a day at most."""
    held = trip(Step.HELD, since=NOW, looping_since=NOW - lasted)
    assert next_try_at(case(), held) == NOW + hold
    # Another that began to loop with it is well again: that counts once.
    assert next_try_at(case(), replace(held, another_back_at=NOW + 60)) == NOW + 60
    assert next_try_at(case(), replace(held, another_back_at=NOW)) == NOW + hold


@pytest.mark.parametrize(("count", "step"), [(1, Step.SET_ALL), (2, Step.SET_ONE), (40, Step.SET_ONE)])
def test_one_task_goes_first(count: int, step: Step) -> None:
    """One task shows what a whole service of them would, at the price of one restart."""
    found = seen(0)
    tried = looked(Step.HELD, found, since=NOW - DAY, desired_count=count)
    assert step_of(tried) is step
    assert (tried.fast, tried.history_until) == ((), NOW), "what fails from now on is the try's own"


def test_a_count_that_somebody_set_is_believed_at_the_second_look() -> None:
    """A single look may be an old one; then the flags and the tag go back and people are told."""
    first = looked(Step.HELD, seen(4), since=NOW - 540, looping_since=NOW - DAY)
    assert first.trip is not None
    assert (first.trip.step, first.trip.odd_at) == (Step.HELD, NOW)
    soon = recheck(case(first, seen(4), now=NOW + 119), first.trip)
    assert soon.trip is not None
    assert (soon.trip.step, soon.trip.odd_at) == (Step.HELD, NOW), "it counts from the first look"
    second = recheck(case(first, seen(4), now=NOW + 120), first.trip)
    assert step_of(second) is Step.RESTORE_SCALING
    gone = recheck(case(first, seen(0), now=NOW + 120), first.trip)
    assert gone.trip is not None
    assert (gone.trip.step, gone.trip.odd_at) == (Step.HELD, 0.0)


@pytest.mark.parametrize(
    ("scaling", "count"),
    [
        (replace(SUSPENDED, minimum=2), 4),
        (replace(SUSPENDED, minimum=6), 6),
        (replace(SUSPENDED, minimum=2, maximum=3), 3),
        (FREE, 4),
    ],
    ids=["another minimum", "a greater one", "a maximum", "flags given back"],
)
def test_a_scaling_call_lifts_what_is_held(scaling: Scaling, count: int) -> None:
    """The minimum is nobody's wish for a count: it is tried with the count that the limits allow."""
    lifted = seen(scaling.minimum, scaling=scaling)
    for step in (Step.HELD, Step.SET_ONE, Step.PROBING):
        after = looked(step, lifted)
        if step is Step.HELD or scaling is not FREE:
            assert step_of(after) is Step.SET_ALL
            assert after.trip is not None
            assert after.trip.desired_count == count
    back = looked(Step.RESTORE_COUNT, lifted, since=NOW - 700)
    assert back.trip is not None
    assert back.trip.step is (Step.RESTORE_COUNT if scaling.minimum < count else Step.RESTORE_SCALING)
    assert back.trip.desired_count == count


def test_a_count_that_is_the_minimum_by_chance() -> None:
    """Where the scaling target is as we left it somebody meant that count: theirs stands."""
    least = replace(SUSPENDED, minimum=2)
    after = looked(Step.HELD, seen(2, scaling=least), scaling=replace(FREE, minimum=2))
    assert after.trip is not None
    assert (after.trip.step, after.trip.odd_at) == (Step.HELD, NOW)
    above = looked(Step.HELD, seen(3, scaling=least))
    assert above.trip is not None
    assert (above.trip.step, above.trip.odd_at) == (Step.HELD, NOW)


def test_a_scaling_target_that_came_while_it_was_held() -> None:
    """There was none when it was stopped: its minimum is no sign that a call on it has lifted the count."""
    for scaling in (replace(FREE, minimum=2), replace(SUSPENDED, minimum=2)):
        after = looked(Step.HELD, seen(2, scaling=scaling), scaling=None)
        assert after.trip is not None
        assert (after.trip.step, after.trip.odd_at, after.trip.desired_count) == (Step.HELD, NOW, 4)


def test_a_minimum_of_none_lifts_nothing() -> None:
    """A schedule for the night allows 0: at 0 the service is held on, and not tried before its time."""
    for scaling in (replace(SUSPENDED, minimum=0, maximum=5), replace(FREE, minimum=0)):
        assert step_of(looked(Step.HELD, seen(0, scaling=scaling))) is Step.HELD


def test_somebody_asks_for_it_while_its_count_was_lifted_to_the_minimum() -> None:
    """All of its tasks come back, and not the two that its scaling target has set."""
    asked = replace(dead(), resume_asked=True)
    after = looked(Step.HELD, seen(2, scaling=replace(SUSPENDED, minimum=2)), record=asked)
    assert after.trip is not None
    assert (after.trip.step, after.trip.desired_count) == (Step.RESTORE_COUNT, 4)


def test_a_count_beyond_the_limits_that_were_there_before_comes_back() -> None:
    """Only limits that somebody changed meanwhile move it."""
    narrow = replace(SUSPENDED, minimum=5, maximum=9)
    for count in (4, 12):
        same = looked(Step.RESTORE_COUNT, seen(0, scaling=narrow), desired_count=count, scaling=narrow)
        assert same.trip is not None
        assert same.trip.desired_count == count


def test_after_the_night_all_of_its_tasks_come_back() -> None:
    """A schedule that allows no task for some hours takes nothing of the count that is remembered."""
    night = seen(0, scaling=replace(SUSPENDED, minimum=0, maximum=0))
    first = looked(Step.HELD, night)
    assert first.trip is not None
    assert (first.trip.step, first.trip.desired_count) == (Step.HELD, 4)
    morning = recheck(case(replace(first, resume_asked=True), seen(0), now=NOW + 60), first.trip)
    assert morning.trip is not None
    assert (morning.trip.step, morning.trip.desired_count) == (Step.RESTORE_COUNT, 4)


@pytest.mark.parametrize("limits", [{"minimum": 2}, {"maximum": 9}])
def test_an_old_answer_with_limits_that_were_changed_meanwhile(limits: dict[str, Any]) -> None:
    """That its flags are as they were may be of before our call: they are given back once more."""
    for age, step in ((659, Step.RESTORE_SCALING), (660, Step.UNTAG)):
        assert step_of(looked(Step.RESTORE_SCALING, seen(4, scaling=replace(FREE, **limits)), since=NOW - age)) is step


def test_a_schedule_that_wants_no_task() -> None:
    """It stands as a person's 0 does; flags go back where that lifts nothing, and the trip is over."""
    night = replace(SUSPENDED, minimum=0, maximum=0)
    first = looked(Step.HELD, seen(0, scaling=night), since=NOW - 600)
    assert first.trip is not None
    again = recheck(case(first, seen(0, scaling=night), now=NOW + 121), first.trip)
    assert (step_of(again), kinds(again)) == (Step.RESTORE_SCALING, ["not-stopped"])
    assert again.trip is not None
    assert "stays suspended" not in again.notices[-1].reason
    given = recheck(case(again, seen(0, scaling=replace(night, dynamic_in_suspended=False)), now=NOW + 122), again.trip)
    assert step_of(given) is Step.UNTAG
    assert step_of(looked(Step.RESTORE_COUNT, seen(0, scaling=night))) is Step.RESTORE_SCALING


def test_the_limits_changed_while_it_was_held() -> None:
    """What comes back is the count that its scaling target would have moved the old one to."""
    for least, most, count in ((1, 9, 4), (6, 9, 6), (1, 2, 2)):
        found = seen(0, scaling=replace(SUSPENDED, minimum=least, maximum=most))
        restored = looked(Step.RESTORE_COUNT, found)
        assert restored.trip is not None
        assert (restored.trip.step, restored.trip.desired_count) == (Step.RESTORE_COUNT, count)


def test_the_mode_was_lowered_while_it_is_held() -> None:
    """The permission is gone: people are told at once that the service is down, and nothing is tried."""
    for step, found in ((Step.HELD, seen(0)), (Step.PROBING, seen(1)), (Step.PROBING_ALL, seen(4))):
        after = looked(step, found, mode=Mode.ALERT)
        assert (step_of(after), kinds(after)) == (step, ["down"])


def test_ecs_does_not_answer_for_a_quarter_of_an_hour() -> None:
    """Then it is said that the service is at 0 and nothing can be done; an answer ends the count."""
    record = replace(dead(), trip=trip(Step.HELD))
    for at in (NOW, NOW + 899):
        assert record.trip is not None
        record = blind(record, record.trip, why="DescribeServices: AccessDeniedException", now=at)
        assert kinds(record) == []
    assert record.trip is not None
    told = blind(record, record.trip, why="DescribeServices: AccessDeniedException", now=NOW + 900)
    assert kinds(told) == ["down"]
    assert told.notices[-1].reason == ("ECS could not be asked for 15 minutes: DescribeServices: AccessDeniedException")
    later = blind(record, record.trip, why="x", now=NOW + 33 * 60)
    assert later.notices[-1].reason == "ECS could not be asked for 33 minutes: x"
    answered = recheck(case(record, seen(0)), record.trip)
    assert answered.trip is not None
    assert answered.trip.blind_since == 0.0


# -- tried --------------------------------------------------------------------------------------------------


def tried(step: Step, *, failures: int = 0, lifetime: float = 5.0, found: Facts | None = None, **fields: Any) -> Record:
    """A look at a try that began a minute ago, of which so many tasks have failed."""
    begun = NOW - T0 - 60
    ladder = climbed(crash_loop(failures, lifetime=lifetime, restart=5, start=begun))
    if not lifetime:
        ladder = tuple(replace(rung, lifetime=0.0) for rung in climbed(crash_loop(failures, start=begun)))
    record = replace(dead(), fast=ladder, history_until=T0 + begun, lived=())
    return looked(step, found or seen(1 if step is Step.PROBING else 4), record=record, since=NOW - 60, **fields)


DIED: dict[str, Any] = {"cause": Category.APP_CRASH.value, "shortest": 4.0, "longest": 6.0}


def all_follow(**fields: Any) -> bool:
    """Whether the whole is tried once the single task of a try, which has failed, is stopped."""
    after = tried(Step.PROBING, failures=1, **fields)
    assert after.trip is not None
    assert after.trip.step is Step.STOP_AGAIN
    return after.trip.whole


@pytest.mark.parametrize(
    ("died", "expected"),
    [
        (DIED, False),
        ({**DIED, "cause": Category.OUT_OF_MEMORY.value}, True),
        ({**DIED, "shortest": 21.0, "longest": 30.0}, True),
        ({**DIED, "shortest": 20.0, "longest": 30.0}, False),
        ({**DIED, "shortest": 0.0, "longest": 0.0}, False),
    ],
)
def test_one_task_that_fails_otherwise_is_followed_by_all(died: dict[str, Any], expected: bool) -> None:
    """It may have failed under a load that all of them carry; one that died as those of the loop did has not."""
    assert step_of(tried(Step.PROBING, **died)) is Step.PROBING
    assert all_follow(**died) is expected
    for tries in (0, 2):
        assert not all_follow(lifetime=0.0, tries=tries, **died)


def test_all_that_follow_begin_together_and_at_once() -> None:
    """Beside the one that ECS starts in place of the first each would be as alone as that was."""
    after = looked(Step.HELD, seen(0), since=NOW - 30, looping_since=NOW - DAY, whole=True, tries=1)
    assert after.trip is not None
    assert (after.trip.step, after.trip.whole) == (Step.SET_ALL, False)
    assert after.history_until == NOW
    assert step_of(looked(Step.HELD, seen(0), since=NOW - 30, looping_since=NOW - DAY, tries=1)) is Step.HELD


def of_two(first: float, second: float, step: Step, found: Facts, **fields: Any) -> Record:
    """A look at a try of which two tasks have failed, after so many seconds each."""
    begun = NOW - T0 - 120
    ladder = climbed([*crash_loop(1, lifetime=first, start=begun), *crash_loop(1, lifetime=second, start=begun + 60)])
    return looked(step, found, record=replace(dead(), fast=ladder, history_until=T0 + begun, lived=()), **fields)


def test_of_two_that_died_one_may_have_died_otherwise() -> None:
    """A load that one task cannot carry need not show in each: the whole is tried."""
    for first, second, whole in ((5.0, 5.0, False), (5.0, 40.0, True), (40.0, 5.0, True)):
        after = of_two(first, second, Step.PROBING, seen(1), **DIED)
        assert after.trip is not None
        assert (after.trip.step, after.trip.whole) == (Step.STOP_AGAIN, whole)


def test_who_is_waited_for_has_outlived_the_one_that_lived_longest() -> None:
    """Of two that failed the other says nothing."""
    for age, step in ((66, Step.PROBING_ALL), (65, Step.STOP_AGAIN)):
        young = seen(2, tasks=(running_task(NOW - T0 - age),), tags={"loopbreaker:serving-after": "5m"})
        assert step_of(of_two(5.0, 30.0, Step.PROBING_ALL, young, desired_count=2)) is step


def test_one_task_that_lived_longer_than_those_of_the_loop() -> None:
    """Its load killed it, perhaps: the whole is tried. A little longer is the same death."""
    assert all_follow(lifetime=18.0, **DIED)
    assert not all_follow(lifetime=16.0, **DIED)


def test_the_whole_is_tried_now_and_then() -> None:
    """A load too great for one may look like the loop: with each third try the whole follows all the same."""
    after = [all_follow(tries=number, **DIED) for number in range(6)]
    assert after == [False, False, True] * 2


@pytest.mark.parametrize(
    ("tries", "before_it", "told"),
    [(0, ("tried",), ["stopped"]), (1, ("tried",), ["stopped"]), (1, ("tried", "tried in vain"), []), (0, (), [])],
)
def test_the_one_and_those_that_follow_are_one_try(tries: int, before_it: tuple[str, ...], told: list[str]) -> None:
    """What is at 0 between them for a moment is not worth a message; where they may not follow after all it is, where
    people were told of a try."""
    before = replace(dead(told=before_it), trip=trip(Step.STOP_AGAIN, whole=True, tries=tries))
    assert before.trip is not None
    between = after_call(before, before.trip, deployment_id=DEPLOYMENT, now=NOW)
    assert between.trip is not None
    assert (between.trip.step, between.trip.whole, between.trip.tries) == (Step.HELD, True, tries)
    assert kinds(between) == []
    manual = seen(0, tags={"loopbreaker:recovery": "manual"})
    held = recheck(case(between, manual), between.trip)
    assert held.trip is not None
    assert (held.trip.step, held.trip.whole, held.trip.tries) == (Step.HELD, False, tries + 1)
    assert kinds(held) == told


def test_all_tasks_are_stopped_when_each_has_failed() -> None:
    """As many failures as tasks; of a large service a dozen are enough."""
    assert step_of(tried(Step.PROBING_ALL, failures=3)) is Step.PROBING_ALL
    assert step_of(tried(Step.PROBING_ALL, failures=4)) is Step.STOP_AGAIN
    for failures, step in ((9, Step.PROBING_ALL), (10, Step.STOP_AGAIN)):
        assert step_of(tried(Step.PROBING_ALL, failures=failures, desired_count=10, found=seen(10))) is step
    found = seen(100)
    assert step_of(tried(Step.PROBING_ALL, failures=11, desired_count=100, found=found)) is Step.PROBING_ALL
    assert step_of(tried(Step.PROBING_ALL, failures=12, desired_count=100, found=found)) is Step.STOP_AGAIN


def test_the_one_that_went_first_counts_among_all() -> None:
    """The whole has failed when as many tasks of the try have as there are, the first one included."""
    begun = NOW - T0 - 300
    ladder = climbed(crash_loop(4, lifetime=5, restart=5, start=begun))
    record = replace(dead(), fast=ladder, history_until=T0 + begun, lived=())
    assert step_of(looked(Step.PROBING_ALL, seen(4), record=record, since=NOW - 60)) is Step.STOP_AGAIN
    before = replace(record, history_until=T0 + begun + 60)
    assert step_of(looked(Step.PROBING_ALL, seen(4), record=before, since=NOW - 60)) is Step.PROBING_ALL


def test_a_task_that_outlives_those_that_failed_is_waited_for() -> None:
    """It may come to serve: the try goes on while one has run more than twice as long as any that failed."""
    for age, step in ((16, Step.PROBING_ALL), (15, Step.STOP_AGAIN)):
        young = seen(4, tasks=(running_task(NOW - T0 - age),))
        assert step_of(tried(Step.PROBING_ALL, failures=4, found=young)) is step
    sick = seen(4, tasks=(running_task(NOW - T0 - 100, health="UNHEALTHY"),))
    assert step_of(tried(Step.PROBING_ALL, failures=4, found=sick)) is Step.STOP_AGAIN


@pytest.mark.parametrize("step", [Step.PROBING, Step.PROBING_ALL, Step.STOP_AGAIN])
@pytest.mark.parametrize(
    "task",
    [
        running_task(NOW - T0 - 5, health="HEALTHY"),
        running_task(NOW - T0 - 5, target_health="healthy"),
        running_task(NOW - T0 - 121),
    ],
)
def test_a_try_that_serves_brings_the_service_back(step: Step, task: Any) -> None:
    """Whatever has failed besides: who serves is not stopped, not even when the call was decided already."""
    found = seen(1 if step is Step.PROBING else 4, tasks=(task,))
    after = tried(step, failures=4, found=found)
    assert step_of(after) in (Step.RESTORE_COUNT, Step.RESTORE_SCALING)


def test_a_task_of_unknown_health_must_outlive_those_that_failed() -> None:
    """Two minutes, or as long as its owner says; before that it proves nothing."""
    young = (running_task(NOW - T0 - 119),)
    assert step_of(tried(Step.PROBING, found=seen(1, tasks=young))) is Step.PROBING
    patient = {"loopbreaker:serving-after": "5m"}
    older = (running_task(NOW - T0 - 290),)
    assert step_of(tried(Step.PROBING, found=seen(1, tasks=older, tags=patient))) is Step.PROBING


def test_a_try_of_which_nothing_comes_is_over_after_half_an_hour() -> None:
    """Nothing failed: what looped does not loop any more, and ECS goes on by itself."""
    quiet = replace(dead(), fast=())
    assert step_of(looked(Step.PROBING, seen(1), record=quiet, since=NOW - 1800)) is Step.PROBING
    assert step_of(looked(Step.PROBING, seen(1), record=quiet, since=NOW - 1801)) is Step.RESTORE_COUNT


@pytest.mark.parametrize(
    ("step", "count", "expected"),
    [
        (Step.SET_ONE, 0, Step.SET_ONE),
        (Step.SET_ONE, 1, Step.SET_ONE),
        (Step.SET_ALL, 1, Step.SET_ALL),
        (Step.SET_ALL, 4, Step.SET_ALL),
        (Step.STOP_AGAIN, 4, Step.STOP_AGAIN),
        (Step.STOP_AGAIN, 0, Step.STOP_AGAIN),
    ],
)
def test_a_call_of_a_try_whose_answer_was_lost(step: Step, count: int, expected: Step) -> None:
    """It is made once more, whatever the count says: an answer may be an old one, and the same call is no harm."""
    for failures in (0, 4):
        after = tried(step, found=seen(count), failures=failures, odd_at=NOW - 30)
        assert after.trip is not None
        assert (after.trip.step, after.trip.lease_until, after.trip.odd_at) == (expected, NOW + LEASE, 0.0)


def test_the_one_task_of_a_try_is_no_sign_that_all_were_started() -> None:
    """The count says which call was made: that for all is made once more."""
    new = (replace(running_task(NOW - T0 - 5), created_at=NOW - 30),)
    assert step_of(tried(Step.SET_ALL, found=seen(1, tasks=new))) is Step.SET_ALL


def test_a_try_that_is_under_way_is_not_begun_anew() -> None:
    """A task that is newer than the call is expected there: what counts is what failed."""
    new = (replace(running_task(NOW - T0 - 5), created_at=NOW - 10),)
    assert step_of(tried(Step.PROBING, failures=1, found=seen(1, tasks=new), **DIED)) is Step.STOP_AGAIN
    assert step_of(tried(Step.PROBING_ALL, failures=4, found=seen(4, tasks=new))) is Step.STOP_AGAIN


def test_an_odd_count_that_is_gone_is_forgotten() -> None:
    """Two looks have to agree, one after the other."""
    for step, count in ((Step.PROBING, 1), (Step.PROBING_ALL, 4)):
        after = tried(step, found=seen(count), odd_at=NOW - 30)
        assert after.trip is not None
        assert (after.trip.step, after.trip.odd_at) == (step, 0.0)


def test_a_try_of_all_goes_on_where_the_limits_have_changed() -> None:
    """Its count is the new minimum by our own call: what fails is counted, and all of them are told of."""
    more = replace(SUSPENDED, minimum=6, maximum=9)
    assert step_of(tried(Step.PROBING_ALL, failures=5, found=seen(6, scaling=more))) is Step.PROBING_ALL
    assert step_of(tried(Step.PROBING_ALL, failures=6, found=seen(6, scaling=more))) is Step.STOP_AGAIN
    new = (replace(running_task(NOW - T0 - 5), created_at=NOW - 30),)
    begun = tried(Step.SET_ALL, found=seen(6, scaling=more, tasks=new))
    assert begun.notices[-1].reason == "6 tasks were started, to see whether the loop is over"


def test_a_fix_that_was_deployed_with_a_count_stands_whatever_the_limits_say() -> None:
    """A scaling target that allows no task is a reason to let go of 0, and not of what somebody has started."""
    night = replace(SUSPENDED, minimum=0, maximum=0)
    fixed = seen(2, scaling=night, deployments=(deployment(task_definition="web:8"),))
    after = looked(Step.HELD, fixed)
    assert after.trip is not None
    assert (after.trip.step, after.trip.why) == (Step.RESTORE_SCALING, "another task definition was deployed: web:8")


@pytest.mark.parametrize(
    ("step", "count", "expected"), [(Step.SET_ONE, 1, Step.PROBING), (Step.SET_ALL, 4, Step.PROBING_ALL)]
)
def test_a_try_that_was_begun_whose_answer_was_lost(step: Step, count: int, expected: Step) -> None:
    """A task that is newer than the call shows that it was made, which no old answer can: then people are told."""
    begun = NOW - 60
    for created, after in ((begun, expected), (begun - 5, expected), (begun - 6, step)):
        tasks = (replace(running_task(NOW - T0 - 5), created_at=created),)
        looked_at = tried(step, found=seen(count, tasks=tasks))
        assert step_of(looked_at) is after
        assert kinds(looked_at) == (["probing"] if after is expected else [])


def test_a_person_who_ends_a_try_with_zero() -> None:
    """Their 0 stands: the service is not tried again, and what stays suspended is said."""
    first = tried(Step.PROBING, found=seen(0))
    assert first.trip is not None
    assert first.trip.odd_at == NOW
    again = recheck(case(first, seen(0), now=NOW + 600), first.trip)
    assert (step_of(again), kinds(again)) == (Step.UNTAG, ["not-stopped"])


def test_a_deployment_that_begins_during_a_try() -> None:
    """At 0 it would count as successful: the service comes back instead."""
    assert step_of(tried(Step.STOP_AGAIN, found=seen(4, rollout=rollout()))) in (
        Step.RESTORE_COUNT,
        Step.RESTORE_SCALING,
    )


def test_tries_are_told_once() -> None:
    """The first try and its failure are told; the further ones say nothing new."""
    record = replace(dead(), trip=trip(Step.HELD))
    for step in (Step.SET_ONE, Step.STOP_AGAIN) * 3:
        assert record.trip is not None
        begun = replace(record.trip, step=step)
        record = after_call(replace(record, trip=begun), begun, deployment_id="", now=NOW)
    assert kinds(record) == ["probing", "stopped"]
    assert record.trip is not None
    assert record.trip.tries == 3


# -- the way back -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "found", "expected"),
    [
        (Step.RESTORE_COUNT, seen(0), Step.RESTORE_COUNT),
        (Step.RESTORE_COUNT, seen(1), Step.RESTORE_COUNT),
        (Step.RESTORE_COUNT, seen(4), Step.RESTORE_SCALING),
        (Step.RESTORE_COUNT, seen(7), Step.RESTORE_SCALING),
        (Step.RESTORE_COUNT, seen(4, scaling=FREE), Step.UNTAG),
        (Step.RESTORE_COUNT, seen(4, scaling=None), Step.UNTAG),
        (Step.RESTORE_COUNT, seen(4, scaling=FREE, held=False), None),
        (Step.RESTORE_SCALING, seen(4), Step.RESTORE_SCALING),
        (Step.RESTORE_SCALING, seen(4, scaling=replace(SUSPENDED, dynamic_in_suspended=False)), Step.UNTAG),
        (Step.UNTAG, seen(4), Step.UNTAG),
        (Step.UNTAG, seen(4, held=False), None),
    ],
)
def test_the_way_back(step: Step, found: Facts, expected: Step | None) -> None:
    """Count, flags, tag: each goes back where it is still as we left it, and what somebody changed stands."""
    assert step_of(looked(step, found, since=NOW - 660)) is expected


@pytest.mark.parametrize(
    ("step", "found", "expected"),
    [
        (Step.RESTORE_COUNT, seen(4), Step.RESTORE_COUNT),
        (Step.RESTORE_COUNT, seen(4, scaling=FREE, held=False), Step.RESTORE_COUNT),
        (Step.RESTORE_COUNT, seen(7), Step.RESTORE_SCALING),
        (Step.RESTORE_SCALING, seen(4, scaling=FREE, held=False), Step.RESTORE_SCALING),
        (Step.RESTORE_SCALING, seen(4, scaling=replace(FREE, dynamic_in_suspended=True)), Step.UNTAG),
        (Step.UNTAG, seen(4, held=False), Step.UNTAG),
    ],
)
def test_an_answer_of_before_our_call(step: Step, found: Facts, expected: Step) -> None:
    """That all is as it was may be an old answer: soon after our own call each step of the way back is made anyway."""
    assert step_of(looked(step, found, since=NOW - 659)) is expected


@pytest.mark.parametrize("step", [Step.SUSPEND_SCALING, Step.READY, Step.SET_ZERO])
def test_why_is_not_forgotten_where_there_is_no_scaling_to_give_back(step: Step) -> None:
    """Only the tag is left to be taken off: then people are told that, and why, nothing was done."""
    changed = seen(4, scaling=None, deployments=(deployment(id="ecs-svc/3"),))
    given_up = looked(step, changed, scaling=None, zeroed=step is Step.SET_ZERO)
    assert step_of(given_up) is Step.UNTAG
    assert given_up.trip is not None
    done = after_call(given_up, given_up.trip, deployment_id="", now=NOW)
    assert [notice.reason for notice in done.notices] == [
        "the service changed while it was being stopped, and everything was put back"
    ]
    assert done.fast == dead().fast, "what is known of the loop stays known"


def test_who_set_the_count_of_a_service_without_scaling_is_told_of() -> None:
    """It is let go with that as the reason."""
    first = looked(Step.HELD, seen(7, scaling=None), scaling=None, since=NOW - 700, looping_since=NOW - DAY)
    assert first.trip is not None
    second = recheck(case(first, seen(7, scaling=None), now=NOW + 120), first.trip)
    assert (step_of(second), second.trip is not None) == (Step.UNTAG, True)
    assert second.trip is not None
    done = after_call(second, second.trip, deployment_id="", now=NOW)
    assert done.notices[-1].reason.startswith("its desired count was set to 7, not by Loopbreaker")


@pytest.mark.parametrize("step", [Step.SUSPEND_SCALING, Step.READY, Step.SET_ZERO])
def test_a_stop_that_is_given_up_on_an_old_answer(step: Step) -> None:
    """What was suspended and tagged a moment ago is given back, though the answer does not show it yet."""
    old = seen(4, scaling=FREE, held=False, tasks=SERVES)
    assert step_of(looked(step, old, zeroed=False, since=NOW - 2)) is Step.RESTORE_SCALING
    assert step_of(looked(step, replace(old, scaling=None), zeroed=False, scaling=None, since=NOW - 2)) is Step.UNTAG


def test_flags_that_were_suspended_before_us_stay_so() -> None:
    """They are not ours to give back."""
    assert step_of(looked(Step.RESTORE_COUNT, seen(4), scaling=SUSPENDED, since=NOW - 660)) is Step.UNTAG


def test_somebody_sets_zero_on_the_way_back() -> None:
    """Giving the flags back would lift it: they stay, and that is said."""
    first = looked(Step.RESTORE_SCALING, seen(0), since=NOW - 660)
    assert first.trip is not None
    second = recheck(case(first, seen(0), now=NOW + 121), first.trip)
    assert (step_of(second), kinds(second)) == (Step.UNTAG, ["not-stopped"])


def test_a_count_that_cannot_be_set_is_told() -> None:
    """After a quarter of an hour, as what it is: the service is down."""
    assert kinds(looked(Step.RESTORE_COUNT, seen(0), since=NOW - 899)) == []
    assert kinds(looked(Step.RESTORE_COUNT, seen(0), since=NOW - 900)) == ["down"]
    told = looked(Step.RESTORE_COUNT, seen(0), since=NOW - 33 * 60).notices[-1].reason
    assert told == "its count could not be set for 33 minutes"


def test_back_at_last() -> None:
    """What failed before is history, nobody's wish stands any more, and people are told why it came back."""
    served = (Lived(NOW - 9000, 900.0, DEPLOYMENT),)
    asked = replace(dead(lived=served), trip=trip(Step.UNTAG, why="somebody asked for it"), resume_asked=True)
    assert asked.trip is not None
    done = after_call(asked, asked.trip, deployment_id="", now=NOW)
    assert (done.trip, done.resume_asked, done.fast, done.lived) == (None, False, (), ())
    assert (done.history_until, kinds(done)) == (NOW, ["back"])
    assert done.incident is not None
    assert (done.incident.watched_since, done.incident.unserved_since, done.incident.finding) == (NOW, NOW, None)
    undone = looked(Step.UNTAG, seen(4, held=False), why="it changed", undo=True, since=NOW - 660)
    assert kinds(undone) == ["not-stopped"]
    assert kinds(looked(Step.UNTAG, seen(4, held=False), since=NOW - 660)) == []


# -- rolling back -------------------------------------------------------------------------------------------


def test_a_rollback_goes_its_way() -> None:
    """Stopped, under way, over; and a call whose answer was lost is found from what ECS says."""
    ours = rollout()
    fields: dict[str, Any] = {"service_deployment": ours.arn, "zeroed": False, "scaling": None}
    under_way = replace(ours, status="ROLLBACK_IN_PROGRESS")
    assert step_of(looked(Step.STOP_DEPLOYMENT, deploying(), **fields)) is Step.STOP_DEPLOYMENT
    begun = looked(Step.STOP_DEPLOYMENT, deploying(rollout=under_way), **fields)
    assert (step_of(begun), kinds(begun)) == (Step.ROLLING_BACK, ["rolled-back"])
    assert begun.incident is not None
    assert begun.incident.rolled_back_at == NOW
    assert step_of(looked(Step.ROLLING_BACK, deploying(rollout=under_way), **fields)) is Step.ROLLING_BACK
    over = facts(deployments=(deployment(id="ecs-svc/3"),))
    assert (looked(Step.ROLLING_BACK, over, **fields).trip, kinds(looked(Step.ROLLING_BACK, over, **fields))) == (
        None,
        [],
    )
    assert kinds(looked(Step.STOP_DEPLOYMENT, over, **fields)) == ["rolled-back"]
    assert kinds(looked(Step.STOP_DEPLOYMENT, facts(), **fields)) == []


def test_a_rollback_is_not_begun_when_its_reason_is_gone() -> None:
    """A task of the new revision serves by now."""
    ours = rollout()
    found = deploying(tasks=(running_task(NOW - T0 - 61), running_task(NOW - T0 - 61, deployment_id="ecs-svc/2")))
    after = looked(Step.STOP_DEPLOYMENT, found, service_deployment=ours.arn, zeroed=False, scaling=None)
    assert (after.trip, after.due_at) == (None, NOW + RECHECK)


def test_a_rollback_to_a_revision_that_fails_too() -> None:
    """People are told once that going back does not help."""
    ours = rollout(status="ROLLBACK_IN_PROGRESS")
    since = NOW - 300
    fields: dict[str, Any] = {"service_deployment": ours.arn, "zeroed": False, "scaling": None, "since": since}
    two = replace(dead(), fast=climbed(crash_loop(2, start=since - T0 + 10)))
    three = replace(dead(), fast=climbed(crash_loop(3, start=since - T0 + 10)))
    assert kinds(looked(Step.ROLLING_BACK, deploying(rollout=ours), record=two, **fields)) == []
    told = looked(Step.ROLLING_BACK, deploying(rollout=ours), record=three, **fields)
    assert kinds(told) == ["rollback-failed"]
    assert kinds(looked(Step.ROLLING_BACK, deploying(rollout=ours), record=told, **fields)) == ["rollback-failed"]


@pytest.mark.parametrize(
    ("step", "zeroed", "state"),
    [
        (Step.TAG, False, BreakerState.CLOSED),
        (Step.SUSPEND_SCALING, False, BreakerState.CLOSED),
        (Step.READY, False, BreakerState.CLOSED),
        (Step.SET_ZERO, True, BreakerState.CLOSED),
        (Step.HELD, True, BreakerState.OPEN),
        (Step.SET_ONE, True, BreakerState.HALF_OPEN),
        (Step.PROBING, True, BreakerState.HALF_OPEN),
        (Step.SET_ALL, True, BreakerState.HALF_OPEN),
        (Step.PROBING_ALL, True, BreakerState.HALF_OPEN),
        (Step.STOP_AGAIN, True, BreakerState.HALF_OPEN),
        (Step.RESTORE_COUNT, True, BreakerState.OPEN),
        (Step.RESTORE_COUNT, False, BreakerState.CLOSED),
        (Step.RESTORE_SCALING, True, BreakerState.CLOSED),
        (Step.UNTAG, True, BreakerState.CLOSED),
        (Step.STOP_DEPLOYMENT, False, BreakerState.CLOSED),
        (Step.ROLLING_BACK, False, BreakerState.CLOSED),
    ],
)
def test_the_state_is_that_of_the_trip(step: Step, zeroed: bool, state: BreakerState) -> None:
    """There is no second copy of it that could say otherwise."""
    assert replace(dead(), trip=trip(step, zeroed=zeroed)).breaker is state
    assert dead().breaker is BreakerState.CLOSED


def test_the_policy_of_tries_is_configuration() -> None:
    """The least hold, the share and the allowance are thresholds."""
    patient = replace(POLICY, cool_down=1000.0, recovery_share=0.25, probe_allowance=60.0)
    held = trip(Step.HELD, since=NOW, looping_since=NOW - 8000)
    assert next_try_at(case(policy=patient), held) == NOW + 1940
    assert next_try_at(case(policy=patient), replace(held, looping_since=NOW)) == NOW + 1000


def test_a_health_check_loop_is_tried_by_its_check() -> None:
    """A task that runs long and is not healthy is no success where the check is what fails."""
    record = replace(dead(category=Category.ELB_HEALTH_CHECK), fast=())
    sick = (running_task(NOW - T0 - 600, target_health="unhealthy"),)
    assert step_of(looked(Step.PROBING, seen(1, tasks=sick), record=record)) is Step.PROBING


@pytest.mark.parametrize(
    ("first", "second", "started", "step"),
    [
        # The first is still there.
        (-50.0, None, -5.0, Step.PROBING_ALL),
        # It was replaced, and its successor has not lived for longer than it did.
        (-50.0, -20.0, None, Step.STOP_AGAIN),
        (-50.0, -20.0, -5.0, Step.STOP_AGAIN),
        (-50.0, -20.0, -30.0, Step.STOP_AGAIN),
        (-50.0, -20.0, -31.0, Step.PROBING_ALL),
        # None was seen of this try before: which one it is cannot be known.
        (0.0, -20.0, -5.0, Step.PROBING_ALL),
        (-900.0, -20.0, -5.0, Step.PROBING_ALL),
    ],
)
def test_a_single_task_that_was_replaced_has_failed(
    first: float, second: float | None, started: float | None, step: Step
) -> None:
    """ECS tells minutes later why, where the target of a task drains; until then it would try again and again."""
    known = NOW - T0
    made = T0 + known + (first if second is None else second)
    begun = None if started is None else known + started
    task = running_task(begun, created_at=made, last_status="PENDING" if started is None else "RUNNING")
    after = looked(
        Step.PROBING_ALL,
        seen(1, tasks=(task,)),
        record=replace(dead(), fast=()),
        desired_count=1,
        first_at=NOW + first if first else 0.0,
    )
    assert step_of(after) is step


@pytest.mark.parametrize(
    ("count", "made", "step"),
    [
        # Both were replaced, a while after they were begun together.
        (2, (-20.0, -15.0), Step.STOP_AGAIN),
        (4, (-20.0, -15.0, -12.0, -9.0), Step.STOP_AGAIN),
        # One of the first is still there, or the later of two that were begun together.
        (2, (-50.0, -15.0), Step.PROBING_ALL),
        (2, (-30.0, -15.0), Step.PROBING_ALL),
        # Of many the last are begun when the first have failed.
        (5, (-20.0,) * 5, Step.PROBING_ALL),
    ],
)
def test_a_try_of_a_few_is_over_when_all_were_replaced(count: int, made: tuple[float, ...], step: Step) -> None:
    """How they failed need not be waited for, because nothing but the hold follows."""
    tasks = tuple(running_task(None, created_at=NOW + at, last_status="PENDING") for at in made)
    after = looked(
        Step.PROBING_ALL,
        seen(count, tasks=tasks),
        record=replace(dead(), fast=()),
        desired_count=count,
        first_at=NOW - 50,
    )
    assert step_of(after) is step


def test_the_one_of_several_that_was_replaced_is_waited_for() -> None:
    """How it failed says whether all are to follow."""
    tasks = (running_task(None, created_at=NOW - 5, last_status="PENDING"),)
    record = replace(dead(), fast=())
    after = looked(Step.PROBING, seen(1, tasks=tasks), record=record, desired_count=2, first_at=NOW - 50)
    assert step_of(after) is Step.PROBING


def test_the_first_task_of_a_try_is_remembered() -> None:
    """Not one of before the try, nor of the try before it."""
    none = replace(dead(), fast=())
    tasks = (running_task(None, created_at=NOW - 70), running_task(None, created_at=NOW - 55))
    after = looked(Step.PROBING_ALL, seen(1, tasks=tasks), record=none, desired_count=1, first_at=NOW - 9000)
    assert after.trip is not None
    assert after.trip.first_at == NOW - 55
    later = looked(Step.PROBING_ALL, seen(1, tasks=()), record=none, desired_count=1, first_at=NOW - 55)
    assert later.trip is not None
    assert later.trip.first_at == NOW - 55


# -- a deployment that nobody waits for any more --------------------------------------------------------------


def in_progress(age: float, **fields: Any) -> Any:
    """The deployments of a service whose newest one has been in progress for so many seconds."""
    return (deployment(rollout="IN_PROGRESS", created_at=NOW - age, **fields),)


@pytest.mark.parametrize(("age", "step"), [(37 * 3600, Step.SET_ZERO), (35 * 3600, Step.RESTORE_SCALING)])
def test_an_old_deployment_does_not_hold_the_stop_up(age: float, step: Step) -> None:
    """Where somebody may wait for it the stop is given up between its calls as well, and what was taken goes back."""
    found = seen(4, deployments=in_progress(age))
    assert step_of(looked(Step.READY, found, zeroed=False, since=NOW - 1000)) is step


@pytest.mark.parametrize(("age", "step"), [(37 * 3600, Step.SET_ONE), (35 * 3600, Step.HELD)])
def test_what_is_held_in_an_old_deployment_is_tried(age: float, step: Step) -> None:
    """ECS may call it in progress although it has no task left to wait for."""
    found = seen(0, deployments=in_progress(age))
    assert step_of(looked(Step.HELD, found, since=NOW - DAY, looping_since=NOW - DAY - 3600)) is step


@pytest.mark.parametrize(("age", "step"), [(37 * 3600, Step.STOP_AGAIN), (35 * 3600, Step.RESTORE_COUNT)])
def test_what_failed_in_an_old_deployment_is_stopped_again(age: float, step: Step) -> None:
    """And in one that somebody may wait for it is not, because at 0 that would count as successful."""
    found = seen(1, deployments=in_progress(age))
    assert step_of(looked(Step.STOP_AGAIN, found)) is step
