"""Tries the tests: each small change to the given files should make one fail. What none notices is printed.

    python -m tests.mutants lambdas/loopbreaker/treating/*.py --tests tests/unit tests/aws

Everything is imported and collected once. A first run in a process of its own notes which test comes by which line;
then each change is made in a process of its own that runs the tests of that line, the fastest first, until one fails.
"""

import argparse
import json
import os
import signal
import sys
import types
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from coverage import Coverage
from hypothesis import settings

from tests.mutants.changes import Mutant, mutants

_LEAST_TIME = 5.0
_BROKEN = 2


@dataclass
class Tries:
    """A plugin that takes the place of pytest's own loop over the tests."""

    files: Sequence[Path]
    slow: float
    again: str
    tried: Counter[Path] = field(default_factory=Counter)
    survived: Counter[Path] = field(default_factory=Counter)
    seconds: dict[int, float] = field(default_factory=dict)
    lines: dict[Path, dict[int, set[int]]] = field(default_factory=dict)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = session.items
        self._look(items)
        for path in self.files:
            for mutant in mutants(path.read_text(), str(path)):
                self._try(path, mutant, items)
            print(f"{path}: {self.tried[path]} changes, {self.survived[path]} noticed by no test", flush=True)
        return True

    def _look(self, items: Sequence[pytest.Item]) -> None:
        """Which test runs which line, and for how long."""
        found = _elsewhere(lambda: self._covered(items))
        answer = json.loads(found)
        self.seconds = {int(n): seconds for n, seconds in answer["seconds"].items()}
        self.lines = {
            Path(path): {int(line): set(numbers) for line, numbers in lines.items()}
            for path, lines in answer["lines"].items()
        }
        print(f"{len(self.seconds)} of {len(items)} tests take less than {self.slow:g} s and pass", flush=True)

    def _covered(self, items: Sequence[pytest.Item]) -> str:
        cover = Coverage(data_file=None, include=[str(path.resolve()) for path in self.files], config_file=False)
        seconds = {}
        cover.start()
        for n, item in enumerate(items):
            cover.switch_context(str(n))
            began = process_time()
            passed = _passes(item, None)
            if passed and process_time() - began < self.slow:
                seconds[n] = process_time() - began
        cover.stop()
        lines = {
            str(path): {
                line: [int(n) for n in contexts if n and int(n) in seconds]
                for line, contexts in cover.get_data().contexts_by_lineno(str(path.resolve())).items()
            }
            for path in self.files
        }
        return json.dumps({"seconds": seconds, "lines": lines})

    def _try(self, path: Path, mutant: Mutant, items: Sequence[pytest.Item]) -> None:
        told = f"{path.name}: {mutant.scope}: {mutant.what}"
        if self.again and told not in self.again:
            return
        of_file = self.lines[path]
        lines = mutant.lines if mutant.scope else of_file
        chosen = sorted({n for line in lines for n in of_file.get(line, ())}, key=lambda n: self.seconds[n])
        tests = [items[n] for n in chosen]
        limit = _LEAST_TIME + 10 * sum(self.seconds[n] for n in chosen)
        self.tried[path] += 1
        if not tests or _survives(path, mutant, tests, limit):
            self.survived[path] += 1
            reached = f"{len(tests)} tests" if tests else "no test comes by"
            print(f"{path}:{mutant.line}: {told}   [{reached}]", flush=True)


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    from _pytest.runner import runtestprotocol

    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def _elsewhere(work: Callable[[], str]) -> str:
    """What the work answers in a process of its own."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        os.close(out)
        _silent()
        with os.fdopen(into, "w") as pipe:
            pipe.write(work())
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer


def _survives(path: Path, mutant: Mutant, tests: Sequence[pytest.Item], limit: float) -> bool:
    child = os.fork()
    if not child:
        _silent()
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, limit)
        status = _BROKEN
        with suppress(BaseException):
            _apply(path, mutant)
            status = 1
            status = int(not all(map(_passes, tests, [*tests[1:], None])))
        os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == _BROKEN and mutant.scope:
        print(f"{path}:{mutant.line}: {mutant.scope} could not be changed", flush=True)
    return status == 0


def _silent() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _apply(path: Path, mutant: Mutant) -> None:
    """Put the changed code in the place of what is imported."""
    module = next(m for m in list(sys.modules.values()) if getattr(m, "__file__", None) == str(path.resolve()))
    if not mutant.scope:
        before = dict(vars(module))
        exec(mutant.code, vars(module))
        for other in list(sys.modules.values()):
            for name, old in before.items():
                if vars(module)[name] is not old and getattr(other, "__dict__", {}).get(name) is old:
                    setattr(other, name, vars(module)[name])
        return
    changed = {code.co_qualname: code for code in _codes(mutant.code)}[mutant.scope]
    live: Any = module
    *owners, last = mutant.scope.split(".")
    for name in owners:
        live = getattr(live, name)
    found = vars(live)[last]
    for inner in ("fget", "func", "__func__", "__wrapped__"):
        found = getattr(found, inner, None) or found
    found.__code__ = changed


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="what is changed")
    parser.add_argument("--tests", nargs="+", default=["tests/unit", "tests/aws"], help="who should notice")
    parser.add_argument("--slow", type=float, default=2.0, help="leave tests out that take longer, in seconds")
    parser.add_argument("--again", type=Path, help="what an earlier run printed: only what it names is tried")
    given = parser.parse_args()
    settings.register_profile("mutants", derandomize=True, database=None, deadline=None)
    settings.load_profile("mutants")
    again = given.again.read_text() if given.again else ""
    tries = Tries(given.files, given.slow, again)
    ended = pytest.main(["-q", "-s", "-p", "no:cacheprovider", "-n", "0", *given.tests], plugins=[tries])
    return int(ended) or int(tries.survived.total() > 0)


if __name__ == "__main__":
    sys.exit(main())
