"""Whole little stories: a loop is found, decided upon, and over."""

from dataclasses import dataclass, field, replace

import pytest

from loopbreaker.decide import Action, Decision
from loopbreaker.detection import Evidence, observe
from loopbreaker.facts import Facts, Unknown
from loopbreaker.model import TaskFailure
from loopbreaker.policy import Mode
from loopbreaker.record import BreakerState, Finding, NoticeKind, Record, Scaling, TripStep, Verdict
from loopbreaker.treatment import LEASE, RECHECK, ask, close, consider
from tests.builders import (
    DEPLOYMENT,
    OLDER_DEPLOYMENT,
    POLICY,
    SERVICE,
    T0,
    TASK_DEFINITION,
    crash_loop,
    deployment,
    evidence_of,
    facts,
    incident,
    looping,
    running_task,
    signal,
    trip,
)

SCALING = Scaling(
    minimum=1, maximum=4, dynamic_in_suspended=False, dynamic_out_suspended=False, scheduled_suspended=False
)
SUSPENDED = replace(SCALING, dynamic_in_suspended=True, dynamic_out_suspended=True, scheduled_suspended=True)
UNKNOWN = Unknown("DescribeServices: ThrottlingException")


@dataclass
class Story:
    """One service in time: what fails, and what `respond` sees when it looks."""

    record: Record = field(default_factory=lambda: Record(service=SERVICE))
    mode: Mode = Mode.STOP
    failed: list[TaskFailure] = field(default_factory=list)

    def fail(self, *failures: TaskFailure) -> Record:
        for failure in failures:
            self.failed.append(failure)
            self.record = observe(self.record, failures=[failure], policy=POLICY, now=failure.failed_at)
        return self.record

    def look(self, at: float, seen: Facts | Unknown) -> Decision | None:
        self.record, decision = consider(
            self.record, facts=seen, evidence=evidence_of(self.failed), mode=self.mode, policy=POLICY, now=T0 + at
        )
        return decision

    @property
    def told(self) -> list[NoticeKind]:
        return [notice.kind for notice in self.record.notices]

    @property
    def asked_at(self) -> float | None:
        return None if self.record.asked_at is None else self.record.asked_at - T0

    @property
    def due(self) -> float | None:
        return None if self.record.due_at is None else self.record.due_at - T0


def looked(record: Record, at: float, seen: Facts | Unknown, *, mode: Mode = Mode.STOP) -> tuple[Record, str | None]:
    """The record after one look, and the code of its decision."""
    after, decision = consider(record, facts=seen, evidence=Evidence(), mode=mode, policy=POLICY, now=T0 + at)
    return after, decision.code if decision else None


def kinds(record: Record) -> list[NoticeKind]:
    return [notice.kind for notice in record.notices]


# -- found, decided, opened -------------------------------------------------------------------------------


def test_a_loop_is_found_decided_twice_and_stopped() -> None:
    """Third failure: told. Fourth: first finding. Then the second: a trip opens, nothing is told yet."""
    story, loop = Story(), crash_loop(4)
    story.fail(*loop[:3])
    assert (story.asked_at, story.due) == (70, 190)

    decision = story.look(71, facts())
    assert decision is not None
    assert (decision.action, decision.code, story.told) == (Action.WAIT, "depth", [NoticeKind.LOOPING])
    assert (story.asked_at, story.due) == (None, 670)

    story.fail(loop[3])
    assert (story.asked_at, story.due) == (100, 700)
    decision = story.look(101, facts())
    assert decision is not None
    assert decision.code == "first-finding"
    assert story.record.incident is not None
    assert story.record.incident.finding == Finding(at=T0 + 101, deployment_id=DEPLOYMENT)
    assert story.due == 131

    decision = story.look(120, facts())
    assert decision is not None
    assert (decision.code, story.due, story.record.trip) == ("second-finding", 131, None)

    decision = story.look(131, facts())
    assert decision is not None
    assert decision.action is Action.STOP
    assert story.record.trip == trip(step=TripStep.SET_ZERO, started_at=T0 + 131, lease_until=T0 + 131 + LEASE)
    assert (story.due, story.told, story.record.breaker) == (131 + LEASE, [NoticeKind.LOOPING], BreakerState.CLOSED)


def test_the_incident_counts_what_the_store_knows() -> None:
    """Each look brings the number of failed tasks and the newest failure's evidence into the incident."""
    story = Story()
    story.fail(*crash_loop(3, slots=2, exit_code=137, container="app"))
    story.look(80, facts(desired_count=2))
    assert story.record.incident is not None
    assert (story.record.incident.failed_tasks, story.record.incident.container) == (6, "app")
    assert (story.record.incident.exit_code, story.record.incident.desired_count) == (137, 2)
    story.look(85, UNKNOWN)
    assert story.record.incident.desired_count == 2


@pytest.mark.parametrize(
    ("scaling", "step"),
    [(None, TripStep.SET_ZERO), (SCALING, TripStep.SUSPEND_SCALING), (SUSPENDED, TripStep.SET_ZERO)],
)
def test_a_trip_remembers_what_the_service_was(scaling: Scaling | None, step: TripStep) -> None:
    """Scaling is suspended first where there is any that is not; count, revision and scaling are saved."""
    ready = looping(finding=Finding(at=T0, deployment_id=DEPLOYMENT))
    after, _ = looked(ready, 150, facts(desired_count=3, scaling=scaling))
    expected = trip(step=step, started_at=T0 + 150, lease_until=T0 + 300, desired_count=3, scaling=scaling)
    assert after.trip == expected
    assert expected.task_definition == TASK_DEFINITION


def test_a_finding_of_another_deployment_starts_anew() -> None:
    """Where somebody deployed between two findings the second is a first one."""
    stale = Finding(at=T0, deployment_id=OLDER_DEPLOYMENT)
    after, code = looked(looping(finding=stale), 150, facts())
    assert code == "first-finding"
    assert after.incident is not None
    assert after.incident.finding == Finding(at=T0 + 150, deployment_id=DEPLOYMENT)


def test_a_finding_that_is_contradicted_is_dropped() -> None:
    """A survivor, or a service that has grown meanwhile, takes the first finding back."""
    ready = looping(finding=Finding(at=T0, deployment_id=DEPLOYMENT))
    for seen, code in ((facts(tasks=(running_task(0),)), "survivor"), (facts(desired_count=20), "depth")):
        after, found = looked(ready, 150, seen)
        assert after.incident is not None
        assert (found, after.incident.finding, after.trip) == (code, None, None)


@pytest.mark.parametrize("mode", Mode)
def test_only_the_mode_stop_opens_a_trip(mode: Mode) -> None:
    """In mode alert the same look ends in a message only, and no further look is asked for."""
    ready = looping(finding=Finding(at=T0, deployment_id=DEPLOYMENT))
    after, _ = looked(ready, 150, facts(), mode=mode)
    assert after.incident is not None
    assert bool(after.trip) == (mode is Mode.STOP)
    assert after.incident.watching == (mode is Mode.STOP)
    assert after.notices == ()


def test_a_service_that_is_not_watched_is_not_decided_upon() -> None:
    """What nothing can change is not decided again."""
    after, code = looked(looping(watching=False), 150, facts())
    assert code is None
    assert after.due_at == T0 + 700


# -- left alone -------------------------------------------------------------------------------------------


def test_each_reason_for_leaving_is_told_once() -> None:
    """Who opted in learns why nothing was done, once for each reason."""
    record = looping()
    serving, deploying = facts(tasks=(running_task(0),)), facts(deployments=(deployment(rollout="IN_PROGRESS"),))
    told = []
    for at, seen in enumerate((serving, serving, deploying, serving, deploying)):
        record, _ = looked(record, 150 + at, seen)
        told.append([notice.reason for notice in record.notices])
    assert [len(reasons) for reasons in told] == [1, 1, 2, 2, 2]
    assert told[-1] == [
        "1 task still serves",
        "a deployment is in progress, and at 0 it would count as successful",
    ]
    assert set(kinds(record)) == {NoticeKind.NOT_STOPPED}
    assert record.incident is not None
    assert record.incident.declined == ("survivor", "deploying")


@pytest.mark.parametrize("action", [None, "alert", "ignore"])
def test_who_did_not_ask_is_not_told(action: str | None) -> None:
    """A service whose owner did not opt in gets no message that it was not stopped, and may opt in later."""
    after, _ = looked(looping(), 150, facts(action=action))
    assert after.incident is not None
    assert (after.notices, after.incident.declined, after.incident.watching) == ((), (), True)


def test_a_final_reason_ends_the_watch() -> None:
    """A DAEMON service is told of once, and not decided upon again."""
    after, _ = looked(looping(), 150, facts(strategy="DAEMON"))
    assert after.incident is not None
    assert (kinds(after), after.incident.watching) == ([NoticeKind.NOT_STOPPED], False)


# -- over -------------------------------------------------------------------------------------------------

OLD = (running_task(-100), running_task(0, health="HEALTHY"))
QUIET = 100 + POLICY.quiet_after


@pytest.mark.parametrize(
    ("at", "tasks", "over"),
    [
        (QUIET, OLD, True),
        (QUIET - 1, OLD, False),
        (QUIET, OLD[:1], False),
        (QUIET, (OLD[0], running_task(0, health="UNHEALTHY")), False),
        (QUIET, (OLD[0], running_task(QUIET - 120)), False),
        (QUIET, (OLD[0], running_task(0, last_status="PENDING")), False),
        (QUIET, (), False),
    ],
)
def test_a_service_recovers_when_it_is_quiet_and_all_its_tasks_are_old_and_healthy(
    at: float, tasks: tuple[object, ...], over: bool
) -> None:
    """Twice the longest gap and at least ten minutes without a failure, and as many survivors as are desired."""
    after, _ = looked(looping(), at, facts(tasks=tasks))
    assert (after.incident is None) == over
    if over:
        assert after.notices[-1].reason == "no task failed for 10 minutes and all 2 tasks run"
        assert (kinds(after), after.closed_at) == ([NoticeKind.RECOVERED], T0 + at)
    else:
        assert NoticeKind.RECOVERED not in kinds(after)


def test_an_incident_that_lasts_is_looked_at_again() -> None:
    """When it may be quiet, and after that every minute."""
    assert looked(looping(), 150, facts())[0].due_at is not None
    story = Story(record=looping(watching=False))
    story.look(150, facts())
    assert story.due == QUIET
    story.look(QUIET + 300, facts())
    assert story.due == QUIET + 300 + RECHECK


def test_a_deleted_service_loops_no_more() -> None:
    """Also where it was deleted while we held it at 0."""
    for record in (looping(), looping(breaker=BreakerState.OPEN, trip=trip())):
        after, _ = looked(record, 150, Facts(exists=False))
        assert (after.incident, after.trip, after.breaker) == (None, None, BreakerState.CLOSED)
        assert after.notices[-1].reason == "the service was deleted"


def test_a_service_set_to_0_by_somebody_loops_no_more() -> None:
    """Said as such, at once."""
    after, _ = looked(looping(), 150, facts(desired_count=0))
    assert after.notices[-1].reason == "somebody set its desired count to 0"
    assert after.verdict is Verdict.HEALTHY


def test_where_ecs_cannot_be_asked_an_hour_of_quiet_stands_for_it() -> None:
    """Not before, and not while we hold the service at 0."""
    blind = 100 + POLICY.blind_quiet_after
    assert looked(looping(), blind - 1, UNKNOWN)[0].incident is not None
    after, _ = looked(looping(), blind, UNKNOWN)
    assert after.incident is None
    assert after.notices[-1].reason == (
        "no task failed for 60 minutes; ECS could not be asked (DescribeServices: ThrottlingException)"
    )
    assert looked(looping(breaker=BreakerState.OPEN, trip=trip()), blind, UNKNOWN)[0].incident is not None


def test_a_closed_incident_leaves_nothing_that_counts() -> None:
    """The next failure is a first one; the numbers of messages go on."""
    story = Story(mode=Mode.ALERT)
    story.fail(*crash_loop(5))
    story.look(131, facts())
    closed = close(story.record, reason="it is over", now=T0 + 900)
    assert closed == Record(
        service=SERVICE,
        version=story.record.version,
        notices=closed.notices,
        closed_at=T0 + 900,
        touched_at=T0 + 900,
    )
    assert [notice.number for notice in closed.notices] == [1, 2]
    story.record = closed
    story.fail(*crash_loop(2, start=1000))
    assert (story.record.suspicion, len(story.record.fast)) == (None, 2)


def test_a_suspicion_of_a_service_that_is_gone_is_dropped() -> None:
    """Nothing is told of a service that was deleted before anybody knew that it looped."""
    story = Story()
    story.fail(*crash_loop(3))
    assert story.look(71, Facts(exists=False)) is None
    assert (story.record.suspicion, story.record.incident, story.told, story.due) == (None, None, [], None)


def test_a_look_at_a_healthy_service_asks_for_no_other() -> None:
    """A question that turned out to be none leaves nothing due."""
    story = Story(record=Record(service=SERVICE, asked_at=T0, due_at=T0))
    assert story.look(10, facts()) is None
    assert (story.asked_at, story.due, story.record.touched_at) == (None, None, T0 + 10)


# -- blind ------------------------------------------------------------------------------------------------


def test_where_ecs_does_not_answer_a_loop_is_told_after_two_minutes() -> None:
    """First the record waits for an answer, then the base depth stands; nothing is stopped."""
    story = Story()
    story.fail(*crash_loop(3))
    assert story.look(71, UNKNOWN) is None
    assert (story.told, story.due) == ([], 190)
    decision = story.look(190, UNKNOWN)
    assert decision is not None
    assert (decision.action, decision.code) == (Action.LEAVE, "ecs-unknown")
    assert story.told == [NoticeKind.LOOPING, NoticeKind.NOT_STOPPED]


# -- while we hold it -------------------------------------------------------------------------------------


def held(**fields: object) -> Record:
    stopped = looping(breaker=BreakerState.OPEN, trip=trip(), finding=Finding(at=T0 + 131, deployment_id=DEPLOYMENT))
    return replace(stopped, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("seen", [facts(desired_count=0), UNKNOWN])
def test_a_service_that_we_hold_stays_held(seen: Facts | Unknown) -> None:
    """At 0, or not known to be otherwise, it is looked at again in a minute, and nothing is told."""
    after, code = looked(held(), 5000, seen)
    assert code is None
    assert (after.breaker, after.trip, after.notices) == (BreakerState.OPEN, trip(), ())
    assert after.due_at == T0 + 5000 + RECHECK
    assert after.incident == held().incident


def test_a_service_that_somebody_started_again_is_theirs() -> None:
    """We let go; and it is stopped again only where new replacements fail, never for what failed before."""
    story = Story(record=held())
    assert story.look(300, facts()) is None
    assert (story.record.breaker, story.record.trip, story.due) == (BreakerState.CLOSED, None, 300 + RECHECK)
    for at in (360, 420, 480):
        decision = story.look(at, facts(tasks=(running_task(295),)))
        assert decision is not None
        assert decision.action is not Action.STOP
    assert story.record.trip is None

    story.fail(*crash_loop(3, start=500))
    story.look(571, facts())
    assert story.record.incident is not None
    assert (story.record.incident.depth, story.record.incident.finding) == (3, None)
    story.fail(*crash_loop(1, start=590))
    story.look(601, facts())
    story.look(640, facts())
    assert story.record.trip is not None


def test_what_failed_before_somebody_started_it_again_is_history() -> None:
    """Late events of the tasks that we stopped put nothing on the ladder."""
    story = Story(record=held(fast=(), impaired=(T0 + 90, T0 + 95)))
    story.look(300, facts())
    late = crash_loop(8)
    assert story.fail(*late) is story.record
    assert story.record.fast == ()
    after = observe(story.record, signals=[signal(200)], policy=POLICY, now=T0 + 310)
    assert after is story.record


# -- asking -----------------------------------------------------------------------------------------------


def test_asking_is_repeated_until_somebody_looks() -> None:
    """The sweep asks `respond`, and asks again a minute later if it did not come."""
    asked = ask(Record(service=SERVICE, touched_at=T0 + 50), now=T0 + 10)
    assert (asked.asked_at, asked.due_at, asked.touched_at) == (T0 + 10, T0 + 10 + RECHECK, T0 + 50)
    assert ask(asked, now=T0 + 99).touched_at == T0 + 99


def test_incident_builder_is_a_loop_that_may_be_stopped() -> None:
    """The stories above start from an incident one generation above the alert."""
    assert incident().depth == POLICY.fast.depth + 1
