"""install.py, as somebody who loses patience meets it."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_ctrl_c_is_no_traceback(tmp_path: Path) -> None:
    """One line that says how to go on, and the status of an interrupted command; the step is not taken for done."""
    needed = [f"requirements{of}.txt" for of in ("", "-dev", "-checks", "-runtime")]
    for name in ("install.py", "lambdas/requirements.txt", *needed):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    command = [sys.executable, str(tmp_path / "install.py")]
    status, said = _interrupted(command)
    assert (status, said.strip()) == (130, "install: interrupted; start it again to go on")
    assert not (tmp_path / ".venv" / ".installed").exists()


def test_what_it_runs_is_ended_without_a_word_of_its_own() -> None:
    """Ctrl-C at a terminal reaches every program that runs there: only install.py speaks of it."""
    lasting = "print('up', flush=True); import signal; signal.pause()"
    body = f"import install, sys; install._run(sys.executable, '-c', {lasting!r})"
    _, said = _interrupted([sys.executable, "-c", body])
    assert said.count("Traceback") == 1, "that of this small script"


def _interrupted(command: list[str]) -> tuple[int, str]:
    """The exit status and the errors of a command that is interrupted, as a terminal does it, at its first line."""
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=30)
    return process.returncode, said
