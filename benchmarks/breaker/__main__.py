"""`python -m benchmarks.breaker`: live every world twice, write the results, say whether the goals are met."""

import argparse
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from multiprocessing import Pool
from pathlib import Path
from time import perf_counter
from zlib import crc32

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.breaker.judgement import Judgement
from benchmarks.breaker.kinds import KINDS
from benchmarks.breaker.oracle import judge
from benchmarks.breaker.picture import draw
from benchmarks.breaker.report import Run, as_markdown
from benchmarks.breaker.stage import World
from benchmarks.breaker.summary import goals, lines

RESULTS = Path(__file__).parent.parent / "results"
_QUICK_HOURS = 6
_FOR_EVER = 1e6  # minutes
_EVERY = 1000  # seeds: more than any kind has


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0 where every goal is met, 1 where one is not."""
    options = _options(argv)
    console = Console(stderr=True)
    todo = worlds(seeds=options.seeds, kind=options.kind, quick=options.quick)
    began = perf_counter()
    lived, judgements = _judge(todo, console, processes=options.processes, seconds=60 * options.minutes)
    result = Run(
        command="make bench-breaker" + _arguments(options),
        machine=f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}",
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        seconds=perf_counter() - began,
        worlds=lived,
        judgements=tuple(judgements),
    )
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "breaker.md").write_text(as_markdown(result), encoding="utf-8")
        (options.output / "breaker.svg").write_text(draw(lines(judgements)), encoding="utf-8")
        console.print(f"Written to {options.output}: breaker.md, breaker.svg")
    for goal in goals(judgements):
        console.print(f"{'[green]met    ' if goal.met else '[red]NOT MET'}[/] {goal.name}: {goal.measured}")
        for failing in goal.failing if options.failing else ():
            console.print(f"          {failing}", highlight=False, soft_wrap=True)
    return 0 if all(goal.met for goal in goals(judgements)) else 1


def worlds(*, seeds: int, kind: str = "", quick: bool = False) -> list[World]:
    """Every world with seeds up to this one, the first seed of all first; quick: one short world of each kind."""
    chosen = [k for k in KINDS if kind in k.name and (not quick or k.hours <= _QUICK_HOURS)]
    every = [world for k in chosen for world in k.worlds() if world.seed <= seeds]
    # A run that is cut off has seen something of every kind.
    every.sort(key=lambda world: (world.seed, crc32(world.key.encode())))
    return [[w for w in k.worlds() if w.seed == 1][-1] for k in chosen] if quick else every


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.breaker", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short world of each kind; writes nothing")
    parser.add_argument("--seeds", type=int, default=_EVERY, help="most seeds of one case (default: as each kind says)")
    parser.add_argument("--minutes", type=float, default=_FOR_EVER, help="begin no world after so long")
    parser.add_argument("--kind", default="", help="only kinds whose name contains this; writes nothing")
    parser.add_argument("--failing", action="store_true", help="name every world in which a goal is not met")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--output", type=Path, help=f"where the results go (default {RESULTS.name}/)")
    options = parser.parse_args(argv)
    if options.seeds < 1 or options.processes < 1:
        parser.error("--seeds and --processes are at least 1")
    if options.output is None and not options.quick and not options.kind:
        options.output = RESULTS
    return options


def _arguments(options: argparse.Namespace) -> str:
    """What was asked for beside the usual."""
    asked = [f"--seeds {options.seeds}"] if options.seeds < _EVERY else []
    asked += [f"--minutes {options.minutes:g}"] if options.minutes < _FOR_EVER else []
    return f' ARGS="{" ".join(asked)}"' if asked else ""


def _judge(todo: list[World], console: Console, *, processes: int, seconds: float) -> tuple[int, list[Judgement]]:
    """How many worlds were lived, and the judgements in an order that does not depend on the machine."""
    until = perf_counter() + seconds
    done: dict[int, list[Judgement]] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("worlds", total=len(todo))
        for number, judgements in _spread(todo, processes):
            done[number] = judgements
            progress.update(bar, advance=1, description=f"{todo[number].kind.name:50.50}")
            if perf_counter() > until:
                break
    return len(done), [judgement for number in sorted(done) for judgement in done[number]]


def _spread(todo: list[World], processes: int) -> Iterator[tuple[int, list[Judgement]]]:
    if processes == 1:
        yield from map(_numbered, enumerate(todo))
        return
    with Pool(processes) as pool:
        yield from pool.imap_unordered(_numbered, list(enumerate(todo)))


def _numbered(job: tuple[int, World]) -> tuple[int, list[Judgement]]:
    number, world = job
    return number, judge(world)


if __name__ == "__main__":
    sys.exit(main())
