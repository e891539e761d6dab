"""In a storm nobody is forgotten, nobody is kept waiting by another, nothing is made up, and people are told once."""

from collections import Counter
from dataclasses import replace
from itertools import chain
from random import Random

import pytest
from botocore.exceptions import ClientError

from benchmarks.cost.events import CLUSTER
from benchmarks.cost.installation import BATCH, WINDOW, Installation, Killed, installed
from benchmarks.cost.workloads import BEGIN, HOUR
from benchmarks.storm.storms import Tally, disordered, loop, mass, outcome, throttle, totals, weather
from loopbreaker.aws.store import to_item
from loopbreaker.remembering.record import Record, Verdict
from tests.storm.pieces import down_between, kill_at, one_loop, unreadable

THIRD = 2 * 60 + 5
"""When the third failure of a loop that fails each minute is known to the queue, after its first."""


# -- fairness ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loud_is_throttled", [False, True])
def test_a_loud_service_keeps_no_quiet_one_waiting(loud_is_throttled: bool) -> None:
    """Seventy tasks of one service crash each minute, and its partition may take nothing: of a hundred others each is
    found as soon as its third failure has waited for its batch, and no look does more because of the loud one."""
    random = Random(1)
    begins = {f"quiet{n}": BEGIN + 60 + 3 * n for n in range(100)}
    quiet = [loop(name, begin=at, failures=4, every=60, random=random) for name, at in begins.items()]
    loud = loop("loud", begin=BEGIN, failures=600, every=0.9, random=random)
    events = sorted(chain(loud, *quiet), key=lambda sent: sent[0])
    reads: Counter[str] = Counter()

    def prepare(ours: Installation) -> None:
        if loud_is_throttled:
            ours.table.fault = throttle(1.0, random=random, of="#loud")

        ours.table.after = lambda call, key: reads.update([key])

    done = weather(iter(events), until=BEGIN + 600, prepare=prepare)
    for name, begin in begins.items():
        incident = done.records[name].incident
        assert incident is not None
        assert incident.found_at - begin <= THIRD + WINDOW + 5
        assert reads[f"{CLUSTER}#{name}"] <= 40, "its own folds and looks"
    assert ("loud" not in done.records) == loud_is_throttled


# -- a mass event -----------------------------------------------------------------------------------------


def test_many_services_at_once_are_a_summary() -> None:
    """Each is found, few are told by themselves, no summary is long, no item or partition grows with them, and when
    somebody has set them to 0 one message tells the end of all that the summary stood for."""
    events = mass(60, failures=5, within=600, random=Random(2))
    done = weather(events, until=BEGIN + 1200)
    ended = weather(
        mass(60, failures=5, within=600, random=Random(2)),
        until=BEGIN + 3000,
        prepare=lambda ours: setattr(ours.ecs, "desired", lambda _: int(ours.now < BEGIN + 1200)),
    )
    assert totals(ended)["mass-over"] == 1
    assert totals(ended)["recovered"] == totals(ended)["looping"] == totals(done)["looping"]
    assert not any(record.incident for record in ended.records.values())
    assert len(done.records) == 60
    assert all(record.verdict is Verdict.LOOPING for record in done.records.values())
    kinds = totals(done)
    assert kinds["looping"] <= 5
    assert 1 <= kinds["mass"] <= 12
    assert max(characters for *_, characters in done.told) < 10_000
    assert done.hottest <= 2 * 60 + 20, "of the partition that lists beginnings: two each, and those of the summaries"


# -- delivery ---------------------------------------------------------------------------------------------


def test_disorder_and_repetition_change_nothing() -> None:
    """A tenth comes twice and a third up to five minutes late, with a table that refuses every tenth call."""
    random = Random(3)
    services = [f"s{n}" for n in range(8)]
    loops = chain.from_iterable(
        loop(name, begin=BEGIN + 700 * n, failures=20, every=60, random=random) for n, name in enumerate(services)
    )
    events = disordered(loops, random=random, duplicates=0.1, late=0.3, by=300)
    last = max(at for at, _ in events)
    faulty = weather(iter(events), until=last + 1500, prepare=lambda ours: _refuse(ours, 0.1))
    assert {name for name, kind, *_ in faulty.told if kind == "looping"} == set(services)
    assert totals(faulty)["looping"] == len(services)
    assert faulty.poison == 0
    incidents = [record.incident for record in faulty.records.values()]
    assert [incident.failed_tasks for incident in incidents if incident] == [20] * len(services)


def test_ten_invocations_that_race_lose_no_failure() -> None:
    """Whoever saves, another has saved in between: each failure is counted once all the same."""
    random = Random(4)
    events = [event for _, event in loop("web", begin=BEGIN, failures=60, every=5, random=random)]
    with installed(BEGIN) as ours:
        ours.now = BEGIN + 400
        waiting = [_message(event) for event in reversed(events)]
        depth = 0

        def another(_call: str, _key: str) -> None:
            nonlocal depth
            if waiting and depth < 10 and _call == "put_item":
                depth += 1
                again = ours.detect([waiting.pop()])
                waiting.extend(again)
                depth -= 1

        ours.table.fault = another
        while waiting:
            waiting.extend(ours.detect([waiting.pop()]))
        ours.table.fault = lambda call, key: None
        ours.run(ours.now + 60)
        (record,) = outcome(ours).records.values()
        assert record.incident
        assert record.incident.failed_tasks == 60


# -- what it needs is away --------------------------------------------------------------------------------


def test_a_table_that_is_away_for_an_hour_loses_nothing() -> None:
    """What happens meanwhile waits in the queue, and is told when it is back; nothing ends as poison."""
    done = one_loop(hours=1.6, meanwhile=down_between(BEGIN + 60, BEGIN + 60 + HOUR, what="table"))
    told = done.first("web")
    assert told is not None
    assert told <= BEGIN + 60 + HOUR + 460
    assert done.poison == 0
    assert totals(done)["looping"] == 1


def test_a_topic_that_is_away_for_an_hour_is_told_afterwards() -> None:
    """Once, a moment after it is back."""
    done = one_loop(hours=1.2, meanwhile=down_between(BEGIN, BEGIN + HOUR, what="topic"))
    told = done.first("web")
    assert told is not None
    assert BEGIN + HOUR <= told <= BEGIN + HOUR + 70
    assert totals(done)["looping"] == 1


def test_an_ecs_that_is_away_for_an_hour_holds_up_no_message() -> None:
    """Who loops is told without the desired count, two minutes later."""
    done = one_loop(hours=0.3, meanwhile=down_between(BEGIN, BEGIN + HOUR, what="ecs"))
    told = done.first("web")
    assert told is not None
    assert told <= BEGIN + THIRD + WINDOW + 120 + 65


# -- poison -----------------------------------------------------------------------------------------------


def test_poison_in_the_queue_and_in_the_table_stops_nobody() -> None:
    """Messages that nobody can read end in their queue after an hour; a record that nobody can read stays alone."""
    random = Random(5)
    with installed(BEGIN, pollers=5) as ours:
        ours.table.put_item(TableName="loops", Item=unreadable("broken"))
        for number, body in enumerate(["", "[]", '{"detail-type": "ECS Task State Change"}', "\udcff", "[" * 90_000]):
            ours.send({"not": "an event", "body": body, "Records": number}, at=BEGIN + number)
        events = chain(
            loop("broken", begin=BEGIN, failures=4, every=60, random=random),
            loop("web", begin=BEGIN, failures=10, every=60, random=random),
        )
        for at, event in sorted(events, key=lambda sent: sent[0]):
            ours.run(at)
            ours.send(event, at=at)
        ours.run(BEGIN + 5000)
        told = outcome_of(ours)
        web = told.first("web")
        assert web is not None
        assert web <= BEGIN + THIRD + WINDOW + 5
        assert {name for name, *_ in told.told} == {"web"}
        assert told.poison == 5 + 4


def outcome_of(ours: Installation) -> Tally:
    """Without the record that nobody can read."""
    del ours.table.items[next(key for key in ours.table.items if key[0].endswith("#broken"))]
    return outcome(ours)


def test_a_redrive_a_day_later_makes_nothing_up() -> None:
    """Events that were poison come back when their loop is long over: nobody is told of a loop that goes on."""
    random = Random(6)
    events = list(loop("web", begin=BEGIN, failures=8, every=60, random=random))
    late = list(loop("api", begin=BEGIN, failures=8, every=60, random=random))
    with installed(BEGIN, pollers=2) as ours:
        for at, event in events:
            ours.run(at)
            ours.send(event, at=at)
        ours.run(BEGIN + 1200)
        ours.ecs.desired = lambda _service: 0
        ours.run(BEGIN + 20 * HOUR)
        before = [(name, kind) for name, kind, *_ in outcome(ours).told]
        assert before == [("web", "looping"), ("web", "recovered")]
        for _, event in (*events, *late):
            ours.send(event, at=ours.now)
        ours.run(BEGIN + 48 * HOUR)
        done = outcome(ours)
        assert [(name, kind) for name, kind, *_ in done.told] == before
        assert not any(record.incident for record in done.records.values())


# -- a function dies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("function", ["detect", "respond", "sweep", "notify"])
def test_a_function_that_dies_at_any_call_is_made_good(function: str, after: bool) -> None:
    """Before the call is made or after: the same loop is told, with the same number of failures.

    Only a message whose sender died before it could say so comes twice.
    """
    calm = _loop_with()
    for at in range(1, 12):
        done = _loop_with(function, at, after=after)
        assert done.first("web") is not None
        assert totals(done)["looping"] <= (2 if function == "notify" else 1)
        assert done.poison == 0
        (record,), (expected,) = done.records.values(), calm.records.values()
        assert record.incident
        assert expected.incident
        assert record.incident.failed_tasks == expected.incident.failed_tasks == 8
        assert record.incident.depth == expected.incident.depth


def _loop_with(function: str = "", at: int = 0, *, after: bool = False) -> Tally:
    events = loop("web", begin=BEGIN, failures=8, every=60, random=Random(6))
    return weather(events, until=BEGIN + 2000, pollers=1, prepare=lambda ours: kill_at(ours, function, at, after=after))


def test_a_kill_is_no_exception_that_anybody_catches() -> None:
    """Else the tests above would prove nothing."""
    assert not issubclass(Killed, Exception)
    assert issubclass(ClientError, Exception)


def _refuse(ours: Installation, share: float) -> None:
    ours.table.fault = throttle(share, random=Random(7))


def _message(event: dict[str, object]) -> tuple[str, int]:
    import json

    return json.dumps(event), 1


def test_a_full_batch_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window is the longest that a message waits: a hundred go at once."""
    with installed(BEGIN) as ours:
        for at, event in loop("web", begin=BEGIN, failures=BATCH, every=0.01, random=Random(8)):
            ours.send(event, at=at)
        ours.run(BEGIN + 3)
        assert ours.invocations["detect"] == 1


def test_records_of_storms_are_those_of_the_table() -> None:
    """The table of the storms stores and gives back what the adapter wrote."""
    record = Record(service=next(iter(_loop_with().records.values())).service, touched_at=BEGIN)
    with installed(BEGIN) as ours:
        ours.table.put_item(TableName="loops", Item=to_item(record))
        (found,) = outcome(ours).records.values()
        assert found == replace(record, version=1)
