"""The shape of the code: which room may know which, how long a file may be, what each part may import."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("lambdas", "infra", "loopctl", "simulation", "demo", "benchmarks", "previews", "release")
FILES = sorted(
    path.relative_to(ROOT)
    for part in PARTS
    for path in (ROOT / part).rglob("*.py")
    if not {"build", "node_modules"} & set(path.parts)
)
# Every room, and every file beside them, from the ground up: each may import what stands before it, and no more.
FLOORS = (
    "model",
    "drill",
    "policy",
    "thresholds",
    "remembering",
    "seeing",
    "judging",
    "treating",
    "telling",
    "picture",
    "hub",
    "stories",
    "aws",
)
# Rooms that know nothing of each other, though one stands before the other.
STRANGERS = {
    ("judging", "seeing"),
    ("treating", "seeing"),
    ("telling", "seeing"),
    ("telling", "treating"),
    ("telling", "judging"),
    ("picture", "treating"),
    ("hub", "treating"),
    ("hub", "judging"),
    ("hub", "remembering"),
    ("hub", "picture"),
    ("stories", "picture"),
}
LONGEST = 300


@cache
def imported(path: Path) -> frozenset[str]:
    """The modules that a file of ours imports, by their whole names, and what it takes from them."""
    return frozenset(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module, names, level):
                base = [*path.parent.parts[: len(path.parent.parts) + 1 - level]] if level else []
                whole = ".".join([*base, *([module] if module else [])])
                yield whole
                yield from (f"{whole}.{name.name}" for name in names)


def room(name: str) -> str:
    """The room of a module of the core; empty for what is none."""
    whole, _, rest = name.partition("loopbreaker.")
    found = rest.partition(".")[0]
    return found if not whole and found in FLOORS else ""


def core() -> Iterator[tuple[Path, str]]:
    folder = Path("lambdas/loopbreaker")
    for path in FILES:
        if path.is_relative_to(folder) and path.name != "__init__.py":
            yield path, path.relative_to(folder).parts[0].removesuffix(".py")


def test_every_room_has_its_floor() -> None:
    """Whoever adds a room says what it may know."""
    assert {here for _, here in core()} == set(FLOORS)


def test_no_room_looks_upwards() -> None:
    """An event goes through the rooms in one direction, so that no two of them have to be read together."""
    for path, here in core():
        known = {room(name) for name in imported(path)} - {"", here}
        assert known <= set(FLOORS[: FLOORS.index(here)]), path
        assert not {(here, other) for other in known} & STRANGERS, path


@pytest.mark.parametrize("part", PARTS)
def test_no_file_is_imported_in_a_circle(part: str) -> None:
    """Each file can be understood from those that it imports."""
    start = int(part == "lambdas")
    files = [path for path in FILES if path.is_relative_to(part) and path.name != "__init__.py"]
    names = {".".join(path.with_suffix("").parts[start:]): path for path in files}
    below = {name: imported(path) & names.keys() - {name} for name, path in names.items()}
    while free := {name for name, others in below.items() if not others & below.keys()}:
        below = {name: others for name, others in below.items() if name not in free}
    assert below == {}


def test_each_part_imports_what_it_may() -> None:
    """The core needs nothing but Python, the simulation knows nothing of us, the stack knows the thresholds."""
    for path, here in core():
        known = {name.partition(".")[0] for name in imported(path)}
        assert here == "aws" or known <= {*sys.stdlib_module_names, "loopbreaker"}, path
    for path in FILES:
        known = {name.partition(".")[0] for name in imported(path)}
        assert path.parts[0] != "simulation" or not known & {"loopbreaker", "handlers", "loopctl", "infra"}, path
        shipped = {room(name) or name for name in imported(path) if name.startswith(("loopbreaker.", "handlers"))}
        assert path.parts[0] != "infra" or shipped <= {"policy", "thresholds", "drill", "loopbreaker.VERSION"}, path


def test_no_file_is_long() -> None:
    """Each can be read at once."""
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}
