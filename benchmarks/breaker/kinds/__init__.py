"""The worlds, by what goes wrong in them."""

from benchmarks.breaker.kinds.enemies import ENEMIES
from benchmarks.breaker.kinds.lives import LIVES
from benchmarks.breaker.kinds.loops import LOOPS
from benchmarks.breaker.kinds.meddling import MEDDLING
from benchmarks.breaker.kinds.operators import OPERATORS
from benchmarks.breaker.kinds.outages import OUTAGES
from benchmarks.breaker.kinds.people import PEOPLE
from benchmarks.breaker.kinds.rollouts import ROLLOUTS
from benchmarks.breaker.kinds.serving import SERVING
from benchmarks.breaker.kinds.shapes import SHAPES
from benchmarks.breaker.kinds.slow import SLOW
from benchmarks.breaker.kinds.weather import WEATHER

SECTIONS = {
    "Services that serve": SERVING,
    "Services of odd shape": SHAPES,
    "Something they need is away": OUTAGES,
    "Deployments": ROLLOUTS,
    "People, schedules, refusals": PEOPLE,
    "Operators, schedules, pipelines": OPERATORS,
    "What is heard, and when": WEATHER,
    "Worlds of an enemy": ENEMIES + MEDDLING,
    "Leaders, jobs, chains, room": LIVES,
    "Slow deaths, pipelines, faults of our own": SLOW,
    "Loops in which nobody is served": LOOPS,
}
KINDS = tuple(kind for kinds in SECTIONS.values() for kind in kinds)
