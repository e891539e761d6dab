"""What an account says to the hub: a change of state of one service, or an alarm of its installation.

Anybody in the organisation may put events on the hub's bus; EventBridge says truly which account did (AWS docs,
"Events", the field `account`). An account is believed about itself alone.
"""

import re
from dataclasses import dataclass

from loopbreaker.model import ServiceRef
from loopbreaker.seeing.fields import Fields, MalformedEventError, json_name, refuse, shown
from loopbreaker.telling.letter import Severity, clean

SOURCE, CHANGE = "loopbreaker", "Restart Loop State Change"
ALARMS, ALARM = "aws.cloudwatch", "CloudWatch Alarm State Change"
VERSION = 2
"""Of docs/event.schema.json: what a newer version says may mean something else."""
_SEVERITIES = tuple(severity.value for severity in Severity)


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened in one account.

    key, incident: what it is about; all news of one restart loop have both in common.
    at, number: the order in which the account said it, the number where two have one time.
    name: `cluster/service`, or the name of an alarm. transition: as in the event, or `alarm`.
    open: whether the service loops or is held after it.
    """

    key: str
    incident: str
    at: float
    number: int
    account: str
    region: str
    name: str
    transition: str
    severity: Severity
    headline: str
    state: str
    reason: str
    open: bool
    service: ServiceRef | None = None
    began_at: float | None = None
    failed_tasks: int = 0
    category: str = ""
    evidence: str = ""
    dollars_per_day: float | None = None

    @property
    def order(self) -> tuple[float, int]:
        return self.at, self.number


def read(envelope: object) -> News | None:
    """The news in an event of EventBridge; None where it is about something else.

    Raises MalformedEventError, which lists everything that is wrong.
    """
    if not isinstance(envelope, dict):
        raise MalformedEventError(f"not an EventBridge event: {json_name(envelope)}")
    kind = envelope.get("source"), envelope.get("detail-type")
    if kind not in ((SOURCE, CHANGE), (ALARMS, ALARM)):
        return None
    detail = envelope.get("detail")
    if not isinstance(detail, dict):
        raise MalformedEventError(f"detail: not an object but {json_name(detail)}")
    problems: list[str] = []
    outer = Fields(envelope, path="", problems=problems)
    account, region = outer.required_text("account"), outer.required_text("region")
    if account and not re.fullmatch(r"\d{12}", account, flags=re.ASCII):
        outer.wrong("account", f"not the number of an account: {shown(account)}")
    if kind == (SOURCE, CHANGE):
        return _change(detail, account, region, problems)
    return _alarm(envelope, detail, account, region, problems)


def _change(detail: dict[str, object], account: str, region: str, problems: list[str]) -> News:
    inner = Fields(detail, path="detail.", problems=problems)
    if detail.get("version") != VERSION:
        inner.wrong("version", f"this hub reads version {VERSION}: deploy the hub of the newer release first")
    cluster, name = inner.arn("clusterArn", of="cluster"), inner.required_text("serviceName")
    if cluster and cluster.split(":")[3:5] != [region, account]:
        inner.wrong("clusterArn", f"account {account} in {region} speaks of another's: {shown(cluster)}")
    if inner.required_text("severity") not in _SEVERITIES:
        inner.wrong("severity", f"not one of {', '.join(_SEVERITIES)}")
    at, number = inner.time("at"), _number_of(inner.required_text("id"))
    if at is None:
        inner.wrong("at", "absent")
    began_at = inner.time("firstFailureAt")
    words = {
        key: clean(inner.text(key), most=1000)
        for key in ("transition", "headline", "state", "reason", "category", "evidence")
    }
    verdict, breaker = inner.required_text("verdict"), inner.required_text("breaker")
    incident = inner.text("incident")
    refuse(problems)
    service = ServiceRef(cluster, name)
    return News(
        key=service.key,
        incident=incident,
        at=at or 0.0,
        number=number,
        account=account,
        region=region,
        name=f"{service.cluster}/{service.name}",
        severity=Severity(str(detail["severity"])),
        open=bool(incident) and (verdict == "looping" or breaker != "closed"),
        service=service,
        began_at=began_at,
        failed_tasks=_whole(detail.get("failedTasks")),
        dollars_per_day=_amount(detail.get("estimatedDollarsPerDay")),
        **words,
    )


def _alarm(
    envelope: dict[str, object], detail: dict[str, object], account: str, region: str, problems: list[str]
) -> News:
    inner = Fields(detail, path="detail.", problems=problems)
    name = inner.required_text("alarmName")
    state = detail.get("state")
    at = Fields(state, path="detail.state.", problems=problems).time("timestamp") if isinstance(state, dict) else None
    if at is None:
        at = Fields(envelope, path="", problems=problems).time("time")
    if at is None:
        inner.wrong("state.timestamp", "absent")
    configuration = detail.get("configuration")
    meaning = configuration.get("description", "") if isinstance(configuration, dict) else ""
    refuse(problems)
    return News(
        key=f"{account}#{region}#{name}",
        incident="",
        at=at or 0.0,
        number=0,
        account=account,
        region=region,
        name=name,
        transition="alarm",
        severity=Severity.CRITICAL,
        headline="Loopbreaker itself needs help",
        state=f"alarm {clean(name)} rings",
        reason=clean(str(meaning), most=1000) or "the alarm has no description",
        open=False,
    )


def _number_of(id_: str) -> int:
    """The number of the message within its service, which stands in the event's id before its time."""
    parts = id_.rsplit("#", 2)
    return int(parts[1]) if len(parts) == 3 and parts[1].isascii() and parts[1].isdigit() else 0


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _amount(value: object) -> float | None:
    """Only what is a sum of money: JSON of Python may hold infinity."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        return None
    return float(value)
