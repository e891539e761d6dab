"""From failures and statements of ECS to a suspicion, and from a suspicion to an incident."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from loopbreaker.judging.detection import confirm, observe
from loopbreaker.judging.ending import quiet_at
from loopbreaker.judging.suspicion import assess, depth_now, fast_depth
from loopbreaker.model import Category, ServiceSignal, SignalKind, TaskFailure
from loopbreaker.policy import Policy
from loopbreaker.remembering.incident import Signal, Suspicion
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.record import Record, Verdict
from loopbreaker.remembering.trip import Step
from loopbreaker.thresholds import override
from tests.builders import (
    OLDER_DEPLOYMENT,
    POLICY,
    SERVICE,
    T0,
    crash_loop,
    depth,
    incident,
    looping,
    observed,
    signal,
    start_first_loop,
    task_failure,
    trip,
)

EMPTY = Record(service=SERVICE)


def placements(*moments: float) -> list[ServiceSignal]:
    return [signal(at, SignalKind.PLACEMENT_FAILURE) for at in moments]


def slow_loop(generations: int, *, lifetime: float = 1800) -> list[TaskFailure]:
    return crash_loop(generations, lifetime=lifetime, restart=60)


def opened(
    failures: Sequence[TaskFailure] = (),
    *,
    signals: Sequence[ServiceSignal] = (),
    desired_count: int | None = 2,
    policy: Policy = POLICY,
) -> Record:
    """The record once these were observed and ECS said how large the service is."""
    record = observed(failures, signals=signals, policy=policy)
    return confirm(record, desired_count=desired_count, policy=policy, now=record.touched_at + 1)


# -- observing --------------------------------------------------------------------------------------------


def test_two_failures_in_a_row_are_no_suspicion() -> None:
    """A blip and bad luck are remembered, and nobody is asked."""
    record = observed(crash_loop(2))
    assert depth(record.fast) == 2
    assert (record.suspicion, record.asked_at, record.due_at, record.verdict) == (None, None, None, Verdict.HEALTHY)
    assert record.touched_at == T0 + 40


def test_three_in_a_row_are_a_suspicion() -> None:
    """At the base depth ECS is asked at once, and again when it could not be asked for two minutes."""
    record = observed(crash_loop(3))
    assert record.suspicion == Suspicion(signal=Signal.FAST, at=T0 + 70, depth=3, since=T0 + 10)
    assert (record.asked_at, record.due_at) == (T0 + 70, T0 + 70 + POLICY.confirm_blind_after)
    assert record.incident is None


def test_failing_health_checks_are_a_suspicion() -> None:
    """Three tasks that are replaced start-first are a loop like any other."""
    found = observed(start_first_loop(3)).suspicion
    assert found is not None
    assert (found.signal, found.depth) == (Signal.FAST, 3)


def test_repetition_changes_nothing() -> None:
    """Where a batch says nothing new the very same record comes back, with an incident and without."""
    failures, signals = crash_loop(2), [signal(0), *placements(10)]
    for record in (observed(failures, signals=signals), observed(failures, signals=signals, record=looping())):
        assert observe(record, failures=failures, signals=signals, policy=POLICY, now=T0 + 9000) is record
        assert observe(record, policy=POLICY, now=T0 + 9000) is record


def test_what_says_nothing_of_a_loop_changes_nothing() -> None:
    """Deployment events are no signal."""
    said = [signal(0, kind) for kind in SignalKind if kind.name.startswith("DEPLOYMENT_")]
    assert observe(EMPTY, signals=said, policy=POLICY, now=T0) is EMPTY


def test_history_is_ignored() -> None:
    """What failed or was said before the last incident ended does not count again."""
    closed = replace(EMPTY, history_until=T0 + 100)
    unplaced = [T0 + n for n in (0.0, 50.0, 100.0)]
    said = [signal(0), signal(100), *placements(50, 100)]
    assert observe(closed, failures=crash_loop(4), signals=said, unplaced_at=unplaced, policy=POLICY, now=0) is closed
    after = observe(
        closed,
        failures=crash_loop(5),
        signals=[*said, signal(101)],
        unplaced_at=[*unplaced, T0 + 102],
        policy=POLICY,
        now=0,
    )
    assert (depth(after.fast), after.impaired, after.unplaced) == (1, (T0 + 101,), (T0 + 102,))


def test_time_does_not_run_backwards() -> None:
    """A record that was touched later than now keeps that time."""
    record = replace(EMPTY, touched_at=T0 + 500)
    assert observe(record, failures=crash_loop(1), policy=POLICY, now=T0).touched_at == T0 + 500


def test_respond_is_asked_again_only_on_growth() -> None:
    """A fourth failure side by side asks nobody; a fourth generation does, and the first two minutes go on."""
    failures = crash_loop(3)
    record = replace(observed(failures), asked_at=None)
    beside = observed([task_failure(59, 71)], record=record)
    assert (beside.asked_at, beside.suspicion) == (None, record.suspicion)
    deeper = observed([task_failure(90, 100)], record=record)
    assert deeper.asked_at == T0 + 100
    assert deeper.suspicion == Suspicion(signal=Signal.FAST, at=T0 + 70, depth=4, since=T0 + 10)
    assert deeper.due_at == T0 + 70 + POLICY.confirm_blind_after


def test_a_suspicion_of_a_slow_loop_may_become_one_of_a_fast_one() -> None:
    """The stronger signal wins even where its chain is the shorter one."""
    slow = Suspicion(signal=Signal.SLOW, at=T0, depth=9, since=T0 - 9000)
    first, second, third = crash_loop(3)
    record = replace(observed([first, second]), suspicion=slow)
    fast = observed([third], record=record)
    assert fast.suspicion == Suspicion(signal=Signal.FAST, at=T0, depth=3, since=T0 + 10)
    assert fast.asked_at == third.failed_at


def test_a_pause_ends_a_suspicion() -> None:
    """A chain that broke off takes its suspicion with it, and what was learnt of the service's size."""
    record = replace(observed(crash_loop(3)), extra_generations=2)
    after = observed([task_failure(9000, 9010)], record=record)
    assert (after.suspicion, after.extra_generations) == (None, 0)
    second = observed([task_failure(9030, 9040)], record=replace(after, extra_generations=2))
    assert second.extra_generations == 2


def test_chance_is_no_suspicion() -> None:
    """Three in a row that a merely flaky service would show now and then wait for more."""
    flaky = [task_failure(0, 250), task_failure(300, 1150), task_failure(1200, 1800)]
    record = observed(flaky)
    assert depth(record.fast) == 3
    assert record.suspicion is None
    assert observed(flaky, policy=override(POLICY, {"fast.chance": 0.5})).suspicion is not None


# A task that lived for hours and failed, ten minutes before anything else does.
LIVED_LONG = task_failure(-9000, -600)


def test_the_loop_began_with_the_first_that_died_of_its_cause() -> None:
    """Tasks that had run well die with the first that loop: they count, and what died long before does not."""
    old = [task_failure(-9000 - n, at) for n, at in enumerate((-600.0, -30.0, 5.0))]
    record = opened([*old, *crash_loop(8, restart=30)])
    assert record.incident is not None
    assert record.incident.first_failure_at == T0 - 30
    assert record.incident.failed_tasks >= 8 + 2


def test_a_service_known_to_be_flaky_must_surprise_more() -> None:
    """Where a task lived long before it failed, chance is believed in for longer."""
    minutes = [task_failure(n * 200.0, n * 200 + 180) for n in range(3)]
    assert observed(minutes).suspicion is not None
    assert observed([LIVED_LONG, *minutes]).suspicion is not None
    unlike = [task_failure(0, 100), task_failure(120, 420), task_failure(440, 640)]
    assert observed(unlike).suspicion is not None
    assert observed([LIVED_LONG, *unlike]).suspicion is None
    assert observed([LIVED_LONG, *unlike], policy=override(POLICY, {"flaky_chance": 5e-4})).suspicion is not None


def test_what_ran_well_may_be_out_for_a_while() -> None:
    """Failures of a service whose tasks lived long must go on for `outage`; of another one they need not."""
    loop = crash_loop(7, lifetime=10, restart=20)
    found = [len(loop[:n]) for n in range(8) if observed(loop[:n]).suspicion]
    assert found[0] == 3
    found = [len(loop[:n]) for n in range(8) if observed([LIVED_LONG, *loop[:n]]).suspicion]
    assert found == [7]
    assert observed([LIVED_LONG, *loop], policy=override(POLICY, {"outage": 181})).suspicion is None


def test_flakiness_is_forgotten_after_a_day() -> None:
    """A task that failed more than a day ago says nothing of today."""
    within = crash_loop(3, start=85_700)
    assert observed([LIVED_LONG, *within]).suspicion is None
    assert observed([LIVED_LONG, *crash_loop(3, start=85_731)]).suspicion is not None


def test_a_slow_loop_needs_four_generations() -> None:
    """A service that dies every half hour is found by the slow profile, at its fourth failure."""
    assert observed(slow_loop(3)).suspicion is None
    found = observed(slow_loop(4)).suspicion
    assert found is not None
    assert (found.signal, found.depth, found.since) == (Signal.SLOW, 4, T0 + 1800)


# -- statements of ECS ------------------------------------------------------------------------------------


def signal_of(record: Record) -> Signal | None:
    found = assess(record, POLICY)
    return found.signal if found else None


def test_ecs_says_twice_that_it_cannot_start_tasks() -> None:
    """Two statements are a loop, one is not; the same one delivered twice, seconds apart, is one."""
    assert signal_of(observed(signals=[signal(0)])) is None
    assert signal_of(observed(signals=[signal(0), signal(5)])) is None
    assert signal_of(observed(signals=[signal(5), signal(0)])) is None
    assert signal_of(observed(signals=[signal(0), signal(5.1)])) is Signal.IMPAIRED
    found = observed(signals=[signal(0), signal(900)]).suspicion
    assert found == Suspicion(signal=Signal.IMPAIRED, at=T0 + 900, depth=0, since=T0)


def test_one_statement_and_two_generations_are_enough() -> None:
    """What ECS says once counts where a replacement has failed too."""
    assert signal_of(observed(crash_loop(1), signals=[signal(80)])) is None
    record = observed(crash_loop(2), signals=[signal(80)])
    assert record.suspicion == Suspicion(signal=Signal.IMPAIRED, at=T0 + 80, depth=2, since=T0 + 10)


def test_one_statement_and_two_slow_deaths_are_not() -> None:
    """Tasks that ran for half an hour could be started."""
    record = observed(slow_loop(2), signals=[signal(3700)])
    assert depth(record.slow, POLICY.slow) == 2
    assert signal_of(record) is None


def test_an_invalid_configuration_is_such_a_statement_too() -> None:
    """ECS says so of services whose tasks it cannot even try to start."""
    said = [signal(at, SignalKind.CONFIGURATION_FAILURE) for at in (0, 60)]
    assert signal_of(observed(signals=said)) is Signal.IMPAIRED


def test_statements_far_apart_do_not_add_up() -> None:
    """More than an hour between two statements is no loop."""
    assert signal_of(observed(signals=[signal(0), signal(3600)])) is Signal.IMPAIRED
    record = observed(signals=[signal(0), signal(3601)])
    assert signal_of(record) is None
    assert record.impaired == (T0 + 3601,)


def test_a_chain_is_stronger_than_a_statement() -> None:
    """Where failures make a fast loop that is the signal, whatever ECS says beside it."""
    assert signal_of(observed(crash_loop(3), signals=[signal(80), signal(200)])) is Signal.FAST


def test_missing_capacity_is_told_after_a_while() -> None:
    """Three tasks in 15 minutes that found no capacity are a message; fewer, or in less time, are not."""
    assert signal_of(observed(signals=placements(0, 900))) is None
    assert signal_of(observed(signals=placements(0, 450, 899))) is None
    record = observed(signals=placements(0, 450, 900))
    assert record.suspicion == Suspicion(signal=Signal.PLACEMENT, at=T0 + 900, depth=0, since=T0)


def test_tasks_that_found_no_capacity_count_like_statements() -> None:
    """The failure of a task for want of capacity says the same as ECS's own statement."""
    record = observed(signals=placements(0, 450))
    record = observe(record, unplaced_at=[T0 + 900], policy=POLICY, now=T0 + 900)
    assert signal_of(record) is Signal.PLACEMENT


def test_missing_capacity_that_is_said_every_minute_is_told_too() -> None:
    """The oldest time is kept however many follow, so that the record knows how long it has been so."""
    record = observed(signals=placements(*range(0, 901, 60)))
    assert signal_of(record) is Signal.PLACEMENT
    assert len(record.unplaced) == 8
    assert (record.unplaced[0], record.unplaced[-1]) == (T0, T0 + 900)


# -- confirming -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("desired_count", "needed"), [(1, 3), (9, 3), (10, 4), (99, 4), (100, 5)])
def test_a_large_service_needs_more_generations(desired_count: int, needed: int) -> None:
    """One generation more from 10 tasks, two from 100: until then the loop is neither told nor forgotten."""
    failures = crash_loop(needed)
    waiting = opened(failures[:-1], desired_count=desired_count)
    assert waiting.incident is None
    found = opened(failures, desired_count=desired_count)
    assert found.incident is not None
    assert found.verdict is Verdict.LOOPING
    assert (found.incident.depth, found.incident.desired_count) == (needed, desired_count)


def test_the_owner_may_ask_for_a_greater_depth() -> None:
    """Not for a smaller one; and statements of ECS have no depth."""
    record = observed(crash_loop(5))
    for least, found in ((0, True), (2, True), (5, True), (6, False)):
        asked = confirm(record, desired_count=1, policy=POLICY, now=record.touched_at, least_depth=least)
        assert bool(asked.incident) == found
        assert asked.extra_generations == (0 if found else 3)
    said = observed(signals=[signal(0), signal(60)])
    assert confirm(said, desired_count=1, policy=POLICY, now=T0 + 61, least_depth=9).incident


def test_a_loop_whose_owner_asked_for_silence_is_known_and_not_told() -> None:
    """The incident opens all the same."""
    record = observed(crash_loop(3))
    quiet = confirm(record, desired_count=1, policy=POLICY, now=T0 + 71, silent=True)
    assert quiet.incident is not None
    assert (quiet.incident.silent, quiet.verdict, quiet.notices) == (True, Verdict.LOOPING, ())


def test_what_was_learnt_of_the_size_is_remembered() -> None:
    """After a large service turned out not to loop yet, ECS is asked again at the depth that it needs, not before."""
    failures = crash_loop(5)
    waiting = opened(failures[:3], desired_count=150)
    assert (waiting.suspicion, waiting.extra_generations, waiting.due_at) == (None, 2, None)
    waiting = replace(waiting, asked_at=None)
    assert observed(failures[3:4], record=waiting).asked_at is None
    found = observed(failures[3:], record=waiting)
    assert found.suspicion is not None
    assert found.asked_at == failures[4].failed_at


def test_ecs_that_does_not_answer_is_given_two_minutes() -> None:
    """Without an answer the loop waits for the end of that time, then the base depth stands."""
    record = observed(crash_loop(3))
    deadline = T0 + 70 + POLICY.confirm_blind_after
    early = confirm(record, desired_count=None, policy=POLICY, now=deadline - 1)
    assert (early.incident, early.suspicion, early.due_at) == (None, record.suspicion, deadline)
    late = confirm(early, desired_count=None, policy=POLICY, now=deadline)
    assert late.incident is not None
    assert (late.suspicion, late.incident.desired_count) == (None, None)


def test_a_service_of_no_tasks_does_not_loop() -> None:
    """Somebody has set the count to 0 meanwhile: nothing to tell."""
    record = opened(crash_loop(3), desired_count=0)
    assert (record.suspicion, record.incident, record.due_at, record.notices) == (None, None, None, ())


def test_there_is_nothing_to_confirm_without_a_suspicion() -> None:
    """A record without suspicion, or with an incident already, is left as it is."""
    for record in (EMPTY, replace(looping(), suspicion=Suspicion(signal=Signal.FAST, at=T0, depth=3, since=T0))):
        assert confirm(record, desired_count=1, policy=POLICY, now=T0 + 999) is record


def test_an_incident_knows_what_happened() -> None:
    """It opens with its chain, the causes of its tasks, the newest failure's evidence, and one message owed."""
    failures = crash_loop(3, category=Category.OUT_OF_MEMORY, lifetime=10.0, restart=25)
    record = opened([*failures[:2], task_failure(70, 83, exit_code=137, deployment_id=OLDER_DEPLOYMENT, container="x")])
    found = record.incident
    assert found is not None
    assert (found.signal, found.depth, found.category) == (Signal.FAST, 3, Category.OUT_OF_MEMORY)
    assert (found.first_failure_at - T0, found.last_failure_at - T0, found.opened_at - T0) == (10, 83, 84)
    assert (found.longest_lifetime, found.longest_gap, found.failed_tasks) == (13, 38, 3)
    assert (found.container, found.exit_code, found.deployment_id) == ("x", 137, OLDER_DEPLOYMENT)
    assert record.due_at == T0 + 83 + POLICY.quiet_after
    (notice,) = record.notices
    assert (notice.kind, notice.at - T0) == (NoticeKind.LOOPING, 84)
    assert notice.reason == "replacements failed 3 times in a row"


def test_a_slow_incident_rests_on_the_slow_ladder() -> None:
    """Its lifetimes and gaps are those of the tasks that lived half an hour."""
    found = opened(slow_loop(4)).incident
    assert found is not None
    assert (found.signal, found.longest_lifetime, found.longest_gap) == (Signal.SLOW, 1800, 1860)


def test_an_incident_by_word_of_ecs_needs_no_failure() -> None:
    """Where ECS alone speaks, its statements are the times, and the size of the service plays no part."""
    record = opened(signals=[signal(0), signal(900)], desired_count=500)
    assert record.incident is not None
    assert (record.incident.signal, record.incident.category) == (Signal.IMPAIRED, Category.UNKNOWN)
    assert (record.incident.first_failure_at - T0, record.incident.last_failure_at - T0) == (0, 900)
    assert (record.incident.longest_gap, record.incident.longest_lifetime) == (900, 0)
    assert record.notices[0].reason == "ECS cannot start tasks of this service"


def test_an_incident_for_want_of_capacity_says_so() -> None:
    """Capacity is the cause, whatever else failed."""
    record = opened(crash_loop(1), signals=placements(0, 450, 900))
    assert record.incident is not None
    assert (record.incident.signal, record.incident.category) == (Signal.PLACEMENT, Category.PLACEMENT)
    assert record.notices[0].reason == "ECS has found no capacity for tasks of this service for a while"


def test_what_happened_before_the_loop_is_no_gap_of_it() -> None:
    """A statement of ECS from an hour earlier does not keep the incident open for two hours."""
    failures = crash_loop(3, start=3000)
    record = observed(failures, record=observed(signals=[signal(0)]))
    found = confirm(record, desired_count=1, policy=POLICY, now=T0 + 3100).incident
    assert found is not None
    assert found.longest_gap == 30


def test_an_incident_needs_no_rung() -> None:
    """A suspicion whose ladder has gone still opens an incident, at the time it was since."""
    record = replace(EMPTY, suspicion=Suspicion(signal=Signal.FAST, at=T0, depth=3, since=T0 - 50))
    found = confirm(record, desired_count=1, policy=POLICY, now=T0).incident
    assert found is not None
    assert (found.last_failure_at, found.category) == (T0 - 50, Category.UNKNOWN)


def test_the_cause_is_the_most_frequent_one_and_the_newest_of_equals() -> None:
    """Two out-of-memory kills and one crash are a memory problem; one of each is what came last."""
    oom, crash, disk = Category.OUT_OF_MEMORY, Category.APP_CRASH, Category.DISK
    for categories, expected in (([oom, oom, crash], oom), ([oom, crash, disk], disk)):
        failures = [task_failure(n * 30, n * 30 + 10, category=category) for n, category in enumerate(categories)]
        found = opened(failures).incident
        assert found is not None
        assert found.category is expected


# -- while it lasts ---------------------------------------------------------------------------------------


def test_a_further_generation_asks_for_a_decision() -> None:
    """Growth asks `respond`; what happens side by side does not."""
    record = replace(opened(crash_loop(3)), asked_at=None)
    beside = observed([task_failure(61, 72)], record=record)
    assert beside.incident is not None
    assert (beside.asked_at, beside.incident.depth) == (None, 3)
    grown = observed([task_failure(90, 100)], record=record)
    assert grown.incident is not None
    assert (grown.asked_at, grown.incident.depth) == (T0 + 100, 4)
    assert grown.notices == record.notices


def test_growth_asks_nobody_where_nothing_may_change() -> None:
    """A service that is never acted upon is not looked at for each generation."""
    record = opened(crash_loop(3))
    assert record.incident is not None
    unwatched = replace(record, asked_at=None, incident=replace(record.incident, watching=False))
    grown = observed([task_failure(90, 100)], record=unwatched)
    assert grown.incident is not None
    assert (grown.asked_at, grown.incident.depth) == (None, 4)


def test_a_question_that_is_open_stays_open() -> None:
    """A failure that is no growth takes no question back."""
    record = replace(opened(crash_loop(3)), asked_at=T0 + 75)
    assert observed([task_failure(61, 80)], record=record).asked_at == T0 + 75


def test_the_incident_keeps_its_longest_gap_and_life() -> None:
    """Gaps count from the newest failure; what arrives late or twice makes none."""
    record = opened(crash_loop(3))  # the last failure at 70
    record = observed([task_failure(100, 400)], record=record)
    assert record.incident is not None
    assert (record.incident.last_failure_at - T0, record.incident.longest_gap) == (400, 330)
    assert record.incident.longest_lifetime == 300
    assert quiet_at(record.incident, POLICY) == T0 + 400 + 660
    record = observed([task_failure(90, 95), task_failure(420, 430)], record=record)
    assert record.incident is not None
    assert (record.incident.last_failure_at - T0, record.incident.longest_gap) == (430, 330)
    assert record.incident.longest_lifetime == 300


def never_started(count: int) -> list[TaskFailure]:
    """Tasks that ECS could not start, one after the other."""
    return [task_failure(60 * n, 60 * n + 40, lifetime=0) for n in range(count)]


def test_statements_of_ecs_keep_an_incident_alive() -> None:
    """While ECS throttles tasks that never start, its statements come where failures are rare."""
    record = opened(never_started(3))
    record = observed(signals=[signal(1000), *placements(1500)], record=record)
    assert record.incident is not None
    assert (record.incident.last_failure_at - T0, record.incident.longest_gap) == (1000, 840)


def test_statements_about_other_tasks_do_not_keep_an_incident_alive() -> None:
    """Tasks that started and died are mended, although one of their number finds no place from then on."""
    record = opened(crash_loop(3))
    after = observed(signals=[signal(1000), *placements(1500)], record=record)
    assert after.incident is not None
    assert (after.incident.last_failure_at - T0, after.incident.longest_gap) == (70, 30)
    assert after.incident.category is Category.APP_CRASH


def test_a_loop_beside_missing_capacity_is_told() -> None:
    """Who knows that tasks find no place is told when those that found one begin to loop."""
    record = opened(signals=placements(0, 450, 900))
    record = observed(crash_loop(3, start=1000), record=record)
    assert [notice.kind for notice in record.notices] == [NoticeKind.LOOPING, NoticeKind.LOOPING]
    assert "3 times in a row" in record.notices[-1].reason
    assert len(observed(crash_loop(5, start=1000), record=record).notices) == 2


def test_a_task_that_lived_for_hours_is_no_part_of_the_incident() -> None:
    """A bystander's death neither prolongs the incident nor raises the age of a survivor."""
    record = opened(crash_loop(3))
    for lifetime, failed in ((9500, None), (3600, 500)):
        after = observed([task_failure(500 - lifetime, 500)], record=record)
        assert after.incident is not None
        assert after.incident.longest_lifetime == 10
        assert (after.incident.last_failure_at - T0) == (failed or 70)


def test_the_longest_life_of_a_fast_loop_counts() -> None:
    """A task that lived just as long as tasks of a fast loop may is one of them; a second more and it is none."""
    longest = POLICY.fast.max_lifetime
    for lifetime, expected in ((longest, longest), (longest + 1, 10)):
        after = observed([task_failure(80, 80 + lifetime)], record=opened(crash_loop(3)))
        assert after.incident is not None
        assert after.incident.longest_lifetime == expected


def test_slow_deaths_do_not_count_for_a_fast_incident() -> None:
    """Only tasks of the fast profile deepen a fast loop and raise the age from which a task is a survivor."""
    record = opened(crash_loop(3))
    slow = [task_failure(80 + n * 2000.0, 80 + n * 2000 + 1900) for n in range(4)]
    after = observed(slow, record=record)
    assert after.incident is not None
    assert depth(after.slow, POLICY.slow) > 3
    assert (after.incident.depth, after.incident.longest_lifetime) == (3, 10)
    assert after.incident.last_failure_at == slow[-1].failed_at


def test_a_slow_incident_that_turns_fast_starts_counting_as_a_fast_one() -> None:
    """Depth and lifetimes are then those of the fast chain, and a decision is asked for."""
    record = replace(opened(slow_loop(6)), asked_at=None)
    assert record.incident is not None
    start = 6 * 1860.0
    fast = crash_loop(3, start=start, restart=80)
    before = observed(fast[:2], record=record)
    assert before.incident is not None
    assert (before.incident.signal, before.incident.depth) == (Signal.SLOW, 8)
    after = observed(fast[2:], record=replace(before, asked_at=None))
    assert after.incident is not None
    assert (after.incident.signal, after.incident.depth, after.incident.longest_lifetime) == (Signal.FAST, 3, 10)
    assert after.asked_at == fast[2].failed_at
    assert after.incident.first_failure_at == record.incident.first_failure_at


def test_an_incident_by_word_of_ecs_may_turn_fast() -> None:
    """Failures that follow make it a loop that may be stopped."""
    record = replace(opened(signals=[signal(0), signal(60)]), asked_at=None)
    after = observed(crash_loop(3, start=100), record=record)
    assert after.incident is not None
    assert (after.incident.signal, after.incident.depth) == (Signal.FAST, 3)
    assert after.incident.category is Category.APP_CRASH


def test_capacity_stays_the_cause_while_it_is_the_signal() -> None:
    """A crash beside missing capacity does not rename the incident."""
    record = opened(signals=placements(0, 450, 900))
    after = observed(crash_loop(1, start=950), record=record)
    assert after.incident is not None
    assert after.incident.category is Category.PLACEMENT


def test_a_look_that_is_due_is_not_put_off() -> None:
    """Failures that go on do not move the time of the next look; where none is due, quiet is looked for."""
    (fifth,) = crash_loop(5)[4:]
    for due_at in (T0 + 110, T0 + 9000):
        assert observed([fifth], record=looping(due_at=due_at)).due_at == due_at
    assert observed([fifth], record=looping(due_at=None)).due_at == T0 + 130 + POLICY.quiet_after


def test_a_chain_that_begins_anew_asks_again() -> None:
    """After a pause growth counts from the new chain on, though the incident has seen more generations."""
    record = replace(opened(crash_loop(6)), asked_at=None)
    first = observed(crash_loop(1, start=2000), record=record)
    assert first.asked_at is None
    second = observed(crash_loop(2, start=2000)[1:], record=first)
    assert second.incident is not None
    assert (second.asked_at, second.incident.depth) == (T0 + 2040, 6)
    assert (fast_depth(second, POLICY), depth_now(second, POLICY)) == (2, 2)


def test_slow_generations_are_no_fast_ones() -> None:
    """What may lead to action is counted apart."""
    record = observed(slow_loop(3))
    assert (fast_depth(record, POLICY), depth_now(record, POLICY)) == (0, 3)
    assert (fast_depth(EMPTY, POLICY), depth_now(EMPTY, POLICY)) == (0, 0)


def test_a_held_service_asks_nobody_and_a_probe_asks_at_its_first_failure() -> None:
    """Late failures of a service at 0 change nothing to decide; the failure of the one task let try does."""
    (fifth,) = crash_loop(5)[4:]
    held = looping(trip=trip())
    assert observed([fifth], record=held).asked_at is None
    probing = looping(trip=trip(step=Step.PROBING), fast=(), slow=())
    assert observed([fifth], record=probing).asked_at == fifth.failed_at
    assert observed(signals=[signal(130)], record=probing).asked_at is None
    unwatched = replace(probing, incident=incident(watching=False))
    assert observed([fifth], record=unwatched).asked_at == fifth.failed_at


# -- counting and quiet -----------------------------------------------------------------------------------


def test_an_incident_shows_its_newest_failure() -> None:
    """Whatever order they come in; what was counted before there was a history is not lost."""
    before = looping(incident=incident(failed_tasks=40, container="web"))
    newest = task_failure(0, 150, container="sidecar", exit_code=None, evidence="gone", deployment_id=OLDER_DEPLOYMENT)
    after = observed([newest, task_failure(0, 140)], record=before).incident
    assert after
    assert (after.failed_tasks, after.container, after.exit_code, after.evidence) == (42, "sidecar", None, "gone")
    assert (after.deployment_id, after.task_definition) == (OLDER_DEPLOYMENT, newest.task_definition)


def test_quiet_is_twice_the_longest_gap() -> None:
    """And at least ten minutes."""
    assert quiet_at(incident(longest_gap=30), POLICY) == T0 + 100 + 600
    assert quiet_at(incident(longest_gap=1620), POLICY) == T0 + 100 + 3240


def test_how_late_the_newest_failure_was_told_is_known() -> None:
    """It goes by the newest failure alone, whatever is told after it; a minute is not late."""

    def told(record: Record, *, failed: float, late: float) -> Record:
        failure = replace(task_failure(failed - 5, failed), late=late)
        return observe(record, failures=[failure], policy=POLICY, now=failed + late)

    drained = told(EMPTY, failed=T0 + 100, late=300.4)
    assert drained.late == 300
    assert told(drained, failed=T0 + 50, late=0).late == 300
    assert told(drained, failed=T0 + 150, late=61).late == 61
    assert told(drained, failed=T0 + 150, late=60).late == 0
    prompt = told(EMPTY, failed=T0 + 100, late=1)
    assert told(prompt, failed=T0 + 100, late=300).late == 0


def test_what_failed_after_minutes_is_remembered_as_one_that_may_have_served() -> None:
    """Together with everything else that one failure says."""
    assert [one.failed_at for one in observed([task_failure(0, 400)]).lived] == [T0 + 400]
    assert observed([task_failure(0, 299)]).storm.failing == 0
    assert observed([task_failure(0, 300)]).storm.failing == 1


@pytest.mark.parametrize(
    ("lates", "late"),
    [
        ((300.4,), 300.0),
        ((60.0,), 0.0),
        ((61.0,), 61.0),
        ((300.0, 10.0), 0.0),
        ((10.0, 300.0), 300.0),
    ],
)
def test_how_late_ecs_tells_of_the_newest_failure(lates: tuple[float, ...], late: float) -> None:
    """A minute is not late; what is told again, or belongs before what is known, changes nothing of it."""
    failures = [task_failure(30.0 * n, 30 * n + 10, late=one) for n, one in enumerate(lates)]
    record = observed(failures)
    assert record.late == late
    batch = observe(Record(service=SERVICE), failures=failures[::-1], policy=POLICY, now=T0 + 90)
    assert batch.late == late
    before = task_failure(-60, -50, late=999.0)
    assert observe(record, failures=[before, failures[-1]], policy=POLICY, now=T0 + 90).late == late


@pytest.mark.parametrize("desired_count", [0, 10])
def test_a_suspicion_that_is_dropped_is_looked_at_no_more(desired_count: int) -> None:
    """Nobody runs, or three failures are too few for ten tasks."""
    dropped = confirm(observed(crash_loop(3)), desired_count=desired_count, policy=POLICY, now=T0 + 80)
    assert (dropped.suspicion, dropped.due_at, dropped.incident) == (None, None, None)


def test_failures_of_the_hour_before_belong_to_what_is_shown() -> None:
    """Of a chain that may become a loop, and of a loop that is known: what was earlier is another matter."""
    early = [task_failure(-3700, -3650), task_failure(-3500, -3490)]
    for start in (0.0, 3000.0):
        record = observed([*early, *crash_loop(2, start=start)])
        since = T0 + start + 10 - 3600
        assert [failed.at for failed in record.history.shown if failed.at < T0] == [
            failure.failed_at for failure in early if failure.failed_at >= since
        ]
