"""`python -m benchmarks.year`: a year of 500 services on a virtual clock; writes results/year.md.

Exit code 1 where a record was stuck, an incident was open that was not true or true and not open, or something grew.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path
from time import process_time

from benchmarks.year.living import Year
from benchmarks.year.world import Kind, services

RESULT = Path(__file__).parents[1] / "results" / "year.md"
_LARGEST = 4096


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=500)
    parser.add_argument("--days", type=float, default=365)
    given = parser.parse_args()
    began = process_time()
    year = Year(services(given.services, days=given.days))
    year.live()
    seconds = process_time() - began
    phases = Counter(phase.kind.value for service in year.services for phase in service.phases)
    told = ", ".join(f"{number:,} `{kind}`" for kind, number in sorted(year.store.messages.items()))
    rows = [
        ("services, days", f"{given.services}, {given.days:.0f}"),
        ("stretches of their lives", ", ".join(f"{phases[kind]:,} {kind.value}" for kind in Kind)),
        ("tasks that failed", f"{year.failures:,}"),
        ("looks at ECS", f"{year.looks:,}"),
        ("saves of a record", f"{year.store.saves:,}"),
        ("messages", told),
        ("largest record in bytes, as an item", f"{year.largest:,}"),
        ("complaints of the daily inspection", f"{len(year.complaints):,}"),
        ("seconds of one core", f"{seconds:,.0f}"),
    ]
    text = "\n".join(
        [
            "# A year",
            "",
            "Made by `make bench-year`: the stories of detect, respond and sweep around a store in memory.",
            "Each day every record is held against the world: is an open incident true, and a true loop open?",
            "Does something wait that nobody will look at, does something grow?",
            "",
            "| what | |",
            "|---|---|",
            *(f"| {what} | {number} |" for what, number in rows),
            "",
        ]
    )
    RESULT.write_text(text, encoding="utf-8")
    print(text)
    for complaint in year.complaints[:20]:
        print(complaint, file=sys.stderr)
    return int(bool(year.complaints) or year.largest > _LARGEST)


if __name__ == "__main__":
    sys.exit(main())
