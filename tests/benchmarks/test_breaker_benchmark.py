"""The breaker's benchmark: its judge sees harm where there is harm, and none where there is none."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from xml.etree import ElementTree

import pytest

from benchmarks.breaker import oracle
from benchmarks.breaker.__main__ import main
from benchmarks.breaker.judgement import Judgement
from benchmarks.breaker.kinds import KINDS
from benchmarks.breaker.kinds.unserved import UNSERVED
from benchmarks.breaker.kinds.ways import dead
from benchmarks.breaker.living import without_rights
from benchmarks.breaker.oracle import judge
from benchmarks.breaker.picture import draw
from benchmarks.breaker.report import Run, as_markdown
from benchmarks.breaker.stage import CLUSTER, HOUR, Kind, Stage, World
from benchmarks.breaker.summary import broken, goals, lines
from benchmarks.breaker.words import Reader
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.record import Record
from simulation import ServiceSpec, Simulation, healthy
from tests.builders import T0, looping
from tests.telling.told import held, over, told


def _judged(script: Callable[[Stage], None], *, hours: float = 2) -> Judgement:
    """The judgement of a world in which Loopbreaker itself may do nothing."""

    def tied(stage: Stage) -> None:
        script(stage)
        if stage.ours:
            without_rights(stage.ours)

    (found,) = judge(World(Kind("a test", tied, hours, 1), {}, 1))
    return found


def _only_ours(stage: Stage, when: float, desired: int) -> None:
    """In the life with Loopbreaker alone, the count changes."""
    if stage.ours:
        stage.scales(when, desired)


def test_two_lives_without_an_act_are_the_same() -> None:
    """Looking changes nothing: where nothing is done, nothing is lost, whatever happens in the world."""

    def script(stage: Stage) -> None:
        stage.service(desired_count=4)
        stage.breaks(600, dead(3, slots=[1, 2]))
        stage.deploys(3000, dead(3, slots=[0]))

    found = _judged(script)
    assert (found.acted, found.lost_before, found.lost_after, found.late, broken(found)) == (False, 0, 0, 0, [])
    assert found.restarts == found.restarts_without > 10


def test_what_serves_and_is_stopped_is_lost() -> None:
    """Two tasks that serve and are stopped for half an hour are an hour of service."""

    def script(stage: Stage) -> None:
        stage.service(desired_count=2)
        _only_ours(stage, 3600, 0)
        _only_ours(stage, 5400, 2)

    found = _judged(script)
    assert found.lost_before == pytest.approx(3600, abs=200)
    assert found.silent == pytest.approx(1800 - 300, abs=60)


@pytest.mark.parametrize(
    ("record", "kind", "desired", "untrue"),
    [
        (held(), NoticeKind.STOPPED, 0, ""),
        (held(), NoticeKind.STOPPED, 2, "held at 0 tasks by Loopbreaker; it had 2; desired count {2}"),
        (held(desired_count=9), NoticeKind.STOPPED, 0, "it never had"),
        (looping(failed_tasks=1), NoticeKind.LOOPING, 0, "desired count 0"),
        (looping(failed_tasks=1), NoticeKind.STILL_LOOPING, 2, "no task failed of late"),
        (looping(failed_tasks=9), NoticeKind.LOOPING, 2, "9 tasks failed; it was 4"),
        (over(looping()), NoticeKind.RECOVERED, 2, "it serves nobody"),
    ],
)
def test_who_reads_what_is_not_so_says_so(record: Record, kind: NoticeKind, desired: int, untrue: str) -> None:
    """Each message is held against the desired count, the failures and whether anybody is served."""
    sim = Simulation(seed=1)
    sim.create_cluster(CLUSTER, hosts=0)
    sim.create_service(ServiceSpec(cluster=CLUSTER, name="web", desired_count=2, behaviour=dead(3)))
    reader = Reader(sim, epoch=T0)
    reader.look("web")
    sim.run_until(60)
    for _ in range(4):
        reader.failed("web")
    sim.scale(CLUSTER, "web", desired)
    reader.look("web")
    sim.run_until(3 * HOUR if "of late" in untrue else 600)
    reader.read(told(record, kind))
    assert untrue in " ".join(reader.untrue["web"])
    assert bool(untrue) == bool(reader.untrue["web"])


def test_what_serves_nobody_cannot_be_lost() -> None:
    """A service whose tasks all die before they are up loses nothing at 0, until the cause has ended."""

    def script(stage: Stage) -> None:
        stage.service(desired_count=2)
        stage.began, stage.ended = 600, 4000
        stage.breaks(600, dead(3, until=4000))
        _only_ours(stage, 1800, 0)

    found = _judged(script)
    assert found.lost_before == 0
    assert found.down_after == pytest.approx(7200 - 4000 - 60, abs=120)
    assert found.late > 900


def test_back_in_time() -> None:
    """Who is back within the allowance is not late."""

    def script(stage: Stage) -> None:
        stage.service(desired_count=2)
        stage.began, stage.ended = 600, 4000
        stage.breaks(600, dead(3, until=4000))
        _only_ours(stage, 1800, 0)
        _only_ours(stage, 4800, 2)

    assert _judged(script).late == 0


def test_a_person_is_defied() -> None:
    """A count above 0 where a person had set 0 is seen, and so is another count at the end."""

    def script(stage: Stage) -> None:
        stage.service(desired_count=2)
        stage.scales(3600, 0)
        _only_ours(stage, 4600, 3)

    found = _judged(script)
    assert found.defied == pytest.approx(2600, abs=20)
    assert "(3,) instead of (0,)" in found.left


def test_a_message_that_does_not_come() -> None:
    """Who was to be told of something and was not is counted."""

    def script(stage: Stage) -> None:
        stage.service(desired_count=2, behaviour=healthy())
        stage.must_tell(600, within=HOUR)

    assert _judged(script).untold == 1


def test_hours_without_anybody_served_are_seen() -> None:
    """A loop that goes on while nobody is served is counted from its longest stretch, and stands on the page."""

    def script(stage: Stage) -> None:
        stage.service(desired_count=2)
        stage.breaks(HOUR, dead(3, until=2 * HOUR))
        stage.breaks(3 * HOUR, dead(3))

    found = _judged(script, hours=7)
    assert found.unserved == pytest.approx(4 * HOUR, abs=60)
    page = as_markdown(
        Run("make bench-breaker", "2 cores", "2026-01-05", 60.0, 1, (replace(found, kind=KINDS[0].name),))
    )
    assert f"| {KINDS[0].name} | 1 | 4.0 | **unknown** |" in page
    assert "| what serves nobody for 3 hours is stopped | **no** | 1 of 1 services |" in page


def test_every_kind_that_is_excused_from_stopping_is_there() -> None:
    """No reason outlives its kind."""
    assert UNSERVED.keys() <= {kind.name for kind in KINDS}


def test_every_world_has_a_name_of_its_own() -> None:
    """No world is lived twice, and there are some thousand of them."""
    keys = [world.key for kind in KINDS for world in kind.worlds()]
    assert len(set(keys)) == len(keys) > 2000


def test_the_judge_knows_no_rule() -> None:
    """The oracle takes nothing from what it judges."""
    named = {getattr(value, "__module__", "") for value in vars(oracle).values()}
    assert not [module for module in named if module.startswith(("loopbreaker", "handlers"))]


def test_the_page_and_the_picture() -> None:
    """The results are a page with a line for each kind, and a picture that any browser reads."""
    judged = [j for kind in islice(KINDS, 3) for j in judge(next(kind.worlds()))]
    run = Run("make bench-breaker", "2 cores", "2026-01-05", 60.0, 3, tuple(judged))
    page = as_markdown(run)
    assert all(f"| {line.kind.name}" in page for line in lines(judged))
    assert len(goals(judged)) == 8
    ElementTree.fromstring(draw(lines(judged)))


def test_from_the_command_line() -> None:
    """The command runs the kinds that were asked for and says by its exit code whether the goals are met."""
    assert main(["--kind", "an ordinary day", "--seeds", "1", "--processes", "1"]) == 0


def test_a_small_run_meets_the_goals() -> None:
    """One short world of each kind: nobody is harmed, and everything comes to its end in time."""
    assert main(["--quick", "--processes", "1"]) == 0
