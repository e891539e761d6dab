"""`python -m benchmarks.cost`: give the installation its work, write results/cost.md and the README's section on cost.

Exit code 1 where a goal is not met.
"""

import re
import sys
from pathlib import Path

from benchmarks.cost.installation import WINDOW
from benchmarks.cost.prices import (
    DASHBOARD_MONTH,
    INSIGHTS_METRICS,
    METRIC_MONTH,
    bill,
    doing_nothing,
    fixed,
    item_per_stop,
    readings,
)
from benchmarks.cost.workloads import Counts, Loop, delay, held

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "cost.md"
ALARM_METRICS = 17
# Before the record was packed, and evidence counted in it, by the same prices.
WORK = (
    (Loop("1 task, a failure a minute, 24 h", 1, 24), 12.35, 3.00),
    (Loop("20 tasks, 6 h, five pollers", 20, 6), 9.71, 1.30),
    (Loop("20 tasks, 6 h, two pollers", 20, 6, pollers=2), 9.71, 1.30),
    (Loop("200 tasks, 1 h, five pollers", 200, 1), 2.18, 0.70),
    (Loop("200 tasks, 1 h, two pollers", 200, 1, pollers=2), 2.18, 0.70),
)
# How many services an account may have.
ACCOUNTS = (1, 100, 1_000)
# Other times to wait for a fuller batch, with what each costs: the third failure is told so much later.
WINDOWS = (10.0, WINDOW, 30.0)


def main() -> int:
    done = [(loop, before, goal, loop.run()) for loop, before, goal in WORK]
    windows = [
        f"| {window:.0f} s | {delay(window):.0f} s | ${_dollars(Loop('', 20, 1, window=window).run()):.2f} |"
        for window in WINDOWS
    ]
    RESULT.write_text(report(done, windows), encoding="utf-8")
    readme = ROOT / "README.md"
    made = with_costs(readme.read_text(encoding="utf-8"), done[0][-1], done[2][-1], done[1][-1])
    readme.write_text(made, encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))
    missed = [loop.name for loop, _, goal, counts in done if _dollars(counts) > goal]
    for name in missed:
        print(f"over its goal: {name}", file=sys.stderr)
    return int(bool(missed))


def report(done: list[tuple[Loop, float, float, Counts]], windows: list[str]) -> str:
    least, most = doing_nothing()
    prices = [
        f"| {loop.name} | ${before:.2f} | ${goal:.2f} | **${_dollars(counts):.2f}** "
        f"| ${item_per_stop(loop.tasks * 60):.2f} | ${least:,.0f} to ${most:,.0f} |"
        for loop, before, goal, counts in done
    ]
    parts = []
    counted = []
    for loop, _, _, counts in done:
        b, n = bill(counts).per_million(counts.failures), counts.failures
        parts.append(
            f"| {loop.name} | ${b.writes:.2f} | ${b.reads:.2f} | ${b.queue:.2f} | ${b.functions:.2f} | ${b.logs:.2f} |"
        )
        counted.append(
            f"| {loop.name} | {n:,} | {counts.messages} | {counts.units['write']:,.0f} | {counts.units['index']:,.0f} "
            f"| {counts.units['read']:,.1f} | {counts.invocations['detect']:,} | {counts.looks:,} "
            f"| {counts.invocations['notify']:,} | {counts.requests:,} | {counts.largest:,} |"
        )
    return "\n".join(
        [
            "# Cost",
            "",
            "Made by `make bench`: the shipped handlers around a table that counts request units by DynamoDB's rules.",
            "Counts are exact and the same on every machine; dollars are list prices of us-east-1 without free tiers.",
            "How long functions run on Lambda is assumed (`benchmarks/cost/prices.py`): 10 ms, 10 ms more a",
            "call of the table, 200 ms a look at ECS.",
            "",
            "## Dollars a million failures",
            "",
            "| work | before | goal | now | an item for each stop, and a count of an hour's | doing nothing |",
            "|---|---|---|---|---|---|",
            *prices,
            "",
            "Lambda begins with five pollers on a queue, and how it spreads few messages over them is not documented;",
            "each makes batches of its own, so five make the emptiest, and the goals are those of five.",
            f"Container Insights is {INSIGHTS_METRICS} metrics a service, ${INSIGHTS_METRICS * METRIC_MONTH:.2f} a "
            "month, whether it fails or not, and says nothing of why.",
            "Doing nothing is a 1 GB image through a NAT gateway and 2 to 6 items of AWS Config a restart.",
            "",
            "| work | writes | reads | queue | functions | logs |",
            "|---|---|---|---|---|---|",
            *parts,
            "",
            "## What the window costs, and what it saves",
            "",
            "A message waits up to the window for others, and one that comes alone for all of it: the third failure of",
            "a service of one task is told so many seconds later.",
            "",
            "| window | from the third failure to the message | 20 tasks, an hour, five pollers |",
            "|---|---|---|",
            *windows,
            "",
            "## Counts",
            "",
            "| work | failures | messages | write units | index units | read units | `detect` | looks | `notify` "
            "| queue requests | largest item |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
            *counted,
            "",
        ]
    )


def with_costs(readme: str, one: Counts, many: Counts, spread: Counts) -> str:
    """The README with its section on cost made anew."""
    parts = fixed(ALARM_METRICS)
    rows = [f"| {name} | ${dollars:.2f} |" for name, dollars in parts.items()]
    each = _dollars(one)
    month, month_held = 43_800 * each / 1e6, 30.4 * bill(held(1)).total
    text = "\n".join(
        [
            "## Cost",
            "",
            "Made by `make bench` from list prices (us-east-1), without the free tiers; not a measured bill.",
            "",
            "| part | per month |",
            "|---|---|",
            *rows,
            f"| **together, while nothing loops** | **${sum(parts.values()):.2f}** |",
            f"| the dashboard, in an account that has three others; else nothing | ${DASHBOARD_MONTH:.2f} |",
            "",
            "By the number of services, what `sweep` reads beside events (`restartPolicy`, services that run nothing):",
            "",
            "| services | per month | besides, where each has Container Insights and a restart policy |",
            "|---|---|---|",
            *(
                f"| {number:,} | ${calls:.2f} | ${metrics:.2f} |"
                for number in ACCOUNTS
                for calls, metrics in [readings(number)]
            ),
            "",
            f"A service that is held at 0, and looked at each minute, costs ${month_held:.2f} a month.",
            f"A service that fails once a minute costs ${each:.2f} a million failures, ${month:.2f} for a month of it.",
            f"A service of 20 tasks that fail as often costs ${_dollars(many):.2f} a million where their events are "
            f"folded together, and ${_dollars(spread):.2f} where they come in small batches.",
            "In hours in which something happens up to seven custom metrics are sent, at $0.30 a month each.",
            "Events of scale-in, roll-outs, zone rebalancing, maintenance, Spot, hosts and people are filtered out by "
            "the rules and cost nothing.",
            "[benchmarks/results/cost.md](benchmarks/results/cost.md) has the counts.",
            "",
            "",
        ]
    )
    return re.sub(r"## Cost\n.*?(?=\n## )", lambda _: text.rstrip() + "\n", readme, count=1, flags=re.DOTALL)


def _dollars(counts: Counts) -> float:
    return bill(counts).per_million(counts.failures).total


if __name__ == "__main__":
    sys.exit(main())
