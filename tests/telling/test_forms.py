"""Every form of every message keeps within what its reader takes, whatever the names and texts from outside."""

import itertools
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from loopbreaker.model import ServiceRef
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.telling.contents import Background
from loopbreaker.telling.diagnosis import Diagnosis, Difference
from loopbreaker.telling.letter import Block, Letter, Severity, clean, shortened
from loopbreaker.telling.markdown import cut, escaped
from loopbreaker.telling.messages import LIMIT, Message
from tests.builders import SERVICE, looping
from tests.task_events import CLUSTER_ARN
from tests.telling.told import CASES, NAMES, SCALING, held, of, told

LONG = ServiceRef(f"{CLUSTER_ARN}-{'c' * 250}", "s" * 255)
HOSTILE = (
    'line\nbreak <!channel> @here *bold* `code` ```fence``` & \x1b[31mred\x00 "quoted" </script> \u202egnirts\u2066 🔥 '
    * 30
)
WORST = Background(
    diagnosis=Diagnosis(
        task_id="f" * 32,
        log_group="/" + "g" * 511,
        log_stream="s" * 512,
        lines=tuple(f"{n} {'x' * 400}" for n in range(20)),
        compared_with="w:6",
        changes=tuple(Difference(f"image of {n}", "a" * 300, "b" * 300) for n in range(30)),
        deployed_at=1.0,
        deployed_by="arn:" + "d" * 300,
        sums=("word " * 200,),
        left_out=("logs: " + "why " * 50,),
    ),
    runbook="https://example.com/runbook",
)


def all_messages() -> list[tuple[str, Message]]:
    """Every previewed case, and every kind about a service whose names and reasons are as bad as they get."""
    found = [(case.name, of(case)) for case in CASES]
    for kind in NoticeKind:
        for state in (looping(), held(scaling=SCALING)):
            assert state.incident is not None
            bad = replace(state.incident, container=HOSTILE, evidence=HOSTILE, task_definition="arn:td/" + "d" * 255)
            record = replace(state, service=LONG, incident=bad)
            name = f"worst-{kind.value}-{state.breaker.value}"
            found.append((name, told(record, kind, HOSTILE, background=WORST)))
    return found


MESSAGES = all_messages()
every_message = pytest.mark.parametrize("message", [m for _, m in MESSAGES], ids=[name for name, _ in MESSAGES])


@every_message
def test_no_message_is_over_ten_kilobytes(message: Message) -> None:
    """In none of its forms."""
    forms = (message.text, json.dumps(message.chat), json.dumps(message.post), json.dumps(message.detail))
    assert max(len(form.encode()) for form in forms) <= LIMIT


@every_message
def test_the_subject_suits_sns(message: Message) -> None:
    """ASCII without line breaks, fewer than 100 characters, and not empty."""
    assert message.subject.isascii()
    assert message.subject.isprintable()
    assert len("[Loopbreaker] ") < len(message.subject) < 100


@every_message
def test_mail_is_at_most_78_columns_wide(message: Message) -> None:
    """A longer line is one word that cannot be broken: an address, an ARN, a name."""
    for line in message.text.splitlines():
        label = r"(?:[A-Za-z][\w ]*: +)?"
        words = re.sub(rf"^\s*{label}", "", line).removesuffix(" \\").removeprefix("--")
        assert len(line) <= 78 or len(re.sub(r"'[^']*'", "q", words).split()) <= 2, line


@every_message
def test_nothing_is_empty_or_none(message: Message) -> None:
    """No label without a value, no block without a body, no `None`."""
    for form in (message.text, json.dumps(message.chat), json.dumps(message.post)):
        assert "None" not in form
    lines = [line for line in message.text.splitlines() if line]
    for line, below in itertools.pairwise([*lines, ""]):
        announced = re.fullmatch(r"\S[\w ]*:", line)
        assert not announced or below.startswith("  "), "what is announced stands below, indented"
    assert "  \n\n\n" not in message.text


@every_message
def test_nothing_from_outside_can_mean_anything(message: Message) -> None:
    """No control characters in mail; no mention and no link of somebody else in chat."""
    assert all(c.isprintable() or c == "\n" for c in message.text)
    chat = json.dumps([message.chat, message.post, message.reply], ensure_ascii=False)
    assert "<!" not in chat
    assert set(re.findall(r"<(\w+)", chat)) <= {"https"}


@every_message
def test_slack_takes_it(message: Message) -> None:
    """Block Kit: header 150, section 3,000, button text 75, at most 50 blocks, no empty text."""
    (attachment,) = message.post["attachments"]
    assert 0 < len(attachment["blocks"]) <= 50
    assert re.fullmatch("#[0-9a-f]{6}", attachment["color"])
    assert 0 < len(message.post["text"]) <= 3000
    assert 0 < len(message.reply) <= 3000
    for block in attachment["blocks"]:
        check_block(block)


def check_block(block: dict[str, Any]) -> None:
    match block["type"]:
        case "header":
            assert block["text"]["type"] == "plain_text"
            assert 0 < len(block["text"]["text"]) <= 150
        case "section":
            assert block["text"]["type"] == "mrkdwn"
            assert 0 < len(block["text"]["text"]) <= 3000
            assert block["text"]["verbatim"] is True
            assert block["text"]["text"].count("```") % 2 == 0
        case "actions":
            assert 0 < len(block["elements"]) <= 25
            for button in block["elements"]:
                assert 0 < len(button["text"]["text"]) <= 75
                assert button["url"].startswith("https://")
                assert len(button["url"]) <= 3000
        case "context":
            assert 0 < len(block["elements"]) <= 10
            assert 0 < len(block["elements"][0]["text"]) <= 3000
        case other:
            pytest.fail(f"a block of type {other}")


@every_message
def test_amazon_q_takes_it(message: Message) -> None:
    """Version, source and the fields of the schema of custom notifications, nothing else; all of it text."""
    chat = message.chat
    assert (chat["version"], chat["source"]) == ("1.0", "custom")
    assert set(chat) == {"version", "source", "content", "metadata"}
    assert set(chat["content"]) == {"textType", "title", "description", "nextSteps", "keywords"}
    assert set(chat["metadata"]) == {"threadId", "summary", "eventType", "relatedResources"}
    assert chat["content"]["textType"] == "client-markdown"
    assert 0 < len(chat["content"]["title"]) <= 150
    assert chat["content"]["description"].count("```") % 2 == 0
    assert all(isinstance(step, str) and step for step in chat["content"]["nextSteps"])
    assert chat["metadata"]["threadId"] == message.thread


@every_message
def test_subscriptions_can_filter(message: Message) -> None:
    """SNS message attributes are text and never empty."""
    assert set(message.attributes) == {"cluster", "service", "transition", "severity", "category"}
    assert all(message.attributes.values())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mERROR\x1b[0m boom", "ERROR boom"),
        ("\x1b]0;a title\x07ready", "ready"),
        ("\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\u202eevil\u2066 text", "evil text"),
        ("a\x00b\r\nSubject: c", "a b Subject: c"),
        ("array[3] = x[0m", "array[3] = x[0m"),
    ],
)
def test_what_a_terminal_would_obey_is_not_shown(text: str, shown: str) -> None:
    """Colours and titles go as a whole, what turns the direction of writing goes; brackets of an application stay."""
    assert clean(text) == shown


def test_a_name_of_a_container_means_nothing_either() -> None:
    """In the title of a block as in its body."""
    loop = looping(container="web<!channel>`")
    message = told(
        loop, NoticeKind.LOOPING, background=Background(diagnosis=Diagnosis(lines=("\x1b[31mred", "<!here>")))
    )
    chat = json.dumps([message.post, message.chat], ensure_ascii=False)
    assert "<!" not in chat
    assert "\\u001b" not in chat
    assert "\x1b" not in message.text
    assert "Of the container web<!channel>`:" in message.text


@pytest.mark.parametrize("name", NAMES)
def test_chat_says_what_the_mail_says(name: str) -> None:
    """Every command and every fact of the mail is in chat too."""
    message = of(CASES[NAMES.index(name)])
    chat = " ".join(json.dumps(message.chat, ensure_ascii=False).replace("\\n", " ").replace("\\\\", "").split())
    for command in re.findall(r"^  (aws \S+ \S+)", message.text, re.MULTILINE):
        assert command in chat
    for value in re.findall(r"^(?:Service|Cluster|Lasted): +(.+)$", message.text, re.MULTILINE):
        assert value in chat


def test_the_colour_follows_the_state() -> None:
    """Red while only a person can help, green when it is over."""
    colours = {case.name: of(case).post["attachments"][0]["color"] for case in CASES}
    assert colours["recovered"] == colours["mass-over"] == "#2e7d32"
    assert colours["down"] == colours["stopped"] == colours["mass"] == "#b3261e"
    assert [name for name, colour in colours.items() if colour == "#2e7d32"] == [
        "runs-again",
        "mass-over",
        "recovered",
        "recovered-after-a-stop",
        "recovered-deleted",
    ]


# -- leaving out ------------------------------------------------------------------------------------------


def test_what_is_left_out_is_named_and_goes_by_rank() -> None:
    """The part of the highest rank goes first; one of rank 0 stays, however long."""
    letter = Letter(
        headline="h",
        why="w",
        severity=Severity.INFO,
        facts=(),
        blocks=(Block("Logs", rank=5), Block("Cost", rank=3), Block("Must", text="m" * 50)),
        links=(("Console", "https://example.com"),),
    )

    def render(one: Letter) -> str:
        return "".join(f"{block.title}{block.text}" for block in one.blocks) + str(one.links)

    whole = len(render(letter))
    assert shortened(letter, render, limit=whole) == letter
    assert shortened(letter, render, limit=whole - 1).left_out == ("logs",)
    least = shortened(letter, render, limit=1)
    assert [block.title for block in least.blocks] == ["Must"]
    assert least.left_out == ("logs", "cost")
    assert least.links == ()


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("a  b\n\tc\x1b[0m", 30, "a b c"),
        ("one two three", 13, "one two three"),
        ("one two three", 12, "one two…"),
        ("x" * 20, 10, "x" * 9 + "…"),
    ],
)
def test_text_from_outside_is_one_clean_line(text: str, most: int, expected: str) -> None:
    """No control characters, not longer than asked for, not cut within a word where it has words."""
    assert clean(text, most=most) == expected


def test_an_escape_is_not_cut_in_two() -> None:
    """Half an escape would show as rubbish."""
    assert cut(escaped("<" * 20), 30).removesuffix("…").replace("&lt;", "") == ""
    assert SERVICE.name not in cut("", 5)
