"""`loopctl opt-in`: the tags with which the owner of a service opts in, in every way they may be set."""

import sys
from typing import Annotated, Any

import typer

from loopbreaker.policy import Mode
from loopbreaker.treating.owner import PREFIX, Recovery
from loopctl.options import ExitStatus, Profile, Region, ServiceName, named, one_of

_EPILOG = """\b
Examples:
  loopctl opt-in prod/checkout stop
  loopctl opt-in prod/checkout stop --recovery manual
  loopctl opt-in prod/checkout rollback --apply
"""

Action = Annotated[Mode, typer.Argument(metavar="alert|rollback|stop", parser=one_of(Mode), hidden=True)]
Recover = Annotated[
    Recovery | None,
    typer.Option(metavar="manual|probe", parser=one_of(Recovery), help="Who brings a stopped service back."),
]
Apply = Annotated[bool, typer.Option("--apply", help="Set the tags now, by ecs:TagResource.")]


def register(app: typer.Typer) -> None:
    app.command("opt-in", epilog=_EPILOG)(opt_in)


def opt_in(
    service: ServiceName,
    action: Action,
    *,
    recovery: Recover = None,
    apply: Apply = False,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """How does a service opt in? Prints the tags for the AWS CLI, Terraform and CDK, or sets them with --apply."""
    import boto3  # noqa: PLC0415

    from loopctl.doctor import never  # noqa: PLC0415
    from loopctl.operate import OperateError, asking  # noqa: PLC0415

    cluster, name, _ = named(service)
    tags = {f"{PREFIX}action": action.value} | ({f"{PREFIX}recovery": recovery.value} if recovery else {})
    try:
        with asking(f"{cluster}/{name}"):
            ecs = boto3.Session(region_name=region, profile_name=profile).client("ecs")
            found = _described(ecs, cluster, name)
            if apply:
                given = [{"key": key, "value": value} for key, value in tags.items()]
                ecs.tag_resource(resourceArn=found["serviceArn"], tags=given)
        if apply:
            print(f"{cluster}/{name}: {', '.join(f'{key}={value}' for key, value in tags.items())}")
        else:
            print(lines(found["serviceArn"], tags))
    except OperateError as error:
        print(f"loopctl: {error}", file=sys.stderr)
        raise typer.Exit(ExitStatus.REFUSED) from error
    if action is not Mode.ALERT:
        for why in never(found, action, None):
            print(f"loopctl: {cluster}/{name}: {why}", file=sys.stderr)


def lines(arn: str, tags: dict[str, str]) -> str:
    """The tags for each tool, to be pasted."""
    given = " ".join(f"key={key},value={value}" for key, value in tags.items())
    terraform = "\n".join(f'    "{key}" = "{value}"' for key, value in tags.items())
    cdk = "\n".join(f'cdk.Tags.of(service).add("{key}", "{value}")' for key, value in tags.items())
    return (
        f"# AWS CLI\naws ecs tag-resource --resource-arn {arn} --tags {given} --region {arn.split(':')[3]}\n\n"
        f'# Terraform, in resource "aws_ecs_service"; let Loopbreaker hold the count without a fight\n'
        f"  tags = {{\n{terraform}\n  }}\n  lifecycle {{\n    ignore_changes = [desired_count]\n  }}\n\n"
        f"# CDK\n{cdk}"
    )


def _described(ecs: Any, cluster: str, name: str) -> Any:
    from loopctl.operate import OperateError  # noqa: PLC0415

    answer = ecs.describe_services(cluster=cluster, services=[name])
    if not answer["services"]:
        raise OperateError(f"{cluster}/{name}: there is no such service in this Region; `loopctl scan` looks at all")
    return answer["services"][0]
