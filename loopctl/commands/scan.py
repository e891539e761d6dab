"""`loopctl scan`: what loops now, without an installation."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loopbreaker.policy import Policy
from loopbreaker.telling.plain import count, dollars, iso, span
from loopbreaker.telling.prices import AS_OF
from loopctl.options import ExitStatus, Json, Profile, Region, Tries, policy_of
from loopctl.session import Screen, heard

if TYPE_CHECKING:
    from loopctl.survey import Looping, Survey

_EPILOG = """\b
Reads and changes nothing, and needs no installation. It sees what ECS still shows:
the tasks that stopped within the last hour, and the last messages of each service.

\b
Needs: ecs:ListClusters, ListServices, ListTasks, DescribeServices, DescribeTasks,
DescribeServiceDeployments; of services that look like a loop also
application-autoscaling:DescribeScalableTargets and
elasticloadbalancing:DescribeTargetHealth. What may not be read is named.

\b
Examples:
  loopctl scan
  loopctl scan --all-regions --profile prod
  loopctl scan --json | jq -c 'select(.dollars_per_day > 10)'

\b
Exit status:
    0  everything was read
    1  something could not be read: said on standard error, the rest was read
    2  wrong usage
    3  with --exit-code: a service loops
  130  interrupted
"""

AllRegions = Annotated[bool, typer.Option("--all-regions", help="Every Region that the account may use.")]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit with 3 where a service loops.")]


def register(app: typer.Typer) -> None:
    app.command(epilog=_EPILOG)(scan)


def scan(
    *,
    region: Region = None,
    all_regions: AllRegions = False,
    profile: Profile = None,
    policy: Tries = None,
    as_json: Json = False,
    exit_code: ExitCode = False,
) -> None:
    """What loops now? Looks at every ECS service, read-only, without an installation."""
    # The AWS SDK takes longer to import than all the rest.
    from loopctl.faults import Kind  # noqa: PLC0415
    from loopctl.operate import OperateError  # noqa: PLC0415

    chosen = policy_of(policy)
    found: list[Survey] = []
    problems: list[str] = []
    closed: list[str] = []
    with heard():
        try:
            for one in _regions(region, all_regions=all_regions, profile=profile):
                try:
                    survey = _look(one, policy=chosen)
                except OperateError as error:
                    if error.kind is Kind.SIGN_IN:
                        raise
                    (closed if error.kind is Kind.NOT_TAKEN else problems).append(str(error))
                    continue
                found.append(survey)
                problems += [f"{survey.region}: {problem}" for problem in survey.unread]
                for looping in survey.looping:
                    print(_as_json(looping) if as_json else _line(looping), flush=True)
        except OperateError as error:
            problems.append(str(error))
        # Among all Regions those that are not enabled are no news, unless there is no other.
        problems += closed[: 0 if found else 1]
        if not as_json and found:
            print(_summary(found))
    for problem in problems:
        print(f"loopctl: not read: {problem}", file=sys.stderr)
    if exit_code and any(survey.looping for survey in found):
        raise typer.Exit(ExitStatus.LOOP)
    if problems:
        raise typer.Exit(ExitStatus.UNREADABLE)


def _regions(region: str | None, *, all_regions: bool, profile: str | None) -> Iterator[Any]:
    """A session for each Region to look at. Raises OperateError."""
    import boto3  # noqa: PLC0415

    from loopctl.operate import OperateError, asking  # noqa: PLC0415

    with asking("AWS"):
        first = boto3.Session(region_name=region, profile_name=profile)
        if not all_regions and first.region_name is None:
            raise OperateError("no Region is set: use --region, --all-regions or AWS_REGION")
        names = first.get_available_regions("ecs") if all_regions else [first.region_name]
    for name in names:
        yield boto3.Session(region_name=name, profile_name=profile)


def _look(session: Any, *, policy: Policy) -> "Survey":
    """What loops in one Region. Raises OperateError where not even the clusters can be listed."""
    from botocore.config import Config  # noqa: PLC0415

    from loopbreaker.aws.ecs import LiveEcs  # noqa: PLC0415
    from loopctl.operate import asking  # noqa: PLC0415
    from loopctl.survey import survey  # noqa: PLC0415

    # Adaptive: the client slows down to what the API allows (botocore documentation, "Retries").
    patient = Config(retries={"mode": "adaptive", "max_attempts": 10}, connect_timeout=5, read_timeout=30)
    region = str(session.region_name)
    with asking(region):
        ecs = session.client("ecs", config=patient)
        facts = LiveEcs(
            ecs,
            session.client("application-autoscaling", config=patient),
            lambda: session.client("elbv2", config=patient),
        )
        with _progress(region) as told:
            return survey(ecs, facts, region=region, policy=policy, now=time.time(), told=told)


@contextmanager
def _progress(region: str) -> Iterator[Any]:
    """A line on the terminal that says where the scan is; nothing where nobody looks."""
    screen = Screen(stderr=True)
    if not screen.is_terminal:
        yield lambda _: None
        return
    with screen.status(f"{region} ...") as status:
        yield lambda cluster: status.update(f"{region}: cluster {cluster} ...")


def _line(found: "Looping") -> str:
    """One service that loops, in two lines."""
    service, incident, burn = found.service, found.incident, found.burn
    exit_code = "" if incident.exit_code is None else f", exit {incident.exit_code}"
    where = f", container {incident.container}" if incident.container else ""
    measured = incident.last_failure_at - incident.first_failure_at
    failed = f"{count(incident.failed_tasks, 'task')} failed in {span(measured)}"
    rate = f"{burn.per_hour:,.0f} restarts an hour" if burn.per_hour else failed
    cost = f", at most about {dollars(burn.per_day)} a day" if burn.per_day else ""
    return f"{service.cluster}/{service.name}\n  {incident.category.value}{exit_code}{where}: {rate}{cost}"


def _summary(found: "list[Survey]") -> str:
    looping, services = sum(len(one.looping) for one in found), sum(one.services for one in found)
    where = found[0].region if len(found) == 1 else f"{len(found)} Regions"
    clusters = sum(one.clusters for one in found)
    seen = f"{count(services, 'service')} in {count(clusters, 'cluster')} ({where})"
    verb = "loops" if looping == 1 else "loop"
    line = f"{looping} of {seen} {verb} now." if looping else f"None of {seen} loops now."
    cost = sum(loop.burn.per_day or 0 for one in found for loop in one.looping)
    if not cost:
        return line
    return f"{line}\nAt most about {dollars(cost)} a day (list prices of {AS_OF}, us-east-1, 1 GB image)."


def _as_json(found: "Looping") -> str:
    service, incident, burn = found.service, found.incident, found.burn
    return json.dumps(
        {
            "region": service.region,
            "cluster": service.cluster,
            "service": service.name,
            "profile": incident.signal.value,
            "category": incident.category.value,
            "container": incident.container or None,
            "exit_code": incident.exit_code,
            "depth": incident.depth,
            "failed_tasks": incident.failed_tasks,
            "restarts_per_hour": burn.per_hour,
            "dollars_per_day": burn.per_day,
            "first_failure_at": iso(incident.first_failure_at),
            "last_failure_at": iso(incident.last_failure_at),
        }
    )
