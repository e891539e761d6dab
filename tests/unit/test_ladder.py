"""The ladder counts how many times in a row a replacement failed, whatever the order and number of deliveries."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import exp, inf, log
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopbreaker.judging.ladder import (
    MAX_BYSTANDERS,
    MAX_RUNGS,
    MEMORY,
    bystanders,
    chain,
    climb,
    of_deployment,
    surprise,
    top,
)
from loopbreaker.model import Category, TaskFailure
from loopbreaker.policy import Profile
from loopbreaker.remembering.rung import Ladder, Rung
from tests.builders import (
    DEPLOYMENT,
    OLDER_DEPLOYMENT,
    POLICY,
    T0,
    climbed,
    crash_loop,
    depth,
    start_first_loop,
    task_failure,
)

FAST = POLICY.fast


def longest_chain(failures: Iterable[TaskFailure], profile: Profile = FAST) -> int:
    """The depth by its definition, from all failures at once; there must be no pause between them."""
    known: dict[tuple[float, float], int] = {}
    for task in sorted(failures, key=lambda f: (f.created_at, f.failed_at)):
        below = [
            generation
            for (created, failed), generation in known.items()
            if created < task.created_at and failed <= task.created_at <= failed + profile.replacement_gap
        ]
        known[task.created_at, task.failed_at] = 1 + max(below, default=0)
    return max(known.values())


def essence(rung: Rung) -> tuple[float, ...]:
    """What of a rung depends on the set of failures alone; of chains as high and as long any may be remembered."""
    return rung.created_at, rung.failed_at, rung.generation, rung.longest


def summit(ladder: Ladder) -> Rung:
    rung = top(ladder, FAST)
    assert rung is not None
    return rung


def surprise_of(failures: Iterable[TaskFailure]) -> float:
    ladder = climbed(failures)
    return surprise(summit(ladder), ladder, FAST, flaky_mtbf=POLICY.flaky_mtbf)


ENOUGH = -log(5e-5)


# -- what a generation is ---------------------------------------------------------------------------------


def test_an_empty_ladder_has_no_top() -> None:
    """Where nothing failed there is no depth."""
    assert climb((), [], FAST) == ()
    assert top((), FAST) is None


@pytest.mark.parametrize("generations", [1, 2, 3, 7])
def test_each_failed_replacement_is_one_generation(generations: int) -> None:
    """One failure is depth 1, its failed replacement 2, that one's replacement 3, and so on."""
    assert depth(climbed(crash_loop(generations))) == generations


@pytest.mark.parametrize("slots", [1, 2, 20, 200])
def test_the_depth_does_not_depend_on_how_many_tasks_run(slots: int) -> None:
    """One outage of 200 tasks is one generation, and three rounds of 200 tasks are three."""
    assert depth(climbed(crash_loop(1, slots=slots, lifetime=300))) == 1
    assert depth(climbed(crash_loop(3, slots=slots, lifetime=300, restart=220))) == 3


def test_the_top_knows_its_chain() -> None:
    """The rung at the end carries the start of its chain and its shortest and longest life."""
    failures = [task_failure(0, 30), task_failure(50, 55), task_failure(80, 100)]
    rung = summit(climbed(failures))
    assert (rung.generation, rung.since - T0, rung.shortest, rung.longest) == (3, 30, 5, 30)


def test_of_equal_chains_the_one_of_shorter_lives_counts() -> None:
    """A task that may have replaced either of two failures stands on the one that lived shorter."""
    assert summit(climbed([task_failure(0, 100), task_failure(80, 90), task_failure(110, 120)])).longest == 10
    assert summit(climbed([task_failure(80, 90), task_failure(85, 105), task_failure(110, 120)])).longest == 10


@pytest.mark.parametrize(
    ("created", "expected"),
    [(99.0, 1), (100.0, 2), (100 + FAST.replacement_gap, 2), (100.001 + FAST.replacement_gap, 1)],
)
def test_a_replacement_is_created_between_the_failure_and_the_end_of_the_gap(created: float, expected: int) -> None:
    """A task that existed when another failed replaces it as little as one that comes long after; both ends count."""
    assert depth(climbed([task_failure(0, 100), task_failure(created, created + 10)])) == expected


def test_a_task_cannot_follow_itself() -> None:
    """A task that never lived (created and failed at one moment) is one generation, however often it is delivered."""
    failure = task_failure(0, 0)
    assert depth(climb((), [failure, failure, task_failure(0, 0)], FAST)) == 1


def test_a_chain_ends_after_a_pause() -> None:
    """After a pause longer than the gap the count starts anew."""
    failures = [*crash_loop(5), *crash_loop(2, start=1000)]
    ladder = climbed(failures)
    assert depth(ladder) == 2
    assert [rung.created_at - T0 for rung in chain(ladder, FAST)] == [1000, 1030]


def test_a_chain_is_over_when_no_replacement_could_still_fail() -> None:
    """A failure long after it, of whatever task, shows that nothing followed."""
    last = 100 + FAST.replacement_gap + FAST.max_lifetime
    for failed, expected in ((last, 1), (last + 1, 0)):
        ladder = climbed([task_failure(0, 100), task_failure(-5000, failed)])
        assert depth(ladder) == len(chain(ladder, FAST)) == expected


def test_a_pause_is_longer_than_the_gap() -> None:
    """A task created just at the end of the gap still belongs to the chain."""
    gap = FAST.replacement_gap
    for created, rungs in ((10 + gap, 2), (10.001 + gap, 1)):
        ladder = climbed([task_failure(0, 10), task_failure(created, created + 10)])
        assert len(chain(ladder, FAST)) == rungs


def test_a_long_failure_bridges_no_pause_in_front_of_it() -> None:
    """A rung that ends late keeps the chain open from its end on, not from its start."""
    failures = [task_failure(0, 800), task_failure(10, 20), task_failure(1000, 1010)]
    assert depth(climbed(failures)) == 2


def test_a_late_failure_that_closes_the_pause_joins_the_chains() -> None:
    """What arrives last may be the link between two chains, also together with what came after them."""
    first, link, last, next_one = (task_failure(at, at + 50) for at in (0, 300, 650, 720))
    assert depth(climbed([first, last])) == 1
    assert depth(climbed([first, last, link])) == 3
    assert depth(climb(climbed([first, last]), [link, next_one], FAST)) == 4


def test_a_long_lived_task_is_no_rung() -> None:
    """A task that ran longer than `max_lifetime` breaks no chain and makes none."""
    long_lived = [task_failure(n * 1000.0, n * 1000 + FAST.max_lifetime + 1) for n in range(4)]
    assert depth(climbed(long_lived)) == 0
    assert depth(climbed([task_failure(0, FAST.max_lifetime)])) == 1
    assert depth(climbed([*crash_loop(3), task_failure(-5000, 50)])) == 3


def test_a_long_lived_task_that_came_in_place_of_a_failed_one_is_no_rung() -> None:
    """It ran: that it failed hours later does not make the loop longer, and what comes in its place begins anew."""
    loop, ran = crash_loop(3), task_failure(90, 90 + FAST.max_lifetime + 1)
    assert [rung.generation for rung in climbed([*loop, ran])] == [1, 2, 3, 0]
    assert depth(climbed([*loop, ran, task_failure(1000, 1010)])) == 1


def test_a_failed_health_check_is_replaced_before_it_stops() -> None:
    """ECS starts the replacement of an unhealthy task first; three in a row are three generations all the same."""
    assert depth(climbed(start_first_loop(3))) == 3
    crashes = [task_failure(f.created_at - T0, f.failed_at - T0) for f in start_first_loop(3)]
    assert depth(climbed(crashes)) < 3


@pytest.mark.parametrize("category", [Category.ELB_HEALTH_CHECK, Category.CONTAINER_HEALTH_CHECK])
def test_an_unhealthy_task_is_not_followed_by_its_older_siblings(category: Category) -> None:
    """What was created in the first third of its life did not come in its place."""
    unhealthy = task_failure(0, 210, category=category)
    assert depth(climbed([unhealthy, task_failure(69, 400)])) == 1
    assert depth(climbed([unhealthy, task_failure(70, 400)])) == 2


@pytest.mark.parametrize("category", [Category.ELB_HEALTH_CHECK, Category.CONTAINER_HEALTH_CHECK])
def test_one_bad_moment_of_health_checks_is_no_chain(category: Category) -> None:
    """Tasks of several ages that are found unhealthy side by side do not follow each other."""
    side_by_side = [task_failure(created, 200, category=category) for created in (0, 100, 150)]
    assert depth(climbed(side_by_side)) == 1
    unhealthy = task_failure(0, 270, category=category)
    for apart, expected in ((59, 1), (60, 2)):
        assert depth(climbed([unhealthy, task_failure(100, 270 + apart)])) == expected
        assert depth(climbed([unhealthy, task_failure(100, 270 - apart)])) == expected


# -- deliveries -------------------------------------------------------------------------------------------


@st.composite
def small_streams(draw: st.DrawFn) -> list[TaskFailure]:
    """Up to four tasks that loop side by side for up to six generations each, as ECS would restart them."""
    failures = []
    for slot in range(draw(st.integers(1, 4))):
        created = draw(st.integers(0, 60)) + slot / 8
        for _ in range(draw(st.integers(1, 6))):
            failed = created + draw(st.integers(0, 150))
            failures.append(task_failure(created, failed))
            created = failed + draw(st.integers(1, 60))
    return failures


@settings(deadline=None)
@given(small_streams(), st.data())
def test_any_order_and_any_duplication_give_the_same_depth(failures: list[TaskFailure], data: st.DataObject) -> None:
    """As long as the ladder has room for all failures it is exact: never more, never less."""
    again = data.draw(st.lists(st.sampled_from(failures), max_size=8))
    order = data.draw(st.permutations([*failures, *again]))
    assert depth(climbed(order)) == longest_chain(failures)


@settings(deadline=None)
@given(small_streams())
def test_full_reversal_gives_the_same_depth(failures: list[TaskFailure]) -> None:
    """A stream that is delivered newest first loses nothing."""
    newest_first = sorted(failures, key=lambda f: -f.failed_at)
    assert depth(climbed(newest_first)) == longest_chain(failures)


@settings(deadline=None)
@given(small_streams(), st.integers(1, 7))
def test_batches_give_what_single_deliveries_give(failures: list[TaskFailure], size: int) -> None:
    """How failures are grouped into batches changes no generation."""
    ladder: Ladder = ()
    for start in range(0, len(failures), size):
        ladder = climb(ladder, failures[start : start + size], FAST)
    assert [essence(rung) for rung in ladder] == [essence(rung) for rung in climbed(failures)]


@settings(deadline=None)
@given(small_streams())
def test_a_repetition_gives_the_very_same_ladder(failures: list[TaskFailure]) -> None:
    """What is known already is not climbed again."""
    ladder = climbed(failures)
    assert climb(ladder, failures, FAST) is ladder


def busy_stream(seed: int, slots: int) -> list[TaskFailure]:
    """More failures than the ladder has room for: many tasks that loop, each at its own pace."""
    rng, failures = Random(seed), []
    lifetime = rng.choice([2, 10, 60, 200])
    for _ in range(slots):
        created = rng.uniform(0, rng.choice([5, 60, 300]))
        for _ in range(rng.randint(3, 5)):
            failed = created + rng.uniform(15, 40) + lifetime * rng.uniform(0.5, 1.5)
            failures.append(task_failure(created, failed))
            created = failed + rng.uniform(5, 40)
    return failures


@pytest.mark.parametrize(("slots", "generations"), [(1, MAX_RUNGS), (2, 12), (4, 6), (8, 3)])
@pytest.mark.parametrize("lifetime", [5, 250])
def test_any_order_of_as_many_as_there_is_room_for_gives_the_same_depth(
    slots: int, generations: int, lifetime: float
) -> None:
    """However long the loop took, its failures may arrive in any order, and again."""
    for seed in range(5):
        rng = Random(seed)
        failures = crash_loop(generations, lifetime=lifetime, restart=40, slots=slots)
        arrivals = [*failures, *rng.sample(failures, 10)]
        rng.shuffle(arrivals)
        assert depth(climbed(arrivals)) == longest_chain(failures)


@pytest.mark.parametrize("slots", [1, 5, 20, 60])
@pytest.mark.parametrize("seed", range(6))
def test_many_tasks_in_disorder_lose_at_most_one_generation(seed: int, slots: int) -> None:
    """Up to 15 minutes late and partly twice, the depth is the same or one less, as far as it can matter."""
    failures, rng = busy_stream(seed, slots), Random(seed)
    arrivals = sorted(failures, key=lambda f: f.failed_at + (rng.uniform(0, 900) if rng.random() < 0.3 else 0))
    repeated = rng.sample(arrivals, len(arrivals) // 5)
    found, true = depth(climbed([*arrivals, *repeated])), longest_chain(failures)
    assert min(true, 9) - 1 <= found <= true


@pytest.mark.parametrize("seed", range(6))
def test_no_order_makes_a_chain_longer_than_it_is(seed: int) -> None:
    """Reversed and shuffled streams that overflow the ladder never look worse than they are."""
    failures = busy_stream(seed, 20)
    true = longest_chain(failures)
    assert depth(climbed(sorted(failures, key=lambda f: -f.failed_at))) <= true
    Random(seed).shuffle(failures)
    assert depth(climbed(failures)) <= true


def test_in_order_many_tasks_lose_nothing() -> None:
    """A ladder that overflows keeps what later failures stand on: delivered in order its depth is exact."""
    for seed in range(4):
        failures = sorted(busy_stream(seed, 60), key=lambda f: f.failed_at)
        assert depth(climbed(failures)) == longest_chain(failures)


def test_a_gap_between_thinned_rungs_is_no_pause() -> None:
    """Of failures side by side those are kept whose times cover those of the others, up to the last moment."""
    crowd = [task_failure(0, 10 + n / 100) for n in range(60)]
    straggler, other = task_failure(5, 140), task_failure(5.5, 500)
    late = task_failure(435, 700)
    assert depth(climbed([*crowd, straggler, other, late])) == 2


# -- bounds -----------------------------------------------------------------------------------------------


def test_the_ladder_is_bounded() -> None:
    """However many tasks fail, for however long, the record keeps few rungs and few bystanders."""
    rng = Random(1)
    failures = []
    for n in range(600):
        created = n * rng.choice([1, 5])
        lifetime = rng.choice([1.0, 100.0, 800.0, 2000.0, 5000.0])
        failures.append(task_failure(created - lifetime, created, lifetime=lifetime))
    ladder, sizes = climb((), failures, FAST), []
    for failure in crash_loop(50, lifetime=1, restart=2, start=3000):
        ladder = climb(ladder, [failure], FAST)
        sizes.append(len(ladder) - len(bystanders(ladder)))
        assert len(bystanders(ladder)) == MAX_BYSTANDERS
    assert max(sizes) == MAX_RUNGS
    assert min(sizes) > MAX_RUNGS / 2


def test_no_more_is_forgotten_than_there_is_no_room_for() -> None:
    """Of many tasks that fail side by side each could go for the sake of its neighbours, and most stay."""
    crowd = crash_loop(1, slots=200, lifetime=300)
    assert MAX_RUNGS / 2 < len(climbed(crowd)) <= MAX_RUNGS


def test_a_full_ladder_goes_on_growing() -> None:
    """The oldest rungs go, their generations stay in those above."""
    assert depth(climbed(crash_loop(100))) == 100


def test_what_is_older_than_a_day_goes() -> None:
    """A rung is forgotten a day later, and so is a bystander."""
    before = climbed([task_failure(0, 10), task_failure(-9000, 20)])
    after = climb(before, [task_failure(MEMORY, 10 + MEMORY)], FAST)
    assert [rung.failed_at - T0 for rung in after] == [20, 10, 10 + MEMORY]
    later = climb(after, [task_failure(MEMORY, 11 + MEMORY)], FAST)
    assert [rung.failed_at - T0 for rung in later] == [20, 10 + MEMORY, 11 + MEMORY]
    latest = climb(later, [task_failure(MEMORY, 21 + MEMORY)], FAST)
    assert bystanders(latest) == ()


def test_what_is_far_too_late_changes_nothing() -> None:
    """A failure from before everything that is remembered leaves the ladder as it was."""
    ladder = climbed(crash_loop(3, start=90_000))
    assert climb(ladder, [task_failure(0, 10)], FAST) == ladder


@pytest.mark.parametrize(("created", "failed"), [(100, 899), (400, 1190)])
def test_what_a_rung_stood_on_may_go(created: float, failed: float) -> None:
    """A rung keeps its generation when it is placed again after its witnesses were forgotten.

    Also where the oldest that is left could stand on what came late.
    """
    ladder = climbed(crash_loop(60))
    oldest, late = ladder[0], task_failure(created, failed)
    assert late.created_at < oldest.created_at
    again = climb(ladder, [late], FAST)
    assert depth(again) == 60
    assert oldest in again


@pytest.mark.parametrize(
    ("generations", "slots", "kept"),
    [
        (4, 10, {1: 5, 2: 5, 3: 5, 4: 5}),
        (5, 10, dict.fromkeys(range(1, 6), 4)),
        (10, 10, dict.fromkeys(range(1, 11), 2)),
        (20, 5, dict.fromkeys(range(11, 21), 2)),
        (13, 2, dict.fromkeys(range(4, 14), 2)),
        (30, 1, dict.fromkeys(range(11, 31), 1)),
    ],
)
def test_which_are_kept(generations: int, slots: int, kept: dict[int, int]) -> None:
    """Of each generation as many, the earliest and the newest; the oldest generations go where there is no room."""
    failures = crash_loop(generations, slots=slots)
    ladder = climb((), failures, FAST)
    assert Counter(rung.generation for rung in ladder) == kept
    for generation in kept:
        ends = [rung.failed_at for rung in ladder if rung.generation == generation]
        all_ends = [f.failed_at for f in failures[(generation - 1) * slots : generation * slots]]
        newest = all_ends[-len(ends) + 1 :] if len(ends) > 1 else []
        assert ends == [all_ends[0], *newest]


def test_what_failed_last_is_kept_whatever_its_generation() -> None:
    """A task that ran beside the whole loop, and failed with its end, may be followed by one that fails as well."""
    beside = task_failure(0, 895)
    ladder = climb((), [*crash_loop(30, slots=2), beside], FAST)
    assert beside.failed_at in [rung.failed_at for rung in ladder if rung.generation == 1]


# -- surprise ---------------------------------------------------------------------------------------------


def test_three_short_lives_are_surprising() -> None:
    """Three tasks in a row that lived 10 s are no chance."""
    assert surprise_of(crash_loop(3)) > ENOUGH


def test_three_random_lives_of_a_flaky_service_are_not() -> None:
    """Three of many tasks that fail now and then may follow each other by chance."""
    flaky = [task_failure(0, 250), task_failure(300, 1150), task_failure(1200, 1800)]
    assert depth(climbed(flaky)) == 3
    assert surprise_of(flaky) < ENOUGH


def test_three_lives_alike_are_surprising_though_they_are_long() -> None:
    """Tasks that always fail after ten minutes have a reason to."""
    alike = [task_failure(0, 600), task_failure(620, 1221), task_failure(1240, 1842)]
    assert surprise_of(alike) > ENOUGH
    assert surprise_of(alike[:1]) < ENOUGH


def test_more_generations_are_more_surprising() -> None:
    """Lives of some minutes make a loop when there are enough of them."""
    lives = [200, 320, 260, 340, 230, 310]
    failures, created = [], 0.0
    for lifetime in lives:
        failures.append(task_failure(created, created + lifetime))
        created += lifetime + 20
    degrees = [surprise_of(failures[:n]) for n in range(1, 7)]
    assert degrees == sorted(degrees)
    assert degrees[1] < ENOUGH < degrees[5]


def test_surprise_has_a_bound() -> None:
    """Times have a resolution: three lives of no length are not endlessly surprising."""
    assert surprise_of([task_failure(n * 10.0, n * 10.0) for n in range(3)]) == pytest.approx(3 * log(1e6))


UNLIKE = [task_failure(0, 10), task_failure(30, 34), task_failure(60, 68)]


def test_nothing_is_less_surprising_than_what_has_to_happen() -> None:
    """Among many tasks that start all the time, three failures in a row are no surprise at all."""
    dense = [task_failure(-9000 - n, 1880 - n) for n in range(MAX_BYSTANDERS)]
    unlike = [task_failure(0, 400), task_failure(420, 1020), task_failure(1040, 1890)]
    assert surprise_of([*dense, *unlike]) == 0


def test_tasks_that_all_fail_at_one_moment_count_as_if_within_a_second() -> None:
    """Sixteen starts in a second: three lives of a hundredth of one may be chance, by 4e-7."""
    at_once = [task_failure(-9000 - n, 20.006) for n in range(MAX_BYSTANDERS)]
    brief = [task_failure(0, 0.01), task_failure(10, 10.002), task_failure(20, 20.006)]
    assert surprise_of([*at_once, *brief]) == pytest.approx(-log(4.33e-7), abs=0.02)


def last_of(failures: Iterable[TaskFailure], profile: Profile) -> float:
    """How surprising the last tasks of a slow chain are, of those that lived longer than a quarter of an hour."""
    ladder = climbed(failures, profile)
    rung = top(ladder, profile)
    assert rung is not None
    return surprise(rung, ladder, profile, flaky_mtbf=POLICY.flaky_mtbf, old=900)


def test_of_tasks_side_by_side_each_is_compared_with_those_that_lived_like_it() -> None:
    """What dies at 45 minutes is no less regular for another that dies at 35."""
    regular = [task_failure(0, 200), *crash_loop(5, lifetime=2700, restart=30, start=220)]
    beside = crash_loop(5, lifetime=2100, restart=630, start=320)
    assert last_of([*regular, *beside], POLICY.slow) == pytest.approx(last_of(regular, POLICY.slow))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(task_failure(7150, 9850), id="of a shorter chain"),
        pytest.param(task_failure(7950, 10_650), id="that failed later than it was created"),
    ],
)
def test_what_a_task_did_not_follow_says_nothing_of_it(other: TaskFailure) -> None:
    """However alike it lived: what counts are those of the chain, one for each generation."""
    profile = replace(POLICY.slow, depth=2)
    linked = [task_failure(6800, 7850), task_failure(7900, 9900), task_failure(10_000, 12_700)]
    assert last_of([other, *linked], profile) == pytest.approx(last_of(linked, profile))


def test_a_task_that_lived_too_long_for_a_loop_is_no_link_of_one() -> None:
    """Though the first of the chain came in its place."""
    profile = replace(POLICY.slow, depth=2)
    linked = [task_failure(6800, 7850), task_failure(7900, 10_600), task_failure(10_700, 13_410)]
    assert last_of([task_failure(1790, 6790), *linked], profile) == pytest.approx(last_of(linked, profile))


def test_a_long_chain_is_as_surprising_as_what_is_left_of_it() -> None:
    """Its oldest links were forgotten."""
    assert last_of(crash_loop(40, lifetime=1000, restart=100), POLICY.slow) > ENOUGH


def test_bystanders_weaken_a_chain() -> None:
    """Where unrelated tasks fail and start often, one of them may pass for a replacement."""
    few = [task_failure(-4000 - n, -100 * n) for n in range(4)]
    many = [task_failure(-9000 - n, -100 * n) for n in range(MAX_BYSTANDERS)]
    dense = [task_failure(-9000 - n, 60 - n) for n in range(MAX_BYSTANDERS)]
    alone, with_few, with_many, with_dense = (surprise_of([*others, *UNLIKE]) for others in ([], few, many, dense))
    assert alone > with_few > with_many > with_dense


def test_the_rate_of_bystanders_is_measured_over_the_time_they_cover() -> None:
    """Few of them are counted over an hour; a full list over the time from its oldest to the newest failure."""
    share = 10 / POLICY.flaky_mtbf
    # Those that outlived the profile stand for all that started, the short-lived ones among them.
    gap = 300 * exp(FAST.max_lifetime / POLICY.flaky_mtbf)
    one = surprise_of([task_failure(-4000, 0), *UNLIKE])
    assert one == pytest.approx(-3 * log((1 + gap / 3600) * share), rel=1e-3)
    assert surprise_of([task_failure(-40_000, -3532), *UNLIKE]) == one, "an hour before the newest failure"
    older = surprise_of([task_failure(-40_000, -3533), *UNLIKE])
    assert older == pytest.approx(-3 * log(share), rel=1e-3)
    full = [task_failure(-9000 - n, -92.0 + n) for n in range(MAX_BYSTANDERS)]
    assert surprise_of([*full, *UNLIKE]) == pytest.approx(-3 * log((1 + MAX_BYSTANDERS * gap / 160) * share), rel=1e-3)


@pytest.mark.parametrize(
    ("earlier", "later", "follows"),
    [
        ("", "", True),
        ("", DEPLOYMENT, True),
        (DEPLOYMENT, "", True),
        (DEPLOYMENT, DEPLOYMENT, True),
        (OLDER_DEPLOYMENT, DEPLOYMENT, False),
    ],
)
def test_a_first_failure_of_another_deployment_has_no_replacement(earlier: str, later: str, follows: bool) -> None:
    """Where ECS does not say of which deployment a task was, it may be of the same."""
    first, second = task_failure(0, 10, deployment_id=earlier), task_failure(20, 30, deployment_id=later)
    assert (depth(climbed([first, second])) == 2) is follows


def test_of_two_tasks_that_were_created_at_once_none_replaces_the_other() -> None:
    """Not even where one failed in the moment of its creation."""
    assert depth(climbed([task_failure(0, 0), task_failure(0, 10)])) == 1


@pytest.mark.parametrize(
    ("lives", "whole", "last"),
    [
        ((200, 2700, 2710, 2690, 2720), 5.78, 16.18),
        ((200, 1500, 1520, 880, 1510, 1500, 1490, 1505), 13.27, 16.90),
        ((1000, 2700, 2700, 2700, 2700), 5.81, 39.37),
        ((200, 2700, 2700, 2700, 2700), 5.81, 40.06),
        ((1500, 1490, 1510), 11.09, 11.09),
        ((900, 2700, 2710, 2690, 2720), 5.78, 16.18),
    ],
)
def test_how_surprising_slow_lives_are(lives: Sequence[float], whole: float, last: float) -> None:
    """As -ln of their chance, pinned: of all of them, and of the last few that lived for more than a quarter hour."""
    failures, at = [], 0.0
    for lifetime in lives:
        failures.append(task_failure(at, at + lifetime))
        at += lifetime + 30
    ladder = climbed(failures, POLICY.slow)
    rung = top(ladder, POLICY.slow)
    assert rung is not None
    for old, expected in ((inf, whole), (900, last)):
        found = surprise(rung, ladder, POLICY.slow, flaky_mtbf=POLICY.flaky_mtbf, old=old)
        assert found == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("failures", "rungs"),
    [
        ([("a", 0), ("a", 30), ("a", 60)], 3),
        ([("b", 0), ("a", 30), ("a", 60)], 2),
        ([("a", 0), ("b", 30), ("a", 60)], 2),
        ([("b", 0), ("b", 30), ("a", 60), ("a", 90)], 2),
    ],
)
def test_the_chain_of_one_deployment_is_of_its_tasks_alone(failures: list[tuple[str, float]], rungs: int) -> None:
    """However they stand among those of another; a task that lived long is none of them."""
    made = [task_failure(at, at + 10, deployment_id=one) for one, at in failures]
    old = task_failure(-9000, 5, deployment_id="a")
    own = of_deployment(climbed([*made, old]), "a", FAST)
    assert [rung.generation for rung in own] == list(range(1, rungs + 1))
    assert of_deployment(climbed(made), "c", FAST) == ()


def test_the_depth_of_one_deployment_outlasts_what_is_forgotten() -> None:
    """A hundred failures in a row are that many, though few are remembered; an old task of another is none of them."""
    old = task_failure(-9000, 5, deployment_id=OLDER_DEPLOYMENT)
    own = of_deployment(climbed([old, *crash_loop(100)]), DEPLOYMENT, FAST)
    assert own[-1].generation == 100


def test_what_was_told_before_leaves_the_very_same_ladder() -> None:
    """And what is older than all of it is forgotten at once."""
    ladder = climbed(crash_loop(5, start=200_000))
    assert climb(ladder, crash_loop(5, start=200_000), FAST) is ladder
    assert climb(ladder, [task_failure(0, 10)], FAST) is ladder


def test_how_many_are_kept() -> None:
    """Of a loop two dozen, thinned to twenty; of tasks that lived long sixteen."""
    sizes = [len(climbed(crash_loop(number))) for number in range(20, 40)]
    assert (max(sizes), min(sizes[5:])) == (24, 20)
    assert len(climbed([task_failure(-9000 - n, 10.0 * n) for n in range(30)])) == 16


def test_the_second_failure_of_a_deployment_may_be_followed_by_the_first_of_another() -> None:
    """The loop goes on through a roll-out; each rung knows of which deployment its task was."""
    ids = [OLDER_DEPLOYMENT, OLDER_DEPLOYMENT, DEPLOYMENT]
    ladder = climbed(task_failure(30.0 * n, 30 * n + 10, deployment_id=one) for n, one in enumerate(ids))
    assert [(rung.generation, rung.deployment_id) for rung in ladder] == list(zip((1, 2, 3), ids, strict=True))
