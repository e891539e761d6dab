"""A new user for each way in: the scripts of docs/sessions as they stand, against the embedded AWS."""

import subprocess
import venv
from pathlib import Path

import pytest

from loopbreaker import VERSION
from tests.sessions.place import OLDER, ROOT, SESSIONS, download, place

pytestmark = pytest.mark.session

AWSCLI = "awscli==1.46.3"


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The AWS command line, which is no part of this project and which whoever deploys a template has."""
    folder = tmp_path_factory.mktemp("tools")
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", AWSCLI], check=True, stdin=subprocess.DEVNULL)
    (folder / "only").mkdir()
    (folder / "only" / "aws").symlink_to(folder / "bin" / "aws")
    return folder / "only"


def hops(printed: str) -> list[str]:
    return [line[:20].strip() for line in printed.splitlines() if " after " in line and line.endswith(" s")]


HOPS = ["events on the bus", "counted by detect", "found by respond", "told by notify", "over again"]


def test_install_look_deploy_a_template_upgrade_and_remove(tools: Path, tmp_path: Path) -> None:
    """With the wheel alone: a loop is seen and looked back at; the stack is upgraded, drilled and taken away."""
    download(tmp_path)
    with place(tmp_path, "template") as account:
        account.loops()
        before = account.run("before.sh", path=(tools,))
        assert f"loopctl {VERSION}" in before
        assert "prod/checkout\n  app-crash, exit 1" in before
        assert "1 of 1 service in 1 cluster (eu-west-1) loops now." in before
        assert "prod/checkout: app-crash\n  began" in before
        assert "1 restart loop" in before
        assert "aws ecs tag-resource --resource-arn arn:aws:ecs:eu-west-1:123456789012:service/prod/checkout" in before
        printed = account.run("template.sh", "acme-loopbreaker", path=(tools, tmp_path / "loopbreaker" / "bin"))
    assert f"version {OLDER}, mode alert; this loopctl is {VERSION}" in printed
    assert f"ok    stack Loopbreaker: version {VERSION}, mode alert" in printed
    assert "1 service looked at" in printed
    assert hops(printed) == HOPS
    assert printed.splitlines()[-1] == "ACTIVE"
    left = account_is_clean(printed)
    assert left


def account_is_clean(printed: str) -> bool:
    """No command of the session said that it failed."""
    return not any(word in printed for word in ("Traceback", "could not be looked at", "not reached"))


def test_the_cdk_app(tools: Path, tmp_path: Path) -> None:
    """Bootstrapped, deployed, drilled, deployed again in another mode, and taken away; the table stays."""
    download(tmp_path)
    with place(tmp_path, "cdk") as account:
        printed = account.run("cdk.sh", path=(tools, ROOT / ".venv" / "bin"))
    assert hops(printed) == HOPS
    assert "mode alert" in printed
    assert "mode stop" in printed
    assert printed.splitlines()[-1].startswith("Loopbreaker-Table")
    assert account_is_clean(printed)


def test_the_construct(tools: Path, tmp_path: Path) -> None:
    """In an app of somebody else, with what the wheel holds; their stack is looked at by its name."""
    download(tmp_path)
    with place(tmp_path, "construct") as account:
        printed = account.run("construct.sh", path=(tools, ROOT / ".venv" / "bin"))
    assert f"stack Observability: version {VERSION}, mode rollback" in printed
    assert hops(printed) == HOPS
    assert printed.splitlines()[-1].startswith("Observability-LoopsTable")
    assert account_is_clean(printed)


def test_every_session_is_lived() -> None:
    """A script that nobody runs would be a document that nobody checks."""
    text = Path(__file__).read_text(encoding="utf-8")
    assert all(f'"{script.name}"' in text for script in SESSIONS.glob("*.sh"))
