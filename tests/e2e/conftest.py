"""One deployment for all end-to-end tests."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from demo.deployment import deploy
from demo.ministack import ministack
from demo.sandbox import sandbox
from demo.wiring import Mailbox
from simulation.server import Server
from tests.e2e.account import CONTEXT, Account, Relay, empty_cluster


@pytest.fixture(scope="session")
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """The app, bootstrapped and deployed on an embedded AWS; needs what `make install` installs."""
    relay = Relay()
    # Each worker of pytest-xdist has an account of its own.
    worker = getattr(request.config, "workerinput", {"workerid": "main"})["workerid"]
    with sandbox(f"e2e-{worker}") as box, Server.from_now(empty_cluster, sink=relay) as ecs:
        endpoints = {"AWS_ENDPOINT_URL_ECS": ecs.url, "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING": ecs.url}
        with ministack(box, environment=endpoints) as aws:
            stack = deploy(aws, context=CONTEXT, phase=nullcontext)
            relay.bus = aws.client("events")
            yield Account(ecs=ecs, relay=relay, aws=aws, stack=stack, mailbox=Mailbox(aws, stack.topic_arn))
            relay.close()
