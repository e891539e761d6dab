#!/usr/bin/env bash
# Before anything is deployed: install the command, see what loops now, see what looped.
set -euo pipefail

python3 -m venv loopbreaker
source loopbreaker/bin/activate
pip install --quiet dist/loopbreaker-*.whl
loopctl --version

# What loops now? Read-only.
loopctl scan

# What looped in the last month, and what would have been told of it? Of the events that the account records already.
loopctl backtest --since 30d

# How a service opts in, once something is deployed.
loopctl opt-in prod/checkout stop --recovery probe
