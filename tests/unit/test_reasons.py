"""Classification by exit codes, stop codes and times."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopbreaker.model import Category, Classification, Container, Label, ServiceRef, TaskState
from loopbreaker.seeing.reason_tables import (
    CAUSES,
    EXIT_CODES,
    FAULTS,
    HEALTH_CHECKS,
    ORDINARY,
    PLACEMENT,
)
from loopbreaker.seeing.reasons import classify, failure
from tests.task_events import CLUSTER_ARN, CREATED, Json, container, task_stopped
from tests.unit.reading import start_failure, told_to_stop, verdict


def exit_of(*containers: Json) -> Classification:
    return verdict(task_stopped(containers=containers))


# -- exit codes and culprits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "category"),
    [
        (0, Category.CLEAN_EXIT),
        *((code, Category.APP_CRASH) for code in (1, 2, 3, 124, 128, 132, 134, 135, 136, 254, 255)),
        *((code, Category.CANNOT_START) for code in (125, 126, 127)),
        (137, Category.KILLED),
        (139, Category.SEGFAULT),
        (143, Category.TERMINATED),
        (3221225477, Category.SEGFAULT),
        (3221225786, Category.APP_CRASH),
        (3221226505, Category.APP_CRASH),
        (-1, Category.APP_CRASH),
        (-1073741819, Category.SEGFAULT),
    ],
)
def test_an_exit_code_tells_the_category(code: int, category: Category) -> None:
    """A container that ended by itself is judged by its code, Windows codes signed or not among them."""
    found = exit_of(container(exit_code=code))
    assert (found.label, found.category, found.counts) == (Label.FAILURE, category, True)
    assert (found.container, found.evidence, found.exit_code) == ("web", f"exit code {code}", code)
    assert f"(exit code {code})" in found.why


RANKING = [
    container("oom", exit_code=0, reason="OutOfMemoryError: Container killed due to memory usage"),
    container("unstartable", reason="CannotStartContainerError: x"),
    container("segfault", exit_code=139),
    container("unrunnable", exit_code=127),
    container("crash", exit_code=2),
    container("killed", exit_code=137),
    container("clean", exit_code=0),
    container("terminated", exit_code=143),
    container("interrupted", exit_code=3221225786),
    container("vanished", reason="ContainerVanishedError: No container matching saved ID found"),
    container("unstoppable", reason="CannotStopContainerError: x"),
]


@pytest.mark.parametrize("first", range(len(RANKING) - 1))
@pytest.mark.parametrize("order", [1, -1])
def test_the_culprit_is_the_one_that_ecs_did_not_stop(first: int, order: int) -> None:
    """Of several containers the likeliest culprit is named, in whatever order ECS lists them."""
    assert exit_of(*RANKING[first:][::order]).container == RANKING[first]["name"]


def test_a_sidecar_that_ends_the_task_is_the_culprit() -> None:
    """A time-out sidecar's exit 1 beside the application's 143: the sidecar ended the task."""
    found = exit_of(container("app", exit_code=143), container("timeout", exit_code=1))
    assert (found.container, found.category) == ("timeout", Category.APP_CRASH)


@pytest.mark.parametrize("injected", ["aws-guardduty-agent-x1y2z3", "ecs-service-connect-a1b2c3"])
def test_a_container_that_ecs_put_in_is_blamed_last(injected: str) -> None:
    """Injected containers are the culprit only where no container of the owner says anything."""
    agents = [container(injected, exit_code=139), container(injected, reason="CannotStartContainerError: x")]
    for agent in agents:
        assert exit_of(agent, container(exit_code=143)).container == "web"
        assert exit_of(agent, container()).container == injected
    quiet = container("web")
    assert start_failure("Task failed to start", quiet, *agents).category is Category.CANNOT_START


def test_137_is_not_memory_unless_the_reason_says_so() -> None:
    """SIGKILL has other senders: the sentence says perhaps."""
    found = exit_of(container(exit_code=137))
    assert found.category is Category.KILLED
    assert "perhaps" in found.why


def test_memory_is_not_always_137() -> None:
    """The runtime's memory flag is read apart from the exit code."""
    found = exit_of(container(exit_code=0, reason="OutOfMemoryError: Container killed due to memory usage"))
    assert (found.category, found.exit_code) == (Category.OUT_OF_MEMORY, 0)


@pytest.mark.parametrize(
    "reason", ["CannotPullContainerError: i/o timeout", "CannotPullContainerError: no space left on device"]
)
def test_a_pull_error_that_stuck_to_a_container_that_ran_is_no_cause(reason: str) -> None:
    """After a failed pull the agent may run the cached image: its exit code is what stopped the task."""
    found = exit_of(container(exit_code=3, reason=reason))
    assert (found.category, found.evidence) == (Category.APP_CRASH, "exit code 3")


@pytest.mark.parametrize(
    "reason",
    [
        "CannotStopContainerError: Could not transition to stopped",
        "CannotInspectContainerError: Could not transition to inspecting; no space left on device",
        "CannotDescribeContainerError: x",
        "CannotRemoveContainerError: volume is in use",
        "CannotListContainersError: x",
        "TaskStoppedBeforePullBeginError: Task stopped before image pull could begin",
    ],
)
def test_trouble_while_stopping_is_no_cause(reason: str) -> None:
    """Noise of the runtime, and pulls that never began, leave the verdict to the exit code or leave it open."""
    assert exit_of(container(exit_code=1, reason=reason)).evidence == "exit code 1"
    assert exit_of(container(reason=reason)).category is Category.UNKNOWN
    assert start_failure("Task failed to start", container(reason=reason)).category is Category.UNKNOWN


def test_the_task_text_of_noise_is_no_cause_either() -> None:
    """The same texts at task level say as little."""
    assert start_failure("CannotInspectContainerError: no space left on device").category is Category.UNKNOWN


def test_an_init_container_is_no_cause() -> None:
    """A container that ended with 0 before the others could start is as it should be."""
    assert start_failure("Task failed to start", container("init", exit_code=0), container()).exit_code is None
    assert exit_of(container("init", exit_code=0), container(exit_code=1)).container == "web"


def test_a_start_failure_with_a_failed_container_is_judged_by_its_code() -> None:
    """A container that died before all were up is the cause."""
    found = start_failure("Task failed to start", container("init", exit_code=0), container(exit_code=139))
    assert (found.container, found.category) == ("web", Category.SEGFAULT)


# -- labels -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["UserInitiated", "SpotInterruption", "InfrastructureHealth"])
@pytest.mark.parametrize("reason", ["Task failed ELB health checks in (elb web)", "CannotPullContainerError: x", None])
def test_some_stop_codes_decide_alone(code: str, reason: str | None) -> None:
    """A user may write any reason, so it is not read; without one the code itself is the evidence."""
    found = verdict(task_stopped(stop_code=code, reason=reason, containers=[container(exit_code=137)]))
    assert (found.label, found.counts, found.evidence) == (Label.NORMAL, False, reason or code)


@pytest.mark.parametrize("status", ["PROVISIONING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "DELETED"])
def test_only_stopped_is_final(status: str) -> None:
    """One stop sends several events that carry its stop code: the last one counts."""
    found = verdict(task_stopped(last_status=status))
    assert (found.label, found.category, found.counts) == (Label.NOT_FINAL, None, False)
    assert status in found.why


@pytest.mark.parametrize("group", ["family:web", "components-gpu", None])
@pytest.mark.parametrize("reason", [None, "OutOfMemoryError: Container killed due to memory usage"])
def test_a_task_of_no_service_never_counts(group: str | None, reason: str | None) -> None:
    """Nothing restarts a standalone task; its category is kept for those who ask."""
    event = task_stopped(containers=[container(exit_code=137, reason=reason)])
    alone = verdict(task_stopped(group=group, containers=[container(exit_code=137, reason=reason)]))
    assert (alone.label, alone.counts) == (Label.STANDALONE, False)
    assert alone.category is verdict(event).category
    assert alone.why.endswith("; no service restarts this task.")


@pytest.mark.parametrize("stop_code", [None, "SomethingNew"])
@pytest.mark.parametrize(
    ("stopping", "execution_stopped", "label"),
    [
        (CREATED + 40, CREATED + 41, Label.NORMAL),
        (CREATED + 40, CREATED + 40, Label.FAILURE),
        (CREATED + 41, CREATED + 40, Label.FAILURE),
        (CREATED + 41, None, Label.FAILURE),
        (None, CREATED + 40, Label.FAILURE),
        (None, None, Label.FAILURE),
    ],
)
def test_the_order_of_times_decides_where_nothing_else_does(
    *, stop_code: str | None, stopping: float | None, execution_stopped: float | None, label: Label
) -> None:
    """A task told to stop stops executing afterwards; unless that is seen, an unknown stop counts."""
    event = task_stopped(
        stop_code=stop_code, reason="Words of tomorrow", stopping=stopping, execution_stopped=execution_stopped
    )
    found = verdict(event)
    assert (found.label, found.category, found.counts) == (label, Category.UNKNOWN, label is Label.FAILURE)
    assert found.evidence == "Words of tomorrow"


def test_an_event_of_old_is_judged_by_its_words() -> None:
    """Before 2019 there was no stop code, and this text stood for it; the exit code decides even against the times."""
    event = told_to_stop(container(exit_code=0), stop_code=None, reason="Essential container in task exited")
    found = verdict(event)
    assert (found.label, found.category) == (Label.FAILURE, Category.CLEAN_EXIT)


# -- anything ---------------------------------------------------------------------------------------------------------

words = st.sampled_from(
    [word for rule in (*HEALTH_CHECKS, *ORDINARY, *CAUSES, *PLACEMENT, *FAULTS) for word in rule.words]
)
texts = st.just("") | st.text(max_size=30) | words | words.map("CannotPullContainerError: {}".format)
codes = st.sampled_from([code for rule in EXIT_CODES for code in rule.codes])
containers = st.builds(
    Container,
    name=st.text(max_size=5) | st.just("aws-guardduty-agent-x"),
    exit_code=st.none() | codes | st.integers(-(2**31), 2**32 - 1),
    reason=texts,
)
moments = st.floats(min_value=CREATED - 10, max_value=CREATED + 1000)
STOP_CODES = ["", "EssentialContainerExited", "TaskFailedToStart", "ServiceSchedulerInitiated", "UserInitiated"]
tasks = st.builds(
    TaskState,
    task_arn=st.just("arn:aws:ecs:eu-west-1:123456789012:task/prod/1"),
    service=st.sampled_from([ServiceRef(CLUSTER_ARN, "web"), None]),
    last_status=st.sampled_from(["STOPPED", "STOPPED", "RUNNING", "DEACTIVATING"]),
    stop_code=st.sampled_from([*STOP_CODES, "SpotInterruption", "TerminationNotice", "InfrastructureHealth"])
    | st.text(),
    stopped_reason=texts,
    containers=st.lists(containers, max_size=4).map(tuple),
    task_definition=st.just("web:7"),
    started_by=st.text(max_size=5),
    created_at=st.just(CREATED),
    started_at=st.none() | moments,
    stopping_at=st.none() | moments,
    execution_stopped_at=st.none() | moments,
    stopped_at=st.none() | moments,
    sent_at=moments,
)


@given(tasks)
def test_every_task_gets_a_verdict(state: TaskState) -> None:
    """Whatever ECS says there is a verdict that agrees with itself, and a failure exactly where the stop counts."""
    found = classify(state)
    assert found.why.endswith(".")
    assert len(found.evidence) <= 255
    assert (found.category is None) == (found.label is Label.NOT_FINAL)
    assert found.counts == (found.label is Label.FAILURE and found.category is not Category.PLACEMENT)
    assert found.container in {"", *(container.name for container in state.containers)}
    failing = failure(state, found)
    foreseen = found.label is Label.NOT_FINAL and failing is not None
    assert (failing is not None) == (found.counts or foreseen)
    if failing is not None:
        assert failing.failed_at >= failing.created_at
        assert failing.lifetime >= 0


@given(tasks)
def test_the_order_of_containers_does_not_change_the_category(state: TaskState) -> None:
    """ECS lists containers in no fixed order."""
    reordered = replace(state, containers=state.containers[::-1])
    assert classify(reordered).category is classify(state).category


# -- what is said, and what it rests on -----------------------------------------------------------------------


def test_whoever_is_to_blame_is_named() -> None:
    """The container where one is; else the task."""
    assert exit_of(container("worker", exit_code=1)).why.startswith("Container worker ")
    assert start_failure("RESOURCE:CPU").why.startswith("The task ")


@pytest.mark.parametrize(
    "reason", ["Scaling activity initiated by (deployment ecs-svc/1)", "Task failed ELB health checks"]
)
def test_what_an_essential_container_did_outweighs_every_word(reason: str) -> None:
    """It ended by itself, whatever text came along."""
    event = task_stopped(stop_code="EssentialContainerExited", reason=reason, containers=[container(exit_code=3)])
    assert (verdict(event).label, verdict(event).evidence) == (Label.FAILURE, "exit code 3")


@pytest.mark.parametrize(("reason", "evidence"), [("it was so", "it was so"), ("", "ServiceSchedulerInitiated")])
def test_an_ordinary_stop_rests_on_its_text_or_on_its_code(reason: str, evidence: str) -> None:
    """Where it has no text that is known."""
    found = verdict(told_to_stop(container(), stop_code="ServiceSchedulerInitiated", reason=reason))
    assert (found.label, found.evidence) == (Label.NORMAL, evidence)


def test_a_fault_of_the_agent_may_stand_in_the_reason_of_the_task_alone() -> None:
    """No container has a word or a code."""
    assert "agent" in start_failure("TaskStateError: unknown state", container()).why


def test_evidence_is_one_line_of_255_characters_at_most() -> None:
    """Cut where it is longer, with a sign that it goes on."""
    for number, evidence in ((255, "x" * 255), (256, "x" * 254 + "…")):
        assert start_failure("x" * number).evidence == evidence
    assert start_failure("two\n lines").evidence == "two lines"
