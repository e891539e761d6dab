"""Fields of an object from outside: what is read, and how what is wrong is named."""

import pytest

from loopbreaker.seeing.fields import Fields, MalformedEventError, refuse_future, shown
from tests.builders import T0

HALF = "\ud800"


def read(values: dict[str, object]) -> tuple[Fields, list[str]]:
    problems: list[str] = []
    return Fields(values, path="detail.", problems=problems), problems


@pytest.mark.parametrize(
    ("value", "text", "problem"),
    [
        ("web", "web", []),
        ("wéb ☂", "wéb ☂", []),
        (None, "", []),
        ("", "", []),
        (7, "", ["detail.name: not text but a number"]),
        (f"w{HALF}b", "", ["detail.name: not Unicode"]),
        (f"wéb{HALF}", "", ["detail.name: not Unicode"]),
        ("é\udfff", "", ["detail.name: not Unicode"]),
        ("é\ud7ff\ue000", "é\ud7ff\ue000", []),
    ],
)
def test_text_is_unicode_or_refused(value: object, text: str, problem: list[str]) -> None:
    """JSON may spell half of a character; nobody can store or send it."""
    fields, problems = read({"name": value})
    assert fields.text("name") == text
    assert problems == problem


@pytest.mark.parametrize("value", [None, ""])
def test_what_is_required_and_absent_is_named_once(value: object) -> None:
    """Also where it should have been an ARN."""
    fields, problems = read({"name": value})
    assert (fields.required_text("name"), fields.arn("name", of="task")) == ("", "")
    assert problems == ["detail.name: absent"] * 2


@pytest.mark.parametrize(
    ("code", "is_code"),
    [(-(2**31), True), (-(2**31) - 1, False), (2**32 - 1, True), (2**32, False), (True, False), (1.0, False)],
)
def test_which_numbers_are_exit_codes(code: object, is_code: bool) -> None:
    """Those of 32 bits, signed or not."""
    fields, problems = read({"exitCode": code})
    assert fields.exit_code("exitCode") == (code if is_code else None)
    assert bool(problems) is not is_code


@pytest.mark.parametrize(
    ("text", "is_task"),
    [
        ("arn:aws:ecs:eu-west-1:123456789012:task/prod/0123", True),
        ("arn:aws:ecs:eu-west-1:123456789012:task/prod/01:23", True),
        ("arn:aws:ecs:eu-west-1:123456789012:cluster/prod", False),
        ("arn:aws:ecs:eu-west-1:task/prod/0123", False),
        ("urn:aws:ecs:eu-west-1:123456789012:task/prod/0123", False),
    ],
)
def test_what_is_the_arn_of_a_task(text: str, is_task: bool) -> None:
    """By its six parts and its kind; what follows the kind is not looked at."""
    fields, problems = read({"taskArn": text})
    assert fields.arn("taskArn", of="task") == text
    assert bool(problems) is not is_task


@pytest.mark.parametrize(
    ("text", "seconds"), [("1970-01-01T00:00:00Z", 0.0), ("1969-12-31T23:59:59Z", None), ("1970-01-01T00:00:01Z", 1.0)]
)
def test_there_is_no_time_before_1970(text: str, seconds: float | None) -> None:
    """What counts its seconds from there can say no other."""
    fields, problems = read({"createdAt": text})
    assert fields.time("createdAt") == seconds
    assert bool(problems) is (seconds is None)


@pytest.mark.parametrize(("value", "name"), [(7, "a number"), ("web", "text"), ({"name": "web"}, "an object")])
def test_a_list_is_a_list(value: object, name: str) -> None:
    """What is none has no items, and is named once."""
    fields, problems = read({"containers": value})
    assert fields.objects("containers") == []
    assert problems == [f"detail.containers: not a list but {name}"]


def test_long_text_is_shown_by_its_beginning() -> None:
    """Eighty characters at most, and that it goes on."""
    assert shown("x" * 80) == repr("x" * 80)
    assert shown("x" * 81) == repr("x" * 79 + "…")


def test_a_quarter_of_an_hour_ahead_is_as_far_as_clocks_may_differ() -> None:
    """What claims to happen later would stand as the newest for ever."""
    refuse_future(T0 + 900, now=T0)
    with pytest.raises(MalformedEventError, match="in the future"):
        refuse_future(T0 + 900.001, now=T0)
