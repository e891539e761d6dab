"""Runs MiniStack in this process and ends with whoever started it: `python -m demo.guard`.

Standard input is a pipe whose other end closes when the starter ends, even by SIGKILL; then this process group, which
holds the Lambda functions' processes too, is killed. It must lead a group of its own.
"""

import os
import runpy
import signal
import sys
from threading import Thread


def _end_with_the_starter() -> None:
    while os.read(0, 64):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    if os.getpid() != os.getpgid(0):
        sys.exit("demo.guard: not the leader of a process group; start it with start_new_session=True")
    Thread(target=_end_with_the_starter, daemon=True).start()
    sys.argv = ["ministack"]
    runpy.run_module("ministack.app", run_name="__main__")
