"""`loopctl show`: one loop, with its picture."""

import json
import time
import webbrowser
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

import typer

from loopbreaker.picture.loops import Loop, to_json
from loopbreaker.picture.svg import svg
from loopbreaker.picture.text import text
from loopbreaker.picture.timelines import timeline
from loopctl.options import Json, Profile, Region, Stack, account, named
from loopctl.page import page
from loopctl.prose import story
from loopctl.session import Screen, only_ascii

_EPILOG = """\b
Examples:
  loopctl show prod/web               the loop that goes on, else the newest
  loopctl show prod/web@1790000000    the one of this number; `loopctl history` lists them
  loopctl show prod/web --open        in the browser
  loopctl show prod/web --svg > loop.svg
"""

Incident = Annotated[str, typer.Argument(metavar="CLUSTER/SERVICE[@NUMBER]", hidden=True)]
Svg = Annotated[bool, typer.Option("--svg", help="The picture alone, as SVG.")]
Html = Annotated[bool, typer.Option("--html", help="All of it, as a page without script.")]
Open = Annotated[bool, typer.Option("--open", help="The page, in the browser.")]


def register(app: typer.Typer) -> None:
    app.command(epilog=_EPILOG)(show)


def show(
    incident: Incident,
    *,
    as_svg: Svg = False,
    as_html: Html = False,
    in_browser: Open = False,
    stack: Stack = "Loopbreaker",
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """One restart loop: its picture, why, what was told, what came of it."""
    if sum((as_svg, as_html, in_browser, as_json)) > 1:
        raise typer.BadParameter("one of --svg, --html, --open and --json")
    now = time.time()
    cluster, service, number = named(incident)
    with account(stack=stack, region=region, profile=profile) as asked:
        loop = asked.find(asked.service(cluster, service), number)
    if as_json:
        print(json.dumps(to_json(loop)))
    elif as_svg:
        print(svg(timeline(loop, now=now)), end="")
    elif as_html:
        print(_page(loop, now, stack), end="")
    elif in_browser:
        _open(_page(loop, now, stack), loop)
    else:
        width = Screen().width
        print(text(timeline(loop, now=now), width=min(width, 120), ascii_only=only_ascii()))
        print()
        print(story(loop, now=now, width=width, stack=stack))


def _page(loop: Loop, now: float, stack: str) -> str:
    return page(
        f"Restart loop of {loop.name}", [(timeline(loop, now=now), story(loop, now=now, width=100, stack=stack))]
    )


def _open(content: str, loop: Loop) -> None:
    path = Path(mkdtemp(prefix="loopctl-")) / f"{loop.service.name}-{loop.incident.id}.html"
    path.write_text(content, encoding="utf-8")
    if not webbrowser.open(path.as_uri()):
        print(f"no browser was found; the page is {path}")
