"""`make demo`: deploys the stack on an embedded AWS and plays the story. Exit status 0 only if it went as it should."""

import argparse
import sys
from contextlib import ExitStack

from demo.child import last_lines
from demo.deployment import Deployed, DeploymentError, deploy
from demo.ministack import Ministack, MinistackError, ministack
from demo.sandbox import Sandbox, SandboxError, sandbox
from demo.screen import Check, Screen
from demo.story import CONTEXT, SPEED_UP, Events, Story, cluster
from demo.wiring import WiringError
from simulation.server import Server

_INTERRUPTED = 130  # as a shell reports SIGINT
_ABOUT = """Deploys the real stack on an embedded AWS, with a simulated ECS: a service loops,
is stopped, and comes back.

Takes about a minute and needs no AWS account; nothing leaves this machine. Logs are left in .run/demo.
The exit status is 0 only if everything went as it should, and 130 after Ctrl-C."""


def main() -> int:
    """Run the demo; the exit status."""
    shape = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser("python -m demo", description=_ABOUT, formatter_class=shape).parse_args()
    screen = Screen()
    try:
        with sandbox("demo") as box:
            return _run(box, screen)
    except (SandboxError, MinistackError, DeploymentError) as error:
        screen.say("failed", str(error))
    except KeyboardInterrupt:
        screen.say("failed", "interrupted; everything was stopped")
        return _INTERRUPTED
    return 1


def _run(box: Sandbox, screen: Screen) -> int:
    """Everything from the first process to the last; none is left when it returns."""
    events: Events = Events()
    screen.say("demo", f"nothing leaves this machine; logs are in {box.folder}")
    with ExitStack() as running:
        ecs = running.enter_context(Server.from_now(cluster, sink=events.put))
        screen.say("ECS", f"simulated, {SPEED_UP} times as fast as the real one: services checkout and storefront")
        with screen.phase("MiniStack, an embedded AWS"):
            endpoints = {"AWS_ENDPOINT_URL_ECS": ecs.url, "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING": ecs.url}
            aws = running.enter_context(ministack(box, environment=endpoints))
        stack = deploy(aws, context=CONTEXT, phase=screen.phase)
        checks = _play(ecs=ecs, events=events, aws=aws, stack=stack, screen=screen)
    checks.append(Check("no process is left", aws.processes == 0, f"{aws.processes} processes"))
    screen.summary(checks)
    if all(check.holds for check in checks):
        screen.say("demo", "everything happened as it should")
        return 0
    screen.say("failed", f"not as it should. The logs are in {box.folder}. {last_lines(aws.log)}")
    return 1


def _play(*, ecs: Server, events: Events, aws: Ministack, stack: Deployed, screen: Screen) -> list[Check]:
    try:
        return Story(ecs=ecs, events=events, aws=aws, stack=stack, screen=screen).play()
    except WiringError as error:
        return [Check("the event bus takes every event", False, str(error))]


if __name__ == "__main__":
    sys.exit(main())
