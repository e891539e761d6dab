"""`python -m release.document` writes the tables of the documents from what they describe; a test holds them to it."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from infra.config import StackConfig
from loopbreaker.policy import Policy
from loopbreaker.thresholds import thresholds

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "docs" / "configuration.md",)


def written(page: str) -> str:
    """The page with every table as it should be. A table stands between `<!-- name -->` and `<!-- /name -->`."""
    for name, table in tables().items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, found, rest = page.partition(begin)
        if found:
            page = before + begin + "\n" + table + "\n" + end + rest.partition(end)[2]
    return page


def tables() -> dict[str, str]:
    """Every table that is written, by its name."""
    rows = [
        (f"`{threshold.key}`", f"{threshold.default:g}", threshold.unit, threshold.meaning)
        for threshold in thresholds().values()
    ]
    keys = [(f"`{key.name}`", _shown(key.default), str(key.metadata["meaning"])) for key in fields(StackConfig)]
    return {
        "thresholds": _table(("threshold", "default", "what it is", "meaning"), rows),
        "configuration": _table(("key", "default", "meaning"), keys),
    }


def _shown(default: object) -> str:
    match default:
        case tuple():
            return f"`{', '.join(default)}`" if default else "none"
        case Policy():
            return "none"
        case bool():
            return f"`{str(default).lower()}`"
        case _:
            return f"`{default}`"


def _table(heading: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heading, tuple("---" for _ in heading), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    for page in PAGES:
        page.write_text(written(page.read_text()))


if __name__ == "__main__":
    main()
