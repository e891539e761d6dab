"""Child processes that do not outlive the one that started them, however it ends.

Each runs under a guard, `python -m demo.child COMMAND ...`, which leads a process group of its own. The guard's
standard input is a pipe from the starter: when that closes, be it by SIGKILL, the guard kills the whole group.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

from demo import ROOT

_GRACE = 2.0  # seconds to end in, by itself and then by force
_LOG_LINES = 20


@contextmanager
def child(command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command, started in the project's folder, with its words in `log`; the end of the `with` ends it.

    Yields the guard, whose exit status is that of the command.
    """
    with log.open("wb") as output:
        guard = subprocess.Popen(
            [sys.executable, "-m", "demo.child", *command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield guard
    finally:
        _end(guard)


def processes_of(group: int) -> int:
    """How many processes of a guard's group still run, as /proc knows them; 0 where there is no /proc."""
    return sum(_runs_in(group, stat) for stat in Path("/proc").glob("[0-9]*/stat"))


def last_lines(log: Path) -> str:
    """The end of a log, for an error message that names it."""
    if not log.is_file():
        return f"{log} was not written."
    return "\n".join([f"The end of {log}:", *log.read_text(errors="replace").splitlines()[-_LOG_LINES:]])


def _end(guard: subprocess.Popen[bytes]) -> None:
    """End the group: politely, then not, and wait until it is gone."""
    for politeness in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(guard.pid, politeness)
        with suppress(subprocess.TimeoutExpired):
            guard.wait(_GRACE)
    deadline = monotonic() + _GRACE
    while processes_of(guard.pid) and monotonic() < deadline:
        sleep(0.02)
    if guard.stdin:
        guard.stdin.close()


def _runs_in(group: int, stat: Path) -> bool:
    """Whether a process is of this group and no zombie (Linux man page proc_pid_stat(5))."""
    try:
        state, _, of, *_ = stat.read_text().rpartition(")")[2].split()
    except OSError:  # it has ended meanwhile
        return False
    return int(of) == group and state != "Z"


def _guard(command: Sequence[str]) -> int:
    """Run the command; its exit status."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # it is for the command, which ends first
    Thread(target=_end_with_the_starter, daemon=True).start()
    return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode


def _end_with_the_starter() -> None:
    while os.read(0, 64):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    if os.getpid() != os.getpgid(0):
        sys.exit("demo.child: does not lead a process group; it is started by demo.child.child")
    sys.exit(_guard(sys.argv[1:]))
