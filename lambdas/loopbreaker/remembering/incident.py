"""One restart loop: what first raised the suspicion, the incident, and what is left of it for a day."""

from dataclasses import dataclass
from enum import StrEnum

from loopbreaker.model import Category
from loopbreaker.remembering.history import NO_FAILURES, History
from loopbreaker.remembering.notice import Told


class Signal(StrEnum):
    """What showed the loop. Only `fast` may lead to action."""

    FAST = "fast"
    SLOW = "slow"
    UNHEALTHY = "unhealthy"
    IMPAIRED = "impaired"
    PLACEMENT = "placement"
    STORM = "storm"
    RESTARTS = "restarts"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """The ladder is high enough for a loop, but ECS has not been asked yet how large the service is."""

    signal: Signal
    at: float
    depth: int
    since: float


@dataclass(frozen=True, slots=True)
class Finding:
    """The service was once found fit for action; a second finding, on a later failure, lets it happen.

    failed_at: the newest failure of the deployment at that time.
    """

    at: float
    deployment_id: str
    failed_at: float


@dataclass(frozen=True, slots=True)
class Incident:
    """One restart loop, from its first failure until it is over.

    opened_at: when it was found; one that comes again within a day keeps the time of the first.
    openings, times: when it was found the last few times, the newest last; how often in all.
    depth: most generations in a row.
    failed_tasks: distinct tasks that failed since `first_failure_at`; see `history` for what "distinct" takes.
    longest_lifetime, longest_gap: of the failed tasks, and between two failures, in seconds.
    container, exit_code, evidence, task_definition, deployment_id: of the newest failure.
    finding, told: the first of two findings; what people were told of it already.
    watching: whether a further generation may change what is done about it.
    silent: its owner asked for silence; nothing is told until that ends.
    history: its failures.
    channel: where its owner wants to read of it as well; empty where nothing is wanted.
    reminded: how many reminders were told. acknowledged: somebody asked for no more of them.
    messages: what people were told of it, the first few and the last few.
    told_before: when people were told of the service lately, beside what `messages` has.
    looked_at: the newest look at which ECS answered.
    watched_since: from then on there was no long pause between two such looks.
    unserved_since: the newest of them at which somebody was served; when the loop began, where nobody ever was.
    rolled_back_at: when a deployment of it was rolled back; 0 where none was.
    served_by: deployments of which tasks were seen to serve, the newest few.
    refused_until: AWS refused to act; until then it is not tried again.
    ecs_failures, ecs_grew_at: what ECS's own circuit breaker counted at last, and when that was first seen.
    """

    signal: Signal
    opened_at: float
    first_failure_at: float
    last_failure_at: float
    depth: int
    category: Category
    failed_tasks: int = 0
    longest_lifetime: float = 0.0
    longest_gap: float = 0.0
    container: str = ""
    exit_code: int | None = None
    evidence: str = ""
    task_definition: str = ""
    deployment_id: str = ""
    desired_count: int | None = None
    finding: Finding | None = None
    told: tuple[str, ...] = ()
    watching: bool = True
    silent: bool = False
    history: History = NO_FAILURES
    openings: tuple[float, ...] = ()
    times: int = 1
    channel: str = ""
    reminded: int = 0
    acknowledged: bool = False
    messages: tuple[Told, ...] = ()
    told_before: tuple[float, ...] = ()
    looked_at: float = 0.0
    watched_since: float = 0.0
    unserved_since: float = 0.0
    served_by: tuple[str, ...] = ()
    rolled_back_at: float = 0.0
    refused_until: float = 0.0
    ecs_failures: int = -1
    ecs_grew_at: float = 0.0

    @property
    def found_at(self) -> float:
        """When it was found the last time."""
        return self.openings[-1] if self.openings else self.opened_at

    @property
    def id(self) -> str:
        """Stable name of the incident within its service, for threads and links."""
        return f"{self.opened_at:.0f}"


@dataclass(frozen=True, slots=True)
class Past:
    """What is remembered of the last incident for a day: another loop within it is the same one again.

    told_at: when people were told of the service within the last day.
    """

    opened_at: float
    openings: tuple[float, ...]
    times: int
    last_failure_at: float
    longest_gap: float
    deployment_id: str
    closed_at: float
    told_at: tuple[float, ...] = ()
