"""The real app, deployed with the real `cdk bootstrap` and `cdk deploy` on an embedded AWS."""

import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo import ROOT
from demo.child import child, last_lines
from demo.ministack import Ministack
from demo.sandbox import ACCOUNT, REGION

_NODE = Path(sys.executable).with_name("node")
_CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
_PATIENCE = 180.0  # seconds for one command

Phase = Callable[[str], AbstractContextManager[object]]
"""Told what is done now, for as long as it is done; `contextlib.nullcontext` says nothing."""


class DeploymentError(Exception):
    """Something that is needed is missing, or a command failed; the message holds its last words."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """The stack as deployed.

    queues: URLs of every queue, the event queue among them, by CloudFormation's logical id.
    functions: names of the functions by what they are: detect, respond, sweep, notify.
    """

    table: str
    topic_arn: str
    event_queue: str
    event_dead_letters: str
    queues: Mapping[str, str]
    functions: Mapping[str, str]


def deploy(aws: Ministack, *, context: Mapping[str, str], phase: Phase) -> Deployed:
    """Bootstrap and deploy the app with this context. Raises DeploymentError."""
    _check_tools()
    folder = aws.sandbox.folder
    app = shlex.join([sys.executable, str(ROOT / "app.py")])
    assembly, outputs = folder / "cdk.out", folder / "outputs.json"
    choices = [part for key, value in context.items() for part in ("--context", f"{key}={value}")]
    synth = ("synth", "--quiet", "--app", app, "--output", str(assembly), *choices)
    bootstrap = ("bootstrap", f"aws://{ACCOUNT}/{REGION}", "--app", "", "--output", str(folder / "none"))
    with (
        phase("cdk bootstrap, cdk synth"),
        _cdk(aws, *synth) as synthesised,
        _cdk(aws, *bootstrap) as bootstrapped,
    ):
        _succeed(bootstrapped)
        _succeed(synthesised)
    given = ("--require-approval", "never", "--outputs-file", str(outputs), "--method", "direct")
    with phase("cdk deploy"), _cdk(aws, "deploy", "--app", str(assembly), *given) as deployed:
        _succeed(deployed)
    return _look(aws, outputs)


@dataclass(frozen=True, slots=True)
class _Command:
    name: str
    log: Path
    process: subprocess.Popen[bytes]


def _check_tools() -> None:
    missing = [str(tool) for tool in (_NODE, _CDK) if not tool.exists()]
    if missing:
        raise DeploymentError(
            f"{' and '.join(missing)}: not there. Run `make install`, and start with .venv/bin/python."
        )


@contextmanager
def _cdk(aws: Ministack, name: str, *arguments: str) -> Iterator[_Command]:
    """A CDK command under way; the end of the `with` ends it and all that it started."""
    sandbox = aws.sandbox
    log = sandbox.folder / f"cdk-{name}.log"
    command = [str(_NODE), str(_CDK), name, "--no-notices", "--no-version-reporting", "--no-color", *arguments]
    environment = {
        **sandbox.environment,
        "AWS_ENDPOINT_URL": aws.url,
        "CDK_HOME": str(sandbox.folder / "home" / ".cdk"),  # not the user's: it holds accounts by access key
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
        "CI": "true",
        "PYTHONPATH": str(ROOT / "lambdas"),  # the thresholds of this folder
    }
    with child(command, environment=environment, log=log) as process:
        yield _Command(name=name, log=log, process=process)


def _succeed(command: _Command) -> None:
    try:
        status = command.process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        raise DeploymentError(
            f"cdk {command.name} did not end in {_PATIENCE:.0f} s. {last_lines(command.log)}"
        ) from None
    if status != 0:
        raise DeploymentError(f"cdk {command.name} exited with {status}. {last_lines(command.log)}")


def _look(aws: Ministack, outputs: Path) -> Deployed:
    ((stack, told),) = json.loads(outputs.read_text()).items()
    resources = aws.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]

    def physical(kind: str) -> dict[str, str]:
        return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in resources if r["ResourceType"] == kind}

    functions = physical("AWS::Lambda::Function")
    return Deployed(
        table=told["TableName"],
        topic_arn=told["TopicArn"],
        event_queue=told["EventQueueUrl"],
        event_dead_letters=told["EventDeadLetterQueueUrl"],
        queues=physical("AWS::SQS::Queue"),
        functions={logical.partition("Function")[0].lower(): name for logical, name in functions.items()},
    )
