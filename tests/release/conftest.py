"""The package, made once for all tests of it."""

from pathlib import Path

import pytest

from infra.package import SHIPPED
from release import dist

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the wheel and the source distribution, made as `make dist` makes them."""
    folder = tmp_path_factory.mktemp("dist")
    dist.ship(SHIPPED)
    dist.build(folder)
    return folder


@pytest.fixture(scope="session")
def wheel(packages: Path) -> Path:
    (found,) = packages.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def sdist(packages: Path) -> Path:
    (found,) = packages.glob("*.tar.gz")
    return found
