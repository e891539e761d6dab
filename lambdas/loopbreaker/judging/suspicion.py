"""Whether what is remembered of a service looks like a loop. Pure."""

from math import log, sqrt

from loopbreaker.judging.ladder import bystanders, depth, surprise, top
from loopbreaker.judging.regular import regular_deaths
from loopbreaker.judging.starts import failed_starts
from loopbreaker.judging.steady import is_steady
from loopbreaker.judging.storm import began_at, is_storm
from loopbreaker.judging.untold import restart_again_and_again, runs_nothing
from loopbreaker.judging.unwell import may_be_unwell
from loopbreaker.policy import Policy, Profile
from loopbreaker.remembering.incident import Signal, Suspicion
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.rung import Ladder, Rung


def assess(record: Record, policy: Policy) -> Suspicion | None:
    """The strongest signal by which the record looks like a loop. Its `at` is 0: the caller's to set."""
    found = _by_chain(record, policy) or _by_word(record, policy) or _by_number(record, policy)
    return found or _by_reading(record, policy)


def _by_chain(record: Record, policy: Policy) -> Suspicion | None:
    """Replacements fail too."""
    fast, slow = top(record.fast, policy.fast), top(record.slow, policy.slow)
    for signal, rung, ladder, profile in (
        (Signal.FAST, fast, record.fast, policy.fast),
        (Signal.SLOW, slow, record.slow, policy.slow),
    ):
        if rung is None or rung.generation < profile.depth + record.extra_generations:
            continue
        if _is_loop(rung, ladder, profile, policy):
            return Suspicion(signal=signal, at=0.0, depth=rung.generation, since=rung.since)
    if deaths := regular_deaths(record.slow, policy):
        return Suspicion(signal=Signal.SLOW, at=0.0, depth=len(deaths), since=deaths[0].failed_at)
    return None


def _by_word(record: Record, policy: Policy) -> Suspicion | None:
    """ECS says so, or would if it were asked."""
    fast = top(record.fast, policy.fast)
    generations = fast.generation if fast else 0
    # Of tasks that find no place ECS says this too.
    if (len(record.impaired) >= 2 and not record.unplaced) or (record.impaired and generations >= 2):
        since = min([*record.impaired, *([fast.since] if fast else [])])
        return Suspicion(signal=Signal.IMPAIRED, at=0.0, depth=generations, since=since)
    if starts := failed_starts(record.slow):
        return Suspicion(signal=Signal.IMPAIRED, at=0.0, depth=generations, since=starts[0])
    if len(record.unplaced) >= 3 and record.unplaced[-1] - record.unplaced[0] >= policy.placement_after:
        return Suspicion(signal=Signal.PLACEMENT, at=0.0, depth=generations, since=record.unplaced[0])
    return None


def _by_number(record: Record, policy: Policy) -> Suspicion | None:
    """Failures are more, or more even, than chance explains; or ECS may know of more of them."""
    generations = depth(record.fast, policy.fast)
    if is_storm(record.storm, tasks=record.storm.tasks, mtbf=policy.flaky_mtbf):
        return Suspicion(signal=Signal.STORM, at=0.0, depth=generations, since=began_at(record.storm))
    if is_steady(record.storm):
        return Suspicion(signal=Signal.STORM, at=0.0, depth=generations, since=record.storm.times[0])
    if rung := may_be_unwell(record.slow, policy):
        return Suspicion(signal=Signal.UNHEALTHY, at=0.0, depth=rung.generation, since=rung.since)
    return None


def _by_reading(record: Record, policy: Policy) -> Suspicion | None:
    """No event tells of it."""
    if restart_again_and_again(record.restarted, tasks=1, mtbf=policy.flaky_mtbf):
        return Suspicion(signal=Signal.RESTARTS, at=0.0, depth=0, since=record.restarted[0])
    if runs_nothing(record.empty, policy):
        return Suspicion(signal=Signal.EMPTY, at=0.0, depth=0, since=record.empty[0])
    return None


def _is_loop(rung: Rung, ladder: Ladder, profile: Profile, policy: Policy) -> bool:
    """Whether a chain that is long enough is neither chance nor a short outage.

    Of a service whose tasks lived long before they failed, more is asked: that they fail at times is known of it, and
    that it ran well before.
    """
    found = surprise(rung, ladder, profile, flaky_mtbf=policy.flaky_mtbf, old=policy.fast.max_lifetime)
    lived = [old.failed_at for old in bystanders(ladder)]
    if not lived:
        return found >= -log(profile.chance)
    lasts = rung.failed_at - rung.since
    if lasts < policy.outage:
        return False
    # Those that died with the first of the chain, or within one life before, may have died of its cause; or of an
    # outage, which is over soon.
    before = rung.since - profile.max_lifetime - profile.replacement_gap
    known = lasts < 2 * policy.outage or any(at < before for at in lived)
    return found >= -log(policy.flaky_chance if known else sqrt(policy.flaky_chance * profile.chance))


def fast_depth(record: Record, policy: Policy) -> int:
    """How many times in a row a replacement has failed fast by now: what alone may lead to action."""
    return depth(record.fast, policy.fast)


def depth_now(record: Record, policy: Policy) -> int:
    """How many times in a row a replacement has failed by now; an incident may have seen more."""
    return max(depth(record.fast, policy.fast), depth(record.slow, policy.slow))


def profile_of(signal: Signal, policy: Policy) -> Profile | None:
    """The profile whose ladder showed it; None for what no ladder shows."""
    return {Signal.FAST: policy.fast, Signal.SLOW: policy.slow, Signal.UNHEALTHY: policy.slow}.get(signal)
