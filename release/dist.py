"""`python -m release.dist` makes the wheel and the source distribution, with what the functions ship inside."""

import subprocess
import sys
import zipfile
from pathlib import Path

from infra import asset
from infra.package import SHIPPED

ROOT = Path(__file__).resolve().parent.parent
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip: the same sources make the same bytes."""


def main() -> None:
    """Leaves a wheel and a source distribution in `dist/`."""
    ship(SHIPPED)
    build(ROOT / "dist")


def ship(target: Path) -> Path:
    """What the functions ship, as one zip. Raises asset.BundlingError."""
    folder = asset.package()
    half = target.with_suffix(".half")
    with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), LONG_AGO)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                zipped.writestr(entry, path.read_bytes())
    half.replace(target)
    return target


def build(output: Path) -> None:
    """The wheel is made from the source distribution, so that the one is as whole as the other."""
    command = [sys.executable, "-m", "build", "--no-isolation", f"--outdir={output}", str(ROOT)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
