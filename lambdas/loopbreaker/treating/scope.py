"""On which services this installation may act: patterns from its configuration, deny wins."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from loopbreaker.model import ServiceRef


@dataclass(frozen=True, slots=True)
class Scope:
    """Patterns of `cluster/service`, with `*`, `?` and `[…]` as in file names. Nothing allowed means everything."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def allows(self, service: ServiceRef) -> bool:
        name = f"{service.cluster}/{service.name}"
        if any(fnmatchcase(name, pattern) for pattern in self.deny):
            return False
        return not self.allow or any(fnmatchcase(name, pattern) for pattern in self.allow)
