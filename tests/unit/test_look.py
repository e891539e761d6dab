"""Whole little stories: a loop is found, decided upon, and over."""

from dataclasses import dataclass, field, replace

import pytest

from loopbreaker.judging.detection import observe
from loopbreaker.model import ServiceRef, TaskFailure
from loopbreaker.policy import Mode
from loopbreaker.remembering.incident import Finding
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record, Verdict
from loopbreaker.remembering.trip import BreakerState, Scaling, Step
from loopbreaker.treating.case import Case, Limits
from loopbreaker.treating.decide import Action, Decision
from loopbreaker.treating.facts import Facts, RunningTask, Unknown
from loopbreaker.treating.look import Look, ask, consider, milestone, share
from loopbreaker.treating.steps import RECHECK
from tests.builders import (
    DEPLOYMENT,
    POLICY,
    SERVICE,
    T0,
    climbed,
    crash_loop,
    deployment,
    facts,
    looping,
    observed,
    running_task,
    task_failure,
    trip,
)
from tests.task_events import CLUSTER_ARN

SCALING = Scaling(minimum=1, dynamic_in_suspended=False, dynamic_out_suspended=False, scheduled_suspended=False)
SUSPENDED = replace(SCALING, dynamic_in_suspended=True, dynamic_out_suspended=True, scheduled_suspended=True)
UNKNOWN = Unknown("DescribeServices: ThrottlingException")
STOP = Limits(mode=Mode.STOP)
READY = looping(finding=Finding(at=T0, deployment_id=DEPLOYMENT, failed_at=T0))


@dataclass
class Story:
    """One service in time: what fails, and what `respond` sees when it looks."""

    record: Record = field(default_factory=lambda: Record(service=SERVICE))
    limits: Limits = STOP

    def fail(self, *failures: TaskFailure) -> Record:
        for failure in failures:
            self.record = observe(self.record, failures=[failure], policy=POLICY, now=failure.failed_at)
        return self.record

    def look(self, at: float, seen: Facts | Unknown) -> Decision | None:
        look = consider(Case(record=self.record, facts=seen, limits=self.limits, policy=POLICY, now=T0 + at))
        self.record = look.record
        return look.decision

    @property
    def told(self) -> list[NoticeKind]:
        return kinds(self.record)

    @property
    def asked_at(self) -> float | None:
        return None if self.record.asked_at is None else self.record.asked_at - T0

    @property
    def due(self) -> float | None:
        return None if self.record.due_at is None else self.record.due_at - T0


def look_at(record: Record, at: float, seen: Facts | Unknown, *, limits: Limits = STOP) -> Look:
    """One look, with nothing in the store."""
    return consider(Case(record=record, facts=seen, limits=limits, policy=POLICY, now=T0 + at))


def looked(record: Record, at: float, seen: Facts | Unknown, *, limits: Limits = STOP) -> tuple[Record, str | None]:
    """The record after one look, and the code of its decision."""
    look = look_at(record, at, seen, limits=limits)
    return look.record, look.decision.code if look.decision else None


def kinds(record: Record) -> list[NoticeKind]:
    return [notice.kind for notice in record.notices]


# -- found, decided, opened -------------------------------------------------------------------------------


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


def test_a_finding_that_is_contradicted_is_dropped() -> None:
    """A task that serves, or a deployment that is another, takes the first finding back."""
    other = facts(deployments=(deployment(id="ecs-svc/3"),))
    for seen, code in ((facts(tasks=(running_task(0),)), "serving"), (other, "depth")):
        after, found = looked(READY, 150, seen)
        assert after.incident is not None
        assert (found, after.incident.finding, after.trip) == (code, None, None)


def test_a_service_is_watched_again_once_its_owner_opts_in() -> None:
    """The tag is read at each look, and failures ask for a decision from then on."""
    after, code = looked(looping(watching=False), 150, facts())
    assert code == "first-finding"
    assert after.incident is not None
    assert after.incident.watching
    waiting, code = looked(looping(watching=False), 150, facts(deployments=(deployment(id="ecs-svc/3"),)))
    assert code == "depth"
    assert waiting.incident is not None
    assert waiting.incident.watching


# -- left alone -------------------------------------------------------------------------------------------


def test_each_reason_for_leaving_is_told_once() -> None:
    """Who opted in learns why nothing was done, once for each reason."""
    record = looping()
    serving, deploying = facts(tasks=(running_task(0),)), facts(deployments=(deployment(rollout="IN_PROGRESS"),))
    counts = []
    for at, seen in enumerate((serving, serving, deploying, serving, deploying)):
        record, _ = looked(record, 150 + at, seen)
        counts.append(len(record.notices))
    assert counts == [1, 1, 2, 2, 2]
    assert [notice.reason for notice in record.notices] == [
        "1 task serves",
        "a deployment is in progress that cannot be rolled back; before that deployment is 36 hours old somebody may "
        "wait for it, and it is not set to 0",
    ]
    assert set(kinds(record)) == {NoticeKind.NOT_STOPPED}
    assert record.incident is not None
    assert record.incident.told == ("serving", "deploying")


@pytest.mark.parametrize("action", [None, "alert", "ignore"])
def test_who_did_not_ask_is_not_told(action: str | None) -> None:
    """A service whose owner did not opt in gets no message that it was not stopped, and may opt in later."""
    after, _ = looked(looping(), 150, facts(action=action))
    assert after.incident is not None
    assert (after.notices, after.incident.told, after.incident.watching) == ((), (), False)
    assert after.due_at == T0 + 700


def test_a_final_reason_ends_the_watch() -> None:
    """A DAEMON service is told of once, and its failures ask for no other decision."""
    after, _ = looked(looping(), 150, facts(strategy="DAEMON"))
    assert after.incident is not None
    assert (kinds(after), after.incident.watching) == ([NoticeKind.NOT_STOPPED], False)


def test_a_tag_that_says_nothing_is_told_once() -> None:
    """The owner who mistyped a tag learns of it, word for word."""
    seen = facts(action="stopp")
    record, _ = looked(looping(), 150, seen)
    record, _ = looked(record, 210, seen)
    assert kinds(record) == [NoticeKind.BAD_TAG]
    assert record.notices[0].reason == (
        "tag loopbreaker:action is 'stopp', and has to be one of alert, rollback, stop, ignore"
    )


# -- silence ----------------------------------------------------------------------------------------------


def test_a_silent_loop_is_told_when_the_silence_ends() -> None:
    """The incident opens without a word; once the owner takes the silence back it is told, with what it is by then."""
    story = Story()
    story.fail(*crash_loop(3))
    story.look(71, facts(action="ignore"))
    assert story.record.incident is not None
    assert (story.record.verdict, story.told) == (Verdict.LOOPING, [])
    story.fail(crash_loop(4)[3])
    story.look(110, facts(action="ignore"))
    assert story.told == []
    story.look(170, facts(action=None))
    assert story.told == [NoticeKind.LOOPING]
    assert story.record.notices[0].reason == "replacements failed 4 times in a row"
    story.look(230, facts(action=None))
    assert story.told == [NoticeKind.LOOPING]


def test_ecs_that_does_not_answer_ends_no_silence() -> None:
    """What the tags say is then unknown."""
    after, _ = looked(looping(silent=True), 150, UNKNOWN)
    assert after.incident is not None
    assert (after.incident.silent, after.notices) == (True, ())


# -- over -------------------------------------------------------------------------------------------------

OLD = (running_task(-100, target_health="healthy"), running_task(0, health="HEALTHY"))
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
    at: float, tasks: tuple[RunningTask, ...], over: bool
) -> None:
    """Twice the longest gap and at least ten minutes without a failure, and as many old tasks as are desired."""
    look = look_at(looping(), at, facts(tasks=tasks))
    assert (look.record.incident is None) == over
    assert look.closed == ("no task failed for 10 minutes and all 2 tasks run" if over else "")
    if over:
        assert kinds(look.record) == [NoticeKind.RECOVERED]
        assert look.record.notices[0].reason == look.closed
        assert (look.record.history_until, look.record.verdict) == (T0 + at, Verdict.HEALTHY)
    else:
        assert NoticeKind.RECOVERED not in kinds(look.record)


def test_a_loop_that_is_heard_of_when_it_is_over_is_told_as_what_it_was() -> None:
    """Where its failures were delivered late: that it looped is told, and by the next look, soon after, that it is
    over."""
    late = observed(crash_loop(3))
    found = look_at(late, 7200, facts(tasks=OLD))
    assert kinds(found.record) == [NoticeKind.LOOPING]
    assert found.ended is None
    assert found.record.due_at == T0 + 7200 + RECHECK
    look = look_at(found.record, 7200 + RECHECK, facts(tasks=OLD))
    assert kinds(look.record) == [NoticeKind.LOOPING, NoticeKind.RECOVERED]
    assert look.ended is not None
    assert (look.ended.depth, look.record.incident) == (3, None)


def test_what_was_held_is_quiet_from_when_it_came_back() -> None:
    """At 0 nothing can fail: that no task has failed for a day proves nothing of a service that was held so long."""
    long_ago = replace(looping(), history_until=T0 + 86_400.0)
    fresh = tuple(running_task(86_400 + at) for at in (5, 10))
    assert look_at(long_ago, 86_400 + 500, facts(tasks=fresh)).ended is None
    look = look_at(replace(long_ago, trips=(T0 + 200,)), 86_400 + QUIET, facts(tasks=fresh))
    assert look.closed == "no task failed for 12 minutes and all 2 tasks run"


def test_what_was_learnt_of_a_flaky_service_outlives_the_incident() -> None:
    """The ladders are emptied, but not of the tasks that lived long: the next chain is judged with them in mind."""
    lived_long = task_failure(-90_000, -600)
    record = replace(looping(), fast=climbed([lived_long, *crash_loop(4)]), slow=climbed(crash_loop(4), POLICY.slow))
    after = look_at(record, QUIET, facts(tasks=OLD)).record
    assert [rung.failed_at for rung in after.fast] == [lived_long.failed_at]
    assert after.slow == ()


def test_a_service_of_one_task_recovers_in_its_own_words() -> None:
    """One task is not all tasks."""
    look = look_at(looping(), QUIET, facts(desired_count=1, tasks=OLD[:1]))
    assert look.closed == "no task failed for 10 minutes and its task runs"


def test_an_incident_that_lasts_is_looked_at_again() -> None:
    """When it may be quiet, then the rarer the longer that is; at least every ten minutes where a tag may matter."""
    story = Story(record=looping(), limits=Limits(mode=Mode.ALERT))
    story.look(150, facts())
    assert story.due == QUIET
    story.look(QUIET + 300, facts())
    assert story.due == QUIET + 300 + 300 / 6
    story = Story(record=looping(longest_gap=1620))
    story.look(150, facts(action=None))
    assert story.due == 750


def test_a_deleted_service_loops_no_more() -> None:
    """Also where it was deleted while we held it at 0."""
    for record in (looping(), looping(trip=trip())):
        look = look_at(record, 150, Facts(exists=False))
        after = look.record
        assert (after.incident, after.trip, after.breaker) == (None, None, BreakerState.CLOSED)
        assert look.closed == after.notices[-1].reason == "the service was deleted"


def test_a_service_set_to_0_by_somebody_loops_no_more() -> None:
    """Said as such, at once."""
    look = look_at(looping(), 150, facts(desired_count=0))
    assert look.closed == "somebody set its desired count to 0"
    assert look.record.verdict is Verdict.HEALTHY


def test_where_ecs_cannot_be_asked_an_hour_of_quiet_stands_for_it() -> None:
    """Not before, and not while we hold the service at 0."""
    blind = 100 + POLICY.blind_quiet_after
    assert looked(looping(), blind - 1, UNKNOWN)[0].incident is not None
    look = look_at(looping(), blind, UNKNOWN)
    assert look.record.incident is None
    assert look.closed == (
        "no task failed for 60 minutes; ECS could not be asked (DescribeServices: ThrottlingException)"
    )
    assert looked(looping(trip=trip()), blind, UNKNOWN)[0].incident is not None


def test_a_closed_incident_leaves_nothing_that_counts() -> None:
    """The next failure is a first one; the numbers of messages and the stops of the day go on."""
    story = Story(limits=Limits(mode=Mode.ALERT))
    story.fail(*crash_loop(5))
    story.look(131, facts())
    story.record = replace(story.record, trips=(T0 - 9,))
    story.look(150, facts(desired_count=0))
    assert story.record == Record(
        service=SERVICE,
        notices=story.record.notices,
        trips=(T0 - 9,),
        history_until=T0 + 150,
        touched_at=T0 + 150,
        past=story.record.past,
    )
    assert [notice.number for notice in story.record.notices] == [1, 2]
    story.fail(*crash_loop(2, start=1000))
    assert (story.record.suspicion, len(story.record.fast)) == (None, 2)


def test_a_silent_incident_ends_without_a_word() -> None:
    """Who asked for silence is not told of the end of what was not told; the incident is kept all the same."""
    look = look_at(looping(silent=True), 150, facts(action="ignore", desired_count=0))
    assert (look.record.incident, look.record.notices) == (None, ())
    assert look.closed == "somebody set its desired count to 0"


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
    assert story.look(190, UNKNOWN) is None
    decision = story.look(191, UNKNOWN)
    assert decision is not None
    assert (decision.action, decision.code) == (Action.LEAVE, "ecs-unknown")
    assert story.told == [NoticeKind.LOOPING, NoticeKind.NOT_STOPPED]


def test_an_owner_s_depth_holds_the_loop_back() -> None:
    """A service that is tagged with a depth of 5 is told of at its fifth generation."""
    story, loop = Story(), crash_loop(5)
    patient = replace(facts(), tags={"loopbreaker:depth": "5"})
    story.fail(*loop[:3])
    story.look(71, patient)
    assert (story.record.incident, story.record.extra_generations) == (None, 2)
    story.fail(*loop[3:])
    assert story.asked_at == 130
    story.look(131, patient)
    assert story.told == [NoticeKind.LOOPING]


# -- while we hold it -------------------------------------------------------------------------------------


HELD = looping(
    trip=trip(), finding=Finding(at=T0 + 131, deployment_id=DEPLOYMENT, failed_at=T0 + 131), impaired=(T0 + 90,)
)


def test_a_held_service_counts_its_stragglers() -> None:
    """Tasks that were on their way when it was stopped still fail, and are counted."""
    story = Story(record=HELD)
    story.fail(*crash_loop(3, start=200))
    story.look(300, facts(desired_count=0))
    assert story.record.incident is not None
    assert story.record.incident.failed_tasks == 7
    late = replace(HELD, incident=None)
    assert looked(late, 300, facts(desired_count=0))[0].trip == late.trip


def test_how_a_held_service_stands_is_said_before_anything_happens() -> None:
    """Its silence ends when a try is due: people read that it is held, and the next look tries it."""
    due = replace(HELD, trip=trip(since=T0 - 90_000, looping_since=T0 - 180_000))
    quiet = replace(due, incident=looping(silent=True).incident)
    said, _ = looked(quiet, 300, facts(desired_count=0))
    assert (kinds(said), said.due_at) == ([NoticeKind.LOOPING], T0 + 300 + RECHECK)
    assert said.trip is not None
    assert said.trip.step is Step.HELD
    tried, _ = looked(said, 320, facts(desired_count=0))
    assert tried.trip is not None
    assert tried.trip.step is not Step.HELD


def test_of_what_is_about_to_change_nobody_is_reminded() -> None:
    """A call that is refused for now may be made at any moment."""
    hour = 3600 + 500
    waits = replace(
        HELD, incident=looping(last_failure_at=T0 + hour).incident, trip=trip(step=Step.HELD, since=T0 + hour)
    )
    assert NoticeKind.STILL_LOOPING in kinds(looked(waits, hour, facts(desired_count=0))[0])
    calls = replace(waits, trip=trip(step=Step.SET_ONE, since=T0 + hour, desired_count=2))
    assert NoticeKind.STILL_LOOPING not in kinds(looked(calls, hour, facts(desired_count=0))[0])


# -- many at once -----------------------------------------------------------------------------------------


def services(number: int) -> tuple[ServiceRef, ...]:
    return tuple(ServiceRef(CLUSTER_ARN, f"s{n:02d}") for n in range(number))


FOUND = tell(looping(), NoticeKind.LOOPING, at=T0, reason="replacements failed 3 times in a row")


@pytest.mark.parametrize(
    ("number", "due"), [(0, 0), (5, 0), (6, 6), (7, 6), (11, 6), (12, 12), (23, 12), (24, 24), (30, 24), (200, 192)]
)
def test_a_summary_is_due_when_the_limit_is_passed_and_whenever_the_number_has_doubled(number: int, due: int) -> None:
    """However many began between two looks: no number is stepped over."""
    assert milestone(number, POLICY) == due


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("number", [5, 6, 40])
def test_many_services_that_begin_at_once_are_one_summary(number: int, first: bool) -> None:
    """Up to five are told one by one; of more, one record tells, and the others say nothing."""
    after = share(FOUND, services(number), number, first=first, policy=POLICY, now=T0)
    told = [NoticeKind.LOOPING] if number == 5 else [NoticeKind.MASS] if first else []
    assert kinds(after) == told
    assert after.incident
    assert FOUND.incident
    assert replace(after.incident, messages=(), told=()) == replace(FOUND.incident, messages=(), told=())
    assert [message.kind for message in after.incident.messages] == told


def test_a_summary_of_a_great_many_is_short() -> None:
    """It names ten, and says how many more there are."""
    after = share(FOUND, services(200), 4321, first=True, policy=POLICY, now=T0)
    assert after.notices[0].reason.endswith("prod/s08, prod/s09 and 4311 more")
    assert after.notices[0].services == 4321


def test_the_summary_names_them() -> None:
    """In order, with their clusters."""
    after = share(FOUND, tuple(reversed(services(6))), 6, first=True, policy=POLICY, now=T0)
    assert after.notices[0].reason == (
        "6 services began to loop within 30 minutes, so none is acted on: "
        "prod/s00, prod/s01, prod/s02, prod/s03, prod/s04, prod/s05"
    )
    assert after.notices[0].number == 1


def test_a_summary_replaces_only_the_message_of_the_loop() -> None:
    """A service that asked for silence gets none; what else was told stays."""
    silent = looping(silent=True)
    assert share(silent, services(6), 6, first=True, policy=POLICY, now=T0) is silent
    more = tell(FOUND, NoticeKind.BAD_TAG, at=T0, reason="a tag")
    shared = share(more, services(6), 6, first=True, policy=POLICY, now=FOUND.notices[-1].at)
    assert [notice.kind for notice in shared.notices] == [NoticeKind.BAD_TAG, NoticeKind.MASS]


# -- asking -----------------------------------------------------------------------------------------------


def test_asking_is_repeated_until_somebody_looks() -> None:
    """The sweep asks `respond`, and asks again a minute later if it did not come."""
    asked = ask(Record(service=SERVICE, touched_at=T0 + 50), now=T0 + 10)
    assert (asked.asked_at, asked.due_at, asked.touched_at) == (T0 + 10, T0 + 10 + RECHECK, T0 + 50)
    assert ask(asked, now=T0 + 99).touched_at == T0 + 99
