"""The one logger and the one set of metrics; every name that a dashboard or alarm may use stands here."""

from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from loopbreaker.record import BreakerState, Record, Verdict
from loopbreaker.stories.detect import Observation
from loopbreaker.stories.ports import Change

if TYPE_CHECKING:  # only `respond` decides; the others need not load the rules
    from loopbreaker.treating.decide import Decision

logger = Logger()
metrics = Metrics()

FAILURES = "Failures"
EVENTS = "EventsReceived"
IGNORED = "EventsIgnored"
MALFORMED = "EventsMalformed"
LOOPS = "LoopsFound"
STOPS = "ServicesStopped"
RECOVERIES = "LoopsEnded"
MESSAGES = "MessagesSent"
LOOKS = "ServicesLookedAt"
ASKED = "ServicesAsked"
DELAY = "DetectionDelay"


def count_event(name: str, number: int = 1) -> None:
    """Count something without a service's name: a dimension per service would cost more than the rest."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)


def count_failures(observations: list[Observation]) -> None:
    """Failures by category, each in a metric of its own dimension set; none twice for being told of early."""
    by_category: dict[str, int] = {}
    for seen in observations:
        if seen.failure and seen.final:
            by_category[seen.failure.category] = by_category.get(seen.failure.category, 0) + 1
    for category, number in by_category.items():
        with single_metric(name=FAILURES, unit=MetricUnit.Count, value=number) as metric:
            metric.add_dimension(name="category", value=category)


def log_change(change: Change, decision: "Decision | None" = None) -> None:
    """One structured line for one changed record: the service, what is thought of it, and why."""
    after = change.after
    incident = after.incident or change.before.incident
    logger.info(
        "record changed",
        cluster=after.service.cluster_arn,
        service_name=after.service.name,
        verdict=after.verdict.value,
        breaker=after.breaker.value,
        depth=incident.depth if incident else max((r.generation for r in after.fast), default=0),
        category=incident.category.value if incident else None,
        action=decision.action.value if decision else None,
        reason=decision.reason if decision else _reason(change.before, after),
    )
    _count_transitions(change.before, after)


def _count_transitions(before: Record, after: Record) -> None:
    if after.incident and not before.incident:
        count_event(LOOPS)
        delay = after.incident.found_at - after.incident.last_failure_at
        metrics.add_metric(name=DELAY, unit=MetricUnit.Seconds, value=max(0.0, delay))
    if before.verdict is Verdict.LOOPING and after.verdict is Verdict.HEALTHY:
        count_event(RECOVERIES)
    if after.breaker is BreakerState.OPEN and before.breaker is BreakerState.CLOSED:
        count_event(STOPS)


def _reason(before: Record, after: Record) -> str:
    told = before.notices[-1].number if before.notices else 0
    new = [notice.reason for notice in after.notices if notice.number > told]
    if new:
        return "; ".join(new)
    return "looks like a loop; ECS is asked" if after.asked_at and after.suspicion else "folded"
