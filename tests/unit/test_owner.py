"""What the tags of a service are taken to mean."""

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


def test_a_time_without_a_zone_is_utc() -> None:
    """Whoever leaves the zone out means UTC, as AWS does."""
    assert wishes({"loopbreaker:mute-until": "2026-01-31T17:00"}).mute_until == 1769878800.0


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
