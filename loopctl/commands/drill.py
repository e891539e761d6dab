"""`loopctl drill`: a loop that does not exist goes the way of a real one."""

import sys
import time

import typer

from loopctl.options import ExitStatus, Profile, Region, Stack, account

_EPILOG = """\b
Sends events of a service that does not exist, with a source of their own, to the
default event bus; a rule of the stack lets them through for drills alone.
ECS is never asked or told anything. Whoever is subscribed gets two messages that
say that this is a drill: found, and over.

\b
Needs events:PutEvents, and to read the stack, its table and the logs of notify.

\b
Exit status:
    0  every hop was reached
    1  a hop was not reached within three minutes: the line says where to look
    2  wrong usage
"""


def register(app: typer.Typer) -> None:
    app.command(epilog=_EPILOG)(drill)


def drill(stack: Stack = "Loopbreaker", region: Region = None, profile: Profile = None) -> None:
    """Does a message arrive? A loop that does not exist, through the real rules; each hop with its time."""
    missed = False
    with account(stack=stack, region=region, profile=profile) as asked:
        from loopbreaker.aws.store import Table  # noqa: PLC0415
        from loopctl.doctor import subscriptions  # noqa: PLC0415
        from loopctl.drill import Installation, run  # noqa: PLC0415
        from loopctl.installation import read  # noqa: PLC0415
        from loopctl.operate import asking  # noqa: PLC0415

        session = asked.session
        with asking("the drill"):
            found = read(session.client("cloudformation"), stack)
            function = session.client("lambda").get_function_configuration(FunctionName=found.function("notify"))
            drilled = Installation(
                events=session.client("events"),
                logs=session.client("logs"),
                table=Table(session.client("dynamodb"), found.outputs["TableName"]),
                notify_log=function["LoggingConfig"]["LogGroup"],
                where=found.where,
            )
            for hop in run(drilled, clock=time.time, sleep=time.sleep):
                if hop.after is None:
                    missed = True
                    print(f"{hop.what:20} not reached: look at {hop.remedy}", file=sys.stderr)
                else:
                    print(f"{hop.what:20} after {hop.after:5.1f} s", flush=True)
            for finding in subscriptions(found, session.client("sns")):
                print(f"told: {finding.what}")
    if missed:
        raise typer.Exit(ExitStatus.REFUSED)
