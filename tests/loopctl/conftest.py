"""The command line prints as it does into a pipe, whatever terminal or CI the tests run in."""

import os

for name in ("FORCE_COLOR", "NO_COLOR", "PY_COLORS", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "TERMINAL_WIDTH"):
    os.environ.pop(name, None)
# typer takes GitHub Actions for a terminal.
os.environ["_TYPER_FORCE_DISABLE_TERMINAL"] = "1"
