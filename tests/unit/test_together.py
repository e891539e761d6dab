"""Of many loops at once people are told once that they began and once that they are over, and truly of how many."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from loopbreaker.model import ServiceRef
from loopbreaker.policy import Mode
from loopbreaker.remembering.notice import Notice, NoticeKind
from loopbreaker.remembering.record import Record, Verdict
from loopbreaker.stories.acknowledge import acknowledge
from loopbreaker.stories.detect import Observation, detect
from loopbreaker.stories.respond import Tools, respond
from loopbreaker.treating.facts import Facts, Unknown
from loopbreaker.treating.look import ask
from loopbreaker.treating.scope import Scope
from loopctl.memory import MemoryStore
from tests.builders import POLICY, T0, crash_loop
from tests.task_events import CLUSTER_ARN


class Region:
    """Services that all began to loop within ten minutes, and a clock."""

    def __init__(self, number: int) -> None:
        self.services = [ServiceRef(CLUSTER_ARN, f"s{n:05}") for n in range(number)]
        self.store = MemoryStore()
        self.now = T0
        self.desired = 1
        self.diagnosed = 0
        self.told: list[tuple[ServiceRef, Notice]] = []
        self.tools = Tools(
            store=self.store,
            ecs=self,  # type: ignore[arg-type] # it is only read
            mode=Mode.ALERT,
            scope=Scope(),
            policy=POLICY,
            clock=lambda: self.now,
            diagnose=self.diagnose,
        )

    def read(self, _service: ServiceRef) -> Facts:
        return Facts(exists=True, desired_count=self.desired)

    def diagnose(self, *_what: object) -> None:
        self.diagnosed += 1

    def begin(self) -> None:
        """Each service fails three times, spread over ten minutes."""
        for n, service in enumerate(self.services):
            failures = crash_loop(3, service=service, start=600 * n / len(self.services))
            for failure in failures:
                self.now = failure.failed_at
                seen = [Observation(service=service, failure=failure)]
                detect(seen, store=self.store, policy=POLICY, now=self.now)
            self.look(service)

    def look(self, service: ServiceRef) -> None:
        """One look, as the sweep asks for it."""
        record = self.store.load(service)
        if record.asked_at is None:
            self.store.save(ask(record, now=self.now))
        outcome = respond(service, self.tools)
        assert outcome
        before, after = outcome.change.before, outcome.change.after
        known = before.notices[-1].number if before.notices else 0
        self.told += [(service, notice) for notice in after.notices if notice.number > known]

    def end(self, services: list[ServiceRef], *, after: float) -> None:
        """Somebody sets these services to 0, and each is looked at."""
        self.now = max(self.now, T0 + after)
        self.desired = 0
        for service in services:
            self.now += 1
            self.look(service)
        self.desired = 1

    def kinds(self) -> Counter[str]:
        return Counter(notice.kind.value for _, notice in self.told)

    def said(self, kind: str) -> list[str]:
        return [notice.reason for _, notice in self.told if notice.kind.value == kind]


@pytest.fixture(scope="module")
def thousand() -> Region:
    region = Region(1000)
    region.begin()
    return region


def test_a_summary_counts_truly(thousand: Region) -> None:
    """Far beyond the names that are read it says how many; each time that the number has doubled, soon after."""
    numbers = [notice.services for _, notice in thousand.told if notice.services]
    assert thousand.kinds() == {"looping": 5, "mass": 8}
    due = [6 * 2**n for n in range(8)]
    assert all(at <= number <= at + 64 for at, number in zip(due, numbers, strict=True)), numbers
    assert all(reason.startswith(f"{n} services") for n, reason in zip(numbers, thousand.said("mass"), strict=True))
    assert all(thousand.store.load(service).verdict is Verdict.LOOPING for service in thousand.services)


def test_who_noted_a_beginning_twice_hides_no_others() -> None:
    """Of the newest that are read some are the same: that they are fewer does not mean that there are no more."""
    region = Region(500)
    gather = region.store.gather

    def fewer(service: ServiceRef, *, at: float, window: float) -> tuple[ServiceRef, ...]:
        return gather(service, at=at, window=window)[:190]

    region.store.gather = fewer  # type: ignore[method-assign]
    region.begin()
    assert region.kinds() == {"looping": 5, "mass": 7}


def test_ecs_is_spared_in_a_storm(thousand: Region) -> None:
    """A few dozen of a thousand are diagnosed: enough to see what they share."""
    assert 40 <= thousand.diagnosed <= 41


def test_the_end_of_many_is_told_once() -> None:
    """When the last of the summary is over; who was told by itself is told to have recovered by itself."""
    region = Region(40)
    region.begin()
    region.end(region.services[:-1], after=1200)
    assert region.kinds() == {"looping": 5, "mass": 3, "recovered": 5}
    region.end(region.services[-1:], after=1300)
    assert region.kinds() == {"looping": 5, "mass": 3, "recovered": 5, "mass-over": 1}
    assert region.said("mass-over") == ["none of the services that began to loop together does so any more"]
    assert region.store.in_summary(most=9) == ()


def test_what_loops_on_after_the_trouble_is_told_of_by_itself() -> None:
    """An hour later three of forty are left: the trouble is over, and each of the three is told from then on."""
    region = Region(40)
    region.begin()
    left = region.services[-3:]
    region.end(region.services[:-3], after=1200)
    for service in left:
        region.look(service)
    assert "mass-over" not in region.kinds()
    region.now = T0 + 5000
    for service in left:
        region.look(service)
        region.look(service)
    assert region.kinds() == {"looping": 5, "mass": 3, "recovered": 5, "mass-over": 1, "still-looping": 3}
    assert region.said("mass-over")[0].endswith("by itself: prod/s00037, prod/s00038, prod/s00039")
    region.end(left, after=6000)
    assert region.kinds()["recovered"] == 8
    assert region.kinds()["mass-over"] == 1


def test_a_trouble_that_lasts_stays_one() -> None:
    """While more than the limit still loop, nobody is told of each, however long it lasts."""
    region = Region(20)
    region.begin()
    before = region.kinds()
    for hours in (2, 5, 30):
        region.now = T0 + 3600 * hours
        for service in region.services[5:]:
            region.look(service)
    assert region.kinds() == before
    assert before["looping"] == 5


def test_how_many_are_left_is_seldom_asked() -> None:
    """A loop of a summary that is looked at each minute asks six times an hour whether the others still loop."""
    region = Region(20)
    region.begin()
    asked, in_summary = 0, region.store.in_summary

    def counted(*, most: int) -> tuple[ServiceRef, ...]:
        nonlocal asked
        asked += 1
        return in_summary(most=most)

    region.store.in_summary = counted  # type: ignore[method-assign]
    for minute in range(120, 180):
        region.now = T0 + 60 * minute
        keep_failing(region, region.services[9])
        region.look(region.services[9])
    assert 6 <= asked <= 7


def test_who_could_not_save_the_end_tells_it_again() -> None:
    """Another saved in between: the last one of a summary still tells, and once."""
    region = Region(12)
    region.begin()
    region.end(region.services[:-1], after=1200)
    refuse_once(region.store)
    region.end(region.services[-1:], after=1300)
    assert region.kinds()["mass-over"] == 1


def refuse_once(store: MemoryStore) -> None:
    save: Callable[[Record], bool] = store.save
    refused: list[Record] = []

    def busy(record: Record) -> bool:
        if not refused and record.incident is None:
            refused.append(record)
            return False
        return save(record)

    store.save = busy  # type: ignore[method-assign]


def test_facts_that_are_unknown_end_no_summary() -> None:
    """Where ECS does not answer, nothing is over."""
    region = Region(8)
    region.begin()
    region.read = lambda _service: Unknown(why="DescribeServices: down")  # type: ignore[assignment,method-assign,return-value]
    region.now = T0 + 900
    for service in region.services:
        region.look(service)
    assert "mass-over" not in region.kinds()


def test_one_reminds_of_them_all() -> None:
    """After 1 hour, 4, 24 and each day, once for all of a summary; the five that were told of by themselves aside."""
    region = Region(40)
    region.begin()
    apart = set(region.services) - set(region.store.in_summary(most=99))
    for hours in (1.5, 2, 5, 25, 26, 50):
        region.now = T0 + hours * 3600
        for service in region.services:
            keep_failing(region, service)
            region.look(service)
    reminders = [(service, notice) for service, notice in region.told if notice.kind is NoticeKind.STILL_LOOPING]
    of_all = [notice for service, notice in reminders if service not in apart]
    assert [notice.services for notice in of_all] == [35, 35, 35, 35]
    assert of_all[0].reason.startswith(
        "35 of the services that began to loop together still do; this one was found 1 hour ago"
    )
    assert "mass-over" not in region.kinds()


def test_who_speaks_for_all_may_recover_or_be_acknowledged() -> None:
    """Another goes on; a word for the one that speaks ends the reminders of all."""
    region = Region(40)
    region.begin()
    speaks, after_it = region.store.in_summary(most=2)
    region.end([speaks], after=1200)
    region.now = T0 + 1.5 * 3600
    for service in region.store.in_summary(most=99):
        keep_failing(region, service)
        region.look(service)
    (reminder,) = [(s, n) for s, n in region.told if n.services and n.kind is NoticeKind.STILL_LOOPING]
    assert (reminder[0], reminder[1].services) == (after_it, 34)
    acknowledge(after_it, store=region.store)
    region.now = T0 + 5 * 3600
    for service in region.store.in_summary(most=99):
        keep_failing(region, service)
        region.look(service)
    assert len([n for _, n in region.told if n.services and n.kind is NoticeKind.STILL_LOOPING]) == 1


def keep_failing(region: Region, service: ServiceRef) -> None:
    """A task has failed a moment ago: what is quiet is not said to loop on."""
    record = region.store.load(service)
    assert record.incident is not None
    region.store.save(replace(record, incident=replace(record.incident, last_failure_at=region.now - 10)))
