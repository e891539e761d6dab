"""Software that fails in ways of its own: some starts of many, or one thing after another."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from simulation import Behaviour, crash
from simulation.scripting.behaviour import Draw, Fate
from simulation.scripting.failures import Failure


@dataclass(frozen=True, slots=True)
class Stumbling(Behaviour):
    """Each start fails with a probability of `share`, whatever the start before did; else it runs for ever."""

    share: float = 0.0

    def fate(self, *, slot: int, start: int, rng: Random) -> Fate | None:
        return Behaviour.fate(self, slot=slot, start=start, rng=rng) if rng.random() < self.share else None


@dataclass(frozen=True, slots=True)
class InTurn(Behaviour):
    """The starts of a slot meet these fates in turn, over and over."""

    turns: tuple[Behaviour, ...] = ()

    def fate(self, *, slot: int, start: int, rng: Random) -> Fate | None:
        return self.turns[start % len(self.turns)].fate(slot=slot, start=start, rng=rng)


def stumbling(share: float, cause: Failure, *, after: Draw | None = None, first_starts: int | None = None) -> Stumbling:
    """Starts that fail now and then; with `first_starts` only the first ones of a slot may."""
    usual = crash(cause, after=after)
    return Stumbling(ending=usual.ending, after=usual.after, first_starts=first_starts, share=share)


def in_turn(turns: Sequence[Behaviour]) -> InTurn:
    """Software that fails in one way, then in the next."""
    return InTurn(ending=turns[0].ending, turns=tuple(turns))


@dataclass(frozen=True, slots=True)
class BySlot(Behaviour):
    """The slots of a service take these behaviours in turn."""

    kinds: tuple[Behaviour, ...] = ()

    def fate(self, *, slot: int, start: int, rng: Random) -> Fate | None:
        return self.kinds[slot % len(self.kinds)].fate(slot=slot, start=start, rng=rng)


def by_slot(kinds: Sequence[Behaviour]) -> BySlot:
    """Software that fails in one way in some tasks, and in another in others."""
    return BySlot(ending=kinds[0].ending, kinds=tuple(kinds))
