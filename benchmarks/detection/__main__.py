"""`python -m benchmarks.detection`: run the suite, write the results, say whether the goal is met."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.detection.judging import Outcome
from benchmarks.detection.picture import draw
from benchmarks.detection.readme import with_detection
from benchmarks.detection.report import Run, as_json, as_markdown
from benchmarks.detection.rules import UNDOUBTING
from benchmarks.detection.suite import SCENARIOS, Job, jobs, run
from benchmarks.detection.summary import compare, goals, totals

RESULTS = Path(__file__).parent.parent / "results"
README = RESULTS.parent.parent / "README.md"


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0 where every goal is met, 1 where one is not."""
    options = _options(argv)
    console = Console(stderr=True)
    todo = jobs(seeds=1 if options.quick else options.seeds, quick=options.quick, first=options.first_seed)
    began = perf_counter()
    usual, shuffled = _judge(todo, console, processes=options.processes)
    lines = totals([outcome for outcome in usual if not outcome.attack])
    attacks = [outcome for outcome in usual if outcome.attack]
    result = Run(
        command="make bench-detection" + (" (quick)" if options.quick else ""),
        machine=_machine(),
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        seeds=f"seeds {options.first_seed} to {max(job.seed for job in todo)}",
        seconds=perf_counter() - began,
        outcomes=tuple(usual),
        totals=tuple(lines),
        goals=tuple(goals(usual)),
        shuffle=compare(usual, shuffled),
        attacks=tuple(totals(attacks)) if attacks else (),
    )
    if options.output:
        _write(result, options.output)
        console.print(f"Written to {options.output}: detection.md, detection.json, detection.svg")
    for goal in result.goals:
        console.print(f"{'[green]met    ' if goal.met else '[red]NOT MET'}[/] {goal.name}: {goal.measured}")
    return 0 if all(goal.met for goal in result.goals) else 1


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detection", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few scenarios of each sort, in seconds; writes nothing")
    parser.add_argument("--seeds", type=int, default=3, help="most streams of one scenario (default 3)")
    parser.add_argument("--first-seed", type=int, default=11, help="rules were tuned on seeds 1 to 3 (default 11)")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--output", type=Path, help=f"where the results go (default {RESULTS.name}/)")
    options = parser.parse_args(argv)
    if min(options.seeds, options.first_seed, options.processes) < 1:
        parser.error("--seeds, --first-seed and --processes are at least 1")
    if options.output is None and not options.quick:
        options.output = RESULTS
    return options


def _judge(todo: list[Job], console: Console, *, processes: int) -> tuple[list[Outcome], list[Outcome]]:
    """The outcomes of the streams as usual and of those shuffled, in an order that does not depend on the machine."""
    done: dict[Job, list[Outcome]] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("streams", total=len(todo))
        for job, outcomes in run(todo, processes=processes):
            done[job] = outcomes
            progress.update(bar, advance=1, description=f"{job.key:60.60}")
    place = {key: number for number, key in enumerate(SCENARIOS)}
    ordered = sorted(done, key=lambda job: (place[job.key], job.seed))
    usual = [outcome for job in ordered if not job.shuffled for outcome in done[job]]
    return usual, [outcome for job in ordered if job.shuffled for outcome in done[job]]


def _write(result: Run, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "detection.md").write_text(as_markdown(result), encoding="utf-8")
    shown = [line for line in result.totals if line.rule != UNDOUBTING]
    (folder / "detection.svg").write_text(draw(shown), encoding="utf-8")
    text = as_json(result)
    (folder / "detection.json").write_text(text, encoding="utf-8")
    if folder == RESULTS:
        made = with_detection(README.read_text(encoding="utf-8"), json.loads(text))
        README.write_text(made, encoding="utf-8")


def _machine() -> str:
    return f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, {platform.system()}"


if __name__ == "__main__":
    sys.exit(main())
