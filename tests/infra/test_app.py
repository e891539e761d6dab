"""`cdk synth` runs app.py: alone, without account, git or network."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.infra.conftest import FLAGS, ROOT

NOWHERE = "http://127.0.0.1:9"


def run_app(folder: Path, **context: object) -> subprocess.CompletedProcess[str]:
    """Runs the app as the CDK command line does, with a proxy that leads nowhere and no credentials."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "JSII_NODE") if name in os.environ}
    environment = kept | {
        "PYTHONPATH": str(ROOT / "lambdas"),
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps({**FLAGS, **context}),
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE),
    }
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_app_needs_neither_network_nor_account(tmp_path: Path) -> None:
    """A synth without network and credentials writes a template that fits every account and Region."""
    done = run_app(tmp_path, stack_name="Loops-prod", mail="ops@example.com")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["artifacts"]["Loops-prod"]["environment"] == "aws://unknown-account/unknown-region"
    (shipped,) = tmp_path.glob("asset.*")
    assert (shipped / "aws_lambda_powertools").is_dir()


def test_a_wrong_context_ends_in_one_message(tmp_path: Path) -> None:
    """The synth stops with exit status 1 and the list of problems, and without a traceback."""
    done = run_app(tmp_path, acton="stop", mail="ops")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "loopbreaker: the configuration is wrong:",
        "  - mail=ops: 'ops' is not a mail address",
        "  - unknown key 'acton'; did you mean 'action'?",
    ]
