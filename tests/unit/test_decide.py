"""What to do about a loop: every rule, their order, and that nothing is stopped unless all of them agree."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopbreaker.decide import Action, Decision, decide
from loopbreaker.facts import Deployment, Facts, RunningTask, Unknown, survivors
from loopbreaker.policy import Mode
from loopbreaker.record import Finding, Incident, Signal
from tests.builders import DEPLOYMENT, OLDER_DEPLOYMENT, POLICY, T0, deployment, facts, incident, running_task

NOW = T0 + 200
FINDING = Finding(at=NOW - 60, deployment_id=DEPLOYMENT)


@dataclass(frozen=True)
class Case:
    """Everything that `decide` is told; by default a service that is to be stopped."""

    facts: Facts | Unknown = field(default_factory=facts)
    incident: Incident = field(default_factory=lambda: incident(finding=FINDING))
    mode: Mode = Mode.STOP

    def but(self, **changes: Any) -> "Case":
        """The case with some facts, or some of the incident, otherwise."""
        of_facts = {name: value for name, value in changes.items() if name in Facts.__slots__}
        of_incident = {name: value for name, value in changes.items() if name not in of_facts}
        assert isinstance(self.facts, Facts)
        return replace(self, facts=replace(self.facts, **of_facts), incident=replace(self.incident, **of_incident))

    def decide(self) -> Decision:
        return decide(self.facts, self.incident, mode=self.mode, policy=POLICY, now=NOW)


STOPPABLE = Case()


def test_a_service_that_meets_every_condition_is_stopped() -> None:
    """Opted in, fast loop, no deployment, no survivor, deep enough, two findings: stop, and say why."""
    decision = STOPPABLE.decide()
    assert (decision.action, decision.code) == (Action.STOP, "no-survivor")
    assert decision.reason == (
        "replacements failed 4 times in a row, no task serves, no deployment is in progress, "
        "and two findings at least 30 s apart agree"
    )


Change = Callable[[Case], Case]

# In the order in which the rules are asked. Each change alone keeps the stoppable service from being stopped.
RULES: list[tuple[str, Action, Change]] = [
    ("alert-only", Action.LEAVE, lambda case: replace(case, mode=Mode.ALERT)),
    ("not-opted-in", Action.LEAVE, lambda case: case.but(tags={})),
    ("daemon", Action.LEAVE, lambda case: case.but(strategy="DAEMON")),
    ("controller", Action.LEAVE, lambda case: case.but(controller="CODE_DEPLOY")),
    ("express", Action.LEAVE, lambda case: case.but(managed_by_ecs=True)),
    ("slow", Action.LEAVE, lambda case: case.but(signal=Signal.SLOW)),
    ("deploying", Action.LEAVE, lambda case: case.but(deployments=(deployment(rollout="IN_PROGRESS"),))),
    ("other-deployment", Action.LEAVE, lambda case: case.but(deployment_id=OLDER_DEPLOYMENT)),
    ("survivor", Action.LEAVE, lambda case: case.but(tasks=(running_task(0),))),
    ("depth", Action.WAIT, lambda case: case.but(depth=3)),
    ("first-finding", Action.WAIT, lambda case: case.but(finding=None)),
]


@pytest.mark.parametrize(("code", "action", "change"), RULES, ids=[code for code, _, _ in RULES])
def test_one_fact_otherwise_keeps_a_service_from_being_stopped(code: str, action: Action, change: Change) -> None:
    """Each rule decides by itself."""
    decision = change(STOPPABLE).decide()
    assert (decision.action, decision.code) == (action, code)


@pytest.mark.parametrize("position", range(len(RULES)))
def test_the_first_rule_that_applies_decides(position: int) -> None:
    """Whom never to touch comes before when not to; a rule is not hidden by those behind it."""
    case = STOPPABLE
    for _, _, change in RULES[position:]:
        case = change(case)
    assert case.decide().code == RULES[position][0]


@pytest.mark.parametrize(
    ("tag", "code", "asked_for"),
    [
        ("stop", "no-survivor", True),
        (" Stop ", "no-survivor", True),
        ("", "not-opted-in", False),
        ("alert", "not-opted-in", False),
        ("ignore", "ignored", False),
        ("rollback", "bad-tag", True),
        ("yes", "bad-tag", True),
    ],
)
def test_the_tag_is_the_owner_s_word(tag: str, code: str, asked_for: bool) -> None:
    """Only `stop` lets a service be stopped; a word without meaning is told, since somebody wanted something."""
    decision = STOPPABLE.but(tags={"loopbreaker:action": tag, "team": "stop"}).decide()
    assert (decision.code, decision.asked_for) == (code, asked_for)
    assert not decision.final


def test_a_service_without_tags_has_not_opted_in() -> None:
    """Tags that ECS did not send are no consent."""
    assert STOPPABLE.but(tags=None).decide().code == "not-opted-in"


def test_a_tag_without_meaning_is_shown() -> None:
    """The reason names the value that was found."""
    assert "'yes'" in STOPPABLE.but(tags={"loopbreaker:action": "yes"}).decide().reason


@pytest.mark.parametrize("controller", ["CODE_DEPLOY", "EXTERNAL"])
def test_other_controllers_keep_their_services(controller: str) -> None:
    """The reason names the controller, and nothing in this incident will change it."""
    decision = STOPPABLE.but(controller=controller).decide()
    assert (decision.code, decision.final, decision.asked_for) == ("controller", True, True)
    assert controller in decision.reason


@pytest.mark.parametrize(
    ("signal", "code"), [(Signal.SLOW, "slow"), (Signal.IMPAIRED, "impaired"), (Signal.PLACEMENT, "placement")]
)
def test_only_a_fast_loop_is_stopped(signal: Signal, code: str) -> None:
    """The other signals alert only, until the incident turns fast."""
    decision = STOPPABLE.but(signal=signal).decide()
    assert (decision.action, decision.code, decision.final) == (Action.LEAVE, code, False)


def test_ecs_that_could_not_be_asked_stops_nothing() -> None:
    """What is unknown never leads to action, and the reason says what went wrong."""
    decision = replace(STOPPABLE, facts=Unknown("DescribeServices: ThrottlingException")).decide()
    assert (decision.action, decision.code) == (Action.LEAVE, "ecs-unknown")
    assert "ThrottlingException" in decision.reason


@pytest.mark.parametrize("unknown", [True, False])
def test_an_installation_that_alerts_says_nothing_of_stopping(unknown: bool) -> None:
    """In mode alert every service is left alone quietly and for good, whatever ECS says."""
    case = replace(STOPPABLE, mode=Mode.ALERT, facts=Unknown("down") if unknown else facts())
    decision = case.decide()
    assert (decision.action, decision.code) == (Action.LEAVE, "alert-only")
    assert (decision.asked_for, decision.final) == (False, True)


@pytest.mark.parametrize(
    ("deployments", "code"),
    [
        ((deployment(rollout="COMPLETED"),), "no-survivor"),
        ((deployment(rollout="FAILED"),), "no-survivor"),
        ((deployment(rollout=""),), "no-survivor"),
        ((deployment(rollout="IN_PROGRESS"),), "deploying"),
        ((deployment(), deployment(id=OLDER_DEPLOYMENT, status="ACTIVE", rollout="IN_PROGRESS")), "deploying"),
        ((deployment(), deployment(id=OLDER_DEPLOYMENT, status="ACTIVE", running=1)), "older-deployment"),
        ((deployment(), deployment(id=OLDER_DEPLOYMENT, status="ACTIVE", running=0)), "no-survivor"),
        ((deployment(), deployment(id=OLDER_DEPLOYMENT, status="INACTIVE", running=1)), "no-survivor"),
        ((deployment(id=OLDER_DEPLOYMENT),), "other-deployment"),
        ((), "other-deployment"),
    ],
)
def test_deployments(deployments: tuple[Deployment, ...], code: str) -> None:
    """Nothing is stopped while anything is deployed, nor where the looping tasks are not the current ones."""
    assert STOPPABLE.but(deployments=deployments).decide().code == code


def test_a_looping_task_of_no_deployment_stops_nothing() -> None:
    """Where the failed task did not say whose it is, it is not of the current deployment."""
    assert STOPPABLE.but(deployment_id="").decide().code == "other-deployment"


@pytest.mark.parametrize(
    ("task", "serves"),
    [
        (running_task(79.9), True),
        (running_task(80), False),
        (running_task(0, health="HEALTHY"), True),
        (running_task(0, health="UNHEALTHY"), False),
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


@pytest.mark.parametrize(("desired_count", "needed"), [(1, 4), (9, 4), (10, 5), (100, 6)])
def test_stopping_needs_one_generation_more_than_alerting(desired_count: int, needed: int) -> None:
    """And large services need more, counted by their size as it is now."""
    case = STOPPABLE.but(desired_count=desired_count)
    assert case.but(depth=needed).decide().action is Action.STOP
    assert case.but(depth=needed - 1).decide().code == "depth"


@pytest.mark.parametrize(
    ("finding", "code"),
    [
        (None, "first-finding"),
        (Finding(at=NOW - 60, deployment_id=OLDER_DEPLOYMENT), "first-finding"),
        (Finding(at=NOW - 29.9, deployment_id=DEPLOYMENT), "second-finding"),
        (Finding(at=NOW - 30, deployment_id=DEPLOYMENT), "no-survivor"),
    ],
)
def test_two_findings_must_agree(finding: Finding | None, code: str) -> None:
    """The second comes at least 30 s after the first, of the same deployment."""
    assert STOPPABLE.but(finding=finding).decide().code == code


# -- all of it at once ------------------------------------------------------------------------------------


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """The value that lets a service be stopped, more often than the others together."""
    return st.sampled_from([usual] * (2 * len(others)) + list(others))


TASKS = st.builds(
    running_task,
    mostly(150, 50, None),
    last_status=mostly("RUNNING", "PENDING"),
    health=mostly("UNKNOWN", "HEALTHY", "UNHEALTHY"),
)
OLDER = st.builds(
    deployment,
    id=st.just(OLDER_DEPLOYMENT),
    status=st.sampled_from(["ACTIVE", "INACTIVE"]),
    running=st.integers(0, 1),
    rollout=mostly("COMPLETED", "IN_PROGRESS"),
)
PRIMARY = st.builds(deployment, rollout=mostly("COMPLETED", "FAILED", "", "IN_PROGRESS"))
CASES = st.builds(
    Case,
    mode=mostly(Mode.STOP, Mode.ALERT),
    facts=st.builds(
        facts,
        action=mostly("stop", "alert", "ignore", None, "rollback"),
        desired_count=st.sampled_from([1, 2, 10, 100]),
        strategy=mostly("REPLICA", "DAEMON"),
        controller=mostly("ECS", "CODE_DEPLOY", "EXTERNAL"),
        managed_by_ecs=mostly(False, True),
        deployments=st.tuples(PRIMARY) | st.tuples(PRIMARY, OLDER),
        tasks=st.lists(TASKS, max_size=2).map(tuple),
    )
    | st.just(Unknown("down")),
    incident=st.builds(
        incident,
        signal=mostly(Signal.FAST, Signal.SLOW, Signal.IMPAIRED, Signal.PLACEMENT),
        depth=mostly(6, 3, 4, 5),
        deployment_id=mostly(DEPLOYMENT, OLDER_DEPLOYMENT),
        longest_lifetime=mostly(10.0, 60.0),
        finding=mostly(FINDING, None, Finding(at=NOW - 10, deployment_id=DEPLOYMENT)),
    ),
)


def may_be_stopped(case: Case) -> bool:
    """Rule 4 of doing no harm, said once more and otherwise."""
    seen, loop = case.facts, case.incident
    if case.mode is not Mode.STOP or isinstance(seen, Unknown) or loop.signal is not Signal.FAST:
        return False
    if (seen.tags or {}).get("loopbreaker:action") != "stop":
        return False
    if (seen.strategy, seen.controller, seen.managed_by_ecs) != ("REPLICA", "ECS", False):
        return False
    if any(d.rollout == "IN_PROGRESS" or (d.status == "ACTIVE" and d.running) for d in seen.deployments):
        return False
    for task in seen.tasks:
        age = NOW - task.started_at if task.started_at is not None else 0
        if task.last_status == "RUNNING" and task.health != "UNHEALTHY" and age > max(120, 2 * loop.longest_lifetime):
            return False
    deep_enough = loop.depth >= 3 + len(str(seen.desired_count)) - 1 + 1
    agreed = loop.finding is not None and loop.finding.at <= NOW - 30
    return deep_enough and agreed and loop.deployment_id == DEPLOYMENT


@settings(deadline=None, max_examples=300)
@given(CASES)
def test_nothing_is_stopped_unless_everything_agrees(case: Case) -> None:
    """A service is stopped where all conditions hold, and only there."""
    assert (case.decide().action is Action.STOP) == may_be_stopped(case)
