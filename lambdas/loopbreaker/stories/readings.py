"""What is done with what no event tells of, and was read: folded into the records as if it had been told."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from loopbreaker.policy import Policy
from loopbreaker.stories.detect import Observation, detect
from loopbreaker.stories.ports import ConflictError, Records, UnreadableError


@dataclass(frozen=True, slots=True)
class Noted:
    """One reading: how many services there was something to say of, and what is wrong with records that could not be
    read. complete: False where there was no time for all of them."""

    services: int = 0
    unreadable: tuple[str, ...] = ()
    complete: bool = True


def note(
    found: Iterable[Iterable[Observation]], *, store: Records, policy: Policy, clock: Callable[[], float], until: float
) -> Noted:
    """Fold what was read of each service into its record, until a time, in seconds since the epoch.

    What is left then is read the next time. Nothing more is asked for once it is over.
    """
    services, unreadable = 0, list[str]()
    pieces = iter(found)
    while clock() <= until:
        some = next(pieces, None)
        if some is None:
            return Noted(services, tuple(unreadable))
        for observation in some:
            if clock() > until:
                return Noted(services, tuple(unreadable), complete=False)
            services += 1
            try:
                detect([observation], store=store, policy=policy, now=clock())
            except (UnreadableError, ConflictError) as error:
                unreadable.append(str(error))
    return Noted(services, tuple(unreadable), complete=False)
