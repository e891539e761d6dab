"""What a failure costs, in exact counts: the same on every machine, so a change of one is a change of price."""

import pytest

from benchmarks.cost.__main__ import ROOT, WORK, with_costs
from benchmarks.cost.dynamodb import DynamoDB, size
from benchmarks.cost.installation import WINDOW
from benchmarks.cost.prices import bill
from benchmarks.cost.workloads import Counts, Loop, delay
from infra.functions import BATCHING_WINDOW


@pytest.fixture(scope="module")
def one() -> Counts:
    """A service of one task that fails once a minute, for three hours."""
    return Loop("one", 1, 3).run()


@pytest.fixture(scope="module")
def many() -> Counts:
    """A service of 20 tasks that each fail once a minute, for an hour."""
    return Loop("many", 20, 1).run()


def test_a_failure_is_one_read_and_one_write(one: Counts) -> None:
    """One unit each, however long the loop lasts; looks are the rest."""
    folds, looks = one.invocations["detect"], one.looks
    assert folds in (one.failures, one.failures - 1)
    assert one.largest <= 1024
    # A look is asked for by the clock and saved by respond; the one that finds the loop was asked for by detect.
    # Who took a message is noted beside it.
    assert one.calls["update_item"] == one.messages
    assert one.units["write"] == one.calls["put_item"] + one.messages <= folds + 2 * looks + 6
    assert one.units["read"] <= folds + 2 * looks + 10
    assert one.units["index"] <= 4 * looks + 4


def test_a_loop_is_looked_at_ten_minutes_apart_and_told_once(one: Counts) -> None:
    """Nobody is invoked for nothing: respond by each wish, notify by the message and the reminder after an hour."""
    assert one.messages == one.invocations["notify"] == 2
    assert one.invocations["respond"] == one.looks <= 3 * 6 + 2


def test_failures_that_come_together_are_folded_together(many: Counts) -> None:
    """Also where five pollers spread them: more than two to a batch, one write unit a batch, and looks are the rest."""
    assert many.failures / many.invocations["detect"] > 2.4
    assert many.largest <= 1024
    assert many.units["write"] <= many.invocations["detect"] + 2 * many.looks + 2
    assert many.requests < 1.9 * many.failures


def test_a_failure_waits_for_others_no_longer_than_the_window() -> None:
    """The third failure of a small service is told a second after the longest that its event may wait."""
    assert delay(10.0) == pytest.approx(11, abs=0.1)
    assert delay(WINDOW) == pytest.approx(WINDOW + 1, abs=0.1)
    assert BATCHING_WINDOW.to_seconds() == WINDOW


@pytest.mark.parametrize(("work", "most"), [("one", 3.20), ("many", 1.30)])
def test_a_million_failures_cost_what_was_promised(work: str, most: float, request: pytest.FixtureRequest) -> None:
    """Writes, reads, queue, functions, logs and messages together, at list prices."""
    counts: Counts = request.getfixturevalue(work)
    assert bill(counts).per_million(counts.failures).total < most


def test_the_section_of_the_readme_is_made_by_the_benchmark(one: Counts, many: Counts) -> None:
    """Its place is known; what else the README says stays."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    made = with_costs(readme, one, many, many)
    before, _, after = readme.partition("## Cost\n")
    assert made.startswith(f"{before}## Cost\n\nMade by `make bench`")
    assert made.endswith(after[after.index("\n## ") :])


def test_the_results_have_every_kind_of_work() -> None:
    """Whoever adds one makes them anew."""
    results = (ROOT / "benchmarks" / "results" / "cost.md").read_text(encoding="utf-8")
    assert all(f"| {loop.name} |" in results for loop, _, _ in WORK)


# -- the table that counts --------------------------------------------------------------------------------


def test_items_are_measured_as_dynamodb_does() -> None:
    """Names and values: text and bytes by their length, two digits of a number a byte and one more."""
    assert size({"pk": {"S": "äb"}}) == 2 + 3
    assert size({"body": {"B": b"12345"}}) == 4 + 5
    assert size({"n": {"N": "1767225600.123"}}) == 1 + 8
    assert size({"l": {"L": [{"S": "abc"}]}}) == 1 + 3 + 1 + 3


def test_units_are_counted_as_dynamodb_does() -> None:
    """A kilobyte a write and four a read, begun ones as whole; half of it where consistency is not asked for."""
    table = DynamoDB()
    key = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    table.put_item(TableName="t", Item={**key, "body": {"B": bytes(1020)}})
    assert table.units["write"] == 2
    table.put_item(TableName="t", Item={**key, "due_at": {"N": "1"}})
    assert (table.units["write"], table.units["index"]) == (4, 1)
    table.get_item(TableName="t", Key=key, ConsistentRead=True)
    table.get_item(TableName="t", Key=key)
    assert table.units["read"] == 1.5
