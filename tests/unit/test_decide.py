"""What to do about a loop: every reason to leave a service alone, and the only two in which something is done."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopbreaker.model import Category
from loopbreaker.policy import Mode
from loopbreaker.remembering.incident import Finding, Signal
from loopbreaker.remembering.record import Lived
from loopbreaker.treating.decide import Action, allowed, decide, fresh_for
from loopbreaker.treating.facts import Facts, Unknown
from tests.builders import (
    DEPLOYMENT,
    OLDER_DEPLOYMENT,
    POLICY,
    T0,
    climbed,
    crash_loop,
    deployment,
    facts,
    rollout,
    running_task,
)
from tests.unit.cases import GENERATIONS, LAST, NOW, PERIOD, case, dead, deploying

MINUTE = 60.0
OTHERS = climbed(
    [
        *crash_loop(GENERATIONS, lifetime=5, restart=PERIOD - 5),
        *crash_loop(GENERATIONS, lifetime=5, restart=PERIOD - 5, start=3, deployment_id=OLDER_DEPLOYMENT),
    ]
)


def said(*args: Any, **kwargs: Any) -> tuple[Action, str]:
    decision = decide(case(*args, **kwargs))
    return decision.action, decision.code


def serving(**fields: Any) -> Facts:
    """A task that runs, whatever is known of its health."""
    return facts(tasks=(running_task(NOW - T0 - 3600, **fields),))


def tagged(**tags: str) -> Facts:
    given_tags = {f"loopbreaker:{name.replace('_', '-')}": value for name, value in tags.items()}
    return facts(tags={"loopbreaker:action": "stop"} | given_tags)


def test_a_dead_service_is_stopped() -> None:
    """Nobody was served for half an hour, it still fails, and two looks agree: stop."""
    assert said() == (Action.STOP, "nobody-served")


def test_a_dead_deployment_beside_a_revision_that_serves_is_rolled_back() -> None:
    """While a deployment is in progress the only thing that is done is to take it back."""
    assert said(None, deploying()) == (Action.ROLLBACK, "roll-back")
    assert said(None, deploying(), mode=Mode.ROLLBACK) == (Action.ROLLBACK, "roll-back")


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Unknown("throttled"), "ecs-unknown"),
        (facts(action=None), "not-opted-in"),
        (facts(action="alert"), "not-opted-in"),
        (facts(action="ignore"), "silenced"),
        (facts(action="stop "), "not-opted-in"),
        (tagged(mute_until="2999-01-01T00:00Z"), "silenced"),
        (facts(strategy="DAEMON"), "daemon"),
        (facts(controller="CODE_DEPLOY"), "controller"),
        (facts(managed_by_ecs=True), "express"),
        (facts(deployments=()), "no-primary"),
        (facts(deployments=(deployment(rollout="IN_PROGRESS"),)), "deploying"),
        (facts(deployments=(deployment(), deployment(id="old", status="ACTIVE", running=1))), "older-deployment"),
        (facts(action="rollback"), "rollback-only"),
        (serving(), "serving"),
        (serving(health="HEALTHY"), "serving"),
        (serving(target_health="healthy"), "serving"),
        (serving(target_health="unused"), "serving"),
        (serving(target_health="unavailable"), "serving"),
        # The load balancer fails open, and ECS does not replace these tasks for their health.
        (serving(target_health="unhealthy"), "serving"),
        (serving(health="UNHEALTHY"), "serving"),
        (facts(tasks=(running_task(NOW - T0 - 61),)), "serving"),
    ],
)
def test_left_alone_for_what_ecs_says(seen: Facts | Unknown, code: str) -> None:
    """Each of these facts alone keeps a dead service from being stopped, and says why."""
    assert said(None, seen) == (Action.LEAVE, code)


@pytest.mark.parametrize(
    "seen",
    [
        facts(tasks=(running_task(NOW - T0 - 59),)),
        facts(tasks=(running_task(None),)),
        facts(tasks=(running_task(NOW - T0 - 3600, last_status="DEPROVISIONING"),)),
        facts(tasks=(running_task(NOW - T0 - 3600, target_health="initial"),)),
        facts(deployments=(deployment(), deployment(id="old", status="ACTIVE", running=0))),
        tagged(serving_after="2m"),
    ],
)
def test_what_serves_nobody_keeps_nobody(seen: Facts) -> None:
    """A task that has just started, or that the load balancer sends nothing, is no reason to go on."""
    assert said(None, seen)[0] is Action.STOP


@pytest.mark.parametrize(
    ("category", "fields"),
    [
        (Category.ELB_HEALTH_CHECK, {"target_health": "unhealthy"}),
        (Category.CONTAINER_HEALTH_CHECK, {"health": "UNHEALTHY"}),
        (Category.CONTAINER_HEALTH_CHECK, {"health": "UNKNOWN"}),
    ],
)
def test_bad_health_is_believed_where_ecs_replaces_for_it(category: Category, fields: dict[str, str]) -> None:
    """Tasks that ECS stops for failing this very check do not serve, however long they have run."""
    assert said(dead(category=category), serving(**fields))[0] is Action.STOP
    assert said(dead(category=category), serving(health="HEALTHY"))[1] == "serving"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"signal": Signal.SLOW}, "slow"),
        ({"signal": Signal.IMPAIRED}, "impaired"),
        ({"signal": Signal.PLACEMENT}, "placement"),
        ({"refused_until": NOW + 1}, "refused"),
        ({"lived": (Lived(NOW - 10 * MINUTE, 61.0, DEPLOYMENT),)}, "serves-between"),
        ({"trips": (NOW - 4, NOW - 3, NOW - 2, NOW - 1)}, "trips"),
    ],
)
def test_left_alone_for_what_is_remembered(fields: dict[str, Any], code: str) -> None:
    """Each of these in the record keeps a dead service from being stopped, and says why."""
    assert said(dead(**fields)) == (Action.LEAVE, code)


@pytest.mark.parametrize(
    "fields",
    [
        {"refused_until": NOW},
        {"lived": (Lived(NOW - 10 * MINUTE, 60.0, DEPLOYMENT),)},
        {"lived": (Lived(NOW - 31 * MINUTE, 900.0, DEPLOYMENT),)},
        {"trips": (NOW - 90_000, NOW - 90_001)},
    ],
)
def test_what_is_remembered_and_past(fields: dict[str, Any]) -> None:
    """What is over, or just within its bound, is no reason to leave a service looping."""
    assert said(dead(**fields))[0] is Action.STOP


def test_the_lesser_of_two_wishes_counts() -> None:
    """Neither the installation nor the owner can be talked into more than each allows."""
    assert allowed(case(None, facts(action="rollback"))) is Mode.ROLLBACK
    assert allowed(case(None, facts(action="stop"), mode=Mode.ROLLBACK)) is Mode.ROLLBACK
    assert allowed(case(None, facts(action="ignore"))) is Mode.ALERT
    assert said(mode=Mode.ALERT) == (Action.LEAVE, "alert-only")
    assert said(mode=Mode.ROLLBACK) == (Action.LEAVE, "rollback-only")
    assert said(in_scope=False) == (Action.LEAVE, "out-of-scope")


@pytest.mark.parametrize(("began", "action"), [(5, Action.STOP), (6, Action.LEAVE)])
def test_a_shared_cause(began: int, action: Action) -> None:
    """More services than the limit began to loop while stopping waits: none of them is stopped."""
    assert said(began=began)[0] is action
    assert "30 minutes" in decide(case(began=6)).reason
    assert "60 minutes" in decide(case(None, tagged(stop_after="1h"), began=6)).reason


@pytest.mark.parametrize(
    ("fields", "seen"),
    [
        ({"watched_since": NOW - 29 * MINUTE}, facts()),
        ({"unserved_since": NOW - 29 * MINUTE}, facts()),
        ({}, facts(deployments=(deployment(created_at=NOW - 29 * MINUTE),))),
        ({}, tagged(stop_after="40m")),
        ({"trips": (NOW - 7200,)}, facts()),
        ({"fast": climbed(crash_loop(20, lifetime=5, restart=55, start=LAST - T0 - 19 * 60 - 5))}, facts()),
    ],
)
def test_not_before_half_an_hour_without_anybody_served(fields: dict[str, Any], seen: Facts) -> None:
    """A look that was missed, somebody who was served, a new deployment, a young chain: each begins the wait anew."""
    assert said(dead(**fields), seen) == (Action.WAIT, "too-soon")


def test_the_owner_may_shorten_the_wait() -> None:
    """The tag `loopbreaker:stop-after` holds for this service alone."""
    assert said(dead(watched_since=NOW - 11 * MINUTE), tagged(stop_after="10m"))[0] is Action.STOP


@pytest.mark.parametrize("code", ["serving", "serves-between"])
def test_what_served_in_between_is_given_four_times_as_long(code: str) -> None:
    """Most lives end at once and some last: half an hour without one of those says little."""
    between = dead(told=(code,), watched_since=NOW - 3 * 3600)
    assert said(between) == (Action.WAIT, "too-soon")
    assert case(between).stop_after == 4 * case().stop_after == 7200


def test_a_service_that_somebody_set_to_0_is_theirs() -> None:
    """There is nothing to stop, and 0 would be the count with which it came back."""
    assert said(None, facts(desired_count=0)) == (Action.WAIT, "at-zero")


def test_a_loop_that_is_over_is_not_stopped() -> None:
    """No failure for two minutes: whatever was found before, it does not loop now."""
    assert said(now=LAST + 120)[0] is Action.STOP
    assert said(now=LAST + 121) == (Action.WAIT, "not-fresh")


def test_what_ecs_tells_late_is_fresh_for_as_much_longer() -> None:
    """Behind a load balancer a failure is five minutes old when it is told; from ten minutes on it is old news."""
    assert said(dead(late=300), now=LAST + 420)[0] is Action.STOP
    assert said(dead(late=300), now=LAST + 421) == (Action.WAIT, "not-fresh")
    assert said(dead(late=3600), now=LAST + 720)[0] is Action.STOP
    assert said(dead(late=3600), now=LAST + 721) == (Action.WAIT, "not-fresh")


def test_how_long_a_failure_is_fresh_goes_by_the_usual_gap() -> None:
    """Where failures come four minutes apart, eight minutes without one are needed to call it over."""
    rare = climbed(crash_loop(12, lifetime=40, restart=200))
    assert fresh_for(case(dead(fast=rare))) == 480
    assert fresh_for(case()) == 120


@pytest.mark.parametrize(
    ("finding", "code"),
    [
        (None, "first-finding"),
        (Finding(at=NOW - 600, deployment_id=OLDER_DEPLOYMENT, failed_at=T0), "first-finding"),
        (Finding(at=NOW - 29, deployment_id=DEPLOYMENT, failed_at=LAST - PERIOD), "second-finding"),
        (Finding(at=NOW - 600, deployment_id=DEPLOYMENT, failed_at=LAST), "second-finding"),
    ],
)
def test_two_findings_must_agree(finding: Finding | None, code: str) -> None:
    """The second one comes later, of the same deployment, and rests on a failure that the first did not know."""
    assert said(dead(finding=finding)) == (Action.WAIT, code)


def test_failures_of_an_older_deployment_do_not_count() -> None:
    """A fix that has failed once is not stopped for what the revision before it did."""
    older = climbed(
        [
            *crash_loop(GENERATIONS - 2, lifetime=5, restart=PERIOD - 5, deployment_id=OLDER_DEPLOYMENT),
            *crash_loop(1, lifetime=5, start=(GENERATIONS - 1) * PERIOD),
        ]
    )
    assert said(dead(fast=older)) == (Action.WAIT, "depth")
    assert said(None, tagged(depth="37")) == (Action.WAIT, "depth")
    assert said(None, tagged(depth="36"))[0] is Action.STOP


def test_a_larger_service_needs_more_failures_in_a_row() -> None:
    """One generation more from ten tasks on, as for the finding itself."""
    wide = replace(case().policy, fast=replace(case().policy.fast, replacement_gap=1000))
    three = climbed(crash_loop(3, lifetime=5, restart=900, start=LAST - T0 - 1815), wide.fast)
    four = climbed(crash_loop(4, lifetime=5, restart=600, start=LAST - T0 - 1820), wide.fast)
    assert said(dead(fast=three), policy=wide)[1] != "depth"
    assert said(dead(fast=three), facts(desired_count=10), policy=wide) == (Action.WAIT, "depth")
    assert said(dead(fast=four), facts(desired_count=10), policy=wide)[1] != "depth"


@pytest.mark.parametrize(
    ("fields", "seen", "code"),
    [
        ({}, deploying(rollout=rollout(status="ROLLBACK_IN_PROGRESS")), "deployment-ending"),
        ({}, deploying(rollout=rollout(sources=(0,))), "no-source"),
        ({}, deploying(rollout=rollout(sources=())), "no-source"),
        ({}, deploying(tasks=(running_task(NOW - T0 - 61),)), "target-serves"),
        ({"served_by": (DEPLOYMENT,)}, deploying(), "target-serves"),
        ({"lived": (Lived(NOW - 9000, 61.0, DEPLOYMENT),)}, deploying(), "target-serves"),
        ({}, deploying(tasks=()), "source-fails"),
        ({"fast": OTHERS}, deploying(), "source-fails"),
    ],
)
def test_a_rollback_that_would_be_wrong(fields: dict[str, Any], seen: Facts, code: str) -> None:
    """A deployment is not taken back where its tasks served, or where the earlier revision is no better."""
    assert said(dead(**fields), seen) == (Action.LEAVE, code)


_DAYS_OLD = NOW - 37 * 3600


def for_days(**fields: Any) -> Facts:
    """The dead revision has been in deployment for longer than anybody waits, and there is nothing to go back to."""
    known: dict[str, Any] = {
        "deployments": (deployment(rollout="IN_PROGRESS", created_at=_DAYS_OLD),),
        "rollout": rollout(sources=(), began_at=_DAYS_OLD),
    }
    return facts(**(known | fields))


@pytest.mark.parametrize(
    "seen",
    [
        for_days(),
        for_days(rollout=None),
        for_days(rollout=rollout(sources=(0,), began_at=_DAYS_OLD)),
        for_days(rollout=rollout(status="ROLLBACK_IN_PROGRESS", began_at=_DAYS_OLD)),
        for_days(rolls=False),
        for_days(
            deployments=(
                deployment(rollout="IN_PROGRESS", created_at=_DAYS_OLD),
                deployment(id=OLDER_DEPLOYMENT, status="ACTIVE", running=2),
            )
        ),
    ],
)
def test_a_deployment_that_nobody_waits_for_any_more(seen: Facts) -> None:
    """A deployment that never ends, with nothing to go back to, does not let a dead service loop for ever."""
    assert said(None, seen) == (Action.STOP, "nobody-served")
    assert "36 hours" in decide(case(None, seen)).reason
    only = replace(seen, tags={"loopbreaker:action": "rollback"})
    assert "cannot be rolled back, and only a rollback is allowed" in decide(case(None, only)).reason


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (for_days(deployments=(deployment(rollout="IN_PROGRESS", created_at=NOW - 35.9 * 3600),)), "no-source"),
        (for_days(rollout=rollout(sources=(), began_at=NOW - 35.9 * 3600)), "no-source"),
        (for_days(rollout=rollout(sources=())), "no-source"),
        (for_days(rolls=False, rollout=rollout(sources=(0,), began_at=_DAYS_OLD)), "no-source"),
        (for_days(rolls=False, rollout=None), "deploying"),
        (for_days(tasks=(running_task(NOW - T0 - 61),)), "serving"),
    ],
)
def test_a_deployment_that_somebody_may_wait_for(seen: Facts, code: str) -> None:
    """At 0 it would count as successful; and one that moves traffic may wait at a hook for as long as it likes."""
    assert said(None, seen) == (Action.LEAVE, code)


def test_how_long_a_deployment_is_waited_for_is_the_owners_to_say() -> None:
    """The tag `loopbreaker:abandoned-after` holds for this service alone, and the message says how long it will be."""
    young = for_days(
        deployments=(deployment(rollout="IN_PROGRESS", created_at=NOW - 3700),),
        rollout=rollout(sources=(), began_at=NOW - 3700),
    )
    assert "36 hours old" in decide(case(None, young)).reason
    hour = replace(young, tags={"loopbreaker:action": "stop", "loopbreaker:abandoned-after": "1h"})
    assert said(None, hour) == (Action.STOP, "nobody-served")
    later = replace(young, tags={"loopbreaker:action": "stop", "loopbreaker:abandoned-after": "90m"})
    assert "1.5 hours old" in decide(case(None, later)).reason
    only = replace(young, tags={"loopbreaker:action": "rollback"})
    assert "hours old" not in decide(case(None, only)).reason


@pytest.mark.parametrize(
    ("stack_waits", "hours", "stopped"),
    [(None, 6.1, False), (True, 6.1, False), (False, 5.9, False), (False, 6.1, True), (True, 36.1, True)],
)
def test_what_no_stack_waits_for_is_waited_for_by_a_pipeline_at_most(
    stack_waits: bool | None, hours: float, stopped: bool
) -> None:
    """Where CloudFormation says that it does not wait, six hours are enough; where it does not say, 36 are."""
    began = NOW - hours * 3600
    seen = for_days(
        deployments=(deployment(rollout="IN_PROGRESS", created_at=began),),
        rollout=rollout(sources=(), began_at=began),
        stack_waits=stack_waits,
    )
    said_so = decide(case(None, seen))
    assert (said_so.action is Action.STOP) is stopped
    assert ("6 hours" if stack_waits is False else "36 hours") in said_so.reason
    shorter = replace(POLICY, abandoned_after=3600)
    assert decide(case(None, seen, policy=shorter)).action is Action.STOP
    tagged = replace(seen, tags={"loopbreaker:action": "stop", "loopbreaker:abandoned-after": "48h"})
    assert "48 hours old" in decide(case(None, tagged)).reason


def test_an_old_deployment_beside_a_revision_that_serves_is_rolled_back() -> None:
    """However old it is, what helps is to take it back."""
    old = deploying(
        deployments=(
            deployment(rollout="IN_PROGRESS", created_at=_DAYS_OLD),
            deployment(id=OLDER_DEPLOYMENT, status="ACTIVE", running=1),
        ),
        rollout=rollout(began_at=_DAYS_OLD),
    )
    assert said(None, old) == (Action.ROLLBACK, "roll-back")


def test_ecs_own_breaker_has_its_turn_in_an_old_deployment_too() -> None:
    """While its count grows ECS may yet end the deployment by itself."""
    counting = rollout(began_at=_DAYS_OLD, breaker="MONITORING", failures=2, threshold=3)
    old = running_task(-9000, deployment_id=OLDER_DEPLOYMENT)
    assert said(dead(ecs_grew_at=NOW - 9), for_days(rollout=counting, tasks=(old,)))[1] == "ecs-breaker"


def test_a_rollback_waits_as_long_as_a_stop() -> None:
    """An outage at the time of a deployment is no fault of the deployment."""
    young = deploying(deployments=(deployment(rollout="IN_PROGRESS", created_at=NOW - 29 * MINUTE),))
    assert said(None, young) == (Action.WAIT, "too-soon")


def test_that_the_old_revision_serves_does_not_hold_a_rollback_up() -> None:
    """It is the very reason why rolling back helps."""
    assert said(dead(unserved_since=NOW, lived=(Lived(NOW - 60, 7200.0, OLDER_DEPLOYMENT),)), deploying())[0] is (
        Action.ROLLBACK
    )


@pytest.mark.parametrize(
    ("breaker", "failures", "grew", "action"),
    [
        ("MONITORING", 2, NOW - 599, Action.LEAVE),
        ("MONITORING", 2, NOW - 600, Action.ROLLBACK),
        ("MONITORING", 3, NOW - 1, Action.ROLLBACK),
        ("MONITORING", 0, NOW - 1, Action.ROLLBACK),
        ("MONITORING_COMPLETE", 2, NOW - 1, Action.ROLLBACK),
        ("DISABLED", 2, NOW - 1, Action.ROLLBACK),
    ],
)
def test_ecs_own_breaker_has_its_turn_while_it_counts(breaker: str, failures: int, grew: float, action: Action) -> None:
    """It never counts tasks that reach RUNNING: there nobody waits for it."""
    seen = deploying(rollout=rollout(breaker=breaker, failures=failures, threshold=3))
    assert said(dead(ecs_grew_at=grew), seen)[0] is action


def test_what_nobody_asked_for_is_not_worth_a_word() -> None:
    """People are told why nothing was done only where somebody asked for something to be done."""
    assert not decide(case(None, facts(action=None))).asked_for
    assert not decide(case(mode=Mode.ALERT)).asked_for
    assert not decide(case(None, Unknown("throttled"), mode=Mode.ALERT)).asked_for
    assert decide(case(None, Unknown("throttled"))).asked_for
    assert decide(case(None, serving())).asked_for
    assert decide(case(None, facts(strategy="DAEMON"))).final
    assert not decide(case(None, serving())).final


@given(
    age=st.floats(min_value=0, max_value=7200),
    health=st.sampled_from(["UNKNOWN", "HEALTHY"]),
    target=st.sampled_from(["", "healthy", "unused", "unavailable", "draining", "unhealthy"]),
)
def test_whoever_may_serve_is_not_stopped(age: float, health: str, target: str) -> None:
    """Whatever a task that has run for more than a minute looks like, its service is not set to 0."""
    seen = serving(started_at=NOW - 60.5 - age, health=health, target_health=target)
    assert said(None, seen)[0] is not Action.STOP
