"""What to do about a loop: every rule, their order, and that nothing is done unless all of them agree."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopbreaker.policy import Mode
from loopbreaker.record import Finding, Record, Signal
from loopbreaker.treating.decide import Action, Decision, Limits, decide
from loopbreaker.treating.facts import Deployment, Facts, RunningTask, Unknown, survivors
from tests.builders import (
    DEPLOYMENT,
    OLDER_DEPLOYMENT,
    POLICY,
    T0,
    climbed,
    crash_loop,
    deployment,
    facts,
    looping,
    rollout,
    running_task,
)

NOW = T0 + 200
FINDING = Finding(at=NOW - 60, deployment_id=DEPLOYMENT)


@dataclass(frozen=True)
class Case:
    """Everything that `decide` is told; by default a service that is to be stopped."""

    facts: Facts | Unknown = field(default_factory=facts)
    record: Record = field(default_factory=lambda: looping(finding=FINDING))
    limits: Limits = field(default_factory=lambda: Limits(mode=Mode.STOP))

    def but(self, **changes: Any) -> "Case":
        """The case with something otherwise: in the limits, the facts, the record or its incident."""
        case = self
        for name, value in changes.items():
            change = {name: value}
            loop = case.record.incident
            assert isinstance(case.facts, Facts)
            assert loop is not None
            if name in Limits.__slots__:
                case = replace(case, limits=replace(case.limits, **change))
            elif name in Facts.__slots__:
                case = replace(case, facts=replace(case.facts, **change))
            elif name in Record.__slots__:
                case = replace(case, record=replace(case.record, **change))
            else:
                case = replace(case, record=replace(case.record, incident=replace(loop, **change)))
        return case

    def tagged(self, **tags: str) -> "Case":
        """The case with other tags of ours; `_` stands for `-`."""
        return self.but(tags={f"loopbreaker:{name.replace('_', '-')}": value for name, value in tags.items()})

    def at_depth(self, depth: int) -> "Case":
        return self.but(fast=climbed(crash_loop(depth)))

    def decide(self) -> Decision:
        return decide(self.facts, self.record, limits=self.limits, policy=POLICY, now=NOW)


STOPPABLE = Case()
IN_PROGRESS = (deployment(rollout="IN_PROGRESS"),)
# A deployment whose tasks loop, in place of one that runs.
ROLLABLE = STOPPABLE.but(deployments=IN_PROGRESS, rollout=rollout())


def test_a_service_that_meets_every_condition_is_stopped() -> None:
    """Opted in, fast loop, no deployment, no survivor, deep enough, two findings: stop, and say why."""
    decision = STOPPABLE.decide()
    assert (decision.action, decision.code) == (Action.STOP, "no-survivor")
    assert decision.reason == (
        "replacements failed 4 times in a row, no task serves, no deployment is in progress, "
        "and two findings at least 30 s apart agree"
    )


def test_a_deployment_that_meets_every_condition_is_rolled_back() -> None:
    """Opted in, the looping tasks are of the deployment in progress, an earlier revision runs: roll back."""
    decision = ROLLABLE.decide()
    assert (decision.action, decision.code) == (Action.ROLLBACK, "roll-back")


Change = Callable[[Case], Case]

# In the order in which the rules are asked. Each change alone keeps the stoppable service from being stopped.
RULES: list[tuple[str, Action, Change]] = [
    ("alert-only", Action.LEAVE, lambda case: case.but(mode=Mode.ALERT)),
    ("silenced", Action.LEAVE, lambda case: case.tagged(action="stop", mute_until="2027-01-01")),
    ("not-opted-in", Action.LEAVE, lambda case: case.tagged()),
    ("out-of-scope", Action.LEAVE, lambda case: case.but(in_scope=False)),
    ("daemon", Action.LEAVE, lambda case: case.but(strategy="DAEMON")),
    ("controller", Action.LEAVE, lambda case: case.but(controller="CODE_DEPLOY")),
    ("express", Action.LEAVE, lambda case: case.but(managed_by_ecs=True)),
    ("mass", Action.LEAVE, lambda case: case.but(began=6)),
    ("slow", Action.LEAVE, lambda case: case.but(signal=Signal.SLOW)),
    ("depth", Action.WAIT, lambda case: case.at_depth(2)),
    ("trips", Action.LEAVE, lambda case: case.but(trips=(NOW - 9, NOW - 8, NOW - 7, NOW - 6))),
    ("deploying", Action.LEAVE, lambda case: case.but(deployments=IN_PROGRESS)),
    (
        "older-deployment",
        Action.LEAVE,
        lambda case: case.but(deployments=(deployment(id="ecs-svc/3", status="ACTIVE", running=1),)),
    ),
    ("other-deployment", Action.LEAVE, lambda case: case.but(deployment_id=OLDER_DEPLOYMENT)),
    ("survivor", Action.LEAVE, lambda case: case.but(tasks=(running_task(0),))),
    ("rollback-only", Action.LEAVE, lambda case: case.tagged(action="rollback")),
    ("first-finding", Action.WAIT, lambda case: case.but(finding=None)),
]
# Changes that set one and the same fact hide each other.
_HIDES = {"silenced": {"not-opted-in", "rollback-only"}, "not-opted-in": {"rollback-only"}}
_HIDES["deploying"] = {"older-deployment"}


@pytest.mark.parametrize(("code", "action", "change"), RULES, ids=[code for code, _, _ in RULES])
def test_one_fact_otherwise_keeps_a_service_from_being_stopped(code: str, action: Action, change: Change) -> None:
    """Each rule decides by itself."""
    decision = change(STOPPABLE).decide()
    assert (decision.action, decision.code) == (action, code)


@pytest.mark.parametrize("position", range(len(RULES)), ids=[code for code, _, _ in RULES])
def test_the_first_rule_that_applies_decides(position: int) -> None:
    """Whom never to touch comes before when not to; a rule is not hidden by those behind it."""
    first, case = RULES[position][0], STOPPABLE
    for code, _, change in RULES[position:]:
        if code not in _HIDES.get(first, set()):
            case = change(case)
    assert case.decide().code == first


# -- who asked --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "code", "asked_for"),
    [
        ("stop", "no-survivor", True),
        ("rollback", "rollback-only", True),
        ("", "not-opted-in", False),
        ("alert", "not-opted-in", False),
        ("ignore", "silenced", False),
        ("yes", "not-opted-in", False),
        ("STOP", "not-opted-in", False),
    ],
)
def test_the_tag_is_the_owner_s_word(tag: str, code: str, asked_for: bool) -> None:
    """Only `stop` lets a service be stopped; a word without meaning is no consent."""
    decision = STOPPABLE.tagged(action=tag).decide()
    assert (decision.code, decision.asked_for, decision.final) == (code, asked_for, False)


def test_a_service_without_tags_has_not_opted_in() -> None:
    """Nor has one whose tags are other people's."""
    assert STOPPABLE.but(tags={"action": "stop", "team": "stop"}).decide().code == "not-opted-in"


@pytest.mark.parametrize(
    ("mode", "tag", "deploying", "expected"),
    [
        (Mode.STOP, "stop", False, Action.STOP),
        (Mode.STOP, "stop", True, Action.ROLLBACK),
        (Mode.STOP, "rollback", True, Action.ROLLBACK),
        (Mode.STOP, "rollback", False, Action.LEAVE),
        (Mode.ROLLBACK, "stop", False, Action.LEAVE),
        (Mode.ROLLBACK, "stop", True, Action.ROLLBACK),
        (Mode.ALERT, "stop", False, Action.LEAVE),
        (Mode.ALERT, "stop", True, Action.LEAVE),
    ],
)
def test_the_lesser_of_installation_and_owner_counts(mode: Mode, tag: str, deploying: bool, expected: Action) -> None:
    """What either of them does not allow is not done."""
    case = ROLLABLE if deploying else STOPPABLE
    assert case.but(mode=mode).tagged(action=tag).decide().action is expected


@pytest.mark.parametrize("mode", Mode)
def test_ecs_that_could_not_be_asked_leads_to_nothing(mode: Mode) -> None:
    """What is unknown never leads to action; where action is allowed at all, people are told what went wrong."""
    why = Unknown("DescribeServices: ThrottlingException")
    decision = replace(STOPPABLE, facts=why, limits=Limits(mode=mode)).decide()
    assert (decision.action, decision.code) == (Action.LEAVE, "ecs-unknown")
    assert decision.asked_for == (mode is not Mode.ALERT)
    assert "ThrottlingException" in decision.reason


def test_an_installation_that_alerts_says_nothing_of_stopping() -> None:
    """In mode alert every service is left alone quietly."""
    assert not STOPPABLE.but(mode=Mode.ALERT).decide().asked_for


@pytest.mark.parametrize("controller", ["CODE_DEPLOY", "EXTERNAL"])
def test_other_controllers_keep_their_services(controller: str) -> None:
    """The reason names the controller, and no failure will change it."""
    decision = STOPPABLE.but(controller=controller).decide()
    assert (decision.code, decision.final, decision.asked_for) == ("controller", True, True)
    assert controller in decision.reason


@pytest.mark.parametrize("change", [{"strategy": "DAEMON"}, {"managed_by_ecs": True}])
def test_what_a_service_is_does_not_change(change: dict[str, Any]) -> None:
    """DAEMON and Express services are left alone for good."""
    assert STOPPABLE.but(**change).decide().final


# -- causes -----------------------------------------------------------------------------------------------


def test_more_services_than_the_limit_have_a_shared_cause() -> None:
    """Five that begin to loop at once are acted on, six are not; the reason says how many."""
    assert STOPPABLE.but(began=POLICY.mass_limit).decide().action is Action.STOP
    reason = STOPPABLE.but(began=POLICY.mass_limit + 1).decide().reason
    assert reason == "6 services began to loop within 10 minutes: the cause is a shared one"


@pytest.mark.parametrize(
    ("signal", "code"), [(Signal.SLOW, "slow"), (Signal.IMPAIRED, "impaired"), (Signal.PLACEMENT, "placement")]
)
def test_only_a_fast_loop_leads_to_action(signal: Signal, code: str) -> None:
    """The other signals alert only, until the incident turns fast."""
    for case in (STOPPABLE, ROLLABLE):
        decision = case.but(signal=signal).decide()
        assert (decision.action, decision.code, decision.final) == (Action.LEAVE, code, False)


def test_what_the_incident_has_seen_is_not_what_loops_now() -> None:
    """Generations count on the ladder, which is emptied when a service comes back, not in the incident."""
    assert STOPPABLE.but(depth=50, fast=()).decide().code == "depth"
    assert STOPPABLE.but(depth=1).decide().action is Action.STOP


@pytest.mark.parametrize(
    ("ages", "code"),
    [
        ((), "no-survivor"),
        ((1, 2, 3), "no-survivor"),
        ((1, 2, 3, 4), "trips"),
        ((1, 2, 3, 86_400), "no-survivor"),
        ((1, 2, 3, 86_399), "trips"),
    ],
)
def test_a_service_is_stopped_again_three_times_a_day(ages: tuple[float, ...], code: str) -> None:
    """Then a person decides, until the first stop is a day old."""
    assert STOPPABLE.but(trips=tuple(NOW - age for age in ages)).decide().code == code


# -- deployments ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deployments", "code"),
    [
        ((deployment(rollout="COMPLETED"),), "no-survivor"),
        ((deployment(rollout="FAILED"),), "no-survivor"),
        ((deployment(rollout=""),), "no-survivor"),
        ((deployment(), deployment(id=OLDER_DEPLOYMENT, status="ACTIVE", running=1)), "older-deployment"),
        ((deployment(), deployment(id=OLDER_DEPLOYMENT, status="ACTIVE", running=0)), "no-survivor"),
        ((deployment(), deployment(id=OLDER_DEPLOYMENT, status="INACTIVE", running=1)), "no-survivor"),
        ((deployment(), deployment(id=OLDER_DEPLOYMENT, status="ACTIVE", rollout="IN_PROGRESS")), "deploying"),
        ((deployment(id=OLDER_DEPLOYMENT),), "other-deployment"),
        ((), "other-deployment"),
    ],
)
def test_deployments(deployments: tuple[Deployment, ...], code: str) -> None:
    """Nothing is set to 0 while anything is deployed, nor where the looping tasks are not the current ones."""
    assert STOPPABLE.but(deployments=deployments).decide().code == code


@pytest.mark.parametrize("case", [STOPPABLE, ROLLABLE])
def test_a_looping_task_of_no_deployment_leads_to_nothing(case: Case) -> None:
    """Where the failed task did not say whose it is, it is not of the current deployment."""
    assert case.but(deployment_id="").decide().action is Action.LEAVE


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"deployment_id": OLDER_DEPLOYMENT}, "deploying"),
        ({"deployments": ()}, "deploying"),
        ({"rollout": None}, "deploying"),
        ({"rollout": rollout(sources=())}, "no-source"),
        ({"rollout": rollout(sources=(0,))}, "no-source"),
        ({"rollout": rollout(sources=(0, 1))}, "roll-back"),
        ({"rollout": rollout(breaker="MONITORING", failures=2, threshold=3)}, "ecs-breaker"),
        ({"rollout": rollout(breaker="MONITORING", failures=3, threshold=3)}, "roll-back"),
        ({"rollout": rollout(breaker="MONITORING_COMPLETE", failures=1, threshold=3)}, "roll-back"),
        ({"rollout": rollout(breaker="TRIGGERED", failures=1, threshold=3)}, "roll-back"),
        ({"rollout": rollout(status="PENDING")}, "deployment-ending"),
        ({"rollout": rollout(status="ROLLBACK_IN_PROGRESS")}, "deployment-ending"),
        ({"finding": None}, "first-finding"),
        ({"tasks": (running_task(0),)}, "roll-back"),
    ],
)
def test_a_deployment_in_progress(change: dict[str, Any], code: str) -> None:
    """It is rolled back, or left to ECS or to its end; whoever still serves is of the revision that comes back."""
    decision = ROLLABLE.but(**change).decide()
    assert decision.code == code
    assert decision.action is not Action.STOP


def test_a_deployment_is_never_set_to_0() -> None:
    """Where ECS names a service deployment, that is one in progress, whatever the list of deployments says."""
    assert STOPPABLE.but(rollout=rollout()).decide().action is Action.ROLLBACK


def test_the_reason_names_the_count_of_ecs_s_breaker() -> None:
    """People see how far it is."""
    case = ROLLABLE.but(rollout=rollout(breaker="MONITORING", failures=2, threshold=3))
    assert case.decide().reason == "ECS's own deployment circuit breaker counts 2 of 3 failures"


# -- what serves ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "serves"),
    [
        (running_task(79.9), True),
        (running_task(80), False),
        (running_task(0, health="HEALTHY"), True),
        (running_task(0, health="UNHEALTHY"), False),
        (running_task(0, target_health="healthy"), True),
        (running_task(0, target_health="unhealthy"), False),
        (running_task(0, target_health="initial"), False),
        (running_task(0, last_status="PENDING"), False),
        (running_task(None), False),
        (running_task(0, deployment_id=OLDER_DEPLOYMENT), True),
    ],
)
def test_a_survivor_is_running_not_unhealthy_and_old_enough(task: RunningTask, serves: bool) -> None:
    """After short lives a task is a survivor from two minutes on; being as old is not enough."""
    alive = survivors(facts(tasks=(task,)), longest_lifetime=10, survivor_age=POLICY.survivor_age, now=NOW)
    assert alive == ((task,) if serves else ())
    assert STOPPABLE.but(tasks=(task,)).decide().code == ("survivor" if serves else "no-survivor")


def test_a_survivor_has_lived_twice_as_long_as_any_that_failed() -> None:
    """After lives of 90 s a task of 180 s proves nothing yet."""
    case = STOPPABLE.but(longest_lifetime=90, tasks=(running_task(20),))
    assert case.decide().code == "no-survivor"
    assert case.but(tasks=(running_task(19),)).decide().code == "survivor"


def test_survivors_are_counted_in_words() -> None:
    """The reason says how many tasks still serve."""
    assert STOPPABLE.but(tasks=(running_task(0),)).decide().reason == "1 task still serves"
    assert STOPPABLE.but(tasks=(running_task(0), running_task(1))).decide().reason == "2 tasks still serve"


# -- once more --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("desired_count", "alert"), [(1, 3), (9, 3), (10, 4), (100, 5)])
def test_stopping_needs_one_generation_more_than_alerting(desired_count: int, alert: int) -> None:
    """A rollback does not: it harms nobody. Large services need more, counted by their size as it is now."""
    stop, back = (case.but(desired_count=desired_count) for case in (STOPPABLE, ROLLABLE))
    assert stop.at_depth(alert + 1).decide().action is Action.STOP
    assert stop.at_depth(alert).decide().code == "depth"
    assert back.at_depth(alert).decide().action is Action.ROLLBACK
    assert back.at_depth(alert - 1).decide().code == "depth"


def test_the_owner_may_ask_for_more_generations() -> None:
    """The tag counts where it is greater than what is needed anyway, for a rollback too."""
    for case in (STOPPABLE.tagged(action="stop", depth="7"), ROLLABLE.tagged(action="rollback", depth="7")):
        assert case.at_depth(6).decide().code == "depth"
        assert case.at_depth(7).decide().action in (Action.STOP, Action.ROLLBACK)
    assert STOPPABLE.tagged(action="stop", depth="2").at_depth(3).decide().code == "depth"


@pytest.mark.parametrize(
    ("finding", "code"),
    [
        (None, "first-finding"),
        (Finding(at=NOW - 60, deployment_id=OLDER_DEPLOYMENT), "first-finding"),
        (Finding(at=NOW - 29.9, deployment_id=DEPLOYMENT), "second-finding"),
        (Finding(at=NOW - 30, deployment_id=DEPLOYMENT), None),
    ],
)
def test_two_findings_must_agree(finding: Finding | None, code: str | None) -> None:
    """The second comes at least 30 s after the first, of the same deployment."""
    for case, done in ((STOPPABLE, "no-survivor"), (ROLLABLE, "roll-back")):
        assert case.but(finding=finding).decide().code == (code or done)


# -- all of it at once ------------------------------------------------------------------------------------


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """The value that lets a service be stopped, more often than the others together."""
    return st.sampled_from([usual] * (4 * len(others)) + list(others))


LADDERS = {depth: climbed(crash_loop(depth)) for depth in range(8)}
TASKS = st.builds(
    running_task,
    mostly(150, 50, None),
    last_status=mostly("RUNNING", "PENDING"),
    health=mostly("UNKNOWN", "HEALTHY", "UNHEALTHY"),
    target_health=mostly("", "healthy", "unhealthy"),
)
OLDER = st.builds(
    deployment,
    id=st.just(OLDER_DEPLOYMENT),
    status=st.sampled_from(["ACTIVE", "INACTIVE"]),
    running=st.integers(0, 1),
    rollout=mostly("COMPLETED", "IN_PROGRESS"),
)
PRIMARY = st.builds(deployment, rollout=mostly("COMPLETED", "FAILED", "", "IN_PROGRESS"))
ROLLOUTS = st.builds(
    rollout,
    status=mostly("IN_PROGRESS", "PENDING", "STOP_REQUESTED"),
    sources=mostly((2,), (), (0,)),
    breaker=mostly("DISABLED", "MONITORING"),
    failures=st.integers(0, 3),
    threshold=st.just(3),
)
CASES = st.builds(
    Case,
    limits=st.builds(
        Limits, mode=mostly(Mode.STOP, Mode.ALERT, Mode.ROLLBACK), in_scope=mostly(True, False), began=mostly(1, 5, 6)
    ),
    facts=st.builds(
        facts,
        action=mostly("stop", "alert", "ignore", None, "rollback"),
        desired_count=mostly(1, 2, 10, 100),
        strategy=mostly("REPLICA", "DAEMON"),
        controller=mostly("ECS", "CODE_DEPLOY", "EXTERNAL"),
        managed_by_ecs=mostly(False, True),
        deployments=st.tuples(PRIMARY) | st.tuples(PRIMARY, OLDER),
        rollout=st.none() | ROLLOUTS,
        tasks=st.lists(TASKS, max_size=2).map(tuple),
    )
    | st.just(Unknown("down")),
    record=st.builds(
        looping,
        signal=mostly(Signal.FAST, Signal.SLOW, Signal.IMPAIRED, Signal.PLACEMENT),
        fast=mostly(LADDERS[6], *LADDERS.values()),
        trips=mostly((), (NOW - 9, NOW - 8, NOW - 7, NOW - 6)),
        deployment_id=mostly(DEPLOYMENT, OLDER_DEPLOYMENT),
        longest_lifetime=mostly(10.0, 60.0),
        finding=mostly(FINDING, None, Finding(at=NOW - 10, deployment_id=DEPLOYMENT)),
    ),
)


def may_be_acted_on(case: Case) -> bool:
    """What both kinds of action ask for, said once more and otherwise."""
    seen, loop = case.facts, case.record.incident
    if isinstance(seen, Unknown) or loop is None or case.limits.mode is Mode.ALERT:
        return False
    if seen.tags.get("loopbreaker:action") not in ("stop", "rollback") or not case.limits.in_scope:
        return False
    if (seen.strategy, seen.controller, seen.managed_by_ecs) != ("REPLICA", "ECS", False):
        return False
    if case.limits.began > 5 or loop.signal is not Signal.FAST or case.record.trips:
        return False
    return loop.deployment_id == DEPLOYMENT and loop.finding is not None and loop.finding.at <= NOW - 30


def right(case: Case) -> Action | None:
    """The one action that is right; None where none is."""
    seen, loop = case.facts, case.record.incident
    if not may_be_acted_on(case) or isinstance(seen, Unknown) or loop is None:
        return None
    depth = max((rung.generation for rung in case.record.fast), default=0) - len(str(seen.desired_count)) + 1
    if seen.rollout or any(d.rollout == "IN_PROGRESS" for d in seen.deployments):
        way = seen.rollout
        idle = way is not None and (way.breaker != "MONITORING" or way.failures >= way.threshold)
        back = way is not None and way.status == "IN_PROGRESS" and any(way.sources) and idle
        return Action.ROLLBACK if back and depth >= 3 else None
    for task in seen.tasks:
        age = NOW - task.started_at if task.started_at is not None else 0
        healthy = task.health != "UNHEALTHY" and task.target_health != "unhealthy"
        if task.last_status == "RUNNING" and healthy and age > max(120, 2 * loop.longest_lifetime):
            return None
    older = any(d.status == "ACTIVE" and d.running for d in seen.deployments)
    wanted = case.limits.mode is Mode.STOP and seen.tags["loopbreaker:action"] == "stop"
    return Action.STOP if wanted and not older and depth >= 4 else None


@settings(deadline=None, max_examples=300)
@given(CASES)
def test_nothing_is_done_unless_everything_agrees(case: Case) -> None:
    """A service is stopped or rolled back where all conditions of that hold, and only there."""
    action = case.decide().action
    assert (action if action in (Action.STOP, Action.ROLLBACK) else None) == right(case)
