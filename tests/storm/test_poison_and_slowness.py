"""What cannot be read blocks no shard and no batch; a table that takes seconds for each call loses nothing."""

from collections import Counter
from itertools import chain
from random import Random
from typing import Any
from unittest.mock import patch

import pytest

from benchmarks.cost import installation
from benchmarks.cost.events import CLUSTER
from benchmarks.cost.installation import WINDOW, Context, Installation, Killed, installed
from benchmarks.cost.workloads import BEGIN
from benchmarks.storm.storms import loop, totals, weather

# In seconds (infra/stack.py).
TIMEOUTS = {"detect": 60.0, "respond": 120.0, "sweep": 60.0, "notify": 30.0}
_KEY = {"pk": {"S": f"{CLUSTER}#broken"}, "sk": {"S": "SERVICE"}}
# It invokes both functions, as a record that asks for a look and owes a message does.
_ASKS = {**_KEY, "asked_at": {"N": "1767225600"}, "notice_number": {"N": "1"}}
POISON: dict[str, dict[str, Any]] = {
    "another version's word": {"version": {"N": "3"}, "body": {"S": '{"verdict": "puzzled"}'}},
    "no body": {"version": {"N": "3"}},
    "no version": {"body": {"S": "{}"}},
    "a version that is no number": {"version": {"S": "three"}, "body": {"S": "{}"}},
    "bytes that are not packed": {"version": {"N": "3"}, "body": {"B": b"\x00\x01\x02"}},
    "a number beyond every measure": {
        "version": {"N": "3"},
        "body": {"S": '{"fast": {"n": 1, "of": [{"scale": 1000, "by": [1' + "0" * 400 + "]}]}}"},
    },
    "a list of no strings": {"version": {"N": "3"}, "body": {"S": "{}"}, "notices": {"L": [{"N": "1"}]}},
}


@pytest.mark.parametrize("poison", POISON)
def test_a_record_that_cannot_be_read_blocks_no_shard(poison: str) -> None:
    """In one lane of the stream, and first in each batch: whoever comes behind it is found and told in time, and what
    cannot be read is not delivered for ever."""
    with patch.object(installation, "LANES", 1), installed(BEGIN) as ours:
        events = chain(
            loop("web", begin=BEGIN, failures=4, every=60, random=Random(1)),
            loop("broken", begin=BEGIN, failures=4, every=60, random=Random(2)),
        )
        for at, event in sorted(events, key=lambda sent: sent[0]):
            ours.run(at)
            ours.table.put_item(TableName="loops", Item={**_ASKS, **POISON[poison]})
            ours.send(event, at=at)
        ours.run(BEGIN + 900)
        told = {message.detail["serviceName"]: at for at, message in ours.outbox.sent}
        assert told.keys() == {"web"}
        assert told["web"] <= BEGIN + 125 + WINDOW + 5
        assert not any(ours._lanes.values())
        assert not ours._blocked


@pytest.mark.parametrize("seconds", [1.0, 2.5, 4.0])
def test_a_table_that_takes_seconds_loses_nothing(seconds: float) -> None:
    """Of each batch `detect` folds what it has time for and gives the rest back, `respond` begins no look and `notify`
    looks nothing up that it has no time for: none is cut off, no message is poison, and all twenty that loop are told
    of."""
    running, elapsed = "", 0.0
    cut_off: Counter[str] = Counter()

    class Timed(Context):
        """The time that Lambda says is left of an invocation."""

        def get_remaining_time_in_millis(self) -> int:
            return int(1000 * max(0.0, TIMEOUTS[running] - elapsed))

    def slow(_call: str, _key: str) -> None:
        nonlocal elapsed
        elapsed += seconds
        if elapsed > TIMEOUTS[running]:
            cut_off[running] += 1
            raise Killed

    def prepare(ours: Installation) -> None:
        invoke = ours._invoke

        def invoked(name: str, event: Any) -> Any:
            nonlocal running, elapsed
            running, elapsed = name, 0.0
            return invoke(name, event)

        ours._invoke = invoked  # type: ignore[assignment,method-assign]
        ours.table.fault = slow

    random = Random(3)
    loops = [loop(f"s{n}", begin=BEGIN + n, failures=5, every=60, random=random) for n in range(20)]
    events = sorted(chain(*loops), key=lambda sent: sent[0])
    with patch.object(installation, "Context", Timed):
        done = weather(iter(events), until=BEGIN + 6000, prepare=prepare)
    assert done.poison == 0
    assert cut_off["detect"] == cut_off["notify"] == cut_off["respond"] == 0
    kinds = totals(done)
    assert (kinds["looping"], kinds["mass"]) == (5, 3), "five by themselves, of six, of twelve and more, and of all"
    in_summary = [record for record in done.records.values() if record.incident and "mass" in record.incident.told]
    assert len(in_summary) == 15
