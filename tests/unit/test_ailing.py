"""What is no loop and worth a line: one quiet message a day for all, each service once a week."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from handlers import sweep
from handlers.settings import Settings
from loopbreaker.judging.ailing import ailing
from loopbreaker.judging.detection import observe
from loopbreaker.model import Category, ServiceRef, TaskFailure
from loopbreaker.remembering.incident import Past, Signal, Suspicion
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.record import Record
from loopbreaker.stories.digest import digest
from tests.aws.fake_clients import FakeClient
from tests.builders import POLICY, SERVICE, T0, climbed, looping, task_failure
from tests.unit.test_handlers import CONTEXT, MemoryStore
from tests.unit.test_handlers import store as _store

store = _store
HOUR, DAY = 3600.0, 86_400.0
NOW = T0 + DAY


def record_of(failures: Iterable[TaskFailure], service: ServiceRef = SERVICE) -> Record:
    record = Record(service=service)
    for failure in failures:
        record = observe(record, failures=[failure], policy=POLICY, now=failure.failed_at)
    return record


def leak(number: int = 4, *, lives: float = 4 * HOUR, **fields: Any) -> list[TaskFailure]:
    """A task dies of memory after about so long, each a bit later than the one before."""
    known = {"category": Category.OUT_OF_MEMORY} | fields
    return [task_failure(n * 5 * HOUR, n * 5 * HOUR + lives + n * 900, **known) for n in range(number)]


def stumble(number: int = 3) -> list[TaskFailure]:
    """A start fails at each of some deployments."""
    return [task_failure(n * 3 * HOUR, n * 3 * HOUR + 20, deployment_id=f"ecs-svc/{n}") for n in range(number)]


def words(record: Record) -> str:
    found = ailing(record, POLICY, now=NOW)
    return found.words if found else ""


def test_a_slow_leak_is_worth_a_line() -> None:
    """With how many, after how long, and of what."""
    assert words(record_of(leak())) == "4 tasks failed after 4 to 4.8 h (out-of-memory)"


def test_starts_that_fail_now_and_then_are_worth_a_line() -> None:
    """With the number of deployments."""
    said = "3 tasks of 3 deployments failed at their start, and others ran in their place (app-crash)"
    assert words(record_of(stumble())) == said


def test_both_are_one_line() -> None:
    """A service may ail in two ways."""
    both = sorted([*leak(), *stumble()], key=lambda failure: failure.failed_at)
    assert words(record_of(both)).count(" failed ") == 2


def test_what_is_little_old_or_clean_is_worth_none() -> None:
    """Two in a day; four a day ago; workers that are renewed."""
    assert words(record_of(leak(2))) == ""
    assert words(record_of(stumble(2))) == ""
    assert ailing(record_of(leak()), POLICY, now=NOW + DAY) is None
    assert words(record_of(leak(category=Category.CLEAN_EXIT))) == ""


def test_of_what_people_know_there_is_no_line() -> None:
    """It loops, did so within the day, or was in a digest this week."""
    ill = record_of(leak())
    assert ailing(replace(looping(), slow=ill.slow), POLICY, now=NOW) is None
    past = Past(
        opened_at=T0, openings=(T0,), times=1, last_failure_at=T0, longest_gap=1.0, deployment_id="", closed_at=T0
    )
    assert ailing(replace(ill, past=past), POLICY, now=NOW) is None
    assert ailing(replace(ill, digested_at=NOW - 6 * DAY), POLICY, now=NOW) is None
    assert ailing(replace(ill, digested_at=NOW - 7 * DAY + 1), POLICY, now=NOW) is None
    assert ailing(replace(ill, digested_at=NOW - 7 * DAY), POLICY, now=NOW) is not None
    suspicion = Suspicion(signal=Signal.SLOW, at=T0, depth=4, since=T0)
    assert ailing(replace(ill, suspicion=suspicion), POLICY, now=NOW) is None


def at_ages(*lives: float, ends: float = 0.0, **fields: Any) -> Record:
    """Tasks that failed an hour apart, the last of them so long before now, and lived so long."""
    ends_at = [DAY - ends - n * HOUR for n in reversed(range(len(lives)))]
    failures = [task_failure(end - life, end, **fields) for life, end in zip(lives, ends_at, strict=True)]
    return Record(service=SERVICE, slow=climbed(failures, POLICY.slow))


YOUNG = "3 tasks failed at their start, and others ran in their place (app-crash)"


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (at_ages(*[301.0, 900.0] * 3), ""),
        (at_ages(*[900.1] * 3), "3 tasks failed after 0.3 to 0.3 h (app-crash)"),
        (at_ages(*[300.0] * 3), ""),
        (at_ages(*[299.9] * 3), YOUNG),
        (
            at_ages(*[299.9] * 3, deployment_id=""),
            YOUNG,
        ),
        # Within a day: the very last moment counts, and what is a day old does not.
        (at_ages(*[7200.0] * 3, ends=DAY - 2 * HOUR), ""),
        (at_ages(*[7200.0] * 3, ends=DAY - 2 * HOUR - 1), "3 tasks failed after 2 to 2 h (app-crash)"),
        (at_ages(*[7200.0] * 15), "15 tasks failed after 2 to 2 h (app-crash)"),
        (at_ages(*[7200.0] * 17), "16 tasks or more failed after 2 to 2 h (app-crash)"),
        (at_ages(86_040, 86_216, 86_040), "3 tasks failed after 23.9 to 23.9 h (app-crash)"),
    ],
)
def test_what_is_said_of_which_tasks(record: Record, said: str) -> None:
    """Of those that lived for more than a quarter of an hour, and of those that did not live for five minutes."""
    assert words(record) == said


@pytest.mark.parametrize(
    ("deployments", "words"),
    [
        (("", "", "a"), "3 tasks failed"),
        (("a", "a", "b"), "3 tasks of 2 deployments failed"),
        (("a",) * 3, "3 tasks failed"),
    ],
)
def test_of_how_many_deployments_the_first_starts_failed(deployments: tuple[str, ...], words: str) -> None:
    """As far as ECS said of which; of one it need not be said."""
    failures = [task_failure(n * HOUR, n * HOUR + 20, deployment_id=one) for n, one in enumerate(deployments)]
    found = ailing(Record(service=SERVICE, slow=climbed(failures, POLICY.slow)), POLICY, now=NOW)
    assert found is not None
    assert found.words.startswith(words)


def test_the_two_commonest_causes_are_named() -> None:
    """The commonest first."""
    causes = [
        Category.APP_CRASH,
        Category.KILLED,
        Category.KILLED,
        Category.SEGFAULT,
        Category.APP_CRASH,
        Category.KILLED,
    ]
    failures = [task_failure(n * HOUR - 8000, n * HOUR, category=cause) for n, cause in enumerate(causes, start=18)]
    assert words(Record(service=SERVICE, slow=climbed(failures, POLICY.slow))).endswith("(killed, app-crash)")


def test_who_has_more_failed_tasks_is_worse() -> None:
    """Old and young together."""
    found = ailing(record_of(sorted([*leak(), *stumble()], key=lambda failure: failure.failed_at)), POLICY, now=NOW)
    assert found is not None
    assert found.number == 7


def test_one_message_tells_of_all(store: MemoryStore) -> None:
    """In the name of the worst; the next day nobody is told again."""
    api = ServiceRef(SERVICE.cluster_arn, "api")
    ill = [record_of(leak(4)), record_of(leak(3), api)]
    store.records = {record.service: record for record in ill}
    assert digest(ill, {}, store=store, policy=POLICY, now=NOW) == 2
    (notice,) = store.records[SERVICE].notices
    assert (notice.kind, notice.services) == (NoticeKind.DIGEST, 2)
    assert notice.reason.split("; ") == [
        "prod/web: 4 tasks failed after 4 to 4.8 h (out-of-memory)",
        "prod/api: 3 tasks failed after 4 to 4.5 h (out-of-memory)",
    ]
    assert store.records[api].notices == ()
    assert digest(store.all_records(), {}, store=store, policy=POLICY, now=NOW + 60) == 0


def test_a_digest_names_as_many_as_anybody_reads(store: MemoryStore) -> None:
    """Twenty-five; of those that ail alike, by name; the others are told the next day."""
    names = [f"s{number:02}" for number in range(27)]
    ill = [record_of(leak(), ServiceRef(SERVICE.cluster_arn, name)) for name in names]
    store.records = {record.service: record for record in ill}
    assert digest(reversed(ill), {}, store=store, policy=POLICY, now=NOW) == 25
    (notice,) = store.records[ill[0].service].notices
    assert [line.split(":")[0] for line in notice.reason.split("; ")] == [f"prod/{name}" for name in names[:25]]
    assert digest(store.all_records(), {}, store=store, policy=POLICY, now=NOW) == 2


def test_silence_is_kept(store: MemoryStore) -> None:
    """Whose owner asked for it is in no digest."""
    tags = {SERVICE: {"loopbreaker:action": "ignore"}}
    assert digest([record_of(leak())], tags, store=store, policy=POLICY, now=NOW) == 0
    assert not store.records


@pytest.mark.parametrize(("chosen", "told"), [({}, 1), ({"DIGEST": "off"}, 0)])
def test_the_clock_brings_it_once_a_day_unless_it_is_off(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str], told: int
) -> None:
    """With the look at everybody's tags."""
    tagging = FakeClient("resourcegroupstaggingapi", get_resources={"ResourceTagMappingList": []})
    monkeypatch.setattr("loopbreaker.aws.clients.client", lambda _name: tagging)
    monkeypatch.setattr(sweep, "settings", lambda *_needs: Settings.from_env(chosen, needs=()))
    monkeypatch.setattr("handlers.sweep.time.time", lambda: NOW)
    store.records[SERVICE] = record_of(leak())
    sweep.handler({"time": "2026-01-01T03:37:12Z"}, CONTEXT)
    assert len(store.records[SERVICE].notices) == told
