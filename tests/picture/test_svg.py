"""The drawing: well formed, small, quick, and readable without colours, without eyes and without trust in its input."""

import re
from time import process_time
from xml.etree import ElementTree

import pytest

from loopbreaker.model import Category
from loopbreaker.picture.svg import svg
from loopbreaker.picture.timeline import Count, Mark, Moment, Task, Timeline
from loopbreaker.picture.words import peak_rate
from tests.picture.loops import T0, chain, loop, stopped

NS = "{http://www.w3.org/2000/svg}"


def tree(timeline: Timeline) -> ElementTree.Element:
    return ElementTree.fromstring(svg(timeline))


def texts(timeline: Timeline) -> list[str]:
    return [element.text or "" for element in tree(timeline).iter(f"{NS}text")]


def test_it_says_in_words_what_it_shows() -> None:
    """Who cannot see it hears what looped, how often, why, and each moment in order."""
    root = tree(stopped())
    title, desc = (root.findtext(f"{NS}{name}") or "" for name in ("title", "desc"))
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "lb-title lb-desc"
    assert title == "web in prod: restart loop"
    assert "30 failed tasks in 29 min · app-crash, exit code 1 · found after 2 min · at most $1.50" in desc
    moments = [desc.index(f": {moment}") for moment in ("found", "told", "stopped", "probe", "back", "over")]
    assert moments == sorted(moments)
    assert "Held at 0 for 15 min." in desc


def test_each_moment_has_a_line_and_a_label() -> None:
    """Moments at one place share both."""
    root = tree(stopped())
    lines = [path for path in root.iter(f"{NS}path") if "v v-" in path.get("class", "")]
    labels = [text for text in texts(stopped()) if re.match(r"(found|stopped|probe|back|over)", text)]
    assert len(lines) == len(labels) == 5
    assert labels[0] == "found, told 00:04"


def test_reminders_in_a_fold_are_one_line() -> None:
    """A week of daily reminders does not hide the loop; how many there were is said."""
    days = tuple(Mark(Moment.REMINDED, T0 + day * 86_400) for day in range(1, 7))
    shown = [text for text in texts(loop(10_000, marks=days)) if text.startswith("reminded")]
    assert shown == ["reminded × 6 Jan 02 00:01"]


def test_what_failed_how_is_told_by_shapes() -> None:
    """Every kind of end has a sign of its own, and a word in the legend: no colour is needed to tell them apart."""
    kinds = (Category.APP_CRASH, Category.KILLED, Category.IMAGE_PULL, Category.ELB_HEALTH_CHECK, Category.UNKNOWN)
    signs = set()
    for kind in kinds:
        root = tree(Timeline("prod", "web", T0 + 300, chain(1, category=kind)))
        [sign] = [p.get("d", "") for g in root.iter(f"{NS}g") for p in g.iter(f"{NS}path") if p.get("class") == "x"]
        signs.add(re.sub(r"M[\d.-]+ [\d.-]+", "", sign))
    assert len(signs) == len(kinds)


def test_a_start_is_hatched_and_a_task_that_runs_has_no_sign() -> None:
    """A task that never started is hatched to its end; one that still runs is solid to the edge."""
    never = Task("web", T0, None, T0 + 60, Category.IMAGE_PULL)
    runs = Task("web", T0, T0, None)
    assert [
        r.get("class") for g in tree(Timeline("p", "web", T0 + 90, (never,))).iter(f"{NS}g") for r in g if r.get("x")
    ] == ["w"]
    group = next(tree(Timeline("p", "web", T0 + 90, (runs,))).iter(f"{NS}g"))
    assert [child.get("class") for child in group if child.tag != f"{NS}title"] == ["r"]


def test_it_runs_no_script_and_fetches_nothing() -> None:
    """It may be opened by anybody, anywhere: no script, no handler, no reference to the outside, no `use`."""
    drawn = svg(stopped())
    assert not re.search(r"<script|<use|<image|<foreignObject|\bon\w+=|href|@import|url\((?!#)", drawn)
    assert re.findall(r"https?://[^\"]*", drawn) == ["http://www.w3.org/2000/svg"]


def test_it_follows_light_and_dark() -> None:
    """Every colour is a name that both themes define."""
    drawn = svg(stopped())
    light, _, dark = drawn.partition("@media(prefers-color-scheme:dark)")
    used = set(re.findall(r"var\((--\w+)\)", drawn))
    assert used <= set(re.findall(r"(--\w+):", light))
    assert used <= set(re.findall(r"(--\w+):", dark))


@pytest.mark.parametrize("name", ["<script>x</script>", "a&b", '"quoted"', "\x1b[2J\x00\ud800", "]]>", "ü" * 300])
def test_names_from_outside_are_text(name: str) -> None:
    """No name of a service breaks the document or runs in it."""
    timeline = Timeline(name, name, T0 + 900, chain(3, service=name), marks=(Mark(Moment.STOPPED, T0 + 300, name),))
    many = Timeline(name, "", T0 + 900, (*chain(3, service=name), *chain(3, service="b")))
    for drawn in (svg(timeline), svg(many)):
        ElementTree.fromstring(drawn)
        assert "<script" not in drawn


def test_ten_thousand_failures_are_small_and_quick() -> None:
    """At most 100 kB and 200 ms, however many tasks are known one by one."""
    timeline = loop(10_000, dollars=450)
    took = []
    for _ in range(3):
        began = process_time()
        drawn = svg(timeline)
        took.append(process_time() - began)
    assert "× 9,989 alike" in drawn
    assert len(drawn.encode()) < 100_000
    # The quickest of three: a machine at work makes a run slower, and none quicker.
    assert min(took) < 0.2 * _SLOW


_SLOW = 5
"""Machines differ; the goal is 0.2 s, and a picture that grew with the square of the tasks would take minutes."""


def test_forty_slots_stay_small() -> None:
    """Rows are bounded too."""
    tasks = sorted((task for slot in range(40) for task in chain(250, start=T0 + slot)), key=lambda t: t.created_at)
    drawn = svg(Timeline("prod", "web", T0 + 16_000, tuple(tasks)))
    assert len(drawn.encode()) < 100_000
    assert "and 28 more slots" in drawn


def test_the_height_of_the_rate_is_what_failed_in_an_hour() -> None:
    """One failure a minute is 60 an hour, wherever the numbers come from."""
    assert peak_rate(loop(120)) == pytest.approx(60, rel=0.1)
    stored = Timeline("prod", "web", T0 + 7200, chain(3), between=57, counts=(Count(T0, T0 + 3600, 60),))
    assert "60" in texts(stored)


def test_other_tasks_that_serve_are_shown() -> None:
    """One slot of forty is not a service that is down."""
    shown = texts(Timeline("prod", "web", T0 + 600, chain(9), serving=39))
    assert "39 others" in shown


def test_a_calm_service_is_a_picture_too() -> None:
    """Nothing failed: said, not drawn as an error."""
    assert "no task failed" in texts(Timeline("prod", "web", T0, ()))
