"""Whatever an event says, the function reads it or refuses it by name, and the events beside it are folded."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopbreaker.aws.codec import decode, encode, pack, unpack
from loopbreaker.judging.detection import observe
from loopbreaker.model import TaskState
from loopbreaker.policy import Policy
from loopbreaker.remembering.record import Record
from loopbreaker.seeing.events import parse, unwrap
from loopbreaker.seeing.fields import MalformedEventError
from loopbreaker.stories.detect import observation
from tests.task_events import Json, container, deployment_event, service_action, task_stopped

EVENTS = (task_stopped(), service_action(), deployment_event(), task_stopped(last_status="DEACTIVATING"))
HOSTILE: list[Any] = [
    None,
    True,
    0,
    -1,
    2**70,
    1e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "#",
    "\x00",
    "\ud800",
    "\u202e\x1b[31m",
    "9999-12-31T23:59:59.999Z",
    "0001-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "service:",
    "service:a#b",
    "arn:aws:ecs:::cluster/",
    "x" * 5_000,
    [],
    {},
    [[]],
    [{}] * 50,
    {"Message": "x"},
]

KEYS = ("Records", "body", "Message", "Type", "TopicArn", "detail-type", "detail")


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(found for key, value in inner for found in places(value, (*path, key)))]


def with_value(event: Json, path: tuple[Any, ...], value: Any) -> Any:
    """The event with something else in one of its places."""
    if not path:
        return value
    changed = deepcopy(event)
    node: Any = changed
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return changed


def read(body: str) -> Record | None:
    """What becomes of the record of its service, stored and loaded; None where the event is refused or says nothing."""
    try:
        seen = observation(parse(unwrap(body)))
    except MalformedEventError:
        return None
    if seen is None:
        return None
    record = observe(
        Record(service=seen.service),
        failures=[seen.failure] if seen.failure else [],
        signals=[seen.signal] if seen.signal else [],
        policy=Policy(),
        now=1_767_225_700.0,
    )
    seen.service.key.encode()
    assert decode(Record, unpack(pack(encode(record)))) == record
    return record


@pytest.mark.parametrize("event", EVENTS, ids=["stopped", "action", "deployment", "draining"])
def test_one_hostile_value_anywhere(event: Json) -> None:
    """Each place of each event, with each of the values: read, or refused by name; never anything else."""
    for path in places(event):
        for value in HOSTILE:
            read(json.dumps(with_value(event, path, value)))


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_several_hostile_values_at_once(data: st.DataObject) -> None:
    """Two or three places of an event, in any combination."""
    event: Any = data.draw(st.sampled_from(EVENTS))
    for _ in range(data.draw(st.integers(2, 3))):
        if isinstance(event, dict):
            event = with_value(event, data.draw(st.sampled_from(places(event))), data.draw(st.sampled_from(HOSTILE)))
    read(json.dumps(event))


@settings(deadline=None, max_examples=150)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner),
    )
)
def test_bodies_of_any_shape(body: Any) -> None:
    """What is no event at all, and what looks like the wrapper of one."""
    read(json.dumps(body))


def test_half_a_character_is_refused() -> None:
    """JSON can spell it, and neither the table nor a log line can hold it."""
    for event in (task_stopped(task_id="\ud83d"), task_stopped(service="web\udc00"), service_action(service="\ud800")):
        with pytest.raises(MalformedEventError):
            parse(unwrap(json.dumps(event)))


@pytest.mark.parametrize("letter", ["\x7f", "\x1b", "\n", "\u202e", "\u2028"])
def test_a_name_breaks_out_of_no_line(letter: str) -> None:
    """Names of clusters and services stand in commands, links and headlines as they are: what is no text is refused."""
    for event in (
        task_stopped(cluster=f"pr{letter}od"),
        task_stopped(service=f"we{letter}b"),
        service_action(service=f"we{letter}b"),
    ):
        with pytest.raises(MalformedEventError) as refused:
            parse(unwrap(json.dumps(event)))
        assert str(refused.value).isprintable()


def test_ten_thousand_containers_are_one_small_failure() -> None:
    """A task has ten at most; whoever sends more learns nothing and costs nothing."""
    containers = [container(f"c{number}", exit_code=1, reason="x" * 1000) for number in range(10_000)]
    record = read(json.dumps(task_stopped(containers=containers)))
    assert record is not None
    assert len(pack(encode(record))) < 1024


def test_text_without_end_is_cut_before_it_is_stored() -> None:
    """Names and reasons are as long as ECS lets them be; a record is small whatever they say."""
    event = task_stopped(reason="OutOfMemoryError: " + "x" * 100_000, containers=[container("n" * 50_000, exit_code=1)])
    parsed = parse(unwrap(json.dumps(event)))
    assert isinstance(parsed, TaskState)
    record = read(json.dumps(event))
    assert record is not None
    assert len(json.dumps(encode(record))) < 10_000
