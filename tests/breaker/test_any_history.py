"""Whatever happens in whatever order, what serves is not stopped and no count is lost."""

from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from loopbreaker.remembering.trip import BreakerState, Step
from loopbreaker.treating.steps import CALLS
from simulation import healthy
from tests.breaker.scenarios import BROKEN, COUNT, scaled, world
from tests.breaker.world import Crash, World, ref


class AnyHistory(RuleBasedStateMachine):
    """A service whose owner opted in, people who deploy, scale, mute and resume it, and a function that may die."""

    made: World
    wanted: int

    @initialize(probe=st.booleans(), with_scaling=st.booleans())
    def begin(self, probe: bool, with_scaling: bool) -> None:
        made = world(tags={"loopbreaker:recovery": "probe"} if probe else {})
        self.made = scaled(made) if with_scaling else made
        self.wanted = COUNT

    @rule(minutes=st.integers(min_value=1, max_value=15))
    def time_passes(self, minutes: int) -> None:
        self.made.run(60 * minutes)

    @rule(tasks=st.sampled_from([1, None]))
    def breaks(self, tasks: int | None) -> None:
        self.made.sim.behave("prod", "web", BROKEN)
        self.made.sim.churn.blip("prod", "web", count=tasks)

    @rule(minutes=st.integers(min_value=6, max_value=20))
    def loops(self, minutes: int) -> None:
        self.breaks(None)
        self.made.run(60 * minutes)

    @rule()
    def heals(self) -> None:
        self.made.sim.behave("prod", "web", healthy())

    @rule(works=st.booleans())
    def somebody_deploys(self, works: bool) -> None:
        self.made.sim.deploy("prod", "web", behaviour=healthy() if works else BROKEN)

    @rule(count=st.integers(min_value=2, max_value=4))
    def somebody_scales(self, count: int) -> None:
        self.made.sim.scale("prod", "web", count)
        self.wanted = count

    @rule()
    def somebody_stops_a_task(self) -> None:
        self.made.sim.churn.stop_by_user("prod", "web")

    @rule(silent=st.booleans())
    def owner_mutes(self, silent: bool) -> None:
        tags = self.made.sim.service("prod", "web").tags
        tags["loopbreaker:mute-until"] = "2030-01-01T00:00Z" if silent else "2020-01-01T00:00Z"

    @precondition(lambda self: self.made.record().breaker is not BreakerState.CLOSED)
    @rule()
    def somebody_resumes(self) -> None:
        record = self.made.record()
        self.made.table.save(replace(record, resume_asked=True, asked_at=self.made.now))
        self.made.drain()

    @rule(at=st.integers(min_value=1, max_value=25), after=st.booleans())
    def function_will_die(self, at: int, after: bool) -> None:
        self.made.crash = Crash(at=at, after=after)

    @invariant()
    def no_count_is_lost(self) -> None:
        if not hasattr(self, "made"):
            return
        desired, record = self.made.sim.service("prod", "web").desired, self.made.record()
        if desired == self.wanted:
            return
        assert record.trip is not None, f"{desired} instead of {self.wanted}, and nothing is remembered"
        assert record.trip.desired_count == self.wanted
        assert desired == 0 or (desired == 1 and record.breaker is BreakerState.HALF_OPEN)

    def teardown(self) -> None:
        """Left alone with a world that works, the service comes to rest: held as it was, or as people want it."""
        if not hasattr(self, "made"):
            return
        self.made.crash = None
        self.heals()
        self.made.run(3600)
        record = self.made.record()
        assert record.trip is None or record.trip.step not in CALLS
        if record.trip and record.trip.step is Step.HELD:
            self.made.table.save(replace(record, resume_asked=True, asked_at=self.made.now))
            self.made.run(600)
        if not self.made.record().trip:
            assert self.made.sim.service("prod", "web").desired == self.wanted
        assert self.made.record(ref().name).breaker is not BreakerState.OPEN


def test_any_history() -> None:
    """In any history of failures, deployments, scaling, mutes, resumes and crashes the invariants hold."""
    run_state_machine_as_test(
        AnyHistory,
        settings=settings(
            max_examples=100,
            stateful_step_count=25,
            derandomize=True,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
