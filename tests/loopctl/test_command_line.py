"""`loopctl` as people and scripts use it: output, errors, exit statuses."""

import gzip
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from loopctl.cli import app
from tests.loopctl.json_schemas import check
from tests.loopctl.recorded import crash_loop, later
from tests.task_events import CREATED, task_stopped

ROOT = Path(__file__).parents[2]
DAY = 86_400
LOOP = [*crash_loop(10), later(DAY)]


def run(*args: object, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args], input=stdin)


def spawn(*args: object, **streams: int) -> subprocess.Popen[bytes]:
    """The command in a process of its own."""
    env = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'lambdas'}", "TERM": "xterm"}
    command = [sys.executable, "-m", "loopctl", *map(str, args)]
    return subprocess.Popen(command, env=env, cwd=ROOT, **streams)  # type: ignore[call-overload,no-any-return]


def as_lines(events: Iterable[object]) -> str:
    return "".join(f"{json.dumps(event)}\n" for event in events)


@pytest.fixture
def loop(tmp_path: Path) -> Path:
    """A recording of a loop that ends."""
    path = tmp_path / "events.jsonl"
    path.write_text(as_lines(LOOP))
    return path


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """A recording with a line that is no JSON, an event that makes no sense, and a failure."""
    path = tmp_path / "spoilt.jsonl"
    lines = [json.dumps(later(0)), "oh", json.dumps(task_stopped(createdAt="now")), json.dumps(task_stopped())]
    path.write_text("\n".join(lines))
    return path


# -- replay -----------------------------------------------------------------------------------------------------------


def test_replay_tells_programs_one_object_a_line(loop: Path) -> None:
    """One for each change, with these keys in this order."""
    result = run("replay", "--json", loop)
    assert result.stdout.splitlines() == [
        '{"at": "2026-01-01T00:03:35.000Z", "cluster": "prod", "service": "web", "transition": "looping", '
        '"profile": "fast", "category": "app-crash", "depth": 3, "failed_tasks": 3, '
        '"first_failure_at": "2026-01-01T00:00:40.000Z", "reason": "replacements failed 3 times in a row"}',
        '{"at": "2026-01-01T01:11:55.000Z", "cluster": "prod", "service": "web", "transition": "recovered", '
        '"profile": "fast", "category": "app-crash", "depth": 10, "failed_tasks": 10, '
        '"first_failure_at": "2026-01-01T00:00:40.000Z", '
        '"reason": "no task failed for 60 minutes; ECS could not be asked (a recording)"}',
    ]
    assert (result.exit_code, result.stderr) == (0, "")


def test_what_programs_are_told_is_as_published(loop: Path) -> None:
    """Every line of --json follows its schema in docs/schemas: changes, explanations of every label, thresholds."""
    check("replay", run("replay", "--json", loop).stdout)
    table = ROOT / "tests" / "events" / "label_table.jsonl"
    found = check("explain", run("explain", "--json", table, loop).stdout)
    assert {line["label"] for line in found} >= {"failure", "normal", "not-final", "standalone", "not-a-stop"}
    check("policy", run("policy", "--json").stdout)


def test_replay_tells_people_a_table_and_a_summary(loop: Path) -> None:
    """Each change with its reason, and what came of it all; no colours where there is no terminal."""
    result = run("replay", loop)
    table, summary = result.stdout.split("\n\n")
    heading, looping, recovered = table.splitlines()
    assert heading.split()[:4] == ["at", "service", "change", "cause"]
    assert looping.split()[:5] == ["2026-01-01", "00:03:35", "prod/web", "looping", "app-crash"]
    assert looping.rstrip().endswith("replacements failed 3 times in a row")
    assert "recovered" in recovered
    assert summary == ("11 events, 2026-01-01 00:01:05 to 2026-01-02 00:00:00 UTC: 1 restart loop, 1 recovered.\n")
    assert "\x1b" not in result.stdout


def test_replay_names_what_still_loops_at_the_end() -> None:
    """To people; programs see that no recovery came."""
    result = run("replay", "-", stdin=as_lines(crash_loop(10)))
    assert result.stdout.endswith(
        "1 restart loop, 0 recovered.\n"
        "Still looping where the recording ends: prod/web, whose last failure was at 2026-01-01 00:11:55.\n"
    )
    assert len(run("replay", "--json", "-", stdin=as_lines(crash_loop(10))).stdout.splitlines()) == 1


@pytest.mark.parametrize("stdin", ["", as_lines([later(0)])])
def test_replay_of_peace_says_so(stdin: str) -> None:
    """An answer, also where there is nothing to tell."""
    assert run("replay", "-", stdin=stdin).stdout.endswith(": no restart loop.\n")
    assert run("replay", "--json", "-", stdin=stdin).stdout == ""


def test_replay_reads_gzip_from_standard_input() -> None:
    """As `zcat` need not be asked."""
    result = run("replay", "--json", "-", stdin=gzip.compress(as_lines(LOOP).encode()))
    assert [json.loads(line)["transition"] for line in result.stdout.splitlines()] == ["looping", "recovered"]


def test_replay_tries_other_thresholds(loop: Path) -> None:
    """As many as are given."""
    result = run("replay", "--json", "--policy", "fast.depth=5", "--policy", "slow.depth=6", loop)
    assert json.loads(result.stdout.splitlines()[0])["depth"] == 5


def test_replay_says_what_it_left_out(loop: Path, tmp_path: Path) -> None:
    """Files in the wrong order are not passed over in silence."""
    old = tmp_path / "old.jsonl"
    old.write_text(as_lines(crash_loop(2, start=0.0)))
    result = run("replay", "--json", loop, old)
    assert result.stderr == "2 events are more than a day older than others before them, and were left out.\n"


# -- explain ----------------------------------------------------------------------------------------------------------


def test_explain_tells_programs_one_object_an_event() -> None:
    """With these keys in this order, null where there is nothing."""
    result = run("explain", "--json", "-", stdin=as_lines([task_stopped(), {"detail-type": "x"}]))
    assert result.stdout.splitlines() == [
        '{"at": "2026-01-01T00:01:05.000Z", "task": "00000000000000000000000000000001", "cluster": "prod", '
        '"service": "web", "label": "failure", '
        '"category": "app-crash", "counts": true, "why": "Container web crashed (exit code 1)."}',
        '{"at": null, "task": null, "cluster": null, "service": null, "label": "not-a-stop", "category": null, '
        '"counts": false, '
        '"why": "Not used: detail-type \'x\'."}',
    ]
    assert (result.exit_code, result.stderr) == (0, "")


def test_explain_tells_people_a_line_an_event_and_the_totals(loop: Path) -> None:
    """In aligned columns."""
    rows, totals = run("explain", loop).stdout.split("\n\n")
    first = rows.splitlines()[0]
    assert first.startswith("2026-01-01 00:01:05  failure    app-crash              counts  prod/web  web0000")
    assert first.endswith("Container web crashed (exit code 1).")
    assert [line.split() for line in totals.splitlines()] == [
        ["label", "category", "events"],
        ["failure", "app-crash", "10"],
        ["not-a-stop", "-", "1"],
    ]


@pytest.mark.parametrize(
    ("options", "tasks"),
    [
        (["--only", "failure"], ["a", "b", "c"]),
        (["--only", "Failures"], ["a", "b", "c"]),
        (["--only", "normal"], ["d"]),
        (["--only", "normal", "--only", "failure", "--service", "prod/web"], ["a", "b", "d"]),
        (["--service", "api"], ["c"]),
        (["--service", "stage/web"], []),
        (["--since", "2026-01-01T00:05Z"], ["b", "d"]),
        (["--since", "1h"], []),
    ],
)
def test_explain_tells_of_what_was_asked_for(options: list[str], tasks: list[str]) -> None:
    """By label, by service, by time, and by all of them at once; the totals are of these events."""
    events = [
        task_stopped(task_id="a" * 32),
        task_stopped(task_id="b" * 32, created=CREATED + 600),
        task_stopped(task_id="c" * 32, service="api"),
        task_stopped(task_id="d" * 32, created=CREATED + 600, stopCode="UserInitiated"),
    ]
    found = run("explain", "--json", *options, "-", stdin=as_lines(events)).stdout.splitlines()
    assert [json.loads(line)["task"][0] for line in found] == tasks
    if not tasks:
        assert run("explain", *options, "-", stdin=as_lines(events)).stdout == "No such event.\n"


@pytest.mark.parametrize("options", [["--only", "oops"], ["--since", "soon"]])
def test_explain_of_nonsense_is_wrong_usage(options: list[str]) -> None:
    """Before anything is read."""
    assert run("explain", *options, "-").exit_code == 2


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("command", [["replay"], ["replay", "--picture"], ["explain"]])
def test_every_width_is_readable(command: list[str], width: int, loop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is wider than the terminal, and the service is named beside every change and every event."""
    monkeypatch.setattr("loopctl.session.Screen.width", width)
    text = run(*command, loop).stdout
    assert max(map(len, text.splitlines())) <= width
    assert len([line for line in text.splitlines() if "prod/web" in line]) >= (10 if command == ["explain"] else 2)


def test_replay_draws_each_loop(loop: Path) -> None:
    """In characters beside the table, and as a page: ten failed tasks, each with its sign."""
    drawn = run("replay", "--picture", loop).stdout
    slot = next(line for line in drawn.splitlines() if line.startswith("slot 1"))
    assert slot.count("✕") == 10
    page = run("replay", "--html", loop).stdout
    assert page.startswith("<!doctype html>")
    assert page.count("<svg ") == 1
    assert "over: no task failed for 60 minutes" in page


def test_replay_draws_every_loop_of_a_service() -> None:
    """One that was over and one that came later are two pictures."""
    events = [*crash_loop(5), *crash_loop(5, start=CREATED + 5 * DAY), later(6 * DAY)]
    assert run("replay", "--html", "-", stdin=as_lines(events)).stdout.count("<svg ") == 2


def test_text_from_outside_does_not_move_the_cursor() -> None:
    """Names with control characters and markup are shown as they are, escaped."""
    event = task_stopped(group="service:\x1b[2J[bold]", task_id="\x1b]0;x\x07")
    for command in ("explain", "replay"):
        stdin = as_lines([event, *crash_loop(4, service="\x1b[2J[red]")])
        assert "\x1b" not in run(command, "-", stdin=stdin).stdout


# -- what cannot be read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["replay", "explain"])
@pytest.mark.parametrize("mode", [["--json"], []])
def test_a_bad_line_is_one_error_that_names_it(command: str, mode: list[str], spoilt: Path) -> None:
    """On standard error, with file and number; the rest is read, and the exit status is 1."""
    result = run(command, *mode, spoilt)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"{spoilt}:2: not JSON: 'oh'",
        f"{spoilt}:3: detail.createdAt: not an ISO 8601 time: 'now'",
    ]
    if command == "explain":
        assert "Container web crashed" in result.stdout


def test_an_event_that_makes_no_sense_is_labelled_invalid(spoilt: Path) -> None:
    """What is no JSON is no event, and has no label."""
    labels = [json.loads(line)["label"] for line in run("explain", "--json", spoilt).stdout.splitlines()]
    assert labels == ["not-a-stop", "invalid", "failure"]


def test_a_missing_file_does_not_keep_the_others_from_being_read(loop: Path) -> None:
    """It is one error."""
    result = run("replay", "--json", loop.with_name("missing"), loop)
    assert result.stderr == f"{loop.with_name('missing')}: No such file or directory\n"
    assert (result.exit_code, len(result.stdout.splitlines())) == (1, 2)


def test_what_could_not_be_read_at_all_is_no_peace(loop: Path) -> None:
    """A file that is missing does not end in "no restart loop": nothing is known, and that is what is said."""
    result = run("replay", loop.with_name("missing"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("nothing is known; `loopctl replay --help` says what FILE may hold\n")


def test_the_summary_counts_what_could_not_be_read(spoilt: Path) -> None:
    """Beside what was read, not only among the errors."""
    assert "2 could not be read." in run("replay", spoilt).stdout


def test_a_thousand_bad_lines_are_not_a_thousand_lines() -> None:
    """The first twenty problems are said one by one, the others counted; the status is the same."""
    result = run("explain", "--json", "-", stdin="oh\n" * 1000 + as_lines([task_stopped()]))
    said = result.stderr.splitlines()
    assert (len(said), said[-1]) == (21, "… and 980 more that could not be read")
    assert (result.exit_code, len(result.stdout.splitlines())) == (1, 1)


# -- exit statuses ----------------------------------------------------------------------------------------------------


def test_a_script_can_ask_whether_anything_looped(loop: Path, spoilt: Path, tmp_path: Path) -> None:
    """With --exit-code a loop is 3, also where something could not be read; without it a loop is no error."""
    peace = tmp_path / "peace.jsonl"
    peace.write_text(as_lines([later(0)]))
    assert run("replay", loop).exit_code == 0
    assert run("replay", "--exit-code", peace).exit_code == 0
    assert run("replay", "--exit-code", loop).exit_code == 3
    assert run("replay", "--exit-code", "--json", spoilt, loop).exit_code == 3
    assert run("replay", "--exit-code", spoilt).exit_code == 1


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["replay"], ["Missing argument", "FILE"]),
        (["explain", "--nope", "-"], ["--nope"]),
        (["replay", "-", "--policy", "fast.depth=0"], ["--policy", "fast.depth"]),
        (["replay", "-", "--policy", "depth=4", "--policy", "chance"], ["unknown threshold", "did you mean", "chance"]),
        (["rewind"], ["rewind"]),
    ],
)
def test_wrong_usage_is_2_and_says_what_is_wrong(args: list[str], said: list[str]) -> None:
    """Every problem at once, on standard error, before anything is read."""
    result = run(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert all(words in result.stderr for words in said)


def test_a_reader_that_leaves_is_no_error_message(loop: Path) -> None:
    """`loopctl … | head` is quiet, and its status is that of a broken pipe."""
    loop.write_text(as_lines([task_stopped()] * 3000))
    for mode in (["--json"], []):
        process = spawn("explain", *mode, loop, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 141)
        process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_said(loop: Path) -> None:
    """Output that is lost is an error."""
    with open("/dev/full", "wb") as full:
        process = spawn("explain", loop, stdout=full.fileno(), stderr=subprocess.PIPE)
        _, said = process.communicate()
    assert (said, process.returncode) == (b"loopctl: cannot write: No space left on device\n", 1)


def test_a_pipe_is_followed_and_can_be_interrupted() -> None:
    """A change is told as soon as its event arrives, and Ctrl-C ends the command with 130."""
    process = spawn("replay", "--json", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    process.stdin.write(as_lines(crash_loop(3)).encode())
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["transition"] == "looping"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert (said, process.returncode) == (b"", 130)


# -- terminals --------------------------------------------------------------------------------------------------------


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The two ends of a terminal: what it shows is read from the first."""
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


@pytest.mark.parametrize(("command", "has_bar"), [("replay", True), ("explain", False)])
def test_progress_is_shown_where_it_is_not_in_the_way(
    command: str, has_bar: bool, loop: Path, terminal: tuple[int, int]
) -> None:
    """A bar on a terminal while it waits for the table; none among lines that are printed to it as they come."""
    shown, screen = terminal
    process = spawn(command, loop, stdout=screen, stderr=screen)
    process.wait()
    text = os.read(shown, 65_536)
    assert (b"reading" in text) is has_bar
    assert b"app-crash" in text
    assert (b"\x1b[?25h" in text) is has_bar, "the cursor comes back"


# -- help -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [[], ["replay"], ["explain"]])
def test_help_has_examples(command: list[str]) -> None:
    """And says what the exit statuses are."""
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "Examples:" in result.stdout
    assert "loopctl explain" in result.stdout or "loopctl replay" in result.stdout
    assert ("Exit status:" in result.stdout) is bool(command)


def test_policy_lists_every_threshold() -> None:
    """With the defaults, for people and for programs; each can be given to replay."""
    thresholds = json.loads(run("policy", "--json").stdout)
    assert thresholds["fast.depth"] == 3
    table = {line.split()[0] for line in run("policy").stdout.splitlines()[1:]}
    assert table == thresholds.keys()
    tries = [arg for key, value in thresholds.items() for arg in ("--policy", f"{key}={value}")]
    assert run("replay", "-", *tries).exit_code == 0


@pytest.mark.parametrize(
    ("words", "offered"), [("loopctl rep", "replay"), ("loopctl replay --policy fast.d", "fast.depth=")]
)
def test_shells_complete_commands_and_thresholds(words: str, offered: str) -> None:
    """As the script that --install-completion writes asks for it."""
    env = {"_LOOPCTL_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    result = CliRunner().invoke(app, [], prog_name="loopctl", env=env)
    assert result.stdout.splitlines() == [offered]
