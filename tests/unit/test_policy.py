"""Thresholds: their defaults, how many generations a size needs, and what may be overridden."""

from dataclasses import replace

import pytest

from loopbreaker.policy import Policy, PolicyError, Profile, override, thresholds


@pytest.mark.parametrize(
    ("desired_count", "more"),
    [(None, 0), (0, 0), (1, 0), (9, 0), (10, 1), (99, 1), (100, 2), (999, 2), (1000, 3), (5000, 3)],
)
def test_large_services_need_more_generations(desired_count: int | None, more: int) -> None:
    """One more from 10 tasks, two from 100; an unknown size needs none."""
    assert Profile(depth=3, max_lifetime=1, replacement_gap=1, chance=0.1).generations(desired_count) == 3 + more


def test_the_profiles_are_those_of_the_design() -> None:
    """Fast: 3 generations of at most 15 min, 5 min apart; slow: 4 of at most an hour, 10 min apart."""
    assert Policy().fast == Profile(depth=3, max_lifetime=900, replacement_gap=300, chance=5e-4)
    assert Policy().slow == Profile(depth=4, max_lifetime=3600, replacement_gap=600, chance=5e-5)


def test_every_threshold_has_a_key() -> None:
    """What `thresholds` lists is what `override` takes, and its values are the defaults."""
    known = thresholds()
    assert known["fast.depth"] == 3
    assert known["slow.max_lifetime"] == 3600
    assert known["confirm_after"] == 30
    assert "fast" not in known
    assert override(Policy(), dict(known)) == Policy()
    assert all(override(Policy(), {key: 17}) != Policy() for key in known)


def test_thresholds_are_replaced_one_by_one() -> None:
    """An override changes its own threshold and nothing else; text from a configuration file is read as a number."""
    changed = override(Policy(), {"fast.depth": 4, "slow.replacement_gap": "90.5", "mass_limit": "7", "outage": 1})
    expected = replace(
        Policy(),
        fast=replace(Policy().fast, depth=4),
        slow=replace(Policy().slow, replacement_gap=90.5),
        mass_limit=7,
        outage=1,
    )
    assert changed == expected
    assert isinstance(changed.mass_limit, int)
    assert override(Policy(), {}) == Policy()


@pytest.mark.parametrize("value", [0, -1, "many", None, True, [], float("inf"), float("nan"), "", {}])
def test_a_threshold_is_a_number_above_zero(value: object) -> None:
    """Zero, infinity, truth values and words are refused by name."""
    with pytest.raises(PolicyError, match="confirm_after: not a number above zero"):
        override(Policy(), {"confirm_after": value})


@pytest.mark.parametrize("value", [2.5, "4.0", 0, True])
def test_a_count_is_a_whole_number(value: object) -> None:
    """There is no half generation."""
    with pytest.raises(PolicyError, match=r"fast\.depth: not a whole number above zero"):
        override(Policy(), {"fast.depth": value})


@pytest.mark.parametrize("key", ["depth", "fast", "fast.", "fast.depht", "quick.depth", "fast.depth.x", ".depth", ""])
def test_an_unknown_threshold_is_refused_with_those_there_are(key: str) -> None:
    """A misspelt key is an error that lists every key."""
    with pytest.raises(PolicyError) as refused:
        override(Policy(), {key: 3})
    assert str(refused.value).startswith(f"{key}: no such threshold; there are ")
    assert all(name in str(refused.value) for name in thresholds())


def test_every_problem_is_in_one_error() -> None:
    """Who configures sees all mistakes at once."""
    with pytest.raises(PolicyError) as refused:
        override(Policy(), {"fast.depth": 0, "slow.depth": 5, "nonsense": 1, "slow.chance": "low"})
    text = str(refused.value)
    assert all(key in text for key in ("fast.depth: not", "nonsense: no such", "slow.chance: not"))
    assert "slow.depth: not" not in text
