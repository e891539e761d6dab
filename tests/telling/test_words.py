"""What people read is true in every state, and leaves out nothing that they need at night."""

import re
from dataclasses import replace
from typing import Any

import pytest

from loopbreaker.model import Category, ServiceRef
from loopbreaker.remembering.incident import Signal
from loopbreaker.remembering.notice import NoticeKind, Told
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import BreakerState, Step
from loopbreaker.telling.advice import ADVICE, EXIT_CODES, advice, meaning
from loopbreaker.telling.commands import console_url, logs_url, resume_commands, service_arn, wrapped
from loopbreaker.telling.contents import Background
from loopbreaker.telling.messages import compose
from tests.builders import SERVICE, T0, looping, trip
from tests.telling.told import CASES, NAMES, NOW, SCALING, held, of, over, told

STATES = {
    BreakerState.CLOSED: looping(),
    BreakerState.OPEN: held(),
    BreakerState.HALF_OPEN: held(BreakerState.HALF_OPEN),
}
FAILURES = list(Category)[: list(Category).index(Category.UNKNOWN) + 1]


def test_a_loop_in_full() -> None:
    """Who, where, since when, how bad, why, what to do, how to silence it, where to look."""
    message = told(looping(failed_tasks=12), NoticeKind.LOOPING, "replacements failed 4 times in a row")
    assert message.subject == "[Loopbreaker] web is in a restart loop in prod"
    assert message.text.splitlines() == [
        "web is in a restart loop.",
        "",
        "Why: replacements failed 4 times in a row.",
        "",
        "Now:       ECS goes on restarting its tasks (2 tasks wanted); Loopbreaker has",
        "           not touched it",
        "Service:   web",
        "Cluster:   prod (account 123456789012, eu-west-1)",
        "Since:     2026-01-01 00:00 UTC (60 minutes ago)",
        "Failed:    12 tasks within 2 minutes",
        "Cause:     app-crash: the application ends by itself with an error",
        "Evidence:  container web, exit code 1 (an error that the application chose)",
        "Revision:  web:7 is the one that failed",
        "",
        "WHAT TO DO",
        "Read its last log lines: the error stands there. Roll back if the revision is",
        "new; look at what it depends on if nothing changed.",
        "",
        "  aws ecs list-tasks --region eu-west-1 --cluster prod --service-name web \\",
        "      --desired-status STOPPED",
        "",
        "SAY THAT YOU ARE AT IT",
        "No more reminders of this loop; what changes is still told:",
        "",
        "  loopctl ack prod/web --region eu-west-1",
        "",
        "SILENCE IT",
        "Until tomorrow no message about this service, and no action. With loopctl, or",
        "else by the tag itself:",
        "",
        "  loopctl mute prod/web 1d --region eu-west-1",
        "",
        "  aws ecs tag-resource --region eu-west-1 \\",
        "      --resource-arn arn:aws:ecs:eu-west-1:123456789012:service/prod/web \\",
        "      --tags key=loopbreaker:mute-until,value=2026-01-02T01:00Z",
        "",
        f"Console:   {console_url(SERVICE)}",
        "Runbook:   docs/runbook/app-crash.md",
    ]


OF_MANY = (NoticeKind.MASS, NoticeKind.MASS_OVER, NoticeKind.DIGEST)


@pytest.mark.parametrize("kind", [kind for kind in NoticeKind if kind not in OF_MANY])
def test_who_is_held_is_never_said_to_loop_on(kind: NoticeKind) -> None:
    """While a service is at 0 no message says that it restarts, was left alone or was not touched."""
    words = told(held(desired_count=6), kind).text
    assert "held at 0" in words
    assert not re.search(r"goes on restarting|left alone|not touched|keeps looping|was not stopped", words)
    assert "it had 6" in words


@pytest.mark.parametrize(
    "kind", [NoticeKind.STOPPED, NoticeKind.DOWN, NoticeKind.NOT_STOPPED, NoticeKind.STILL_LOOPING]
)
def test_who_is_held_reads_how_to_bring_it_back(kind: NoticeKind) -> None:
    """Every message about a service that stays at 0 has the commands that give it its tasks back, the count first."""
    message = told(held(desired_count=3, scaling=SCALING), kind)
    update = message.text.index("aws ecs update-service")
    assert "--desired-count 3" in message.text[update:]
    assert message.text.index("aws application-autoscaling register-scalable-target") > update


def test_a_service_that_is_down_is_called_down() -> None:
    """Nobody is served and we cannot help it: the first words say so, and it is critical."""
    message = told(held(), NoticeKind.DOWN, "not brought back: AWS refused it: UpdateService: AccessDeniedException")
    assert message.text.startswith("web is DOWN at 0: held and could not be brought back.")
    assert message.subject == "[Loopbreaker] web in prod is DOWN at 0: held and could not be brought back"
    assert message.attributes["severity"] == "critical"
    assert "Give the service its tasks back by hand" in " ".join(message.text.split())


def test_a_loop_is_not_said_to_be_untouched_once_it_was_touched() -> None:
    """Only the message that tells of a loop for the first time says that nothing was done."""
    for kind in (NoticeKind.NOT_STOPPED, NoticeKind.STILL_LOOPING, NoticeKind.BACK, NoticeKind.BAD_TAG):
        assert "not touched" not in told(looping(), kind).text


@pytest.mark.parametrize(
    ("signal", "headline"),
    [
        (Signal.FAST, "web is in a restart loop"),
        (Signal.SLOW, "web is in a slow restart loop"),
        (Signal.IMPAIRED, "web cannot start its tasks"),
        (Signal.PLACEMENT, "web gets no capacity for its tasks"),
    ],
)
def test_missing_capacity_is_not_called_a_restart_loop(signal: Signal, headline: str) -> None:
    """What showed the loop is what the headline says."""
    message = told(looping(signal=signal, failed_tasks=0, depth=0), NoticeKind.LOOPING)
    assert message.subject == f"[Loopbreaker] {headline} in prod"
    assert "0 tasks" not in message.text


@pytest.mark.parametrize(
    ("signal", "headline"),
    [
        (Signal.FAST, "web was in a restart loop"),
        (Signal.SLOW, "web was in a slow restart loop"),
        (Signal.UNHEALTHY, "web failed its health checks over and over"),
        (Signal.IMPAIRED, "web could not start its tasks"),
        (Signal.PLACEMENT, "web got no capacity for its tasks"),
        (Signal.STORM, "web lost its tasks one after another"),
    ],
)
def test_a_loop_that_is_heard_of_a_day_late_is_told_as_past(signal: Signal, headline: str) -> None:
    """Events may come a day late: nothing says that the service loops now."""
    late = looping(signal=signal, first_failure_at=NOW - 90_000, last_failure_at=NOW - 86_400)
    message = told(late, NoticeKind.LOOPING)
    assert message.text.startswith(f"{headline}.")
    assert message.detail["state"] == "no task has failed for 24 h"
    rare = looping(signal=signal, last_failure_at=NOW - 5000, longest_gap=1700.0)
    assert not told(rare, NoticeKind.LOOPING).text.startswith(headline)


@pytest.mark.parametrize("step", [Step.UNTAG, Step.RESTORE_SCALING])
def test_who_was_set_to_0_by_somebody_is_not_said_to_restart(step: Step) -> None:
    """Whether its scaling is given back or only our tag taken away; and a stop that was given up is no 0."""
    message = told(looping(trip=replace(trip(), step=step, zeroed=False)), NoticeKind.NOT_STOPPED)
    assert message.detail["state"] == "at 0 tasks, as somebody set it"
    assert message.text.startswith("web is left at 0.")
    undone = told(looping(trip=replace(trip(), step=step, zeroed=False, undo=True)), NoticeKind.NOT_STOPPED)
    assert "goes on restarting" in undone.text


@pytest.mark.parametrize(
    ("signal", "command"),
    [
        (Signal.FAST, "--desired-status STOPPED"),
        (Signal.RESTARTS, "--desired-status RUNNING"),
        (Signal.EMPTY, "--query 'services[0].events"),
    ],
)
def test_the_command_looks_where_there_is_something_to_see(signal: Signal, command: str) -> None:
    """Tasks that are restarted inside run on; where nothing runs, ECS says what it waits for."""
    words = " ".join(told(looping(signal=signal), NoticeKind.LOOPING).text.split())
    assert command in words


def test_a_bad_tag_is_told_of_a_service_that_does_not_loop() -> None:
    """With how it stands, which tag, and the command that lists them; nothing of a loop."""
    message = told(
        Record(service=SERVICE), NoticeKind.BAD_TAG, "tag loopbreaker:action is 'Stop!', and has to be one of alert"
    )
    assert "Now:       not in a restart loop" in message.text
    assert "WHAT TO DO\nCorrect the tag. Until then it counts as not set." in message.text
    assert "aws ecs list-tags-for-resource" in message.text
    assert message.subject == "[Loopbreaker] web in prod has a tag that is not understood"


def test_what_ecs_stopped_did_not_run_out_of_memory() -> None:
    """137 and 143 are what ECS leaves of a task whose health checks failed."""
    for category in (Category.ELB_HEALTH_CHECK, Category.CONTAINER_HEALTH_CHECK):
        message = told(looping(category=category, exit_code=137, evidence="Task failed"), NoticeKind.LOOPING)
        text = " ".join(message.text.split())
        assert "exit code 137 (ended by ECS, after its health check)" in text
        assert "often for memory" not in text


def test_what_is_assumed_is_said_to_be() -> None:
    """The size of the image and the changes that AWS Config records are not known."""
    text = " ".join(of(CASES[NAMES.index("still-looping")]).text.split())
    assert "an image of 1 GB (assumed) through a NAT gateway" in text
    assert "4 changes (assumed) in AWS Config" in text


@pytest.mark.parametrize("kind", NoticeKind)
def test_a_long_name_leaves_room_for_what_happened(kind: NoticeKind) -> None:
    """ECS allows 255 characters in either name: subject, header and first line still say what is the matter."""
    long = ServiceRef(f"arn:aws:ecs:eu-west-1:123456789012:cluster/{'c' * 255}", f"web-{'s' * 240}-blue")
    message = told(replace(looping(), service=long), kind)
    same = told(looping(), kind)
    what = str(same.detail["headline"]).removeprefix("web ")
    header = message.post["attachments"][0]["blocks"][0]["text"]["text"]
    first, *_ = message.text.split("\n\n")
    assert what in header
    assert f"{what}." in first.replace("\n", " ")
    assert what[:20] in message.subject
    assert long.name in message.text or kind in OF_MANY


@pytest.mark.parametrize("state", BreakerState)
def test_a_reminder_says_how_it_stands(state: BreakerState) -> None:
    """It loops, it is held, or it is tried: a reminder tells which."""
    expected = {"closed": "still loops", "open": "is still held at 0", "half-open": "is still being tried"}
    assert told(STATES[state], NoticeKind.STILL_LOOPING).text.startswith(f"web {expected[state]}.")


def test_a_probe_that_failed_is_a_stop_again() -> None:
    """The second stop of one incident does not read like the first."""
    before = held(BreakerState.HALF_OPEN)
    assert told(held(), NoticeKind.STOPPED, before=before).text.startswith("web was stopped again.")
    assert told(held(), NoticeKind.STOPPED, before=looping()).text.startswith("web was stopped.")


def test_a_recovery_says_how_long_and_what_ended_it() -> None:
    """The record has no incident any more; the message takes it from before, and asks for nothing."""
    before = looping(failed_tasks=612, last_failure_at=T0 + 10 + 6 * 3600)
    message = told(over(before), NoticeKind.RECOVERED, "all 2 tasks run", before=before)
    assert "Why: all 2 tasks run." in message.text
    assert "Lasted:    6 h, from 2026-01-01 00:00 UTC" in message.text
    assert "612 restarts in 6 h" in message.text
    assert "WHAT TO DO" not in message.text
    assert "a day" not in message.text
    assert message.detail["verdict"] == "healthy"


def test_who_was_held_reads_what_that_spared() -> None:
    """Restarts at the measured rate, for as long as it was held."""
    before = held()
    loop = before.incident
    assert loop is not None
    slow = replace(
        loop,
        failed_tasks=61,
        last_failure_at=loop.first_failure_at + 3600,
        messages=(Told(NOW - 7200, NoticeKind.STOPPED, "stopped"), Told(NOW - 3600, NoticeKind.PROBING, "tried")),
    )
    back = told(looping(incident=slow), NoticeKind.BACK, before=replace(before, incident=slow))
    assert "It was held for 2 h: about 120 restarts and $6.84 were spared." in " ".join(back.text.split())
    came_back = replace(slow, messages=(*slow.messages, Told(NOW - 1800, NoticeKind.BACK, "back")))
    ended = told(over(looping()), NoticeKind.RECOVERED, before=looping(incident=came_back))
    assert "61 restarts in 60 minutes: up to about $3.48. It was held for 90 minutes" in " ".join(ended.text.split())


def test_a_loop_that_came_again_is_told_whole() -> None:
    """What it came to counts each time that it looped, and not the quiet in between."""
    loop = looping().incident
    assert loop is not None
    spell = replace(loop, failed_tasks=61, last_failure_at=loop.first_failure_at + 3600)
    again = replace(spell, failed_tasks=31, last_failure_at=spell.first_failure_at + 1800, times=2)
    known = Background(earlier=(spell,))
    ended = told(over(looping()), NoticeKind.RECOVERED, before=looping(incident=again), background=known)
    text = " ".join(ended.text.split())
    assert "In all: 92 failed tasks; found 2 times since" in text
    assert "92 restarts in 90 minutes: up to about" in text


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("before", [None, Record(service=SERVICE)])
def test_a_message_without_an_incident(kind: NoticeKind, before: Record | None) -> None:
    """Where the incident is not known the message still names the service and the reason."""
    after = replace(Record(service=SERVICE), notices=())
    message = told(after, kind, "", before=before)
    assert "no reason was recorded" in message.text
    assert ("web" in message.subject) is (kind is not NoticeKind.MASS_OVER)
    assert message.thread == SERVICE.key


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "container web, exit code 1 (an error that the application chose)"),
        ({"exit_code": 0, "evidence": "exit code 0"}, "container web, exit code 0 (it ended without an error)"),
        ({"exit_code": 77, "evidence": "exit code 77"}, "container web, exit code 77\n"),
        (
            {"category": Category.IMAGE_PULL, "container": "", "exit_code": None, "evidence": "pull access denied"},
            '"pull access denied"',
        ),
    ],
)
def test_the_evidence(fields: dict[str, Any], expected: str) -> None:
    """Container, exit code with its meaning, the reason's own words, none of them twice."""
    assert f"Evidence:  {expected}" in told(looping(**fields), NoticeKind.LOOPING).text


def test_no_evidence_no_line() -> None:
    """A field about which nothing is known is left out."""
    fields = {"category": Category.UNKNOWN, "container": "", "exit_code": None, "evidence": "", "task_definition": ""}
    words = told(looping(**fields), NoticeKind.LOOPING).text
    assert "Evidence" not in words
    assert "Revision" not in words


@pytest.mark.parametrize(
    ("first_failure", "expected"),
    [
        (NOW + 60, "0 seconds ago"),
        (NOW - 1, "1 second ago"),
        (NOW - 89, "89 seconds ago"),
        (NOW - 119 * 60, "119 minutes ago"),
        (NOW - 7200, "2 h ago"),
        (NOW - 7500, "2 h 5 min ago"),
        (NOW - 48 * 3600, "2 days ago"),
        (NOW - 73 * 3600, "3 days 1 h ago"),
    ],
)
def test_time_spans_in_words(first_failure: float, expected: str) -> None:
    """The two units that say most; a clock that is behind says nothing odd."""
    assert f"({expected})" in told(looping(first_failure_at=first_failure), NoticeKind.LOOPING).text


def test_every_cause_has_its_advice() -> None:
    """Each failure category has its own meaning and first step; ordinary life has the general one."""
    assert list(ADVICE) == FAILURES
    assert len({entry.first for entry in ADVICE.values()}) == len(ADVICE)
    assert advice(Category.SPOT) == ADVICE[Category.UNKNOWN]


def test_exit_codes_in_words() -> None:
    """The usual ones have a meaning, other signals are named as such, the rest is left without."""
    assert meaning(137) == EXIT_CODES[137]
    assert meaning(138) == "ended by signal 10"
    assert meaning(77) == ""
    assert meaning(3_221_225_786) == ""


@pytest.mark.parametrize("category", FAILURES)
def test_every_cause_has_a_command_to_begin_with(category: Category) -> None:
    """What to do ends in a command that can be pasted."""
    words = told(looping(category=category), NoticeKind.LOOPING).text
    assert re.search(r"WHAT TO DO\n(?:.+\n)+\n  aws (ecs|logs) ", words)


# -- commands and links -----------------------------------------------------------------------------------


def test_a_service_without_scaling_needs_one_command() -> None:
    """So does one whose scaling was suspended before we came: it stays so."""
    suspended = replace(SCALING, dynamic_in_suspended=True, scheduled_suspended=True)
    for scaling in (None, suspended):
        (command,) = resume_commands(SERVICE, trip(scaling=scaling, desired_count=5))
        assert command.endswith("--desired-count 5")


@pytest.mark.parametrize("name", NAMES)
def test_commands_are_whole_when_they_are_pasted(name: str) -> None:
    """Each line of a command but its last ends in a backslash, so that a shell reads one command."""
    text = of(CASES[NAMES.index(name)]).text
    blocks = [block for block in re.split(r"\n\n", text) if block.startswith("  aws ") or block.startswith("  loopctl")]
    for block in blocks:
        *head, last = block.splitlines()
        assert all(line.endswith(" \\") for line in head)
        assert not last.endswith("\\")


def test_a_long_command_is_broken_between_words() -> None:
    """Joined again it is the same command, and what is quoted is not broken."""
    command = "aws ecs x --query 'a [b, c]' --cluster " + "c" * 60 + " --service web --desired-count 3"
    lines = wrapped(command, width=40)
    assert " ".join(line.strip().removesuffix(" \\") for line in lines) == command
    assert any("'a [b, c]'" in line for line in lines)
    assert max(map(len, lines)) < 80


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-west-1", "console.aws.amazon.com"),
        ("aws-us-gov", "us-gov-west-1", "console.amazonaws-us-gov.com"),
        ("aws-cn", "cn-north-1", "console.amazonaws.cn"),
        ("aws-new", "xx-west-1", "console.aws.amazon.com"),
    ],
)
def test_links_lead_to_the_console_of_the_partition(partition: str, region: str, host: str) -> None:
    """Each partition has its own console."""
    service = ServiceRef(f"arn:{partition}:ecs:{region}:123456789012:cluster/prod", "web")
    assert console_url(service) == f"https://{region}.{host}/ecs/v2/clusters/prod/services/web/tasks"
    assert service_arn(service) == f"arn:{partition}:ecs:{region}:123456789012:service/prod/web"
    assert logs_url(service, "/ecs/web", "web/web/1f").endswith(
        f"home?region={region}#logsV2:log-groups/log-group/$252Fecs$252Fweb/log-events/web$252Fweb$252F1f"
    )


def test_a_stopped_task_is_linked_while_ecs_shows_it() -> None:
    """ECS keeps a stopped task for about an hour: a reminder does not lead to a page that is gone."""
    case = CASES[NAMES.index("looping-app-crash")]
    assert "/tasks/0f1e2d3c" in of(case).text
    assert case.after.incident is not None
    late = replace(case.after.notices[-1], at=case.after.incident.opened_at + 7200)
    assert "/tasks/0f1e2d3c" not in compose(case.before, case.after, late, case.background).text


def test_the_runbook_is_where_it_was_said_to_be() -> None:
    """An address that was configured leads to the page of the cause."""
    text = of(CASES[NAMES.index("looping-image-pull")]).text
    assert "https://git.example.com/platform/loopbreaker/docs/runbook/image-pull.md" in text
