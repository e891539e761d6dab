"""The documents say what the code does, and what they name is there."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from loopbreaker.judging.ladder import MAX_BYSTANDERS, MAX_RUNGS
from loopbreaker.thresholds import thresholds
from loopctl.cli import app
from release.document import PAGES, ROOT, tables, written

TRACKED = frozenset(
    subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
)
FOLDERS = frozenset(str(parent) for name in TRACKED for parent in Path(name).parents)
# What the previews and pictures show is made by the code; a lock file is no document.
TEXTS = sorted(name for name in TRACKED if name.endswith(".md") and not name.startswith("docs/previews/"))
SOURCES = sorted(name for name in TRACKED if name.endswith(".py"))
# Where a document may begin to count from.
ROOTS = ("", "lambdas", "lambdas/loopbreaker", "tests/events")
# Written by whoever uses it, or by a command.
THEIRS = {"loopbreaker.toml", "events.jsonl", "linux/arm64", "dist/", "cdk.out/"}
_PATH = re.compile(r"(?<![\w./-])[\w-]+(?:/[\w.-]+)+/?|(?<![\w./-])[\w-]+\.(?:py|md|json|jsonl|mjs|toml|txt)(?![\w/])")
_WORDS = {"a": 1, "an": 1, "half": 0.5, "one": 1, "two": 2, "three": 3}
_UNITS = {"s": 1, "second": 1, "minute": 60, "min": 60, "hour": 3600, "day": 86_400}


def code_of(text: str) -> Iterator[str]:
    """What stands in backticks, within a line or as a block."""
    for block in re.findall(r"```\w*\n(.*?)```", text, flags=re.DOTALL):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def is_there(path: str, beside: str) -> bool:
    """Whether a path, or the name of a module, is one of ours."""
    plain = path.rstrip("/.")
    starts = [Path(beside).parent.as_posix().removeprefix("."), *ROOTS]
    places = {f"{start}/{plain}".lstrip("/") for start in starts}
    if places & (TRACKED | FOLDERS) or {f"{place}.py" for place in places} & TRACKED:
        return True
    return "/" not in plain and any(Path(name).name == plain for name in TRACKED)


def is_ours(path: str) -> bool:
    """Whether a word with a slash speaks of a folder of the project, and not of a cluster or a secret."""
    first = path.split("/", maxsplit=1)[0]
    known = {name.split("/")[0] for name in FOLDERS} | {Path(name).name for name in FOLDERS if "lambdas/" in name}
    return "/" not in path or first in known - {"."}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_are_those_of_the_code(page: Path) -> None:
    """Whoever adds a threshold runs `python -m release.document`."""
    text = page.read_text()
    assert written(text) == text
    assert any(table in text for table in tables().values())


@pytest.mark.parametrize("name", TEXTS)
def test_every_path_that_a_document_names_exists(name: str) -> None:
    """Whoever moves a file moves its name in the documents too."""
    named = {path for code in code_of(read(name)) for path in _PATH.findall(code) if is_ours(path)}
    assert {path for path in named - THEIRS if not is_there(path, name)} == set()


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_leads_somewhere(name: str) -> None:
    """To a page, a file, or a heading of one."""
    for target in re.findall(r"\]\(([^)\s]+)\)", read(name)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        page = (ROOT / name).parent / path if path else ROOT / name
        assert page.exists(), target
        headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE) if heading else ()
        slugs = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}
        assert not heading or heading in slugs, target


@pytest.mark.parametrize("name", [*TEXTS, *SOURCES])
def test_every_decision_that_is_cited_is_recorded(name: str) -> None:
    """`ADR 0015` is a page of `docs/adr`, in the documents and in the code."""
    pages = {Path(page).name[:4] for page in TRACKED if page.startswith("docs/adr/")}
    assert set(re.findall(r"ADR (\d{4})", read(name))) <= pages


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_that_a_document_names_exists(name: str) -> None:
    """Targets of make, modules that are run, commands of `loopctl` and their options."""
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), flags=re.MULTILINE))
    main = typer.main.get_command(app)
    assert isinstance(main, typer.core.TyperGroup)
    for code in code_of(read(name)):
        assert set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) <= targets, code
        for module in re.findall(r"python3? -m ((?:infra|release|tests|demo|benchmarks|previews)[\w.]*)", code):
            assert is_there(module.replace(".", "/"), name), code
        for command, rest in re.findall(r"\bloopctl ([a-z][a-z-]*)([^|#;&]*)", code):
            found = main.get_command(None, command)  # type: ignore[arg-type]
            assert found is not None, code
            options = {option for parameter in found.params for option in parameter.opts} | {"--help"}
            assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= options, code


@pytest.mark.parametrize("name", TEXTS)
def test_every_threshold_that_a_document_names_exists(name: str) -> None:
    """Also where one is set: `-c policy=…`, `--policy …`."""
    named = {n for code in code_of(read(name)) for n in re.findall(r"\b((?:fast|slow)\.[a-z_]+)", code)}
    named |= {
        key.partition("=")[0]
        for code in code_of(read(name))
        for given in re.findall(r"policy[= ]([a-z_.]+=[\w.,=]+)", code)
        for key in given.split(",")
    }
    assert named <= set(thresholds())


@pytest.mark.parametrize("name", TEXTS)
def test_every_default_that_a_document_tells_is_the_one_of_the_code(name: str) -> None:
    """Where a page says `outage` (three minutes), three minutes is the default of `outage`."""
    for key, told in re.findall(r"`([a-z_.]+)` \(([^);]+)", read(name)):
        value = quantity(told)
        if key in thresholds() and value is not None:
            assert value == thresholds()[key].default, f"{key}: {told}"


def quantity(told: str) -> float | None:
    """A number of seconds, or a plain number; None for other words."""
    found = re.fullmatch(r"(?:least |at least )?([\d.e-]+|[a-z]+)(?: (?:an )?([a-z]+?)s?)?", told.strip())
    if not found:
        return None
    number, unit = found.groups()
    try:
        count = _WORDS[number] if number in _WORDS else float(number)
    except ValueError:
        return None
    return count * _UNITS[unit] if unit in _UNITS else count if unit is None else None


def test_a_duration_in_words_is_read() -> None:
    """What holds the documents to the code understands what they say."""
    said = {"two hours": 7200, "2e-6": 2e-6, "60 s": 60, "half an hour": 1800, "an hour": 3600, "15 minutes": 900}
    assert {told: quantity(told) for told in said} == said
    assert quantity("see below") is None


def test_the_profiles_are_told_as_they_are() -> None:
    """The table of the two profiles, and how much a ladder keeps."""
    text = read("docs/detection.md")
    for row in ("depth", "max_lifetime", "replacement_gap", "chance"):
        cells = re.search(rf"^\| `{row}`[^|]*\| ([^|]*) \| ([^|]*) \|", text, flags=re.MULTILINE)
        assert cells
        told = [quantity(cell) for cell in cells.groups()]
        assert told == [thresholds()[f"{profile}.{row}"].default for profile in ("fast", "slow")], row
    assert f"At most {MAX_RUNGS} rungs and {MAX_BYSTANDERS} bystanders" in text


def test_the_example_prints_what_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever runs the example of docs/detection.md sees the numbers of its table."""
    text = read("docs/detection.md")
    example = re.search(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert example
    exec(example[1], {})
    table = re.findall(r"^\| (\d) \| (\d+) s \| (\d) \| ([\d.]+) \|", text, flags=re.MULTILINE)
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [[n, f"{float(at):.0f}", generation, surprise] for n, at, generation, surprise in printed] == [
        list(row) for row in table
    ]


def test_the_tree_is_the_tree() -> None:
    """What docs/architecture.md draws exists, and every folder of the project and of the core has its place in it."""
    block = read("docs/architecture.md").partition("## The folders")[2].split("```")[1]
    drawn, above = set(), [""]
    for line in block.splitlines()[1:]:
        depth = (len(line) - len(line.lstrip())) // 2
        names = re.split(r" {3,}", line.strip())[0].split()
        for name in names:
            path = "/".join([*above[: depth + 1], name.rstrip("/")]).lstrip("/")
            assert is_there(path, "README.md"), path
            drawn.add(path)
        above[depth + 1 :] = [names[-1].rstrip("/")]
    here = {name for name in FOLDERS - {"."} if "/" not in name and not name.startswith(".")}
    rooms = {name.removesuffix(".py") for name in TRACKED | FOLDERS if Path(name).parent.name == "loopbreaker"}
    assert here | (rooms - {"lambdas/loopbreaker/__init__"}) <= drawn
