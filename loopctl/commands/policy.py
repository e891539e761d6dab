"""`loopctl policy`: the thresholds."""

import json

import typer

from loopbreaker.thresholds import thresholds
from loopctl import report
from loopctl.options import Json
from loopctl.session import Screen


def register(app: typer.Typer) -> None:
    app.command()(policy)


def policy(as_json: Json = False) -> None:
    """The thresholds that `replay --policy` and a deployment take, with their defaults; durations are in seconds."""
    if as_json:
        print(json.dumps({key: threshold.default for key, threshold in thresholds().items()}))
    else:
        Screen().print(report.thresholds_table(thresholds().values()))
