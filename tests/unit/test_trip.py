"""What a trip remembers, who is told what, and how soon the next look comes: numbers as people know them, not as named.

`test_breaker.py` says which step follows which; here it is what is written down meanwhile.
"""

from dataclasses import replace
from typing import Any

import pytest

from loopbreaker.model import Category
from loopbreaker.policy import Mode
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import Scaling, Step, Trip
from loopbreaker.treating.breaker import blind, recheck
from loopbreaker.treating.case import Case
from loopbreaker.treating.facts import Facts, Unknown
from loopbreaker.treating.steps import after_call, after_refusal
from loopbreaker.treating.stopping import begin_rollback, begin_stop
from tests.builders import DEPLOYMENT, T0, climbed, crash_loop, deployment, facts, rollout, running_task, task_failure
from tests.unit.cases import FREE, HELD_TAG, LAST, NOW, SUSPENDED, case, dead, deploying, seen, trip

DAY = 86_400.0
SOON, LEASED = NOW + 20, NOW + 150


def looked(step: Step, found: Facts, *, at: float = NOW, record: Record | None = None, **fields: Any) -> Record:
    before = replace(record or dead(), trip=trip(step, **fields))
    return again(before, found, at=at)


def again(record: Record, found: Facts, *, at: float = NOW) -> Record:
    return recheck(case(record, found, now=at), of(record))


def answered(step: Step, *, at: float = NOW, record: Record | None = None, **fields: Any) -> Record:
    before = replace(record or dead(), trip=trip(step, **fields))
    return after_call(before, of(before), deployment_id=DEPLOYMENT, now=at)


def refused(step: Step, *, record: Record | None = None, **fields: Any) -> Record:
    before = replace(record or dead(), trip=trip(step, **fields))
    return after_refusal(before, of(before), why="AccessDenied", now=NOW)


def of(record: Record) -> Trip:
    assert record.trip is not None
    return record.trip


def told(record: Record) -> list[tuple[str, str]]:
    return [(notice.kind.value, notice.reason) for notice in record.notices]


def to_the_end(record: Record) -> Record:
    """Every further call is answered, until nothing is left to do."""
    for _ in range(5):
        if record.trip is None:
            break
        record = after_call(record, record.trip, deployment_id=DEPLOYMENT, now=NOW)
    assert record.trip is None
    return record


CHANGED = ("not-stopped", "the service changed while it was being stopped, and everything was put back")


# -- how a stop is begun ------------------------------------------------------------------------------------


def test_a_stop_begins_with_what_the_service_was() -> None:
    """Count, flags, revision and the time since when nobody was served are saved before the first call is made."""
    begun = begin_stop(case(dead(), facts(desired_count=4, scaling=FREE)))
    assert of(begun) == Trip(
        step=Step.TAG,
        since=NOW,
        lease_until=LEASED,
        desired_count=4,
        deployment_id=DEPLOYMENT,
        task_definition=deployment().task_definition,
        scaling=FREE,
        looping_since=T0 + 5,
        cause="app-crash",
        shortest=5.0,
        longest=5.0,
    )
    assert begun.due_at == LEASED


def test_a_rollback_begins_with_the_deployment_in_progress() -> None:
    """It and no later one is what is stopped; no count and no flag is touched."""
    begun = begin_rollback(case(dead(), deploying(scaling=FREE)))
    assert (of(begun).step, of(begun).service_deployment) == (Step.STOP_DEPLOYMENT, rollout().arn)
    assert (of(begun).scaling, of(begun).zeroed, of(begun).lease_until, begun.due_at) == (None, False, LEASED, LEASED)


def test_what_an_older_trip_saved_is_never_overwritten() -> None:
    """The count that comes back is the one from before the first stop."""
    with pytest.raises(AssertionError, match="never overwritten"):
        begin_stop(case(replace(dead(), trip=trip(Step.HELD)), facts(desired_count=1)))


# -- who works on it, and since when ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "scaling", "after"),
    [
        (Step.TAG, FREE, Step.SUSPEND_SCALING),
        (Step.TAG, None, Step.READY),
        (Step.SUSPEND_SCALING, FREE, Step.READY),
        (Step.RESTORE_COUNT, FREE, Step.RESTORE_SCALING),
        (Step.RESTORE_SCALING, FREE, Step.UNTAG),
    ],
)
def test_each_further_step_is_leased_to_whoever_took_it(step: Step, scaling: Scaling | None, after: Step) -> None:
    """Nobody else touches it for longer than a function may run, and then somebody does."""
    for zeroed in (False, True):
        moved = answered(step, scaling=scaling, zeroed=zeroed, odd_at=7.0, why="x")
        assert of(moved) == replace(
            trip(step, scaling=scaling, zeroed=zeroed, why="x"), step=after, since=NOW, lease_until=LEASED
        )
        assert (moved.due_at, moved.touched_at) == (LEASED, NOW)


@pytest.mark.parametrize("step", [Step.TAG, Step.SET_ZERO, Step.STOP_AGAIN, Step.RESTORE_COUNT, Step.UNTAG])
def test_a_call_that_was_not_made_is_leased_again_and_as_old_as_it_was(step: Step) -> None:
    """How long a step has been tried counts from its beginning."""
    at_zero = step in (Step.RESTORE_COUNT, Step.SET_ZERO)
    found = seen(4 if step is not Step.RESTORE_COUNT else 0, scaling=None, held=step is not Step.TAG)
    tried = looked(step, found, scaling=None, since=NOW - 60, zeroed=at_zero or step is Step.STOP_AGAIN)
    assert (of(tried).step, of(tried).since, of(tried).lease_until) == (step, NOW - 60, LEASED)
    assert tried.due_at == LEASED


def test_a_count_that_may_be_zero_by_us_is_ours_until_the_end() -> None:
    """From before the call that sets 0 on; a stop that is given up before it never set anything."""
    ready = looked(Step.READY, seen(4), zeroed=False, since=NOW - 1)
    assert (of(ready).step, of(ready).zeroed) == (Step.SET_ZERO, True)
    assert of(answered(Step.SET_ZERO, zeroed=True)).zeroed
    assert of(answered(Step.RESTORE_COUNT, zeroed=True)).zeroed
    assert not of(refused(Step.SET_ZERO)).zeroed
    given_up = looked(Step.SET_ZERO, seen(4, tags={"loopbreaker:action": "alert"}))
    assert (of(given_up).step, of(given_up).zeroed) == (Step.RESTORE_SCALING, False)


def test_a_count_that_was_never_set_to_zero_is_not_set_on_the_way_back() -> None:
    """A small count is then the owner's own."""
    assert of(looked(Step.RESTORE_COUNT, seen(1, scaling=None), zeroed=False)).step is Step.UNTAG


# -- stopped, tried, stopped again --------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "words"), [(1, "1 task"), (2, "2 tasks"), (4, "4 tasks")])
def test_a_stop_is_told_and_counted(count: int, words: str) -> None:
    """With the count from before; stops of more than a day ago count no more."""
    stopped = answered(
        Step.SET_ZERO, desired_count=count, record=replace(dead(), trips=(NOW - DAY, NOW - DAY + 1, NOW - 60))
    )
    assert told(stopped) == [("stopped", f"nobody was served; desired count set from {words} to 0")]
    assert stopped.trips == (NOW - DAY + 1, NOW - 60, NOW)
    assert (of(stopped).step, of(stopped).since, of(stopped).tries, stopped.due_at) == (Step.HELD, NOW, 0, SOON)
    assert of(stopped).lease_until == NOW


def test_a_try_that_failed_is_no_further_stop() -> None:
    """It is told once, and is not counted among the stops of the day."""
    record = replace(dead(told=("tried",)), trips=(NOW - 60,))
    first = answered(Step.STOP_AGAIN, record=record)
    assert told(first) == [("stopped", "what was tried failed as well; it is tried again, more and more rarely")]
    assert (first.trips, of(first).tries, of(first).since) == ((NOW - 60,), 1, NOW)
    second = answered(Step.STOP_AGAIN, tries=1, record=replace(first, notices=()))
    assert (told(second), of(second).tries) == ([], 2)


def test_of_a_try_of_which_nobody_heard_nobody_hears_that_it_failed() -> None:
    """While its owner asks for silence; the first try that is told of after that, and its end, are both told."""
    unheard = answered(Step.STOP_AGAIN, record=dead())
    assert told(unheard) == []
    assert told(answered(Step.SET_ONE, desired_count=2, tries=1, record=unheard)) != []
    heard = answered(Step.SET_ONE, desired_count=2, tries=1, record=unheard)
    assert [kind for kind, _ in told(answered(Step.STOP_AGAIN, tries=1, record=heard))] == ["probing", "stopped"]


@pytest.mark.parametrize(
    ("step", "count", "words"),
    [
        (Step.SET_ONE, 4, "1 task was started"),
        (Step.SET_ALL, 1, "1 task was started"),
        (Step.SET_ALL, 3, "3 tasks were started"),
    ],
)
def test_a_try_is_told_with_what_was_started(step: Step, count: int, words: str) -> None:
    """What fails from the call on is the try's own, so it is watched from then."""
    begun = answered(step, desired_count=count)
    assert told(begun) == [("probing", f"{words}, to see whether the loop is over")]
    assert (of(begun).since, of(begun).lease_until, begun.due_at) == (NOW - 60, NOW, SOON)


@pytest.mark.parametrize(("old", "step"), [(-6, Step.PROBING), (-4, Step.STOP_AGAIN), (-5, Step.STOP_AGAIN)])
def test_what_failed_before_a_try_is_not_its_own(old: float, step: Step) -> None:
    """Up to the five seconds by which the clock of ECS may be behind ours."""
    failed = climbed([task_failure(NOW - T0 - 60 + old, NOW - T0 - 30)])
    record = replace(dead(), fast=failed, history_until=NOW - 60)
    assert of(looked(Step.PROBING, seen(1), record=record)).step is step


def test_one_failure_that_ran_is_enough_to_try_all() -> None:
    """Of two replacements of the one task one never started, the other ran."""
    begun = NOW - T0 - 60
    failed = climbed([task_failure(begun, begun + 5, lifetime=0), task_failure(begun + 10, begun + 20)])
    assert of(looked(Step.PROBING, seen(1), record=replace(dead(), fast=failed))).whole


@pytest.mark.parametrize(("tasks", "enough"), [(1, 1), (2, 2), (5, 5), (11, 11), (12, 12), (13, 12), (200, 12)])
def test_how_many_failures_end_a_try_of_all(tasks: int, enough: int) -> None:
    """As many as it has tasks; of a great one a dozen."""
    steps = []
    for count in (enough - 1, enough):
        failed = climbed(crash_loop(1, slots=count, start=NOW - T0 - 60))
        found = looked(Step.PROBING_ALL, seen(tasks), record=replace(dead(), fast=failed), desired_count=tasks)
        steps.append(of(found).step)
    assert steps == [Step.PROBING_ALL, Step.STOP_AGAIN]


def test_a_task_that_is_tried_serves_after_two_minutes() -> None:
    """Not at two minutes sharp; who has not started yet proves nothing."""
    tasks, quiet = (running_task(NOW - T0 - 120), running_task(None, last_status="PENDING")), replace(dead(), fast=())
    assert of(looked(Step.PROBING, seen(1, tasks=tasks), record=quiet)).step is Step.PROBING
    after = looked(Step.PROBING, seen(1, tasks=(running_task(NOW - T0 - 121),)))
    assert (of(after).step, of(after).why) == (Step.RESTORE_COUNT, "a task that was started to try it serves")


def test_a_try_is_over_only_when_it_was_made_and_nothing_failed() -> None:
    """A call that is still to be made is made first; one failure is no proof of health, however long ago."""
    quiet = replace(dead(), fast=())
    assert of(looked(Step.SET_ALL, seen(0), record=quiet, since=NOW - 9999)).step is Step.SET_ALL
    failed = replace(dead(), fast=climbed([task_failure(NOW - T0 - 1900, NOW - T0 - 1890)]))
    assert of(looked(Step.PROBING_ALL, seen(4), record=failed, since=NOW - 1900)).step is Step.PROBING_ALL
    over = looked(Step.PROBING_ALL, seen(4), record=quiet, since=NOW - 1801)
    assert of(over).why == "nothing failed for 30 minutes"


def test_a_deployment_during_a_try_ends_it_only_before_a_further_stop() -> None:
    """At 0 it would count as successful; else ECS rolls it out while we watch. A fix is said to be one."""
    quiet = replace(dead(), fast=())
    assert of(looked(Step.PROBING_ALL, seen(4, rollout=rollout()), record=quiet)).step is Step.PROBING_ALL
    ended = looked(Step.STOP_AGAIN, seen(4, rollout=rollout()))
    assert of(ended).why == "a deployment began while it was being tried"
    fixed = looked(Step.STOP_AGAIN, seen(4, rollout=rollout(), deployments=(deployment(task_definition="x/web:8"),)))
    assert of(fixed).why == "another task definition was deployed: web:8"


def test_who_wants_it_back_gets_it_back_during_a_try_too() -> None:
    """An operator's word, and a fix with a count of its own."""
    asked = looked(Step.PROBING, seen(1), record=replace(dead(), resume_asked=True))
    assert (of(asked).step, of(asked).why) == (Step.RESTORE_COUNT, "somebody asked for it")
    fixed = looked(Step.PROBING, seen(7, deployments=(deployment(task_definition="web:8"),)))
    assert (of(fixed).step, of(fixed).why) == (Step.RESTORE_SCALING, "another task definition was deployed: web:8")


# -- what somebody else did ---------------------------------------------------------------------------------


def test_a_count_is_believed_after_two_minutes_and_not_too_soon_after_our_own_call() -> None:
    """Two looks agree two minutes apart; for eleven minutes after our own call an answer may be from before it."""
    for since, believed in ((NOW - 1000, NOW + 120), (NOW, NOW + 660)):
        first = looked(Step.HELD, seen(4), since=since)
        assert (of(first).odd_at, of(first).lease_until, first.due_at) == (NOW, NOW, SOON)
        assert of(again(first, seen(4), at=believed - 1)).step is Step.HELD
        assert of(again(first, seen(4), at=believed)).step is Step.RESTORE_SCALING
    once = looked(Step.HELD, seen(4), since=NOW - 1000, odd_at=0.0)
    assert of(again(once, seen(0), at=NOW + 60)).odd_at == 0.0, "it was an old answer"


def test_an_odd_count_in_a_try_is_forgotten_with_the_next_good_look() -> None:
    """Two looks that agree must follow each other."""
    first = looked(Step.PROBING, seen(3))
    assert of(first).odd_at == NOW
    assert of(again(first, seen(1), at=NOW + 60)).odd_at == 0.0


def test_a_count_that_somebody_raised_is_told_as_theirs() -> None:
    """Held or tried: what we took is given back, and the count stays what they set."""
    for step in (Step.HELD, Step.PROBING):
        raised = looked(step, seen(7), since=NOW - 1000, odd_at=NOW - 120)
        assert of(raised).step is Step.RESTORE_SCALING
        assert of(raised).why.startswith("its desired count was set to 7, not by Loopbreaker")
    first = looked(Step.HELD, seen(1, scaling=None))
    assert (of(first).step, of(first).odd_at) == (Step.HELD, NOW), "one task is somebody's count as well"


def test_zero_in_the_middle_of_a_try_is_a_persons() -> None:
    """It stands; only flags that we suspended are said to stay, and the trip says nothing more of its own."""
    zero = looked(Step.PROBING, seen(0), since=NOW - 1000, odd_at=NOW - 120, why="something else")
    assert of(zero).step is Step.UNTAG
    stays = "; its scaling stays suspended, because giving it back would start tasks"
    assert told(to_the_end(zero)) == [("not-stopped", f"somebody set its count to 0 again{stays}")]
    plain = looked(Step.PROBING, seen(0, scaling=None), scaling=None, since=NOW - 1000, odd_at=NOW - 120)
    assert told(to_the_end(plain)) == [("not-stopped", "somebody set its count to 0 again")]


def test_the_minimum_lifts_what_is_below_it_and_nothing_else() -> None:
    """A target whose limits or flags were changed has set the count to its minimum: then it is tried."""
    for found in (seen(2, scaling=replace(SUSPENDED, minimum=2)), seen(1, scaling=FREE)):
        assert of(looked(Step.HELD, found)).step is Step.SET_ALL
    for found in (seen(1), seen(2), seen(4), seen(1, scaling=replace(SUSPENDED, minimum=2))):
        theirs = looked(Step.HELD, found)
        assert (of(theirs).step, of(theirs).odd_at) == (Step.HELD, NOW)


def test_whoever_deploys_a_fix_sets_the_count_too() -> None:
    """Also a count of one; at 0 the count from before comes back."""
    fix = (deployment(task_definition="web:8"),)
    for count, step in ((4, Step.RESTORE_SCALING), (1, Step.RESTORE_SCALING), (0, Step.RESTORE_COUNT)):
        scaling = replace(SUSPENDED, minimum=0)
        after = looked(Step.HELD, seen(count, scaling=scaling, deployments=fix), since=NOW - DAY)
        assert (of(after).step, of(after).why) == (step, "another task definition was deployed: web:8")
        assert told(after) == []


def test_the_one_task_of_a_try_is_not_a_persons_count() -> None:
    """It comes back with the count from before; two tasks are somebody's; of a service of one task one is all."""
    none = replace(SUSPENDED, minimum=0)
    assert of(looked(Step.RESTORE_COUNT, seen(1, scaling=none))).step is Step.RESTORE_COUNT
    assert of(looked(Step.RESTORE_COUNT, seen(2, scaling=none))).step is Step.RESTORE_SCALING
    assert of(looked(Step.RESTORE_COUNT, seen(1, scaling=none), desired_count=1, since=NOW - 660)).step is (
        Step.RESTORE_SCALING
    )


def test_a_target_that_somebody_registered_meanwhile_is_theirs() -> None:
    """We suspended nothing, so there is nothing to give back."""
    assert of(looked(Step.RESTORE_COUNT, seen(4, scaling=SUSPENDED), scaling=None, since=NOW - 660)).step is Step.UNTAG


def test_where_ecs_names_no_primary_deployment_nothing_is_taken_for_a_fix() -> None:
    """What is held stays so, what is tried goes on, what is being stopped is not; a rollback has ended."""
    assert of(looked(Step.HELD, seen(0, deployments=()), since=NOW)).step is Step.HELD
    assert of(looked(Step.PROBING, seen(1, deployments=()), record=replace(dead(), fast=()))).step is Step.PROBING
    given_up = looked(Step.TAG, seen(4, scaling=FREE, held=False, deployments=()), zeroed=False)
    assert (given_up.trip, told(given_up)) == (None, [CHANGED])
    fields: dict[str, Any] = {"service_deployment": rollout().arn, "zeroed": False, "scaling": None}
    assert told(looked(Step.STOP_DEPLOYMENT, facts(deployments=()), **fields)) == []


# -- a stop that is given up --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (seen(4, deployments=(deployment(id="ecs-svc/3"),)), [CHANGED]),
        (seen(4, rollout=rollout()), [CHANGED]),
        (seen(3), [CHANGED]),
        (seen(4, tasks=(running_task(-3600, health="HEALTHY"),)), [("not-stopped", "1 task serves")]),
        (seen(4, tags={"loopbreaker:action": "alert"}), []),
        (seen(4, tags={"loopbreaker:mute-until": "2999-01-01T00:00Z"}), []),
    ],
)
@pytest.mark.parametrize("step", [Step.TAG, Step.SUSPEND_SCALING, Step.READY, Step.SET_ZERO])
def test_why_a_stop_was_given_up_is_told_once_it_is_undone(step: Step, found: Facts, said: list[Any]) -> None:
    """Where its owner wants to know: not what they asked for themselves, and never that the service is back."""
    done = to_the_end(looked(step, found, zeroed=False))
    assert told(done) == said
    assert told(looked(Step.TAG, replace(found, tags=untagged(found), scaling=FREE), zeroed=False)) == said


def untagged(found: Facts) -> dict[str, str]:
    return {key: value for key, value in found.tags.items() if key not in HELD_TAG}


def test_a_stop_that_only_has_to_wait_says_nothing() -> None:
    """The newest failure is no longer fresh: it may be stopped later."""
    late = looked(Step.TAG, seen(4, held=False), at=LAST + 300, zeroed=False)
    assert (late.trip, told(late)) == (None, [])


def test_a_tag_that_somebody_took_away_keeps_no_flag_suspended() -> None:
    """Whatever we took is given back, each by itself."""
    serves = (running_task(-3600, health="HEALTHY"),)
    assert of(looked(Step.SET_ZERO, seen(4, held=False, tasks=serves))).step is Step.RESTORE_SCALING
    assert of(looked(Step.TAG, seen(4, scaling=FREE, tasks=serves), zeroed=False)).step is Step.UNTAG


def test_zero_in_a_deployment_is_undone_and_said() -> None:
    """Found by a look as by the answer itself."""
    looked_at = looked(Step.SET_ZERO, seen(0, rollout=rollout()))
    before = replace(dead(), trip=trip(Step.SET_ZERO))
    by_answer = after_call(before, of(before), deployment_id="ecs-svc/3", now=NOW)
    for record in (looked_at, by_answer):
        assert of(record).step is Step.RESTORE_COUNT
        assert told(to_the_end(record)) == [CHANGED]


# -- refusals -----------------------------------------------------------------------------------------------


def test_what_was_refused_before_anything_was_done_ends_at_once() -> None:
    """And the service is looked at again soon."""
    for step in (Step.TAG, Step.STOP_DEPLOYMENT):
        after = refused(step)
        assert (after.trip, after.due_at) == (None, SOON)
        assert told(after) == [("not-stopped", "AWS refused it (AccessDenied)")]


@pytest.mark.parametrize("step", [Step.SUSPEND_SCALING, Step.SET_ZERO, Step.STOP_AGAIN])
def test_a_stop_that_was_refused_is_undone_and_told_as_refused(step: Step) -> None:
    """In the end it is said that AWS refused, and not that the service is back."""
    after = refused(step)
    assert of(after).undo
    assert told(to_the_end(after)) == [("not-stopped", "AWS refused it (AccessDenied)")]
    assert of(refused(step, scaling=None)).step is (Step.RESTORE_COUNT if step is Step.STOP_AGAIN else Step.UNTAG)


@pytest.mark.parametrize("step", [Step.RESTORE_COUNT, Step.RESTORE_SCALING])
def test_a_way_back_that_is_refused_is_tried_again_after_five_minutes(step: Step) -> None:
    """By whoever looks then."""
    after = refused(step, lease_until=LEASED)
    assert (of(after).step, of(after).lease_until, after.due_at) == (step, NOW, NOW + 300)


# -- the way back -------------------------------------------------------------------------------------------


def test_a_way_back_is_stuck_when_it_has_lasted_a_quarter_of_an_hour() -> None:
    """Counted from its own beginning, not from the stop; it goes on all the same."""
    begun = looked(Step.HELD, seen(0), record=replace(dead(), resume_asked=True), since=NOW - DAY)
    assert (of(begun).step, of(begun).since, told(begun)) == (Step.RESTORE_COUNT, NOW, [])
    stuck = looked(Step.RESTORE_COUNT, seen(0), since=NOW - 900)
    assert told(stuck) == [("down", "its count could not be set for 15 minutes")]
    assert (of(stuck).lease_until, stuck.due_at) == (LEASED, LEASED)


def test_a_service_that_is_back_begins_anew() -> None:
    """Nothing of what failed before counts, by any ladder, and looking begins now."""
    failed = climbed(crash_loop(3))
    known = replace(dead(finding=None, looked_at=T0), slow=failed, impaired=(T0,), lived=(), touched_at=T0)
    done = answered(Step.UNTAG, record=known)
    assert (done.trip, done.slow, done.fast, done.impaired, done.touched_at, done.due_at) == (
        None,
        (),
        (),
        (),
        NOW,
        SOON,
    )
    assert done.incident is not None
    assert done.incident.looked_at == NOW


def test_a_service_that_was_never_at_zero_goes_on_as_it_was() -> None:
    """Its failures still count; only a new finding is asked for."""
    done = answered(Step.UNTAG, zeroed=False)
    assert done.fast == dead().fast
    assert done.incident == replace(dead().incident or pytest.fail("no incident"), finding=None)


# -- held ---------------------------------------------------------------------------------------------------


def test_a_held_service_is_looked_at_three_times_a_minute() -> None:
    """And at the moment when it is to be tried."""
    assert looked(Step.HELD, seen(0), since=NOW).due_at == SOON
    assert looked(Step.HELD, seen(0), since=NOW - 410, looping_since=NOW - 500).due_at == NOW + 10


def test_an_answer_ends_blindness_whatever_the_step() -> None:
    """It is counted anew when ECS falls silent again."""
    fields: dict[str, Any] = {"service_deployment": rollout().arn, "zeroed": False, "scaling": None}
    under_way = deploying(rollout=rollout(status="ROLLBACK_IN_PROGRESS"))
    after = looked(Step.ROLLING_BACK, under_way, blind_since=NOW - 100, **fields)
    assert of(after).blind_since == 0.0
    held = replace(dead(), trip=trip(Step.HELD, blind_since=NOW - 1200))
    assert told(blind(held, of(held), why="no", now=NOW)) == [("down", "ECS could not be asked for 20 minutes: no")]


# -- rolling back -------------------------------------------------------------------------------------------


def test_a_rollback_is_over_when_ecs_shows_it_no_more() -> None:
    """Another deployment is not ours; an old answer that shows it in progress begins nothing; looked at again soon."""
    fields: dict[str, Any] = {"service_deployment": rollout().arn, "zeroed": False, "scaling": None}
    other = rollout(arn="another", status="ROLLBACK_IN_PROGRESS")
    for found in (facts(), deploying(rollout=other), deploying()):
        over = looked(Step.ROLLING_BACK, found, **fields)
        assert (over.trip, over.due_at, over.fast, told(over)) == (None, SOON, (), [])


def test_only_failures_since_the_rollback_say_that_it_does_not_help() -> None:
    """Tasks that were created before belong to what is rolled back."""
    fields: dict[str, Any] = {"service_deployment": rollout().arn, "zeroed": False, "scaling": None}
    found = deploying(rollout=rollout(status="ROLLBACK_IN_PROGRESS"))
    three = climbed(crash_loop(3))
    last = three[-1].created_at
    record = replace(dead(), fast=three)
    said = [told(looked(Step.ROLLING_BACK, found, record=record, since=last + n, **fields)) for n in (0, 1)]
    assert [len(one) for one in said] == [1, 0]


# -- what a look rests on -----------------------------------------------------------------------------------


def test_each_return_of_the_last_day_doubles_the_wait() -> None:
    """Half an hour, an hour, two hours; what came back a day ago counts no more."""
    for trips, minutes in (((), 30), ((NOW - DAY + 1,), 60), ((NOW - 13 * 3600, NOW - 60), 120), ((NOW - DAY,), 30)):
        assert case(replace(dead(), trips=trips)).stop_after == minutes * 60


def test_the_causes_are_those_of_the_chain_and_of_the_incident() -> None:
    """A long-lived task that failed by the way is none."""
    chain = climbed([task_failure(0, 10, category=Category.ELB_HEALTH_CHECK)])
    old = climbed([task_failure(-9000, 10, category=Category.CONTAINER_HEALTH_CHECK)])
    assert case(replace(dead(), fast=chain)).causes == {Category.ELB_HEALTH_CHECK, Category.APP_CRASH}
    assert case(replace(dead(), fast=old)).causes == {Category.APP_CRASH}
    assert case(replace(dead(), fast=chain, incident=None)).causes == {Category.ELB_HEALTH_CHECK}


def test_nobody_is_taken_to_serve_where_ecs_does_not_answer() -> None:
    """What is unknown is no proof of anything."""
    blind_case: Case = case(dead(), Unknown("throttled"))
    assert (blind_case.serving, blind_case.wishes.action) == ((), Mode.ALERT)
