"""The one logger and the one set of metrics; every name that a dashboard or alarm may use stands here.

A metric that is sent in an hour is paid for, and each log line by its length: what is nothing is not counted, and
what changes no state is told at DEBUG only.
"""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from loopbreaker.remembering.record import Record, Verdict
from loopbreaker.remembering.trip import BreakerState
from loopbreaker.stories.ports import Change

if TYPE_CHECKING:  # only `respond` decides; the others need not load the rules
    from loopbreaker.treating.decide import Decision

T = TypeVar("T")

logger = Logger()
metrics = Metrics()

FAILURES = "Failures"
MALFORMED = "EventsMalformed"
UNREADABLE = "RecordsUnreadable"
LOOPS = "LoopsFound"
STOPS = "ServicesStopped"
RECOVERIES = "LoopsEnded"
MESSAGES = "MessagesSent"
DELAY = "DetectionDelay"
DELIVERED = "ChatMessagesDelivered"


def watched(handler: Callable[[Any, LambdaContext], T]) -> Callable[[Any, LambdaContext], T]:
    """The handler, its log lines marked with its invocation, and all that it counted in one line."""

    @logger.inject_lambda_context
    @wraps(handler)
    def counted(event: Any, context: LambdaContext) -> T:
        try:
            return handler(event, context)
        finally:
            if metrics.metric_set:
                metrics.flush_metrics()

    return counted


def count_event(name: str, number: int = 1) -> None:
    """Count something without a service's name: a dimension per service would cost more than the rest."""
    if number:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)


def log_unreadable(service_name: str, reason: str) -> None:
    """A stored record is left alone, whatever it holds; the others are attended to, and an alarm tells of it."""
    count_event(UNREADABLE)
    logger.error("unreadable record", service_name=service_name, reason=reason)


def log_change(change: Change, decision: "Decision | None" = None) -> None:
    """One structured line for one changed record: the service, what is thought of it, and why."""
    before, after = change.before, change.after
    incident = after.incident or before.incident
    said = _said(before, after)
    turned = said or (before.verdict, before.breaker) != (after.verdict, after.breaker)
    write = logger.info if turned else logger.debug
    write(
        "record changed",
        cluster=after.service.cluster_arn,
        service_name=after.service.name,
        verdict=after.verdict.value,
        breaker=after.breaker.value,
        depth=incident.depth if incident else max((r.generation for r in after.fast), default=0),
        category=incident.category.value if incident else None,
        action=decision.action.value if decision else None,
        reason=decision.reason if decision else said or "folded",
    )
    _count_transitions(before, after)


def _count_transitions(before: Record, after: Record) -> None:
    if after.incident and not before.incident:
        count_event(LOOPS)
        delay = after.incident.opened_at - after.incident.last_failure_at
        metrics.add_metric(name=DELAY, unit=MetricUnit.Seconds, value=max(0.0, delay))
    if before.verdict is Verdict.LOOPING and after.verdict is Verdict.HEALTHY:
        count_event(RECOVERIES)
    if after.breaker is BreakerState.OPEN and before.breaker is BreakerState.CLOSED:
        count_event(STOPS)


def _said(before: Record, after: Record) -> str:
    """Why people are told, or ECS is asked; empty where nothing of the kind has come about."""
    told = before.notices[-1].number if before.notices else 0
    new = [notice.reason for notice in after.notices if notice.number > told]
    if new:
        return "; ".join(new)
    return "looks like a loop; ECS is asked" if after.suspicion and not before.suspicion else ""
