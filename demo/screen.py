"""What the demo shows: lines in the order of what happens, and below them, on a terminal, what goes on now."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import wrap
from time import monotonic

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

_STYLES = {"demo": "bold", "ECS": "yellow", "detect": "cyan", "mail": "green", "people": "magenta", "failed": "red"}
_MARGIN = 18  # columns for the time and who speaks
_NARROWEST = 30  # columns of text, however narrow the terminal is
_PLAIN_WIDTH = 120  # where the output goes to a file


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so at the end: what, whether it is, and what was found."""

    what: str
    holds: bool
    found: str


class Screen:
    """Prints with the seconds since the start before each line; plain lines where there is no terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        if not self._console.is_terminal:
            self._console = Console(width=_PLAIN_WIDTH)
        self._began = monotonic()

    def say(self, who: str, text: str, *, quiet: bool = False) -> None:
        """One line; a `quiet` one is for the record rather than for the eye."""
        head = Text.assemble((f"{monotonic() - self._began:6.1f} s  ", "dim"), (f"{who:<8}", _STYLES.get(who, "")))
        lines = [part for line in text.splitlines() for part in self._wrapped(line) or [""]]
        for number, line in enumerate(lines):
            self._console.print(
                Text.assemble(head if not number else " " * _MARGIN, (line, "dim" if quiet else "")), soft_wrap=True
            )

    def letter(self, subject: str, text: str) -> None:
        """A message as a person would read it: mail is written for 78 columns, and stands nearly at the edge."""
        self.say("mail", subject)
        for line in text.splitlines():
            for part in self._wrapped(line, margin=2) or [""]:
                self._console.print(Text.assemble(("| ", "green"), part), soft_wrap=True)

    def _wrapped(self, text: str, *, margin: int = _MARGIN) -> list[str]:
        """Lines that fit beside the margin, broken between words; those after the first keep the indent, and more."""
        indent = len(text) - len(text.lstrip())
        return wrap(
            text,
            max(self._console.width - margin, _NARROWEST),
            subsequent_indent=" " * (indent + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )

    @contextmanager
    def phase(self, title: str) -> Iterator[None]:
        """Something that takes a while; says how long it took."""
        began = monotonic()
        if self._console.is_terminal:
            columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            with Progress(*columns, console=self._console, transient=True) as progress:
                progress.add_task(title, total=None)
                yield
        else:
            self.say("demo", f"{title} ...")
            yield
        self.say("demo", f"{title}: {monotonic() - began:.1f} s")

    @contextmanager
    def status(self) -> Iterator["Status"]:
        """A last line that changes, on a terminal only."""
        if not self._console.is_terminal:
            yield Status(None)
            return
        with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=self._console, transient=True) as line:
            yield Status(line)

    def summary(self, checks: Sequence[Check]) -> None:
        """What should have happened, and what did."""
        table = Table("", "expected", "found", title="What happened", title_justify="left")
        for check in checks:
            mark = Text("yes", "green") if check.holds else Text("NO", "bold red")
            table.add_row(mark, check.what, check.found)
        self._console.print()
        self._console.print(table)


class Status:
    """The last line."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None) if progress else None

    def show(self, text: str) -> None:
        """Replace the line's text."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=text)
