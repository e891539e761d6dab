"""`python -m benchmarks.storm`: so many services begin to loop within ten minutes; writes results/storm.md.

A tenth of the events comes twice, a fifth late by up to half an hour, and the table refuses one call in fifty.
Exit code 1 where a service was not found, or a message was too long.
"""

import argparse
import logging
import platform
import sys
from pathlib import Path
from random import Random
from time import perf_counter

from benchmarks.cost.installation import Installation
from benchmarks.storm.storms import disordered, mass, throttle, totals, weather
from loopbreaker.remembering.record import Verdict

RESULT = Path(__file__).parents[1] / "results" / "storm.md"
_FAILURES = 6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=10_000)
    services: int = parser.parse_args().services
    logging.disable(logging.CRITICAL)
    random = Random(1)
    events = disordered(
        mass(services, failures=_FAILURES, within=600, random=random),
        random=random,
        duplicates=0.1,
        late=0.2,
        by=1800,
    )

    def prepare(ours: Installation) -> None:
        ours.table.fault = throttle(0.02, random=Random(2))

    began = perf_counter()
    done = weather(iter(events), until=max(at for at, _ in events) + 600, prepare=prepare)
    seconds = perf_counter() - began
    found = sum(record.verdict is Verdict.LOOPING or bool(record.history_until) for record in done.records.values())
    longest = max((characters for *_, characters in done.told), default=0)
    kinds = totals(done)
    beginnings = done.hottest
    rows = [
        ("services that began to loop within ten minutes", f"{services:,}"),
        ("events, with those that came twice", f"{len(events):,}"),
        ("services found", f"{found:,}"),
        ("events lost", f"{done.poison:,}"),
        (
            "messages: single loops, summaries, others",
            f"{kinds['looping']}, {kinds['mass']}, {sum(kinds.values()) - kinds['looping'] - kinds['mass']}",
        ),
        ("longest message in bytes", f"{longest:,}"),
        ("write units, and those of the partition that takes most", f"{done.units['write']:,.0f}, {beginnings:,}"),
        (
            "invocations of detect, respond, sweep, notify",
            ", ".join(f"{done.invocations.get(name, 0):,}" for name in ("detect", "respond", "sweep", "notify")),
        ),
        (
            f"events a second on one core ({platform.machine()}, Python {platform.python_version()})",
            f"{len(events) / seconds:,.0f}",
        ),
    ]
    text = "\n".join(
        [
            "# Storm",
            "",
            "Made by `make bench-storm`: the shipped handlers around a table in memory, on a virtual clock.",
            "A tenth of the events comes twice, a fifth up to half an hour late, and the table refuses one call in 50.",
            "",
            "| what | |",
            "|---|---|",
            *(f"| {what} | {number} |" for what, number in rows),
            "",
        ]
    )
    RESULT.write_text(text, encoding="utf-8")
    print(text)
    return int(found < services or longest > 10_000 or done.poison > 0)


if __name__ == "__main__":
    sys.exit(main())
