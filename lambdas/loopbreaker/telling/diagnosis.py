"""What was found out about a loop when it was found: read only, and whatever could not be had is named. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which two task definitions differ. Of variables and secrets names and ARNs only, never a value."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What one look at the failed task, its definition and its surroundings gave. Empty where nothing is known.

    task_id: the task that failed last. log_group, log_stream: where its container writes to, awslogs only.
    lines: the last of them, masked. compared_with: the revision that ran well before; changes: against it.
    unchanged_for: seconds since the looping revision was deployed, where that is long ago.
    deployed_at, deployed_by: of the looping revision. vcpu, memory_mib, fargate: the size of a task.
    sums: arithmetic beside the cause, as sentences. shares: what others may share, such as `registry x`.
    left_out: each part that failed, and why.
    """

    task_id: str = ""
    log_group: str = ""
    log_stream: str = ""
    lines: tuple[str, ...] = ()
    compared_with: str = ""
    changes: tuple[Difference, ...] = ()
    deployed_at: float = 0.0
    deployed_by: str = ""
    vcpu: float = 0.0
    memory_mib: int = 0
    fargate: bool = False
    sums: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


NOTHING = Diagnosis()
