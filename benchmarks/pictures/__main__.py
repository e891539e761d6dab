"""`make pictures`: draws the incidents into docs/pictures, and what a terminal shows of them."""

from pathlib import Path

from benchmarks.pictures.captures import captures
from benchmarks.pictures.incidents import INCIDENTS, Incident, stopped
from loopbreaker.picture.svg import svg
from loopbreaker.picture.text import text

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
TERMINAL = "terminal.md"
_COLUMNS = 100


def files(incident: Incident) -> dict[str, str]:
    """The drawing of an incident and its twin in characters, by the end of the file's name."""
    return {".svg": svg(incident.drawn), ".txt": text(incident.drawn, width=_COLUMNS) + "\n"}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    found = {name: live() for name, live in INCIDENTS.items()}
    for name, incident in found.items():
        for end, content in files(incident).items():
            (FOLDER / f"{name}{end}").write_text(content, encoding="utf-8")
    (FOLDER / TERMINAL).write_text(captures(found, held=stopped(hours=0.9).loops[0]), encoding="utf-8")
    print(f"{len(found)} incidents and {TERMINAL} in {FOLDER.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
