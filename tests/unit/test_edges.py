"""One look, at the edge of each threshold: what is noted of who serves, when the next look comes, what people read."""

from dataclasses import replace
from typing import Any

import pytest

from loopbreaker.policy import Mode
from loopbreaker.remembering.history import NO_FAILURES, add
from loopbreaker.remembering.incident import Finding, Signal
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Lived, Record
from loopbreaker.remembering.trip import Step
from loopbreaker.treating.decide import Action, Decision, decide, fresh_for
from loopbreaker.treating.facts import Facts, Unknown
from loopbreaker.treating.look import consider, share
from loopbreaker.treating.remind import IN_SUMMARY
from tests.builders import (
    DEPLOYMENT,
    OLDER_DEPLOYMENT,
    POLICY,
    SERVICE,
    T0,
    climbed,
    crash_loop,
    deployment,
    facts,
    looping,
    observed,
    rollout,
    running_task,
    task_failure,
    trip,
)
from tests.unit.cases import GENERATIONS, LAST, NOW, PERIOD, case, dead, deploying

DAY = 86_400.0


def decided(*args: Any, **kwargs: Any) -> Decision:
    return decide(case(*args, **kwargs))


def looked(
    record: Record, seen: Facts | Unknown | None = None, *, at: float = NOW, mode: Mode = Mode.STOP, **limits: Any
) -> Record:
    return consider(case(record, seen, now=at, mode=mode, **limits)).record


def of(record: Record) -> Any:
    assert record.incident is not None
    return record.incident


def kinds(record: Record) -> list[NoticeKind]:
    return [notice.kind for notice in record.notices]


# -- decisions at their edges -------------------------------------------------------------------------------


def with_older(*times: float) -> Record:
    """The dead service, of whose older deployment tasks failed then, each the replacement of the one before."""
    older = [task_failure(at - T0 - 5, at - T0, deployment_id=OLDER_DEPLOYMENT) for at in times]
    return dead(fast=climbed([*crash_loop(GENERATIONS, lifetime=5, restart=PERIOD - 5), *older]))


def test_the_earlier_revision_fails_too_when_two_of_its_tasks_do_in_a_row() -> None:
    """Since the deployment was made: what failed before it was its reason."""
    made = NOW - 40 * 60
    seen = deploying(
        deployments=(
            deployment(rollout="IN_PROGRESS", created_at=made),
            deployment(id=OLDER_DEPLOYMENT, status="ACTIVE", running=1),
        )
    )
    assert decided(with_older(NOW - 120), seen).action is Action.ROLLBACK
    assert decided(with_older(NOW - 120, NOW - 60), seen).code == "source-fails"
    assert decided(with_older(made, made + 60), seen).code == "source-fails"
    assert decided(with_older(made - 60, made - 1), seen).action is Action.ROLLBACK


def test_ecs_breaker_has_counted_once() -> None:
    """One failure that it counts is enough for it to have its turn."""
    seen = deploying(rollout=rollout(breaker="MONITORING", failures=1, threshold=3))
    assert decided(dead(ecs_grew_at=NOW - 1), seen).code == "ecs-breaker"


@pytest.mark.parametrize("signal", [Signal.STORM, Signal.UNHEALTHY])
def test_who_serves_in_between_is_left_alone(signal: Signal) -> None:
    """A storm, and health checks that take long, are told and never acted on."""
    assert (decided(dead(signal=signal)).action, decided(dead(signal=signal)).code) == (Action.LEAVE, signal.value)


def test_what_can_never_be_acted_on_is_final() -> None:
    """No further failure is a reason to look again."""
    for seen in (facts(controller="CODE_DEPLOY"), facts(managed_by_ecs=True), facts(strategy="DAEMON")):
        assert decided(None, seen).final


def test_the_primary_deployment_runs_tasks_that_do_not_serve() -> None:
    """Only an older deployment that runs tasks keeps the service."""
    assert decided(None, facts(deployments=(deployment(running=2),))).action is Action.STOP


@pytest.mark.parametrize(("number", "words"), [(1, "1 task serves"), (2, "2 tasks serve")])
def test_how_many_serve_is_said(number: int, words: str) -> None:
    """In words for one and for several."""
    assert decided(None, facts(tasks=(running_task(0),) * number)).reason == words


def test_half_an_hour_is_half_an_hour() -> None:
    """At the moment itself it is long enough: since somebody was served, and since the loop began."""
    half = 1800.0
    assert decided(dead(unserved_since=NOW - half)).action is Action.STOP
    early = decided(dead(unserved_since=NOW - half + 60))
    assert (early.code, early.reason) == ("too-soon", "nobody was served for 29 of 30 minutes")
    assert decided(dead(lived=(Lived(NOW - half, 900.0, DEPLOYMENT),))).action is Action.STOP
    lived = (Lived(NOW - 60, 900.0, DEPLOYMENT),)
    assert decided(dead(lived=lived, watched_since=NOW - half)).code == "serves-between"
    assert decided(dead(lived=lived, watched_since=NOW - half + 1)).code == "too-soon"


def test_how_long_it_has_lasted_is_said_in_minutes() -> None:
    """Both where it is too soon and where it is time."""
    unserved = dead(unserved_since=NOW - 33 * 60)
    patient = facts()
    patient = replace(patient, tags={**patient.tags, "loopbreaker:stop-after": "10h"})
    assert decided(unserved, patient).reason == "nobody was served for 33 of 600 minutes"
    assert "nobody was served for 33 minutes" in decided(unserved).reason


def test_where_only_a_rollback_is_allowed_it_is_said_why_there_is_none() -> None:
    """Between two deployments there is nothing to go back to."""
    why = "no deployment is in progress, and only a rollback is allowed"
    assert decided(None, facts(action="rollback")).reason == why


def test_why_it_is_stopped_is_said_in_numbers() -> None:
    """How often, and for how long nobody was served."""
    assert decided().reason == (
        "replacements failed 36 times in a row, nobody was served for 35 minutes, and no deployment is in progress"
    )


@pytest.mark.parametrize(
    ("trips", "left"),
    [
        ((NOW - 3, NOW - 2, NOW - 1), True),
        ((NOW - DAY, NOW - 3, NOW - 2, NOW - 1), True),
        ((NOW - DAY + 1, NOW - 3, NOW - 2, NOW - 1), False),
        ((NOW - 90_003, NOW - 90_002, NOW - 90_001, NOW - 90_000), True),
    ],
)
def test_a_fourth_stop_within_a_day_is_for_a_person(trips: tuple[float, ...], left: bool) -> None:
    """Three that came back are tried again; a day later they are forgotten."""
    assert (decided(dead(trips=trips, watched_since=T0 - DAY, unserved_since=T0 - DAY)).code != "trips") is left


def test_the_second_finding_may_come_after_half_a_minute() -> None:
    """Thirty seconds are enough."""
    assert decided(dead(finding=Finding(NOW - 30, DEPLOYMENT, LAST - PERIOD))).action is Action.STOP


def test_where_nothing_failed_nothing_is_fresh() -> None:
    """A chain of one has no gap yet, and no chain has no depth."""
    assert fresh_for(case(dead(fast=climbed(crash_loop(1))))) == 120
    for nothing in (case(dead(fast=())), case(None, facts(deployments=()))):
        assert (nothing.own_depth, nothing.newest_own_failure, nothing.failing_since) == (0, 0.0, NOW)


def test_two_findings_lead_to_a_stop() -> None:
    """The first look notes one, a later failure makes the second, it stands while it is too soon, and then it acts."""
    early = dead(finding=None, unserved_since=NOW - 1700)
    first = consider(case(early))
    assert first.decision is not None
    assert (first.decision.code, of(first.record).finding) == ("first-finding", Finding(NOW, DEPLOYMENT, LAST))
    assert looked(first.record, at=NOW + 20).trip is None
    assert of(looked(first.record, at=NOW + 20)).finding == Finding(NOW, DEPLOYMENT, LAST), "no later failure yet"
    later = replace(first.record, fast=climbed(crash_loop(GENERATIONS + 1, lifetime=5, restart=PERIOD - 5)))
    soon = consider(case(later, now=NOW + 60))
    assert soon.decision is not None
    assert (soon.decision.code, of(soon.record).finding) == ("too-soon", Finding(NOW, DEPLOYMENT, LAST))
    assert looked(soon.record, at=NOW + 99).trip is None
    assert looked(soon.record, at=NOW + 100).trip is not None


# -- what a look notes --------------------------------------------------------------------------------------


def test_who_is_served_is_noted_at_each_look() -> None:
    """From then on the half hour is counted anew, and the deployment is known to have served."""
    seen = facts(tasks=(running_task(0, health="HEALTHY"),))
    after = of(looked(dead(served_by=("a", "b", "c", "d")), seen))
    assert (after.unserved_since, after.served_by, after.looked_at) == (NOW, ("b", "c", "d", DEPLOYMENT), NOW)
    nobody = of(looked(dead(served_by=("a",))))
    assert (nobody.unserved_since, nobody.served_by) == (T0 + 5, ("a",))


@pytest.mark.parametrize(("pause", "watched"), [(180, T0 + 5), (181, NOW)])
def test_a_long_pause_between_two_looks_proves_nothing(pause: float, watched: float) -> None:
    """After three minutes without a look it is not known whether somebody was served meanwhile."""
    assert of(looked(dead(looked_at=NOW - pause))).watched_since == watched


def test_a_look_that_ecs_did_not_answer_is_none() -> None:
    """The pause goes on."""
    assert of(looked(dead(), Unknown("throttled"))).looked_at == NOW - 30


@pytest.mark.parametrize(
    ("before", "now", "grew"),
    [(-1, 0, False), (-1, 1, True), (0, 0, False), (0, 1, True), (1, 1, False), (1, 2, True), (2, 0, False)],
)
def test_when_ecs_breaker_counted_is_noted(before: int, now: int, grew: bool) -> None:
    """Whenever its count is greater than at the last look; at the first look, when it is not 0."""
    seen = deploying(rollout=rollout(breaker="MONITORING", failures=now, threshold=3))
    after = of(looked(dead(ecs_failures=before), seen))
    assert (after.ecs_failures, after.ecs_grew_at) == (now, NOW if grew else 0.0)
    assert of(looked(dead(ecs_failures=before))).ecs_failures == -1, "no deployment, no count"


def test_how_many_tasks_are_wanted_is_noted() -> None:
    """As ECS says; where it does not answer, as it last said."""
    assert of(looked(dead(), facts(desired_count=7))).desired_count == 7
    assert of(looked(dead(), Unknown("throttled"))).desired_count == 2


def test_a_look_answers_the_wish_for_it() -> None:
    """Whatever it finds, and while we are at the service too: else it would be asked for with each save."""
    for record in (dead(), dead(trip=trip()), observed(crash_loop(3)), Record(service=SERVICE)):
        for seen in (facts(), Unknown("throttled")):
            wished = replace(record, asked_at=NOW - 1, due_at=NOW - 1)
            after = looked(wished, seen, mode=Mode.ALERT)
            assert after.asked_at is None
            assert after.due_at is None or after.due_at > NOW


def test_tasks_that_have_just_started_prove_nothing() -> None:
    """Forty that have not outlived the failed ones yet are no reason to wait for another generation."""
    for started, found in ((295.0, True), (15.0, False)):
        tasks = tuple(running_task(started, created_at=T0 + n) for n in range(40))
        assert (looked(observed(crash_loop(3)), facts(tasks=tasks), at=T0 + 300).incident is not None) is found


@pytest.mark.parametrize(
    ("fields", "found"),
    [({}, False), ({"health": "UNHEALTHY"}, True), ({"last_status": "PENDING"}, True), ({"started_at": None}, True)],
)
def test_tasks_that_run_well_may_make_a_chain_chance(fields: dict[str, Any], found: bool) -> None:
    """Where forty that started meanwhile run well, three that failed are no loop yet."""
    tasks = tuple(replace(running_task(n + 15.0, created_at=T0 + n), **fields) for n in range(40))
    after = looked(observed(crash_loop(3)), facts(tasks=tasks), at=T0 + 300)
    assert ((after.incident is not None), after.extra_generations) == (found, 0 if found else 1)


def test_a_loop_that_was_just_found_is_decided_upon_at_the_next_look() -> None:
    """Which follows at once: only then is it known how many others began with it. Who never acts need not ask."""
    found = observed(crash_loop(3))
    assert looked(found, at=T0 + 80).asked_at == T0 + 80
    assert looked(found, at=T0 + 80, mode=Mode.ALERT).asked_at is None


# -- when the next look comes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "due"),
    [(600, 600), (6000, 1000), (12_000, 1800), (90_000, 1800)],
)
def test_where_nothing_is_done_the_looks_become_rarer(age: float, due: float) -> None:
    """A sixth of its age, half an hour at most, and not before it could be over."""
    now = T0 + 100 + age
    record = looping(opened_at=now - age, last_failure_at=now, openings=(now,))
    assert looked(record, at=now, mode=Mode.ALERT).due_at == now + due
    quiet = looping(opened_at=now - age, last_failure_at=now - 600)
    assert looked(quiet, at=now, mode=Mode.ALERT).due_at == now + 20


def test_who_waits_to_act_looks_every_twenty_seconds() -> None:
    """But not where the chain is too short: the next failure asks."""
    assert looked(dead(finding=None)).due_at == NOW + 20
    short = looked(dead(fast=climbed(crash_loop(1, start=LAST - T0 - 20))))
    assert short.due_at == NOW + 590


# -- silence, tags, ends ------------------------------------------------------------------------------------


def test_while_it_is_held_the_owner_is_heard() -> None:
    """A tag that says nothing is told, and the channel that they ask for is noted."""
    seen = facts(
        desired_count=0, tags={"loopbreaker:action": "stop", "loopbreaker:channel": "C0123456", "loopbreaker:x": "y"}
    )
    held = replace(dead(), trip=trip(step=Step.HELD, since=NOW, looping_since=NOW))
    after = looked(held, seen)
    assert (kinds(after), of(after).channel) == ([NoticeKind.BAD_TAG], "C0123456")


def test_a_channel_is_known_as_long_as_ecs_does_not_answer() -> None:
    """What is unknown takes nothing away."""
    assert of(looked(dead(channel="C0123456"), Unknown("throttled"))).channel == "C0123456"


def test_tasks_of_an_older_deployment_end_no_loop_of_the_present_one() -> None:
    """Where another deployment has followed, its tasks do."""
    quiet = looping(deployment_id=DEPLOYMENT, last_failure_at=NOW - 900, desired_count=1)
    theirs = running_task(NOW - T0 - 600, deployment_id=OLDER_DEPLOYMENT)
    assert looked(quiet, facts(desired_count=1, tasks=(theirs,))).incident is not None
    other = facts(desired_count=1, tasks=(theirs,), deployments=(deployment(id=OLDER_DEPLOYMENT),))
    assert looked(quiet, other).incident is None


def test_healthy_tasks_of_an_older_deployment_prove_nothing_of_the_one_that_loops() -> None:
    """The new revision still fails to start behind them, however quiet it is."""
    quiet = looping(deployment_id=DEPLOYMENT, last_failure_at=NOW - 900, desired_count=1)
    theirs = running_task(NOW - T0 - 900, deployment_id=OLDER_DEPLOYMENT, health="HEALTHY")
    ours = replace(theirs, deployment_id=DEPLOYMENT)
    assert looked(quiet, facts(desired_count=1, tasks=(theirs,))).incident is not None
    assert looked(quiet, facts(desired_count=1, tasks=(ours,))).incident is None


@pytest.mark.parametrize(
    ("fields", "health", "over"),
    [
        ({}, "UNKNOWN", False),
        ({}, "HEALTHY", True),
        # That the deployment is another one cannot be known, and is not taken for a fix.
        ({"deployment_id": ""}, "UNKNOWN", False),
        ({"deployment_id": ""}, "HEALTHY", True),
        ({"deployment_id": OLDER_DEPLOYMENT}, "UNKNOWN", True),
        # It was tried before it came back.
        ({"trips": (T0 + 90,)}, "UNKNOWN", True),
        ({"trips": (T0 + 89,)}, "UNKNOWN", False),
    ],
)
def test_a_task_that_runs_has_to_be_well_unless_something_changed(
    fields: dict[str, Any], health: str, over: bool
) -> None:
    """What merely runs may hang; a fix, or a try of ours that went well, is proof enough."""
    quiet = looping(**({"deployment_id": DEPLOYMENT, "last_failure_at": NOW - 900, "desired_count": 1} | fields))
    seen = facts(desired_count=1, tasks=(running_task(NOW - T0 - 600, health=health),))
    assert (looked(quiet, seen).incident is None) is over


def test_a_loop_that_ends_by_design_falls_silent() -> None:
    """Whose last tasks ended with a code that its owner expects: what else is to be told waits."""
    ended = climbed(crash_loop(GENERATIONS, lifetime=5, restart=PERIOD - 5))
    by_design = add(NO_FAILURES, crash_loop(3, exit_code=0, start=LAST - T0 - 90), since=0.0)
    record = replace(dead(), fast=ended)
    record = replace(record, incident=replace(of(record), history=by_design))
    seen = facts()
    for tags, silent in (({}, False), ({"loopbreaker:expected-exit": "0"}, True)):
        assert of(looked(record, replace(seen, tags={**seen.tags, **tags}))).silent is silent


@pytest.mark.parametrize(
    ("fields", "over"),
    [
        ({}, True),
        ({"health": "UNHEALTHY"}, False),
        ({"last_status": "PENDING", "started_at": None}, False),
        ({"last_status": "PENDING", "started_at": None, "health": "UNHEALTHY"}, False),
    ],
)
def test_two_hours_of_quiet_end_it_where_a_task_runs(fields: dict[str, Any], over: bool) -> None:
    """One of two that are wanted; a task that is ill, or that does not run yet, is none."""
    task = replace(running_task(NOW - T0 - 10), **fields)
    quiet = looping(last_failure_at=NOW - 7200)
    assert (looked(quiet, facts(tasks=(task,))).incident is None) is over


def test_what_lived_long_is_known_in_both_ladders_after_the_end() -> None:
    """The next loop is judged with it in mind, a fast one as a slow one."""
    lived_long = task_failure(-90_000, -600)
    slow = climbed([lived_long, *crash_loop(4)], POLICY.slow)
    ended = looked(looping(slow=slow), facts(desired_count=0))
    assert ([rung.failed_at for rung in ended.slow], ended.past is not None) == ([lived_long.failed_at], True)


@pytest.mark.parametrize(("failures", "told"), [(2, []), (3, [NoticeKind.ROLLBACK_FAILED])])
def test_a_rollback_that_did_not_help_is_told(failures: int, told: list[NoticeKind]) -> None:
    """Once, when the revision that came back fails three times in a row; before, it may be chance."""
    chain = climbed(crash_loop(failures, start=LAST - T0 - 100))
    record = dead(rolled_back_at=NOW - 600, finding=None, fast=chain, watched_since=NOW)
    after = looked(record)
    assert kinds(after) == told
    assert kinds(looked(after, at=NOW + 20)) == told
    assert kinds(looked(replace(dead(finding=None), fast=chain))) == []
    assert NoticeKind.ROLLBACK_FAILED not in kinds(looked(record, Unknown("throttled")))


def test_what_outlives_a_loop_that_is_over() -> None:
    """What people were told of its tags; and of one that a summary stands for the end is the summary's to tell."""
    for told, kind in (((), [NoticeKind.RECOVERED]), ((IN_SUMMARY,), [])):
        ended = looked(looping(told=told, mistakes=("tag x",)), Facts(exists=False))
        assert (ended.mistakes, kinds(ended), ended.incident) == (("tag x",), kind, None)


# -- many at once -------------------------------------------------------------------------------------------


def test_ten_are_named_and_no_more_are_spoken_of() -> None:
    """Exactly ten leave nothing to count."""
    found = tell(looping(), NoticeKind.LOOPING, at=T0, reason="x")
    ten = tuple(replace(SERVICE, name=f"s{n}") for n in range(10))
    assert share(found, ten, 10, first=True, policy=POLICY, now=T0).notices[-1].reason.endswith("prod/s9")
    patient = replace(POLICY, mass_window=36_000.0)
    said = share(found, ten, 10, first=True, policy=patient, now=T0).notices[-1].reason
    assert said.startswith("10 services began to loop within 600 minutes")


def test_only_the_message_of_this_look_is_taken_back() -> None:
    """What was told of an earlier loop was sent already."""
    earlier = tell(looping(), NoticeKind.LOOPING, at=T0 - 60, reason="x")
    six = tuple(replace(SERVICE, name=f"s{n}") for n in range(6))
    assert share(earlier, six, 6, first=True, policy=POLICY, now=T0) is earlier
