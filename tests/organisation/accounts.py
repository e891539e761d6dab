"""Accounts of an organisation: what each says through the shipped publisher, as EventBridge would deliver it."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from loopbreaker.aws.publisher import Places, Publisher
from loopbreaker.model import ServiceRef
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record, Verdict
from loopbreaker.stories.notify import notify
from tests.builders import T0, incident

Json = dict[str, Any]
BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/loopbreaker-hub"


@dataclass
class Spoke:
    """One account in one Region. `said` are the events that its rule forwards, in order."""

    account: str
    region: str = "eu-west-1"
    said: list[Json] = field(default_factory=list)

    def service(self, name: str) -> ServiceRef:
        return ServiceRef(f"arn:aws:ecs:{self.region}:{self.account}:cluster/prod", name)

    def loops_and_recovers(self, name: str, *, reminders: int = 1) -> None:
        """A service loops, people are reminded, and it is over."""
        before = Record(service=self.service(name))
        kinds = [NoticeKind.LOOPING, *([NoticeKind.STILL_LOOPING] * reminders), NoticeKind.RECOVERED]
        for hours, kind in enumerate(kinds):
            loops = replace(before, verdict=Verdict.LOOPING, incident=before.incident or incident())
            after = tell(loops, kind, at=T0 + 3600 * hours, reason="because it is so")
            if kind is NoticeKind.RECOVERED:
                after = replace(after, verdict=Verdict.HEALTHY, incident=None)
            saved = replace(after, version=before.version + 1)
            notify(before, saved, outlet=Publisher(self._client, Places("arn:aws:sns:eu-west-1:1:own")))
            before = saved

    def _client(self, service: str) -> Any:
        return self

    def put_events(self, *, Entries: list[Json]) -> Json:  # noqa: N803 - the API's name
        self.said += [self.envelope(entry) for entry in Entries]
        return {"FailedEntryCount": 0}

    def publish(self, **_: object) -> None:
        """The account's own topic, which nobody has to read."""

    def envelope(self, entry: Json) -> Json:
        return {
            "version": "0",
            "id": f"{self.account}-{len(self.said)}",
            "detail-type": entry["DetailType"],
            "source": entry["Source"],
            "account": self.account,
            "time": "2026-01-01T00:00:00Z",
            "region": self.region,
            "resources": entry["Resources"],
            "detail": json.loads(entry["Detail"]),
        }
