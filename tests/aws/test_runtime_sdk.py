"""The SDK that the Lambda runtime has is not the one of these tests: the same facts, and the same tests, with it."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import botocore
import pytest
from botocore.session import Session

from loopbreaker.remembering.trip import Scaling
from loopbreaker.treating.facts import Deployment, Facts, RunningTask, ServiceDeployment, Unknown
from tests.aws.wire import facts

ROOT = Path(__file__).parents[2]
RUNTIME = Path(sys.prefix) / "runtime"
"""Where `make install` puts the SDK of requirements-runtime.txt."""
VERSION = "1.42.97"
INSIDE = os.environ.get("LOOPBREAKER_TESTED_SDK") == VERSION


def with_runtime_sdk(*arguments: str) -> "subprocess.CompletedProcess[str]":
    assert (RUNTIME / "botocore").is_dir(), "`make install` installs it"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(RUNTIME), str(ROOT), str(ROOT / "lambdas")]),
        "LOOPBREAKER_TESTED_SDK": VERSION,
    }
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        environment.pop(name, None)
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_every_fact_reads_the_same() -> None:
    """The same answers of AWS are the same facts, one by one, and none of them is left at its default."""
    read = facts(Session())
    assert read == Facts(
        exists=True,
        desired_count=3,
        strategy="REPLICA",
        controller="ECS",
        managed_by_ecs=True,
        tags={"loopbreaker:action": "stop"},
        deployments=(
            Deployment(
                id="ecs-svc/1111111111111111111",
                status="PRIMARY",
                task_definition="arn:aws:ecs:eu-west-1:123456789012:task-definition/web:8",
                running=1,
                rollout="IN_PROGRESS",
                created_at=1767225600.5,
            ),
            Deployment(
                id="ecs-svc/2222222222222222222",
                status="ACTIVE",
                task_definition="arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7",
                running=2,
                rollout="COMPLETED",
                created_at=1767220000.0,
            ),
        ),
        rollout=ServiceDeployment(
            arn="arn:aws:ecs:eu-west-1:123456789012:service-deployment/prod/web/abcdefghijklmnopqrstu",
            status="IN_PROGRESS",
            sources=(2,),
            breaker="MONITORING",
            failures=4,
            threshold=10,
        ),
        tasks=(
            RunningTask(
                last_status="RUNNING",
                health="HEALTHY",
                started_at=1767225620.75,
                deployment_id="ecs-svc/1111111111111111111",
                target_health="draining",
                created_at=1767225610.25,
            ),
        ),
        scaling=Scaling(
            minimum=2, dynamic_in_suspended=True, dynamic_out_suspended=False, scheduled_suspended=True, maximum=9
        ),
        grace=30.0,
    )
    version, said = with_runtime_sdk("tests.aws.wire").stdout.splitlines()
    assert version == VERSION != botocore.__version__
    assert said == str(read)


@pytest.mark.parametrize("missing", ["currentServiceDeployment", "resourceManagementType"])
def test_an_sdk_that_lacks_a_fact_knows_none(tmp_path: Path, missing: str) -> None:
    """An SDK drops without a word what its model does not name; then nothing that it reads is believed."""
    model = Path(botocore.__file__).parent / "data" / "ecs" / "2014-11-13" / "service-2.json.gz"
    known = json.loads(gzip.decompress(model.read_bytes()))
    del known["shapes"]["Service"]["members"][missing]
    older = tmp_path / "ecs" / "2014-11-13"
    older.mkdir(parents=True)
    (older / "service-2.json").write_text(json.dumps(known))
    session = Session()
    session.set_config_variable("data_path", str(tmp_path))
    assert facts(session) == Unknown(why=f"the AWS SDK of this runtime is too old: it does not know {missing}")


@pytest.mark.skipif(INSIDE, reason="these are the tests that are run with it")
def test_what_talks_to_aws_does_so_with_the_runtimes_sdk() -> None:
    """All tests of the adapters that call AWS pass with it."""
    here = Path(__file__)
    # Text alone, and slow.
    texts = "--deselect=tests/aws/test_diagnosis.py::test_log_lines_are_bounded_and_clean"
    options = ("-q", "-n", "0", "-p", "no:cacheprovider", f"--ignore={here}", texts)
    done = with_runtime_sdk("pytest", *options, str(here.parent))
    assert done.returncode == 0, done.stdout[-3000:]
