"""The detection benchmark: its rules count what they say, its judge is fair, and its quick subset holds."""

import json
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from benchmarks.detection import judging
from benchmarks.detection.__main__ import README, RESULTS
from benchmarks.detection.judging import Found, Outcome, judge
from benchmarks.detection.picture import draw
from benchmarks.detection.readme import with_detection
from benchmarks.detection.report import RIVALS, Run, as_json, as_markdown
from benchmarks.detection.rules import OURS, RULES, Counted, DeploymentBreaker, FewerThanDesired
from benchmarks.detection.saying import Message
from benchmarks.detection.scenario import Group
from benchmarks.detection.suite import QUICK, SCENARIOS, jobs, run
from benchmarks.detection.summary import Totals, compare, goals, totals
from benchmarks.detection.watching import SHUFFLED, Rollout, Sample, Seen, Stopped, Watch
from loopctl.usual import StopsInWindow


def _stop(at: float, task: str, *, failed: bool = True) -> Stopped:
    return Stopped(at=at, service="web", task=task, failed=failed, event={})


def _sample(at: float, *, running: int = 1) -> Sample:
    return Sample(at=at, service="web", running=running, desired=1)


def _told(rule: Counted | FewerThanDesired | DeploymentBreaker, *seen: Seen) -> list[tuple[float, bool]]:
    return [(message.at, message.over) for one in seen for message in rule.see(one)]


def test_a_task_counts_once_however_often_its_event_comes() -> None:
    """The counting rules are not fooled by duplicates, so that no rule is worse for what it could easily do."""
    assert _told(Counted(StopsInWindow(3, 900)), _stop(1, "a"), _stop(2, "a"), _stop(3, "b"), _stop(4, "a")) == []


def test_the_window_slides_and_the_alarm_ends() -> None:
    """Stops beyond the window do not count, and an alarm that holds is told once, and once when it is over."""
    seen: list[Seen] = [
        _stop(0, "a"),
        _stop(899, "b"),
        _stop(901, "c"),
        _stop(902, "d"),
        _stop(903, "e"),
        _sample(1900),
    ]
    assert _told(Counted(StopsInWindow(3, 900)), *seen) == [(902, False), (1900, True)]


def test_ordinary_stops_count_only_where_every_stop_does() -> None:
    """Counting failures means counting neither deployments nor scale-in."""
    stops = [_stop(at, str(at), failed=False) for at in range(3)]
    assert _told(Counted(StopsInWindow(3, 900)), *stops) == []
    assert _told(Counted(StopsInWindow(3, 900, every_stop=True)), *stops) == [(2, False)]


def test_three_short_minutes_in_a_row_raise_the_alarm_on_running_tasks() -> None:
    """Two minutes below desired are none of its business, and one full minute begins the count anew."""
    short = [0, 0, 1, 0, 0, 0, 1]
    seen = [_sample(60.0 * minute, running=running) for minute, running in enumerate(short)]
    assert _told(FewerThanDesired(), *seen) == [(300, False), (360, True)]


def test_the_deployment_breaker_trips_once_per_deployment() -> None:
    """It says so when the count of a deployment reaches the threshold, and not again for that deployment."""

    def rollout(at: float, deployment: str, failures: int) -> Rollout:
        return Rollout(at=at, service="web", deployment=deployment, failures=failures, threshold=3)

    seen = [rollout(1, "a", 2), rollout(2, "a", 3), rollout(3, "a", 4), rollout(4, "b", 3)]
    assert _told(DeploymentBreaker(), *seen) == [(2, False), (4, False)]


class _Alarming:
    """Raises an alarm at each given time, as soon as anything is seen."""

    def __init__(self, *times: float) -> None:
        self._times = list(times)

    def see(self, seen: Seen) -> Iterator[Message]:
        while self._times and self._times[0] <= seen.at:
            yield Message(self._times.pop(0), "web")


@pytest.mark.parametrize(
    ("alarms", "false", "found"),
    [((), 0, False), ((60.0,), 1, False), ((1200.0,), 0, True), ((60.0, 1200.0, 1300.0), 1, True)],
)
def test_an_alarm_counts_for_the_loop_it_falls_into(
    monkeypatch: pytest.MonkeyPatch, *, alarms: tuple[float, ...], false: int, found: bool
) -> None:
    """Silence misses the loop, an alarm before its cause is false, and repeating a true one is no fault."""
    monkeypatch.setattr(judging, "RULES", {"rule": lambda _: _Alarming(*alarms)})
    (outcome,) = judge(SCENARIOS["app crash after 2 s × 1"], 1, rules=("rule",))
    assert (outcome.false_alarms, outcome.found[0] is not None) == (false, found)


def test_detection_is_timed_from_the_first_failure() -> None:
    """Minutes and failed tasks say how long the loop had lasted, by the simulation's own knowledge."""
    key = "app crash after 2 s × 1"
    (outcome,) = judge(SCENARIOS[key], 1, rules=(OURS,))
    watch = Watch(SCENARIOS[key], 1)
    events = [seen for seen in watch.stream() if isinstance(seen, Stopped)]
    failed_at = watch.failed_at["web"]
    assert outcome.found[0] is not None
    detected = failed_at[0] + 60 * outcome.found[0].minutes
    assert outcome.found[0].failed_tasks == sum(at <= detected for at in failed_at) == 3
    assert any(seen.at == pytest.approx(detected) for seen in events)


def test_shuffled_streams_hold_the_same_failures() -> None:
    """Another road for the events leaves what happens to the services as it was."""
    plain = Watch(SCENARIOS["one looping slot × 40"], 1)
    shuffled = Watch(SCENARIOS["one looping slot × 40"], 1, SHUFFLED)
    arrived = [
        {s.task for s in watch.stream() if isinstance(s, Stopped) and s.at < 9000} for watch in (plain, shuffled)
    ]
    assert plain.failed_at == shuffled.failed_at
    assert arrived[0] >= arrived[1]
    assert shuffled.events > 1.3 * plain.events


def test_goals_are_missed_where_a_loop_is_missed_or_an_alarm_is_false() -> None:
    """The benchmark can fail."""

    def of(found: Found | None, false_alarms: int) -> list[bool]:
        outcome = Outcome(
            scenario="ELB, grace 90 s, deregistration 300 s",
            group=Group.LOOP,
            tasks=1,
            seed=1,
            rule=OURS,
            found=(found,),
            false_alarms=false_alarms,
            messages=1,
        )
        return [goal.met for goal in goals([outcome])]

    assert of(Found(9.0, 3), 0) == [True, True, True, True]
    assert of(Found(11.0, 3), 0) == [True, True, True, False]
    assert of(Found(9.0, 3), 1) == [True, False, False, True]
    assert of(None, 0)[0] is False


@pytest.fixture(scope="module")
def quick() -> tuple[list[Outcome], list[Outcome]]:
    """The outcomes of the quick subset, as usual and shuffled."""
    done = list(run(jobs(seeds=1, quick=True), processes=2))
    usual = [outcome for job, outcomes in done if not job.shuffled for outcome in outcomes]
    return usual, [outcome for job, outcomes in done if job.shuffled for outcome in outcomes]


def _line(outcomes: list[Outcome], rule: str) -> Totals:
    return next(line for line in totals(outcomes) if line.rule == rule)


def test_loopbreaker_is_right_on_the_quick_subset(quick: tuple[list[Outcome], list[Outcome]]) -> None:
    """Nothing missed, nothing false."""
    ours = _line(quick[0], OURS)
    assert (ours.loops, ours.missed, ours.false_alarms) == (10, 0, 0)


@pytest.mark.parametrize("rule", ["3 stops in 15 min", "5 failures in 10 min", "3 failures in 60 min", RIVALS[-1]])
def test_counting_rules_are_wrong_on_the_quick_subset(rule: str, quick: tuple[list[Outcome], list[Outcome]]) -> None:
    """The subset holds what fools them, so being right on it means something."""
    assert _line(quick[0], rule).false_alarms > 0


def test_the_deployment_breaker_misses_loops(quick: tuple[list[Outcome], list[Outcome]]) -> None:
    """It raises no false alarm, but most loops begin after the deployment, or with tasks that turn healthy."""
    line = _line(quick[0], "deployment circuit breaker")
    assert line.false_alarms == 0
    assert line.missed > line.loops / 3


def test_order_and_repetition_change_no_verdict(quick: tuple[list[Outcome], list[Outcome]]) -> None:
    """Streams shuffled within two minutes and half repeated give the same verdicts, at most those minutes later."""
    shuffle = compare(*quick)
    assert (shuffle.streams, shuffle.changed) == (len(QUICK), ())
    assert shuffle.latest < 3


def test_the_results_can_be_read(quick: tuple[list[Outcome], list[Outcome]]) -> None:
    """The page names every rule, the data is JSON, the picture is XML with a row per rule."""
    lines = totals(quick[0])
    result = Run(
        command="make bench-detection",
        machine="a machine",
        date="2026-01-05",
        seeds="seed 1",
        seconds=1.0,
        outcomes=tuple(quick[0]),
        totals=tuple(lines),
        goals=tuple(goals(quick[0])),
        shuffle=compare(*quick),
    )
    page, picture = as_markdown(result), draw(lines)
    assert all(rule in page and rule in picture.replace("&lt;", "<") for rule in RULES)
    assert len(json.loads(as_json(result))["scenarios"]) == len(QUICK) * len(RULES)
    assert ElementTree.fromstring(picture).tag.endswith("svg")


def test_the_readme_says_what_was_measured() -> None:
    """Its numbers are those of the committed results, and of a kind of loop the worst that they hold."""
    results = json.loads((RESULTS / "detection.json").read_text(encoding="utf-8"))
    readme = README.read_text(encoding="utf-8")
    assert with_detection(readme, results) == readme
    said = float(re.findall(r"grace period of 90 s were told within ([\d.]+) minutes", readme)[0])
    known = [kind for kind in results["scenarios"] if kind["rule"] == OURS and "ELB, grace 90 s" in kind["scenario"]]
    assert known
    assert all(minutes <= said for kind in known for minutes in kind["minutes"])


def test_the_sentences_of_the_readme_hide_nothing() -> None:
    """What was missed, what was false, who else did neither, and what the attacks came to."""
    ours = {"rule": OURS, "loops": 9, "streams": 12, "missed": 2, "false_alarms": 1, "median_minutes": 4.0}
    other = {**ours, "rule": "another", "missed": 0, "false_alarms": 0}
    kind = {"rule": OURS, "group": "loop", "scenario": "ELB, grace 90 s", "tasks": 1, "minutes": [3.0, 20.25]}
    results = {
        "totals": [ours, other],
        "scenarios": [kind],
        "attacks": [{**ours, "missed": 0, "false_alarms": 3, "wrongly_over": 2}],
    }
    said = with_detection("a\n<!-- detection -->\nold\n<!-- detection -->\nb", results).splitlines()
    assert said[1:-1] == [
        "<!-- detection -->",
        "Of 9 loops in 12 streams Loopbreaker missed 2 and raised 1 false alarm.",
        "Of the other rules these did neither: another.",
        "Half of the loops were told within 4.0 minutes of their first failure.",
        "Loops of load balancer health checks with a grace period of 90 s were told within 20.2 minutes.",
        "The slowest took 20 minutes: ELB, grace 90 s, of 1 task.",
        "Of 9 loops in streams that were written to break it, it missed none and raised 3 false alarms.",
        "It called 2 of them over while it went on.",
        "<!-- detection -->",
    ]
