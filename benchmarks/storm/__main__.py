"""`python -m benchmarks.storm`: so many services begin to loop within ten minutes; writes results/storm.md.

One event in twenty comes twice, a fifth late by up to half an hour, and the table refuses one call in fifty.
When all is told, somebody sets every service to 0.
Exit code 1 where a service was not found, an event was lost, a loop did not end, or a message was too long.
"""

import argparse
import logging
import platform
import sys
from pathlib import Path
from random import Random
from time import process_time

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
        duplicates=0.05,
        late=0.2,
        by=1800,
    )

    last = max(at for at, _ in events)

    def prepare(ours: Installation) -> None:
        ours.table.fault = throttle(0.02, random=Random(2))
        ours.ecs.desired = lambda _service: int(ours.now < last + 1800)

    began = process_time()
    done = weather(iter(events), until=last + 3600, prepare=prepare)
    seconds = process_time() - began
    found = sum(record.verdict is Verdict.LOOPING or bool(record.history_until) for record in done.records.values())
    looping = sum(record.verdict is Verdict.LOOPING for record in done.records.values())
    longest = max((characters for *_, characters in done.told), default=0)
    kinds = totals(done)
    beginnings = done.hottest
    rows = [
        ("services that began to loop within ten minutes", f"{services:,}"),
        ("events, with those that came twice", f"{len(events):,}"),
        ("services found", f"{found:,}"),
        ("events lost", f"{done.poison:,}"),
        ("loops that did not end", f"{looping:,}"),
        ("messages: each kind", ", ".join(f"{number} `{kind}`" for kind, number in sorted(kinds.items()))),
        ("longest message in bytes", f"{longest:,}"),
        ("write units, and those of the partition that takes most", f"{done.units['write']:,.0f}, {beginnings:,}"),
        (
            "invocations of detect, respond, sweep, notify",
            ", ".join(f"{done.invocations.get(name, 0):,}" for name in ("detect", "respond", "sweep", "notify")),
        ),
        ("seconds of one core, with the table and the clock of the benchmark", f"{seconds:,.0f}"),
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
            "One event in 20 comes twice, a fifth up to half an hour late, and the table refuses one call in 50.",
            "When all is told, every service is set to 0.",
            "",
            "| what | |",
            "|---|---|",
            *(f"| {what} | {number} |" for what, number in rows),
            "",
        ]
    )
    RESULT.write_text(text, encoding="utf-8")
    print(text)
    return int(found < services or looping > 0 or longest > 10_000 or done.poison > 0)


if __name__ == "__main__":
    sys.exit(main())
