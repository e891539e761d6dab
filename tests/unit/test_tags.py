"""A tag that is not understood is told when it is set, or at the next daily look, and once."""

import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from handlers import detect, sweep
from loopbreaker.aws.tagging import tagged_services
from loopbreaker.model import ServiceRef
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.record import Record, keep_until
from loopbreaker.seeing.fields import MalformedEventError
from loopbreaker.seeing.tags import Tagged, is_tag_change, service_of_arn, tag_change
from loopbreaker.stories.tags import read_all, read_tags
from loopbreaker.treating.mistakes import mistaken
from loopbreaker.treating.owner import wishes
from tests.aws.fake_clients import FakeClient, refusal
from tests.builders import SERVICE, T0, looping
from tests.unit.test_handlers import CONTEXT, NO_FAILURES, THROTTLED, MemoryStore, failed, sqs
from tests.unit.test_handlers import store as _store

store = _store
ARN = "arn:aws:ecs:eu-west-1:123456789012:service/prod/web"
WRONG = {"loopbreaker:action": "Stop!", "team": "shop"}
DAY = 86_400.0


def change(tags: Any, *, arn: str = ARN) -> dict[str, Any]:
    """The event in the form of AWS's own example."""
    return {
        "version": "0",
        "id": "bddcf1d6-0251-35a1-aab0-adc1fb47c11c",
        "detail-type": "Tag Change on Resource",
        "source": "aws.tag",
        "account": "123456789012",
        "time": "2026-01-01T00:00:00Z",
        "region": "eu-west-1",
        "resources": [arn],
        "detail": {
            "changed-tag-keys": ["loopbreaker:action"],
            "service": "ecs",
            "resource-type": "service",
            "version": 3,
            "tags": tags,
        },
    }


def told(store: MemoryStore) -> list[str]:
    """Why people were told, of the one service."""
    return [notice.reason for notice in store.records.get(SERVICE, Record(service=SERVICE)).notices]


# -- telling ----------------------------------------------------------------------------------------------


def test_a_bad_tag_is_told_when_it_is_set(store: MemoryStore) -> None:
    """Of a service that does not loop; said again by the next event or the daily look it is not told again."""
    for _ in range(2):
        assert detect.handler(sqs(change(WRONG)), CONTEXT) == NO_FAILURES
    assert told(store) == ["tag loopbreaker:action is 'Stop!', and has to be one of alert, rollback, stop, ignore"]
    assert store.records[SERVICE].notices[0].kind is NoticeKind.BAD_TAG
    read_all([(SERVICE, WRONG)], store=store, now=T0 + DAY)
    assert len(told(store)) == 1


def test_what_is_wrong_is_told_together(store: MemoryStore) -> None:
    """Five wrong tags are one message; one more later is another, about that one alone."""
    tags = {f"loopbreaker:{name}": "?" for name in ("action", "recovery", "depth", "logs", "stop-after")}
    read_tags(SERVICE, tags, store=store, now=T0)
    read_tags(SERVICE, tags | {"loopbreaker:acton": "stop"}, store=store, now=T0 + 60)
    first, second = told(store)
    assert first.count("tag loopbreaker:") == 5
    assert second.startswith("tag loopbreaker:acton: there is no such tag")


def test_what_was_corrected_may_be_wrong_again(store: MemoryStore) -> None:
    """The correction is noted without a word."""
    for tags in (WRONG, {"loopbreaker:action": "stop"}, WRONG):
        detect.handler(sqs(change(tags)), CONTEXT)
    assert len(told(store)) == 2


def test_who_asked_for_silence_is_told_when_it_ends(store: MemoryStore) -> None:
    """A muted service says nothing of its tags either, and forgets nothing."""
    muted = WRONG | {"loopbreaker:mute-until": "2026-01-02T00:00Z"}
    read_tags(SERVICE, muted, store=store, now=T0)
    assert told(store) == []
    read_tags(SERVICE, muted, store=store, now=T0 + 3 * DAY)
    assert len(told(store)) == 1


def test_what_was_corrected_in_silence_may_be_wrong_again(store: MemoryStore) -> None:
    """That it was put right is noted though nothing may be said, so that the next mistake is told."""
    muted = {"loopbreaker:mute-until": "2026-01-02T00:00Z"}
    for tags, at in ((WRONG, T0), (muted, T0 + 60), (WRONG, T0 + 3 * DAY)):
        read_tags(SERVICE, tags, store=store, now=at)
    assert len(told(store)) == 2


def test_tags_that_say_what_they_said_change_nothing() -> None:
    """The record is as it was, so that the daily look writes nothing; what is new touches it."""
    wrong = wishes(WRONG)
    noted = mistaken(Record(service=SERVICE, touched_at=T0), wrong, silent=False, now=T0 + 60)
    assert noted.touched_at == T0 + 60
    assert mistaken(noted, wrong, silent=False, now=T0 + DAY) is noted
    assert mistaken(noted, wishes({}), silent=False, now=T0).touched_at == T0 + 60


def test_of_a_great_many_mistakes_twenty_are_told() -> None:
    """In one message, which has room for no more."""
    wrong = wishes({f"loopbreaker:x{n:02}": "1" for n in range(30)})
    noted = mistaken(Record(service=SERVICE), wrong, silent=False, now=T0)
    assert noted.notices[-1].reason.count("there is no such tag") == len(noted.mistakes) == 20


def test_it_stays_known_for_longer_than_a_day() -> None:
    """Else the daily look would tell of it every day."""
    assert keep_until(Record(service=SERVICE, touched_at=T0, mistakes=("x",))) == T0 + 400 * DAY
    assert keep_until(Record(service=SERVICE, touched_at=T0)) == T0 + DAY


def test_a_loop_keeps_what_is_known(store: MemoryStore) -> None:
    """Told beside an incident, of which nothing is changed."""
    store.records[SERVICE] = looping()
    read_tags(SERVICE, WRONG, store=store, now=T0)
    after = store.records[SERVICE]
    assert len(told(store)) == 1
    assert after.incident is not None
    assert replace(after.incident, messages=()) == looping().incident


# -- the daily look ---------------------------------------------------------------------------------------


@pytest.fixture
def tagging(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    """Two pages of services: one with a wrong tag, one with none of ours, and one whose ARN names no cluster."""

    def page(**asked: Any) -> dict[str, Any]:
        assert asked["ResourceTypeFilters"] == ["ecs:service"]
        if "PaginationToken" not in asked:
            old = {"ResourceARN": "arn:aws:ecs:eu-west-1:123456789012:service/web", "Tags": []}
            return {"ResourceTagMappingList": [old, _mapping(f"{ARN}-2", {"team": "a"})], "PaginationToken": "next"}
        return {"ResourceTagMappingList": [_mapping(ARN, WRONG)], "PaginationToken": ""}

    client = FakeClient("resourcegroupstaggingapi", get_resources=page)
    monkeypatch.setattr("loopbreaker.aws.clients.client", lambda _name: client)
    return client


def _mapping(arn: str, tags: dict[str, str]) -> dict[str, Any]:
    return {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def test_the_daily_look_reads_every_page(tagging: FakeClient) -> None:
    """Of every service whose ARN names its cluster."""
    found = dict(tagged_services(tagging))
    assert found == {ServiceRef(SERVICE.cluster_arn, "web-2"): {"team": "a"}, SERVICE: WRONG}


@pytest.mark.parametrize(
    ("time", "looks"), [("2026-01-01T03:37:00Z", 2), ("2026-01-01T03:38:00Z", 0), ("", 0), (None, 0)]
)
def test_it_comes_once_a_day(store: MemoryStore, tagging: FakeClient, time: str | None, looks: int) -> None:
    """By the time of the schedule, which is a whole minute, and not by the clock of whoever runs late."""
    sweep.handler({} if time is None else {"time": time}, CONTEXT)
    assert len(tagging.calls) == looks
    assert len(told(store)) == (1 if looks else 0)


def test_a_refused_look_spoils_no_sweep(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The minute's work is done first, and the next day tries again."""
    caplog.set_level(logging.INFO)
    client = FakeClient("resourcegroupstaggingapi", get_resources=refusal("ThrottledException", "GetResources"))
    monkeypatch.setattr("loopbreaker.aws.clients.client", lambda _name: client)
    store.records[SERVICE] = looping(due_at=T0)
    assert sweep.handler({"time": "2026-01-01T03:37:00Z"}, CONTEXT) == {"asked": 1}
    assert "could not read the tags of all services" in caplog.text


def test_one_service_spoils_no_other(store: MemoryStore) -> None:
    """A record that keeps changing is left for the next day."""
    store.lose_races = 8
    other = ServiceRef(SERVICE.cluster_arn, "api")
    read = read_all([(other, WRONG), (SERVICE, WRONG)], store=store, now=T0)
    assert (read.services, read.told, len(read.unreadable)) == (2, 1, 1)


# -- the event --------------------------------------------------------------------------------------------


def test_an_event_that_cannot_be_kept_comes_again(store: MemoryStore) -> None:
    """The table takes nothing: the message stays in the queue."""
    store.faults["web"] = THROTTLED
    assert failed(detect.handler(sqs(change(WRONG)), CONTEXT)) == ["m0"]
    assert isinstance(THROTTLED, ClientError)


@pytest.mark.parametrize("tags", [None, [], "x", {"a": 1}, {"a": None}])
def test_an_event_of_another_shape_is_named(store: MemoryStore, tags: Any) -> None:
    """It ends in the dead-letter queue, and nothing is told."""
    assert failed(detect.handler(sqs(change(tags), change(WRONG)), CONTEXT)) == ["m0"]
    assert len(told(store)) == 1


@pytest.mark.parametrize("envelope", [None, 7, "Tag Change on Resource", [], {}, {"detail-type": "ECS Service Action"}])
def test_what_is_no_change_of_tags_is_somebody_else_s(envelope: object) -> None:
    """Whatever it is."""
    assert not is_tag_change(envelope)


LEAVES = st.none() | st.booleans() | st.floats() | st.text()


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_whatever_comes_is_read_or_refused(inner: Any) -> None:
    """Nothing else is raised."""
    for envelope in (inner, {"detail-type": "Tag Change on Resource", "resources": inner, "detail": inner}):
        if is_tag_change(envelope):
            try:
                found = tag_change(envelope)
            except MalformedEventError:
                continue
            assert found is None or isinstance(found, Tagged)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:ecs:eu-west-1:123456789012:service/web",
        "arn:aws:ecs:eu-west-1:123456789012:cluster/prod",
        "arn:aws:ec2:eu-west-1:123456789012:service/prod/web",
        "arn:aws:ecs:eu-west-1:123456789012:service//web",
        "arn:aws:ecs:eu-west-1:123456789012:service/prod/",
        "arn:aws:ecs:eu-west-1:123456789012:service/prod/web/x",
        ":service/prod/web",
        "",
    ],
)
def test_what_is_no_service_is_passed_over(store: MemoryStore, arn: str) -> None:
    """Clusters and tasks have tags too; none of them is an error."""
    assert service_of_arn(arn) is None
    assert detect.handler(sqs(change(WRONG, arn=arn)), CONTEXT) == NO_FAILURES
    assert store.records == {}
    assert json.dumps(change({}))
