"""One run over recordings: a progress bar while it lasts, a word on what cannot be read, quiet when nobody listens."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from loopctl.recordings import Recorded, Recordings, Unreadable

# As shells report a process that a broken pipe ended (128 + SIGPIPE).
_BROKEN_PIPE = 141
_CANNOT_WRITE = 1
# Events between two moves of the bar.
_STEP = 500
# Problems that are said one by one; the others are counted.
_MOST_SAID = 20
# Columns, where nobody looks at a screen: nothing is cut or folded there.
_WIDE = 240


def only_ascii() -> bool:
    """Whether standard output can show nothing but ASCII."""
    try:
        "░█✕".encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return True
    return False


class Screen(Console):
    """Standard output or standard error, as wide as it is."""

    def __init__(self, *, stderr: bool = False) -> None:
        stream = sys.stderr if stderr else sys.stdout
        super().__init__(stderr=stderr, width=None if stream.isatty() else _WIDE)

    def on_broken_pipe(self) -> None:
        """rich would exit with 1, which says something else here."""
        raise BrokenPipeError


@contextmanager
def heard() -> Iterator[None]:
    """The output of the body reaches its reader, or the command ends: quietly where the reader has gone."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        # What is still buffered is written when Python exits.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            os.dup2(nowhere, sys.stderr.fileno())
            raise typer.Exit(_BROKEN_PIPE) from None
        print(f"loopctl: cannot write: {error.strerror}", file=sys.stderr)
        raise typer.Exit(_CANNOT_WRITE) from None


class Session:
    """The events of some files, for the body of a `with`. `unreadable` counts what could not be read.

    streams: whether the body prints as it goes; then no bar is shown on the terminal that it prints to.
    """

    def __init__(self, files: Sequence[Path], *, streams: bool) -> None:
        self.unreadable = 0
        self._recordings = Recordings([str(file) for file in files])
        self._errors = Screen(stderr=True)
        self._bar = Progress(
            TextColumn("reading"),
            BarColumn(),
            DownloadColumn(),
            TimeElapsedColumn(),
            console=self._errors,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not self._errors.is_terminal or (streams and sys.stdout.isatty()),
        )

    def __enter__(self) -> "Session":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        if self.unreadable > _MOST_SAID:
            self.say(f"… and {self.unreadable - _MOST_SAID:,} more that could not be read")

    def events(self) -> Iterator[Recorded]:
        """Every event that can be read, in order; what cannot be read is said."""
        task = self._bar.add_task("reading", total=self._recordings.bytes_total())
        for number, found in enumerate(self._recordings):
            if number % _STEP == 0:
                self._bar.update(task, completed=self._recordings.bytes_read)
            if isinstance(found, Unreadable):
                self._refuse(found)
            else:
                yield found

    def refuse(self, recorded: Recorded, why: str) -> None:
        """Say that an event that was read makes no sense."""
        self._refuse(Unreadable(recorded.file, recorded.line, why))

    def say(self, text: str) -> None:
        """One line on standard error."""
        self._errors.print(text, markup=False, highlight=False, soft_wrap=True)

    def _refuse(self, problem: Unreadable) -> None:
        self.unreadable += 1
        if self.unreadable <= _MOST_SAID:
            self.say(str(problem))
