"""A drill: a loop of a service that does not exist, through the real rules and functions. How it is known.

Who asks for a drill sends events of a cluster of this name with a source of its own; the installation has a rule that
lets through this source for this cluster alone. A real cluster of that name is not watched.
"""

from loopbreaker.model import ServiceRef

SOURCE = "loopbreaker.drill"
CLUSTER = "loopbreaker-drill"
WHAT_IT_IS = "This is a drill of Loopbreaker: there is no such service, and nothing has to be done"


def is_drill(service: ServiceRef) -> bool:
    return service.cluster == CLUSTER
