"""Worlds that an enemy would write, each lived with Loopbreaker and without: nobody who would be served is harmed.

The judge is `benchmarks/breaker/oracle.py`, which knows the simulation's own truth and none of our rules.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.breaker.judgement import Judgement
from benchmarks.breaker.kinds import KINDS
from benchmarks.breaker.oracle import judge
from benchmarks.breaker.stage import HOUR, Kind, Stage, World, grid
from benchmarks.breaker.summary import broken


def lived(kind: str, *, hours: float | None = None, seeds: int = 1, **case: Any) -> list[Judgement]:
    """What came of a kind of world of the benchmark, perhaps for a shorter time."""
    found = _kind(kind)
    chosen = replace(found, hours=hours or found.hours)
    return [judged for seed in range(1, seeds + 1) for judged in judge(World(chosen, case, seed))]


def _kind(name: str) -> Kind:
    return next(kind for kind in KINDS if kind.name == name)


def harmless(judgements: list[Judgement]) -> Iterator[Judgement]:
    """Each judgement, once it is sure that nothing was lost, nobody was late, nothing was left wrong, and
    that what people read was so.
    """
    for judged in judgements:
        assert judged.lost_before == 0, judged
        assert judged.late == 0, judged
        assert judged.wrong_rollbacks == 0, judged
        assert broken(judged) == [], judged
        assert judged.untrue == (), judged
        yield judged


def untouched(judgements: list[Judgement]) -> None:
    """Nothing was done to any of these services."""
    for judged in harmless(judgements):
        assert not judged.acted, judged


def spared(judgements: list[Judgement]) -> None:
    """Nothing was harmed, whatever was done."""
    assert list(harmless(judgements))


@pytest.mark.parametrize(
    ("kind", "case"),
    [
        ("a schedule sets 0 for the night", {"began": 3, "until": 11}),
        ("set to 0 and back by hand", {"minutes": 5, "pause": 45}),
        ("events redriven a day later", {"minutes": 90, "life": 150.0}),
    ],
    ids=str,
)
def test_what_people_read_is_so(kind: str, case: dict[str, Any]) -> None:
    """At 0 by another's hand, set back and forth, heard of a day late: no message says what is not so."""
    assert [judged.untrue for judged in lived(kind, seeds=2, **case)] == [(), ()]


def test_what_was_held_has_to_serve_before_it_is_well() -> None:
    """After a day at 0 the way back is open again: tasks that have just been started are no recovery."""
    (judged,) = judge(World(_kind("the way back is throttled for a day"), {}, seed=6))
    assert judged.untrue == ()


def test_out_of_memory_after_minutes() -> None:
    """Tasks that serve for 8 to 13 min before they are out of memory are never stopped."""
    untouched(lived("out of memory after 8 to 13 min each, 4 tasks", hours=2, seeds=3))


@pytest.mark.parametrize("case", grid(tasks=(1, 4), minutes=(10, 14)), ids=str)
def test_workers_that_recycle_themselves(case: dict[str, Any]) -> None:
    """Workers that end with exit code 0 after 10 or 14 min have served, and are never stopped."""
    untouched(lived("workers that recycle themselves (exit 0)", hours=2, **case))


@pytest.mark.parametrize("renewed", ["by a restart", "by a new revision", "by Spot", "by host retirement"])
def test_a_looping_slot_while_the_good_ones_are_renewed(renewed: str) -> None:
    """Three good tasks of four that are renewed at once are as good as before: the service is not stopped."""
    for life in (0.5, 30.0, 200.0):
        untouched(lived("one slot of 4 loops, the good ones are renewed", hours=2.5, renewed=renewed, life=life))


def test_a_fix_of_which_one_start_fails_once() -> None:
    """A fix is not rolled back to the revision that it mends, nor stopped, because one of its starts failed once."""
    for case in grid(tasks=(1, 4), after=(6, 20, 45)):
        spared(lived("a fix of which one start fails once", hours=3, **case))


@pytest.mark.parametrize("minutes", [2, 5, 10, 20, 28])
def test_a_short_outage(minutes: int) -> None:
    """An outage of up to 28 min, after hours of health, stops nobody, however many tasks there are."""
    for tasks in (1, 4, 20):
        untouched(lived("a dependency is away", hours=2, minutes=minutes, tasks=tasks))


@pytest.mark.parametrize("minutes", [45, 90, 120])
def test_a_long_outage(minutes: int) -> None:
    """Who was stopped in a long outage is back in a share of its length, without anybody's help."""
    for tasks in (2, 10):
        spared(lived("a dependency is away", hours=5.5, minutes=minutes, tasks=tasks))


def test_one_task_cannot_carry_the_load() -> None:
    """A service that lives only as a whole comes back as soon as one whose single task lives."""
    for tasks in (2, 10):
        spared(lived("one task alone cannot carry the load", hours=6, minutes=60, tasks=tasks))
    kind = next(k for k in KINDS if k.name == "the same, one task cannot carry the load")
    spared(judge(World(kind, {"after": 12, "tasks": 2}, 2)))


def test_a_loop_that_was_over_when_we_could_act() -> None:
    """After throttled reads, redriven events, a late opt-in or the end of a silence, nobody is stopped for the past."""
    for life in (3.0, 150.0):
        untouched(lived("reads are throttled during the loop", hours=3, minutes=40, life=life))
        untouched(lived("events redriven a day later", minutes=40, life=life))
        for what in ("opt-in", "mute"):
            untouched(lived("asked for action when the loop is over", hours=3, minutes=40, what=what, life=life))


def test_one_slot_of_a_deployment() -> None:
    """A deployment whose tasks serve, all but one slot, is not rolled back."""
    for tasks in (2, 10):
        untouched(lived("all new tasks but one serve, one slot loops", hours=2.5, tasks=tasks))


def test_an_operator_who_restarts_three_times() -> None:
    """Three restarts in a row, each with a start that fails once, are nobody's reason to act."""
    for tasks in (1, 4, 20):
        untouched(lived("restarted three times in a row by an operator", hours=2, tasks=tasks))


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_roll_outs_in_batches(share: float) -> None:
    """A good roll-out of 20 to 100 tasks is not rolled back because some of its starts fail once."""
    for tasks in (20, 100):
        spared(lived("batches of which some starts fail once", hours=2, tasks=tasks, share=share, maximum=125))


@pytest.mark.parametrize("says", ["unused", "unavailable", "unhealthy"])
def test_a_load_balancer_that_knows_nothing(says: str) -> None:
    """What a load balancer says of every target alike is no reason to stop tasks that run."""
    untouched(lived("a load balancer that knows nothing", hours=4, says=says))


@pytest.mark.parametrize("apart", [90, 130])
def test_one_cause_in_twenty_services(apart: int) -> None:
    """Twenty services that begin to loop one after another, of one cause, are all back in time when it is over."""
    spared(lived("20 services, one shared cause", hours=4.5, apart=apart, lasts=1))


def test_raised_by_hand_and_rolled_back() -> None:
    """A service that was stopped, raised by hand and rolled back has its scaling back in the end."""
    spared(lived("raised by hand, next revision rolled back"))


@pytest.mark.parametrize("scaling", [False, True], ids=["without scaling", "with scaling"])
@pytest.mark.parametrize(
    "when", ["before the stop", "while a suspend call is retried", "between two calls of the stop", "during a try"]
)
def test_a_person_sets_zero(when: str, scaling: bool) -> None:
    """A count of 0 that a person set stands, whenever it was set."""
    spared(lived("a person sets 0", hours=6, when=when, scaling=scaling))


def test_a_minimum_that_was_lowered() -> None:
    """A scaling minimum that was lowered between two stops stays lowered."""
    spared(lived("the minimum is lowered between two stops"))


def test_held_and_unreachable() -> None:
    """A service at 0 that cannot be asked about or brought back any more says so within the hour."""
    for kind in (
        "held, and reads are refused for good",
        "the way back is throttled for a day",
        "mode lowered while held",
    ):
        (judged,) = lived(kind, hours=8)
        assert broken(judged) == []


@pytest.mark.parametrize("then", ["a fix", "the dependency is back"])
def test_an_opt_in_that_is_removed(then: str) -> None:
    """A service that is held comes back in time though its owner took the opt-in away."""
    spared(lived("opt-in removed while held", then=then))


@pytest.mark.parametrize("what", ["UpdateService", "RegisterScalableTarget", "TagResource", "tag with a space"])
def test_refused_for_good(what: str) -> None:
    """What AWS refuses for good is told a few times in hours, and not tried for ever."""
    (judged,) = lived("refused for good", hours=5, what=what)
    assert list(harmless([judged]))
    assert sum(judged.messages.values()) <= 6
    assert judged.calls <= 12


def test_both_revisions_loop() -> None:
    """A rollback to a revision that loops too is not tried for ever, and its people know that it loops."""
    (judged,) = lived("both revisions loop", hours=4, tasks=2)
    assert judged.rollbacks <= 1
    assert judged.wrong_rollbacks == 0
    assert sum(judged.messages.values()) <= 8


@pytest.mark.parametrize(
    "case",
    [*grid(tasks=(1, 3), waits=(1,), strategy=("",)), {"tasks": 2, "waits": 1, "strategy": "BLUE_GREEN"}],
    ids=str,
)
def test_a_deployment_that_never_ends(case: dict[str, Any]) -> None:
    """A new service of which no task ever serves is stopped, but not while somebody waits for its deployment."""
    for judged in harmless(lived("a first deployment that never ends", hours=9, **case)):
        assert judged.acted
        assert judged.restarts < judged.restarts_without / 4
    untouched(lived("a first deployment that never ends", hours=3, **(case | {"waits": 36})))


@pytest.mark.parametrize("old", ["gone", "loops"])
def test_nothing_is_left_to_roll_back_to(old: str) -> None:
    """Where the old revision serves nobody either, a deployment that never ends does not keep a service looping."""
    for judged in harmless(lived("nothing is left to roll back to", hours=9, old=old)):
        assert judged.acted
        assert judged.rollbacks == 0


def test_a_first_deployment_that_ends_late() -> None:
    """Held in its first deployment, a service comes back by itself when what it needs is there, or with a fix."""
    for tasks in (1, 3):
        spared(lived("a first deployment that fails for hours", hours=9, after=2, tasks=tasks, scaling=True))
    spared(lived("a first deployment, then a fix", hours=6, after=2))


def test_a_hook_at_which_a_deployment_waits() -> None:
    """A deployment that moves traffic is never taken for abandoned, however long it has waited at its hook."""
    untouched(lived("a hook waits, then all tasks die", minutes=60))


def test_a_deployment_that_turns_green_is_seen() -> None:
    """The judge sees a failing deployment that is called successful through us while somebody waits for it."""
    kind = next(k for k in KINDS if k.name == "a first deployment that never ends")

    def impatient(stage: Stage) -> None:
        kind.script(stage, tasks=1, waits=1, strategy="")
        stage.waits = 36 * HOUR

    (judged,) = judge(World(replace(kind, script=impatient, hours=3), {}, 1))
    assert broken(judged) == ["a failing deployment called successful"]


def test_one_unreadable_record() -> None:
    """A record that cannot be read is no reason to leave the other services at 0."""
    others = [judged for judged in lived("one unreadable record") if judged.service != "web-0"]
    assert all(judged.acted for judged in harmless(others))


@pytest.mark.parametrize("what", ["a loop", "a deployment", "an Express service"])
def test_an_sdk_that_is_too_old(what: str) -> None:
    """Where the SDK drops fields that a decision needs nothing is done, and people are told why."""
    (judged,) = lived("an SDK that is too old", what=what)
    untouched([judged])
    assert judged.messages["not-stopped"] == 1


def test_a_deleted_target_group() -> None:
    """Tags and count are known all the same: who serves is left alone, who is dead is stopped and comes back."""
    untouched(lived("a deleted target group", all_loop=False))
    judged = lived("a deleted target group", all_loop=True)
    spared(judged)
    assert judged[0].acted


@pytest.mark.parametrize("life", [15.0, 45.0])
def test_workers_that_drain_a_queue(life: float) -> None:
    """Workers that end with exit code 0 within the minute did their work, and are never stopped."""
    untouched(lived("workers that drain a queue and end", hours=3, tasks=1, life=life))


def test_a_schedule_while_it_is_held() -> None:
    """A scheduled action that falls into a hold is not lost: 0 for the night stands, and more tasks come back."""
    spared(lived("a schedule sets 0 for the night", hours=12, began=3, until=6))
    spared(lived("a schedule asks for more while held", hours=9, at=2.5))


def test_a_count_that_is_the_minimum() -> None:
    """Somebody who sets the count to the minimum of the scaling target while it is held means that count."""
    spared(lived("set to its scaling minimum", hours=7, minutes=60))


def test_answers_of_ten_minutes_ago() -> None:
    """Not even then a service is left at 0, or its scaling suspended."""
    for seed in (1, 3):
        found = next(k for k in KINDS if k.name == "very old answers")
        spared(judge(World(found, {"age": 600.0, "then": "fixed"}, seed)))


def test_two_installations() -> None:
    """Two installations that act on the same service bring it back all the same."""
    spared(lived("installed twice", minutes=40, scaling=True))


def test_ecs_own_breaker_that_counts_nothing() -> None:
    """A bad roll-out is rolled back although ECS's own breaker is on, which does not count what reached RUNNING."""
    for tasks in (1, 4):
        for judged in harmless(lived("a bad roll-out, ECS's own breaker on", tasks=tasks, life=3.0)):
            assert judged.rollbacks == 1
            assert judged.restarts < judged.restarts_without / 2


@pytest.mark.parametrize("case", grid(tasks=(2,), life=(0.5, 45.0)), ids=str)
def test_a_dead_loop_is_stopped(case: dict[str, Any]) -> None:
    """Of the restarts of a loop in which nobody is ever served 95 % do not happen, over a day."""
    for judged in harmless(lived("dead for 24 hours", scaling=True, **case)):
        assert judged.restarts <= 0.05 * judged.restarts_without


def test_a_dead_loop_of_one_task_behind_a_load_balancer() -> None:
    """Nor of one whose failures are told five minutes late, because its target drains."""
    for judged in harmless(lived("dead for 24 hours behind a load balancer", tasks=1, life=5.0)):
        assert judged.restarts <= 0.05 * judged.restarts_without


@pytest.mark.parametrize("kind", ["side by side, a good revision", "the old revision loops in the bake time"])
def test_traffic_that_shifts(kind: str) -> None:
    """A deployment that shifts traffic is left alone while either of its revisions serves."""
    cases = grid(strategy=("BLUE_GREEN", "CANARY", "LINEAR"), share=(0.5,)) if "good" in kind else grid(until=(30,))
    for case in cases:
        spared(lived(kind, **case))


def test_a_pause_hook() -> None:
    """A deployment that waits at a hook for hours is not rolled back for one slot that loops."""
    for looping in ("the new", "the old"):
        untouched(lived("a PAUSE hook waits for hours", looping=looping))


def test_early_success() -> None:
    """A deployment that ECS calls done while its last slot loops is left as it is."""
    for deferred in (False, True):
        untouched(lived("early success, the last slot loops", hours=3, tasks=5, deferred=deferred))


@pytest.mark.parametrize("to", ["no opt-in", "mute", "ignore"])
def test_a_mind_that_changes(to: str) -> None:
    """Whoever takes the permission back between two of our calls is heeded before the next that changes anything."""
    spared(lived("the owner changes the tag meanwhile", hours=6, to=to, seeds=2))


def test_killed_at_any_call() -> None:
    """A function that dies at forty of its calls harms nobody and forgets nobody."""
    spared(lived("killed at any call, then fixed", hours=5, seeds=2))
    spared(lived("killed at any call, then the dependency returns", hours=7, seeds=2))


@pytest.mark.parametrize("age", [60, 300])
@pytest.mark.parametrize("then", ["fixed", "the dependency returns"])
def test_answers_of_a_while_ago(then: str, age: float) -> None:
    """Reads that answer what was true minutes ago harm nobody."""
    spared(lived(f"stale reads, then {then}", age=age))


def test_throttled_for_minutes() -> None:
    """Where AWS throttles for minutes again and again, everything still comes to its end."""
    spared(lived("AWS throttles for minutes"))
    spared(lived("acts throttled every other minute"))
