"""Ways in which software fails, as the worlds use them."""

from random import Random

from simulation import Behaviour, Failure, constant, crash, uniform
from simulation.scripting.behaviour import Draw


def dead(after: float = 3.0, *, until: float = 1e12, least: int = 1, slots: list[int] | None = None) -> Behaviour:
    """Dies so many seconds after its start, and is not up before: nobody is ever served."""
    life = uniform(0.8 * after, 1.2 * after)
    return crash(
        Failure.APP_CRASH, after=life, ready_after=constant(1.2 * after + 10), until=until, least=least, slots=slots
    )


def served_for(seconds: Draw, *, cause: Failure = Failure.APP_CRASH, slots: list[int] | None = None) -> Behaviour:
    """Serves from a few seconds after its start until it fails."""
    return crash(cause, after=seconds, slots=slots)


def mostly(often: float, rarely: Draw, *, share: float) -> Draw:
    """Most lives last `often` seconds, a share of them as long as `rarely` says."""
    return lambda rng: rarely(rng) if rng.random() < share else often


def jitter(rng: Random, seconds: float, share: float = 0.1) -> float:
    """About so many seconds."""
    return seconds * rng.uniform(1 - share, 1 + share)
