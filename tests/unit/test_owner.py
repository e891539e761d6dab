"""What the tags of a service are taken to mean."""

from collections.abc import Iterator
from dataclasses import replace
from time import tzset
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopbreaker.model import Category
from loopbreaker.policy import Mode
from loopbreaker.remembering.history import Failed
from loopbreaker.treating.owner import Recovery, Wishes, wishes


def test_no_tag_is_the_safe_default() -> None:
    """A service without tags is alerted about and never touched; one that is stopped comes back by itself."""
    assert wishes({"team": "web"}) == Wishes(action=Mode.ALERT, recovery=Recovery.PROBE)


def test_every_tag() -> None:
    """Each tag says one thing."""
    said = wishes(
        {
            "loopbreaker:action": "stop",
            "loopbreaker:recovery": "manual",
            "loopbreaker:depth": "5",
            "loopbreaker:channel": "C0123456789",
            "loopbreaker:logs": "true",
            "loopbreaker:mute-until": "2026-01-31T18:00+01:00",
            "loopbreaker:expected-exit": "0  3221225786",
            "loopbreaker:serving-after": "90s",
            "loopbreaker:stop-after": "2h",
            "loopbreaker:abandoned-after": "3h",
            "loopbreaker:held": "ours",
        }
    )
    assert said == Wishes(
        action=Mode.STOP,
        recovery=Recovery.MANUAL,
        expected_exits=(0, 3221225786),
        channel="C0123456789",
        logs=True,
        depth=5,
        mute_until=1769878800.0,
        serving_after=90.0,
        stop_after=7200.0,
        abandoned_after=10800.0,
    )


@pytest.mark.parametrize(("said", "seconds"), [("60", 60.0), ("10s", 10.0), ("5m", 300.0), ("1h", 3600.0)])
def test_durations(said: str, seconds: float) -> None:
    """A number alone is seconds; minutes and hours are said."""
    assert wishes({"loopbreaker:serving-after": said}).serving_after == seconds


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A computer whose own time is nine hours ahead of UTC."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    tzset()
    yield
    monkeypatch.undo()
    tzset()


@pytest.mark.usefixtures("in_tokyo")
def test_a_time_without_a_zone_is_utc() -> None:
    """Whoever leaves the zone out means UTC, as AWS does, wherever it is read."""
    for said in ("2026-01-31T17:00", "2026-01-31T17:00Z", "2026-02-01T02:00+09:00"):
        assert wishes({"loopbreaker:mute-until": said}).mute_until == 1769878800.0


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("depth", "2", {"depth": 2}),
        ("depth", "100", {"depth": 100}),
        ("depth", "007", {"depth": 7}),
        ("serving-after", "10", {"serving_after": 10.0}),
        ("serving-after", "60m", {"serving_after": 3600.0}),
        ("stop-after", "60", {"stop_after": 60.0}),
        ("stop-after", "168h", {"stop_after": 604_800.0}),
        ("logs", "false", {"logs": False}),
        ("channel", "G123456", {"channel": "G123456"}),
        ("action", "rollback", {"action": Mode.ROLLBACK}),
        ("action", "ignore", {"ignore": True}),
    ],
)
def test_the_last_value_that_is_still_understood(name: str, value: str, read: dict[str, Any]) -> None:
    """Both ends of each range are part of it."""
    assert wishes({f"loopbreaker:{name}": value}) == replace(Wishes(), **read)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("recovery", "auto", "one of manual, probe"),
        ("depth", "1", "a whole number from 2 to 100"),
        ("serving-after", "9", "a duration from 10s to 1h, such as 90s, 30m or 2h"),
        ("stop-after", "8", "a duration from 1m to 168h, such as 90s, 30m or 2h"),
        ("stop-after", "\u0669\u0669m", "a duration from 1m to 168h, such as 90s, 30m or 2h"),
        ("mute-until", "soon", "an ISO 8601 time such as 2026-01-31T18:00Z"),
        ("logs", "1", "true or false"),
    ],
)
def test_what_would_be_understood_is_said(name: str, value: str, words: str) -> None:
    """Whoever mistyped a tag reads what it may be, and what it is."""
    assert wishes({f"loopbreaker:{name}": value}).problems == (
        f"tag loopbreaker:{name} is {value!r}, and has to be {words}",
    )


def test_of_a_long_tag_the_beginning_is_shown() -> None:
    """Sixty characters of what it says, eighty of what it is called."""
    long = "x" * 100
    said = wishes({"loopbreaker:action": long, f"loopbreaker:{long}": "1"}).problems
    assert f" is '{'x' * 60}', and" in said[0]
    assert said[1].startswith(f"tag loopbreaker:{'x' * 68}: there is no such tag; there are a")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("action", "STOP"),
        ("action", "delete"),
        ("recovery", "auto"),
        ("depth", "1"),
        ("depth", "101"),
        ("depth", "3.5"),
        ("depth", "\u0665"),
        ("mute-until", "next week"),
        ("expected-exit", "0, 143"),
        ("expected-exit", "-1"),
        ("expected-exit", "9" * 250),
        ("channel", "#ops"),
        ("logs", "yes"),
        ("serving-after", "9"),
        ("serving-after", "61m"),
        ("serving-after", "1.5m"),
        ("stop-after", "59s"),
        ("stop-after", "169h"),
        ("stop-after", "10 m"),
        ("stop-after", "99999999"),
        ("action", "stop "),
        ("colour", "red"),
    ],
)
def test_what_is_not_understood_is_named(name: str, value: str) -> None:
    """A wrong tag is one problem that names the tag; everything else keeps its default."""
    said = wishes({f"loopbreaker:{name}": value})
    assert len(said.problems) == 1
    assert f"loopbreaker:{name}" in said.problems[0]
    assert said == Wishes(problems=said.problems)


@given(st.dictionaries(st.sampled_from(["action", "recovery", "depth", "mute-until", "expected-exit", "x"]), st.text()))
def test_no_tag_is_a_fault(tags: dict[str, str]) -> None:
    """Whatever tags say, reading them never fails, and only the exact word asks for a stop."""
    said = wishes({f"loopbreaker:{name}": value for name, value in tags.items()})
    assert (said.action is Mode.STOP) == (tags.get("action") == "stop")


def test_silence() -> None:
    """A muted service is silent until its time; an ignored one always."""
    muted = Wishes(mute_until=100.0)
    assert (muted.silent(99.0), muted.silent(100.0), Wishes(ignore=True).silent(1e12)) == (True, False, True)


def _ended(*codes: int | None) -> list[Failed]:
    return [
        Failed(
            at=float(number),
            lifetime=60.0,
            category=Category.CLEAN_EXIT,
            container="worker",
            exit_code=code,
            evidence="",
            task_definition="",
            deployment_id="",
        )
        for number, code in enumerate(codes)
    ]


@pytest.mark.parametrize(
    ("codes", "silent"),
    [
        ((), False),
        ((0, 0, 0), True),
        ((143, 0, 1), True),
        ((0, 1, 1), True),
        ((0, 1, 1, 1), False),
        ((2, 2, 2), False),
        ((None, None, None), False),
    ],
)
def test_what_ends_by_design_is_not_told(*, codes: tuple[int | None, ...], silent: bool) -> None:
    """A service that ends with these codes on purpose is silent, until its last few tasks all ended otherwise."""
    assert Wishes(expected_exits=(0, 143)).silent(0.0, _ended(*codes)) is silent
    assert not Wishes().silent(0.0, _ended(*codes))
