"""Short recordings of services that loop, blip and live on."""

from tests.task_events import CREATED, Json, service_action, task_stopped

BEAT = 75.0
"""Seconds from one task of a loop to the next: each fails after 40 s, is reported after 65, and is replaced then."""


def crash_loop(tasks: int, *, service: str = "web", cluster: str = "prod", start: float = CREATED) -> list[Json]:
    """One slot whose tasks fail one after another."""
    return [
        task_stopped(service=service, cluster=cluster, task_id=f"{service}{number:026x}", created=start + number * BEAT)
        for number in range(tasks)
    ]


def later(seconds: float) -> Json:
    """An event of another service, so many seconds later, that says nothing of a loop."""
    at = CREATED + seconds
    return service_action("SERVICE_STEADY_STATE", service="other", at=at, sent=at)
