"""install.py, as somebody who loses patience meets it."""

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
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said.strip()) == (130, "install: interrupted; start it again to go on")
    assert not (tmp_path / ".venv" / ".installed").exists()
