"""`loopctl replay`: what Loopbreaker would have said of recorded events."""

from collections.abc import Iterator
from typing import Annotated

import typer

from loopbreaker.picture.text import text
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.seeing.fields import MalformedEventError
from loopctl import report
from loopctl.options import FORMATS, ExitStatus, Files, Json, Tries, policy_of
from loopctl.page import page
from loopctl.prose import fitted, story
from loopctl.replay import Announcement, Replay
from loopctl.session import Screen, Session, heard, only_ascii

# A picture in characters is read at once, and that wants an end.
_WIDEST = 120

_EPILOG = f"""{FORMATS}
\b
Examples:
  loopctl replay events.jsonl
  loopctl replay --picture events.jsonl
  loopctl replay --html events.jsonl > loops.html
  loopctl replay --json monday.gz tuesday.gz
  loopctl replay --policy fast.depth=4,slow.depth=5 events.jsonl
  loopctl replay --exit-code events.jsonl || echo "look at it"
  aws logs tail /ecs/events --since 1d | loopctl replay -

\b
Exit status:
    0  everything was read
    1  something could not be read: said on standard error, the rest was read
    2  wrong usage
    3  with --exit-code: a restart loop was found
  130  interrupted
"""

Picture = Annotated[bool, typer.Option("--picture", help="Each loop as a picture in characters, too.")]
Html = Annotated[bool, typer.Option("--html", help="Each loop with its picture, as one page without script.")]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit with 3 where a restart loop was found.")]


def register(app: typer.Typer) -> None:
    app.command(epilog=_EPILOG)(replay)


def replay(
    files: Files,
    *,
    as_json: Json = False,
    picture: Picture = False,
    as_html: Html = False,
    policy: Tries = None,
    exit_code: ExitCode = False,
) -> None:
    """What would Loopbreaker have said? Runs recorded events through its core on a virtual clock."""
    if sum((as_json, picture, as_html)) > 1:
        raise typer.BadParameter("one of --json, --picture and --html")
    run = Replay(policy_of(policy))
    told: list[Announcement] = []
    with heard():
        with Session(files, streams=as_json) as session:
            for change in _changes(run, session):
                told.append(change)
                if as_json:
                    print(report.change_json(change), flush=True)
        if session.unreadable and not run.events:
            session.say("nothing could be read, so nothing is known; `loopctl replay --help` says what FILE may hold")
        elif as_html:
            print(_page(run), end="")
        elif not as_json:
            _tell_people(run, told, unreadable=session.unreadable, picture=picture)
    if run.late:
        session.say(f"{run.late:,} events are more than a day older than others before them, and were left out.")
    if exit_code and any(change.notice.kind is NoticeKind.LOOPING for change in told):
        raise typer.Exit(ExitStatus.LOOP)
    if session.unreadable:
        raise typer.Exit(ExitStatus.UNREADABLE)


def _changes(run: Replay, session: Session) -> Iterator[Announcement]:
    for recorded in session.events():
        try:
            yield from run.feed(recorded.event)
        except MalformedEventError as error:
            session.refuse(recorded, str(error))
    yield from run.finish()


def _tell_people(run: Replay, told: list[Announcement], *, unreadable: int, picture: bool) -> None:
    screen = Screen()
    if told and screen.width >= report.ROOM:
        screen.print(report.changes_table(told))
        screen.print()
    elif told:
        print(report.changes_blocks(told, width=screen.width), end="\n\n")
    for _, drawn in run.pictures() if picture else []:
        print(text(drawn, width=min(screen.width, _WIDEST), ascii_only=only_ascii()), end="\n\n")
    summary = report.replay_summary(run, told, unreadable=unreadable)
    print("\n".join(fitted(line, width=screen.width) for line in summary))


def _page(run: Replay) -> str:
    found = run.pictures()
    return page("Restart loops in a recording", [(drawn, story(loop, now=run.now, width=100)) for loop, drawn in found])
