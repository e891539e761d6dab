"""A replay says what the functions would have said, at the time of the events."""

import random
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopbreaker.model import Category, ServiceRef
from loopbreaker.policy import Policy
from loopbreaker.remembering.incident import Signal
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.seeing.fields import MalformedEventError
from loopbreaker.thresholds import override
from loopctl.replay import Announcement, Replay
from tests.loopctl.recorded import BEAT, crash_loop, later
from tests.task_events import CLUSTER_ARN, CREATED, Json, service_action, task_stopped

WEB = ServiceRef(CLUSTER_ARN, "web")
HOUR, DAY = 3600.0, 86_400.0
# When the third task of a crash loop is reported, and when the first one fails.
THIRD, FIRST_FAILURE = CREATED + 2 * BEAT + 65, CREATED + 40


def run(events: Iterable[Json], **policy: object) -> Replay:
    return told(events, **policy)[0]


def told(events: Iterable[Json], **policy: object) -> tuple[Replay, list[Announcement]]:
    replay = Replay(override(Policy(), {key.replace("_", ".", 1): value for key, value in policy.items()}))
    changes = [change for event in events for change in replay.feed(event)]
    return replay, [*changes, *replay.finish()]


def kinds(events: Iterable[Json], **policy: object) -> list[tuple[str, str]]:
    return [(change.service.name, change.notice.kind.value) for change in told(events, **policy)[1]]


def test_a_crash_loop_is_told_at_its_third_failure() -> None:
    """Once, with what is known by then, at the time of the event that showed it."""
    replay, [change] = told(crash_loop(10))
    assert change.service == WEB
    assert (change.notice.kind, change.notice.at) == (NoticeKind.LOOPING, THIRD)
    incident = change.incident
    assert (incident.signal, incident.category, incident.depth) == (Signal.FAST, Category.APP_CRASH, 3)
    assert (incident.failed_tasks, incident.first_failure_at) == (3, FIRST_FAILURE)
    assert [service for service, _ in replay.looping()] == [WEB]
    assert replay.now == CREATED + 9 * BEAT + 65


def unhealthy_loop(tasks: int) -> list[Json]:
    """One slot behind a load balancer: each task is found unhealthy, drains for 300 s and is STOPPED then."""
    events = []
    for number in range(tasks):
        created = CREATED + number * 150
        known: dict[str, Any] = {
            "stop_code": "ServiceSchedulerInitiated",
            "reason": "Task failed ELB health checks in (target-group arn:example)",
            "task_id": f"{number:032x}",
            "created": created,
            "stopping": created + 280,
        }
        drains = task_stopped(**known, last_status="DEACTIVATING", execution_stopped=None, sent=created + 280)
        end = created + 630
        events += [drains, task_stopped(**known, execution_stopped=end - 20, stopped=end, sent=end)]
    return sorted(events, key=lambda event: str(event["time"]))


def test_an_unhealthy_loop_is_told_before_its_tasks_have_drained() -> None:
    """At the third decision of ECS to stop a task; and what is STOPPED afterwards is not counted again."""
    replay, [change] = told(unhealthy_loop(5))
    assert (change.notice.kind, change.notice.at) == (NoticeKind.LOOPING, CREATED + 2 * 150 + 280)
    assert (change.incident.category, change.incident.failed_tasks) == (Category.ELB_HEALTH_CHECK, 3)
    [(_, incident)] = replay.looping()
    assert incident.last_failure_at == CREATED + 4 * 150 + 280
    stopped = [event for event in unhealthy_loop(5) if event["detail"]["lastStatus"] == "STOPPED"]
    _, [late] = told(stopped)
    assert late.notice.at == CREATED + 2 * 150 + 630
    assert late.incident.failed_tasks == 3


def test_a_blip_is_not_told() -> None:
    """Twenty tasks that fail at once, and two that fail in a row, are no loop."""
    blip = [task_stopped(task_id=f"{number:032x}") for number in range(20)]
    assert kinds([*blip, *crash_loop(2, start=CREATED + HOUR)]) == []


def test_recovery_is_told_when_it_was_due() -> None:
    """An hour after the last failure, and not at the next event; its numbers are those of the whole incident."""
    replay, [_, change] = told([*crash_loop(10), later(DAY)])
    assert (change.notice.kind, change.notice.at) == (NoticeKind.RECOVERED, FIRST_FAILURE + 9 * BEAT + HOUR)
    assert (change.incident.failed_tasks, change.incident.first_failure_at) == (10, FIRST_FAILURE)
    assert replay.looping() == []


def test_a_loop_that_is_heard_of_hours_late_is_told_and_over_an_hour_later() -> None:
    """Of files that are not given in the order of time, the older ones are as late as that; nothing of them is lost."""
    _, changes = told([later(3 * HOUR), *crash_loop(6), later(5 * HOUR)])
    assert [change.notice.kind for change in changes] == [NoticeKind.LOOPING, NoticeKind.RECOVERED]
    assert [change.notice.at for change in changes] == [CREATED + 3 * HOUR, CREATED + 4 * HOUR]
    assert (changes[1].incident.first_failure_at, changes[1].incident.failed_tasks) == (FIRST_FAILURE, 6)
    assert changes[1].incident.depth == 6


@settings(deadline=None, max_examples=30)
@given(st.permutations(range(24)), st.lists(st.integers(0, 23), max_size=20))
def test_any_order_and_any_repetition_of_a_recording_end_at_the_same_depth(order: list[int], again: list[int]) -> None:
    """One loop of 24 failures in a row, over half an hour: told once, and over with all of them counted once."""
    events = crash_loop(24)
    _, changes = told([*(events[place] for place in (*order, *again)), later(3 * HOUR)])
    assert [change.notice.kind for change in changes] == [NoticeKind.LOOPING, NoticeKind.RECOVERED]
    assert (changes[1].incident.depth, changes[1].incident.failed_tasks) == (24, 24)


def test_no_recovery_is_made_up_after_the_end() -> None:
    """What happened after the recording nobody knows."""
    last_failure = FIRST_FAILURE + 9 * BEAT - CREATED
    assert kinds([*crash_loop(10), later(last_failure + HOUR - 1)]) == [("web", "looping")]
    assert kinds([*crash_loop(10), later(last_failure + HOUR)]) == [("web", "looping"), ("web", "recovered")]


def test_a_service_may_loop_again() -> None:
    """After a recovery another loop is another incident, counted from its own first failure."""
    _, changes = told([*crash_loop(10), *crash_loop(5, start=CREATED + 3 * HOUR)])
    assert [change.notice.kind.value for change in changes] == ["looping", "recovered", "looping"]
    assert changes[-1].incident.first_failure_at == FIRST_FAILURE + 3 * HOUR
    assert changes[-1].incident.failed_tasks == 3


def test_what_ecs_says_is_heard() -> None:
    """Two statements that tasks cannot be started are a loop without a single task."""
    said = [service_action(at=CREATED + seconds, sent=CREATED + seconds) for seconds in (0, 600)]
    _, [change] = told(said)
    assert (change.incident.signal, change.notice.at) == (Signal.IMPAIRED, CREATED + 600)


def test_services_that_begin_together_are_summed_up() -> None:
    """Each is told to loop; the sixth within ten minutes brings the summary, and then the twelfth."""
    told_of = kinds(event for number in range(13) for event in crash_loop(3, service=f"s{number:02}"))
    assert told_of.count(("s00", "looping")) == 1
    assert [kind for _, kind in told_of].count("looping") == 13
    assert [(name, kind) for name, kind in told_of if kind != "looping"] == [("s05", "mass"), ("s11", "mass")]


def test_services_of_one_name_are_kept_apart() -> None:
    """Two failures in each of two clusters are no loop."""
    mixed = [*crash_loop(2), *crash_loop(2, cluster="stage", start=CREATED + 2 * BEAT)]
    assert kinds(mixed) == []
    _, changes = told([*crash_loop(3), *crash_loop(3, cluster="stage")])
    assert [change.service.cluster for change in changes] == ["prod", "stage"]


def test_another_threshold_tells_another_story() -> None:
    """The policy is that of the replay."""
    [change] = told(crash_loop(10), fast_depth=4)[1]
    assert change.notice.at == THIRD + BEAT
    assert kinds(crash_loop(10), fast_depth=12, slow_depth=12) == []


def as_told(changes: Iterable[Announcement]) -> list[Any]:
    return [(change.service, change.notice, change.incident) for change in changes]


STORY = [
    *crash_loop(10),
    *crash_loop(6, service="api", start=CREATED + 600),
    *crash_loop(4, start=CREATED + 3 * HOUR),
    later(2 * DAY),
    *crash_loop(4, start=CREATED + 2 * DAY + HOUR),
    later(5 * DAY),
]


def test_duplicates_change_nothing() -> None:
    """Each event twice, at once or minutes later, tells the same story as each event once."""
    once = as_told(told(STORY)[1])
    assert len(once) == 8
    assert as_told(told(event for event in STORY for _ in range(2))[1]) == once
    late = [event for at, event in enumerate(STORY) for event in [event, *STORY[max(at - 2, 0) : at]]]
    assert as_told(told(late)[1]) == once


def test_a_recording_given_twice_tells_its_story_once() -> None:
    """What is more than a day older than what came before is left out, and counted."""
    replay, changes = told([*STORY, *STORY])
    assert as_told(changes) == as_told(told(STORY)[1])
    assert replay.late == len(STORY) - 1
    assert run(STORY).late == 0


def test_a_replay_is_the_same_each_time() -> None:
    """The same events in the same order tell the same story, to the last field."""
    assert as_told(told(STORY)[1]) == as_told(told(STORY)[1])


def test_disorder_does_not_turn_back_the_clock() -> None:
    """Of a shuffled loop one message is told, and its time is not before that of an event already seen."""
    events = crash_loop(10)
    random.Random(1).shuffle(events)
    seen = 0.0
    replay = Replay(Policy())
    for event in events:
        changes = list(replay.feed(event))
        assert replay.now >= seen
        assert all(change.notice.at >= seen for change in changes)
        seen = replay.now
    assert [service for service, _ in replay.looping()] == [WEB]


def test_a_late_failure_of_a_recovered_service_is_history() -> None:
    """Failures of the loop that arrive after its end do not open it again."""
    loop = crash_loop(10)
    assert kinds([*loop, later(2 * HOUR), *loop]) == [("web", "looping"), ("web", "recovered")]


def test_an_event_without_a_time_is_taken_as_it_comes() -> None:
    """Signals tell their own time; what tells none leaves the clock alone."""
    replay = run([service_action(at=CREATED, sent=None), {"detail-type": "x"}, {"detail-type": "x", "time": "soon"}])
    assert (replay.events, replay.now, replay.began_at) == (3, CREATED, CREATED)


def test_a_malformed_event_is_refused() -> None:
    """The caller knows where it stands in the recording; nothing of the replay is lost."""
    replay = Replay(Policy())
    with pytest.raises(MalformedEventError):
        list(replay.feed({"detail-type": "ECS Task State Change"}))
    assert replay.events == 0
    assert [change for event in crash_loop(3) for change in replay.feed(event)]


def test_memory_does_not_grow_with_services_that_are_quiet_again() -> None:
    """A day after its last failure a service is forgotten."""
    events = [event for day in range(5) for event in crash_loop(2, service=f"job-{day}", start=CREATED + day * DAY)]
    replay = run([*events, later(9 * DAY)])
    assert list(replay._store.records()) == []
