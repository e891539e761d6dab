"""The pictures in docs are what the command makes of the code as it is."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.pictures.__main__ import FOLDER, TERMINAL, files
from benchmarks.pictures.captures import captures
from benchmarks.pictures.incidents import INCIDENTS, Incident, stopped


@pytest.fixture(scope="module")
def found() -> dict[str, Incident]:
    return {name: live() for name, live in INCIDENTS.items()}


def test_no_picture_is_stale(found: dict[str, Incident]) -> None:
    """`make pictures` would change nothing."""
    made = {f"{name}{end}": content for name, one in found.items() for end, content in files(one).items()}
    made[TERMINAL] = captures(found, held=stopped(hours=0.9).loops[0])
    kept = {path.name: path.read_text(encoding="utf-8") for path in Path(FOLDER).iterdir()}
    assert kept.keys() == made.keys()
    stale = [name for name, content in made.items() if kept[name] != content]
    assert stale == [], "run `make pictures`, look at them, and commit them"


def test_each_incident_is_what_it_is_called(found: dict[str, Incident]) -> None:
    """A loop that was stopped and came back; one slot; a slow leak; a mass event; ten thousand failures."""
    kinds = [told.kind.value for told in found["stopped"].loops[0].incident.messages]
    assert kinds.index("stopped") < kinds.index("back")
    assert found["stopped"].loops[0].closed_because
    assert found["one-slot"].drawn.serving == 39
    assert found["slow-leak"].loops[0].state == "loops slowly"
    assert len(found["mass"].drawn.services) == 25
    assert found["week"].drawn.failures >= 10_000


def test_each_is_small_and_well_formed(found: dict[str, Incident]) -> None:
    """At most 100 kB, the one of a week too."""
    for one in found.values():
        drawn = files(one)[".svg"]
        ElementTree.fromstring(drawn)
        assert len(drawn.encode()) < 100_000
