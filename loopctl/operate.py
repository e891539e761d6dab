"""What an operator does with a deployed stack: see what loops and what looped, say that somebody is at it, silence it,
ask for a service to be brought back."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from loopbreaker import VERSION
from loopbreaker.aws.archive import everywhere
from loopbreaker.aws.findings import Findings
from loopbreaker.aws.receipts import Receipts
from loopbreaker.aws.store import ClosedIncident, Table
from loopbreaker.model import ServiceRef
from loopbreaker.picture.loops import Loop
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.record import Record, Verdict
from loopbreaker.stories.acknowledge import acknowledge
from loopbreaker.stories.ports import ConflictError, UnreadableError
from loopbreaker.stories.resume import resume
from loopbreaker.telling.commands import service_arn
from loopctl.faults import Kind, kind, said

_MOST = 5000
# Records that are read at once: as many as the client has connections.
_AT_ONCE = 10
_MUTED = "loopbreaker:mute-until"


class OperateError(Exception):
    """What was asked for cannot be done; the message says why. `kind` is that of the fault of AWS behind it."""

    def __init__(self, message: str, kind: Kind = Kind.OTHER) -> None:
        super().__init__(message)
        self.kind = kind


class Account:
    """One deployed stack: its table, and the services of its account and Region."""

    def __init__(self, *, stack: str, region: str | None, profile: str | None) -> None:
        """Finds the table by the outputs of the stack. Raises OperateError where there is none."""
        self._stack = stack
        with asking(f"stack {stack}"):
            self._session = boto3.Session(region_name=region, profile_name=profile)
            client = self._session.client("cloudformation")
            name = table_name(client, stack)
            self._name, self._dynamodb = name, self._session.client("dynamodb")
            self._where = whereabouts(client, stack)
            self._table = Table(self._dynamodb, name)
            self._findings = Findings(self._dynamodb, name, self._table)
            self._receipts = Receipts(self._dynamodb, name, clock=time.time)

    def installed(self) -> str:
        """Version and mode of the stack, beside this command's version, as a sentence."""
        with asking(f"stack {self._stack}"):
            version, mode = installed(self._session.client("cloudformation"), self._stack)
        differs = "" if version == VERSION else f"; this loopctl is {VERSION}"
        return f"Stack {self._stack}: version {version}, mode {mode}{differs}."

    @property
    def session(self) -> boto3.Session:
        """For what is asked of other parts of the stack."""
        return self._session

    def remembered(self) -> list[Record]:
        """The records of services that loop or are suspected of it, those of one cluster together."""
        with asking("the table"):
            services = self._table.due(now=time.time() + 400 * 86_400, limit=_MOST)
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                records = list(pool.map(self._table.load, sorted(services)))
        return [record for record in records if record.verdict is Verdict.LOOPING or record.suspicion]

    def open(self, service: ServiceRef | None = None) -> list[Loop]:
        """The loops that go on now: of one service, or of all."""
        if service:
            with asking("the table"):
                records = [self._table.load(service)]
        else:
            records = self.remembered()
        return [self.of(record) for record in records if record.incident]

    def of(self, record: Record) -> Loop:
        """The loop of a record, with the times that it looped before; that there is one is for the caller to know."""
        assert record.incident is not None
        loop = Loop(record.service, record.incident, record=record)
        if record.incident.times == 1:
            return loop
        with asking("the table"):
            return replace(loop, earlier=self._findings.earlier(record.service, record.incident))

    def past(self, service: ServiceRef | None = None) -> list[Loop]:
        """Loops that are over, the newest first: of one service, or of all; one that came again is one."""
        with asking("the table"):
            if service:
                found = [_over(service, closed) for closed in self._table.incidents(service)]
            else:
                found = [_over(one, closed) for one, closed in everywhere(self._dynamodb, self._name)]
        return merged(found)

    def find(self, service: ServiceRef, incident: str = "") -> Loop:
        """One loop with its diagnosis: that with this id, else the one that goes on, else the newest.

        Raises OperateError where there is none.
        """
        with asking("the table"):
            record = self._table.load(service)
        loops = [self.of(record)] if record.incident else []
        if not loops or incident not in ("", loops[0].incident.id):
            loops = [loop for loop in self.past(service) if incident in ("", loop.incident.id)]
        if not loops:
            which = f"no loop {incident}" if incident else "no loop"
            raise OperateError(f"{_name(service)}: {which} of it in the last 400 days; `loopctl history` names all")
        with asking("the table"):
            receipts = tuple(self._receipts.of(service, loops[0].incident.id))
        return replace(loops[0], diagnosis=self._findings.find(service, loops[0].incident), receipts=receipts)

    def service(self, cluster: str, name: str) -> ServiceRef:
        """The service of these names, in the account and Region of the stack."""
        return ServiceRef(cluster_arn=f"{self._where}:cluster/{cluster}", name=name)

    def resume(self, cluster: str, name: str) -> Record:
        """Ask for a stopped service to be brought back; `respond` does it within a minute.

        Raises OperateError where Loopbreaker does not hold such a service.
        """
        with asking(f"{cluster}/{name}"):
            asked = resume(self.service(cluster, name), store=self._table, now=time.time())
        if asked is None:
            raise OperateError(
                f"{cluster}/{name}: Loopbreaker does not hold such a service here; `loopctl status` names those it does"
            )
        return asked

    def ack(self, service: ServiceRef) -> Record:
        """Say that somebody is at it: no more reminders. Raises OperateError where the service does not loop."""
        with asking(_name(service)):
            record = acknowledge(service, store=self._table)
        if record is None:
            raise OperateError(f"{_name(service)}: it is in no loop; `loopctl status` names those that are")
        return record

    def mute(self, service: ServiceRef, *, until: float) -> None:
        """Silence a service by the tag that its owner would set; the next look at it sees the tag."""
        value = datetime.fromtimestamp(until, tz=UTC).strftime("%Y-%m-%dT%H:%MZ")
        with asking(_name(service)):
            ecs = self._session.client("ecs")
            ecs.tag_resource(resourceArn=service_arn(service), tags=[{"key": _MUTED, "value": value}])

    def unmute(self, service: ServiceRef) -> None:
        with asking(_name(service)):
            self._session.client("ecs").untag_resource(resourceArn=service_arn(service), tagKeys=[_MUTED])


def installed(cloudformation: Any, stack: str) -> tuple[str, str]:
    """Version and mode, as the stack's outputs say them."""
    outputs = _outputs(cloudformation, stack)
    return outputs.get("Version", "unknown"), outputs.get("Mode", "unknown")


def table_name(cloudformation: Any, stack: str) -> str:
    """The name of the table, as the stack's outputs say it."""
    outputs = _outputs(cloudformation, stack)
    if "TableName" not in outputs:
        raise OperateError(f"stack {stack}: has no output TableName; is it Loopbreaker's?")
    return outputs["TableName"]


def _outputs(cloudformation: Any, stack: str) -> dict[str, str]:
    found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    # The construct, in somebody else's stack, names its outputs with a prefix.
    return {o["OutputKey"].removeprefix("Loopbreaker"): o["OutputValue"] for o in found.get("Outputs", [])}


def whereabouts(cloudformation: Any, stack: str) -> str:
    """The beginning of ARNs of ECS where the stack is: `arn:aws:ecs:eu-west-1:123456789012`."""
    found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    _, partition, _, region, account, *_ = found["StackId"].split(":")
    return f"arn:{partition}:ecs:{region}:{account}"


def regions(profile: str | None) -> list[str]:
    """The Regions that have ECS, as the SDK knows them."""
    with asking("regions"):
        return list(boto3.Session(profile_name=profile).get_available_regions("ecs"))


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Faults of AWS in one line each, that begins with what was asked. Raises OperateError."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise OperateError(f"{what}: {said(error)}", kind(error)) from error
    except UnreadableError as error:
        raise OperateError(
            f"{what}: cannot be read by loopctl {VERSION}: {error}; that of the stack's version can"
        ) from error
    except ConflictError as error:
        raise OperateError(f"{what}: its record keeps changing; try again") from error


def merged(loops: Sequence[Loop]) -> list[Loop]:
    """Each loop once, the newest first: what bears one id is one loop that came again."""
    by_id: dict[str, list[Loop]] = {}
    for loop in sorted(loops, key=lambda loop: (loop.record is not None, loop.incident.found_at)):
        by_id.setdefault(loop.id, []).append(loop)
    found = [replace(newest, earlier=_before(newest, before) or newest.earlier) for *before, newest in by_id.values()]
    return sorted(found, key=lambda loop: -loop.incident.opened_at)


def _before(newest: Loop, others: Sequence[Loop]) -> tuple[Incident, ...]:
    """Its earlier times, each once. One that ended between two readings is there as going on and as over."""
    earlier = (one.incident for one in others if one.incident.found_at != newest.incident.found_at)
    return tuple(dict.fromkeys(earlier))


def _over(service: ServiceRef, closed: ClosedIncident) -> Loop:
    return Loop(service, closed.incident, closed_at=closed.closed_at, closed_because=closed.reason)


def _name(service: ServiceRef) -> str:
    return f"{service.cluster}/{service.name}"
