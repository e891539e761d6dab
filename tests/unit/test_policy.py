"""Thresholds: their defaults, how many generations a size needs, and what may be overridden."""

from dataclasses import fields, replace

import pytest

from loopbreaker.policy import Mode, Policy, Profile, Unit
from loopbreaker.thresholds import PolicyError, Threshold, changes, override, parse, thresholds


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


def test_every_number_is_a_threshold() -> None:
    """Each field of the policy and of its two profiles has a key, its default, and a sentence."""
    known = thresholds()
    assert len(known) == len(fields(Policy)) - 2 + 2 * len(fields(Profile))
    assert known["fast.depth"] == Threshold("fast.depth", 3, Unit.GENERATIONS, known["slow.depth"].meaning)
    assert (known["slow.max_lifetime"].default, known["confirm_after"].default) == (3600, 30)
    assert all(threshold.meaning and threshold.meaning[-1] not in " ." for threshold in known.values())


@pytest.mark.parametrize("key", thresholds())
def test_a_threshold_is_replaced_alone(key: str) -> None:
    """What was asked for is all that changes; it can be written down and read again, as a number and as text."""
    threshold = thresholds()[key]
    whole = threshold.unit in (Unit.GENERATIONS, Unit.COUNT)
    value = threshold.default + 1 if whole else threshold.default * 1.01
    changed = override(Policy(), {key: value})
    assert changes(changed) == {key: value}
    assert override(Policy(), {key: str(value)}) == changed
    assert override(changed, {key: threshold.default}) == Policy()


def test_thresholds_come_in_several_forms() -> None:
    """Text of the command line, dotted keys and nested objects mean the same."""
    expected = replace(Policy(), slow=replace(Policy().slow, depth=5, replacement_gap=90.5), mass_limit=7)
    assert override(Policy(), parse(" slow.depth=5, slow.replacement_gap = 90.5,mass_limit=7,")) == expected
    assert override(Policy(), {"slow.depth": 5, "slow.replacement_gap": 90.5, "mass_limit": 7.0}) == expected
    assert override(Policy(), {"slow": {"depth": "5", "replacement_gap": 90.5}, "mass_limit": "7"}) == expected
    assert isinstance(override(Policy(), {"mass_limit": "7.0"}).mass_limit, int)
    assert override(Policy(), parse("")) == override(Policy(), {}) == Policy()


def test_a_threshold_is_given_once() -> None:
    """Of two values nobody knows which was meant."""
    with pytest.raises(PolicyError, match=r"^mass_limit is there twice; outage is there twice$"):
        parse("mass_limit=1,outage=3,mass_limit=1,outage=4,cool_down=5")


@pytest.mark.parametrize("value", [0, -1, "many", None, True, [], float("inf"), float("nan"), "", {}, "1e999"])
@pytest.mark.parametrize("key", ["confirm_after", "fast.chance", "fast.depth", "mass_limit"])
def test_a_threshold_is_a_number_above_zero(key: str, value: object) -> None:
    """Zero, infinity, truth values and words are refused by name, with what it must be."""
    with pytest.raises(PolicyError) as refused:
        override(Policy(), {key: value})
    assert refused.value.problems == (f"{key} must be {thresholds()[key].unit}, not '{value}'",)


@pytest.mark.parametrize(
    ("key", "value"), [("fast.depth", 2.5), ("fast.depth", 1), ("mass_limit", "1.5"), ("slow.chance", 1)]
)
def test_a_number_fits_its_unit(key: str, value: object) -> None:
    """There is no half generation, one failure is no loop, and nothing is certain."""
    with pytest.raises(PolicyError, match=f"{key} must be "):
        override(Policy(), {key: value})


@pytest.mark.parametrize("key", ["fast", "fast.", "fast.depht", "quick.depth", "fast.depth.x", ".depth", "zzz", ""])
def test_an_unknown_threshold_is_refused(key: str) -> None:
    """A misspelt key is an error that names the nearest, or all there are."""
    with pytest.raises(PolicyError) as refused:
        override(Policy(), {key: 3})
    (problem,) = refused.value.problems
    assert problem.startswith(f"unknown threshold '{key}'; ")
    assert "did you mean '" in problem or all(name in problem for name in thresholds())
    assert ("did you mean 'fast.depth'?" in problem) == (key in ("fast.depht", "fast.depth.x", "fast."))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"fast.depth": 5}, "fast.depth=5 is more than slow.depth=4, the default: "),
        ({"slow.depth": 2}, "fast.depth=3, the default is more than slow.depth=2: "),
        ({"fast.max_lifetime": 7200}, "fast.max_lifetime=7200 is more than slow.max_lifetime=3600, the default: "),
        ({"flaky_chance": 0.01}, "flaky_chance=0.01 is more than fast.chance=0.0005, the default: "),
        ({"confirm_after": 60, "quiet_after": 30}, "confirm_after=60 is more than quiet_after=30: "),
        ({"blind_quiet_after": 500}, "quiet_after=600, the default is more than blind_quiet_after=500: "),
        ({"longest_cool_down": 60}, "cool_down=420, the default is more than longest_cool_down=60: "),
    ],
)
def test_thresholds_do_not_contradict_each_other(given: dict[str, object], told: str) -> None:
    """Nor what is left at its default; the other way round nothing is refused."""
    with pytest.raises(PolicyError) as refused:
        override(Policy(), given)
    (problem,) = refused.value.problems
    assert problem.startswith(told)


def test_equal_thresholds_are_no_contradiction() -> None:
    """The boundary is allowed, and a contradiction is judged when all changes are in."""
    assert override(Policy(), {"fast.depth": 4}).fast.depth == 4
    assert override(Policy(), {"fast.depth": 9, "slow.depth": 9}).slow.depth == 9


def test_every_problem_is_in_one_error() -> None:
    """Who configures sees all mistakes at once."""
    with pytest.raises(PolicyError) as refused:
        override(Policy(), {"fast.depth": 0, "slow.depth": 5, "nonsense": 1, "slow.chance": "low"})
    assert len(refused.value.problems) == 3
    assert str(refused.value) == "; ".join(refused.value.problems)


def test_the_lesser_mode_counts() -> None:
    """Alert is less than rollback, and rollback less than stop."""
    assert sorted([Mode.STOP, Mode.ALERT, Mode.ROLLBACK]) == [Mode.ALERT, Mode.ROLLBACK, Mode.STOP]
    assert min(Mode.STOP, Mode.ROLLBACK) is Mode.ROLLBACK
    assert Mode.STOP > Mode.ALERT
    assert [str(mode) for mode in Mode] == ["alert", "rollback", "stop"]
