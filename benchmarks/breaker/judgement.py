"""What the judge says of one service of a world."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Judgement:
    """What Loopbreaker did to one service of a world. Task-seconds and seconds.

    lost_before, lost_after: of tasks that would have served without it, before and after the cause ended.
    down_after: with nobody served after the cause ended, where somebody would have been.
    late: how much later than without it the service was whole again, beyond what is allowed; 0 where in time.
    restarts, restarts_without: failed tasks in the two lives.
    wrong_rollbacks: rollbacks of a revision that had served, or that would have become good by itself.
    silent: at 0 through us and its people were never told, or were told something else last.
    defied: above 0 although a person had set 0.
    left: what is otherwise at the end than it would have been without us: the count, the scaling target.
    unasked: it was acted on at a moment at which its owner did not allow that.
    untold: somebody had to hear of something, and did not.
    untrue: what stood in its messages and was not so at that moment.
    unserved: the longest time in which nobody was served although tasks were asked for, and its owner wanted it acted
        on: its loop was not stopped.
    misled: deployments that failed and were called successful all the same, while somebody waited for them.
    """

    world: str
    kind: str
    service: str
    lost_before: float = 0.0
    lost_after: float = 0.0
    down_after: float = 0.0
    late: float = 0.0
    allowed: float = 0.0
    acted: bool = False
    restarts: int = 0
    restarts_without: int = 0
    rollbacks: int = 0
    wrong_rollbacks: int = 0
    silent: float = 0.0
    defied: float = 0.0
    left: str = ""
    unasked: int = 0
    untold: int = 0
    unserved: float = 0.0
    misled: int = 0
    untrue: tuple[str, ...] = ()
    calls: int = 0
    messages: dict[str, int] = field(default_factory=dict)
