"""What a terminal shows of the five incidents, at three widths: the commands' own words, with the time held still."""

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from typer.testing import CliRunner

from benchmarks.pictures.incidents import CLUSTER, Incident
from loopbreaker.picture.loops import Loop
from loopbreaker.picture.text import text
from loopctl import cli, prose, session
from simulation import Failure, ServiceSpec, Simulation, crash, healthy, uniform

WIDTHS = (60, 80, 120)


def captures(found: dict[str, Incident], held: Loop) -> str:
    """A page of Markdown with every capture."""
    parts = [_HEAD]
    going = [held, *found["one-slot"].loops]
    now = max(loop.incident.last_failure_at for loop in going) + 30
    parts += [_capture("loopctl status", width, prose.status(going, [], now=now, width=width)) for width in WIDTHS]
    past = [loop for name, incident in found.items() if name != "mass" for loop in incident.loops]
    past = sorted(past, key=lambda loop: -loop.incident.last_failure_at)
    now = past[0].incident.last_failure_at + 30
    parts += [_capture("loopctl history", width, prose.history(past, now=now, width=width)) for width in WIDTHS]
    shown = found["stopped"]
    for width in WIDTHS:
        story = prose.story(_told(shown.loops[0]), now=now, width=width)
        drawn = text(shown.drawn, width=width)
        parts.append(_capture(f"loopctl show {shown.loops[0].name}", width, f"{drawn}\n\n{story}"))
    with TemporaryDirectory() as folder:
        recording = Path(folder) / "events.jsonl"
        recording.write_text("".join(f"{json.dumps(event)}\n" for event in _recording()))
        for command in (["replay"], ["replay", "--picture"], ["explain"]):
            for width in WIDTHS:
                shown_as = f"loopctl {' '.join(command)} events.jsonl"
                parts.append(_capture(shown_as, width, _run([*command, str(recording)], width)))
    return "\n".join(parts)


def _told(loop: Loop) -> Loop:
    """The loop with its messages taken by a stack that tells by mail and in Slack."""
    return replace(loop, receipts=tuple(replace(one, to=_PLACES) for one in loop.messages))


_PLACES = ("event bus default", "mail topic loops", "Slack channel C0123456789")
_HEAD = """# What a terminal shows

Made by `make pictures` from the incidents of the simulation in `benchmarks/pictures`, at 60, 80 and 120 columns.
`status`, `history` and `show` print what stands here for a table that holds those incidents.
The events of `replay` and `explain` are a recording of one more service, `web`.
"""


def _capture(command: str, width: int, shown: str) -> str:
    lines = "\n".join(line.rstrip() for line in shown.rstrip().splitlines())
    return f"## `{command}`, {width} columns\n\n```text\n{lines}\n```\n"


def _recording() -> list[dict[str, object]]:
    sim = Simulation(seed=9)
    sim.create_cluster(CLUSTER)
    sim.create_service(ServiceSpec(cluster=CLUSTER, name="web", desired_count=1, behaviour=healthy()))
    sim.at(300, lambda: sim.deploy(CLUSTER, "web", behaviour=crash(Failure.APP_CRASH, after=uniform(20, 40))))
    return [event for event in sim.run_until(900) if event["detail"].get("lastStatus") in (None, "STOPPED")]


def _run(command: list[str], width: int) -> str:
    """A command as on a terminal of this width, in a folder of its own."""
    known = session.Screen.__init__

    def narrow(self: session.Screen, *, stderr: bool = False) -> None:
        known(self, stderr=stderr)
        self.width = width

    session.Screen.__init__ = narrow  # type: ignore[method-assign]
    try:
        return CliRunner().invoke(cli.app, command).stdout
    finally:
        session.Screen.__init__ = known  # type: ignore[method-assign]
