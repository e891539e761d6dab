"""What was found out about an incident, in the table: an item of its own beside the service's record."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from loopbreaker.aws.codec import CodecError, decode, encode, pack, unpack
from loopbreaker.aws.store import ClosedIncident
from loopbreaker.model import ServiceRef
from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.record import Record
from loopbreaker.stories.ports import UnreadableError
from loopbreaker.telling.diagnosis import NOTHING, Diagnosis

_KEEP = 90 * 86_400


class Records(Protocol):
    """The records of services, and which of them began to loop at about one time."""

    def load(self, service: ServiceRef) -> Record: ...

    def began(self, *, at: float, window: float) -> tuple[ServiceRef, ...]: ...

    def incidents(self, service: ServiceRef) -> Iterator[ClosedIncident]: ...


class Findings:
    """DIAGNOSIS#<incident>: 90 days, because ECS forgets a stopped task after about an hour.

    hurry: whether there is no time left to look anything up; what was not read by then is left out.
    """

    def __init__(self, client: Any, name: str, records: Records, *, hurry: Callable[[], bool] = lambda: False) -> None:
        self._client, self._name, self._records, self._hurry = client, name, records, hurry

    def at_once(self, *, at: float, window: float, most: int) -> list[Record]:
        """The records of services that began to loop at about one time, without those that cannot be read."""
        found: list[Record] = []
        # What was read stands; the message names no more.
        with suppress(ClientError, BotoCoreError):
            for service in self._records.began(at=at, window=window)[:most]:
                if self._hurry():
                    break
                with suppress(UnreadableError):
                    found.append(self._records.load(service))
        return found

    def earlier(self, service: ServiceRef, incident: Incident) -> tuple[Incident, ...]:
        """The same incident as it was before it came again, the oldest first; without what cannot be read."""
        found: list[Incident] = []
        with suppress(ClientError, BotoCoreError, UnreadableError):
            for closed in self._records.incidents(service):
                if closed.incident.id != incident.id:
                    break
                if closed.incident.found_at < incident.found_at:
                    found.append(closed.incident)
        return tuple(reversed(found))

    def keep(self, service: ServiceRef, incident: Incident, diagnosis: Diagnosis) -> None:
        """Keep it; a second one of the same incident replaces the first."""
        item = {
            **_key(service, incident),
            "body": {"B": pack(encode(diagnosis))},
            "expires_at": {"N": str(int(incident.found_at + _KEEP))},
        }
        self._client.put_item(TableName=self._name, Item=item)

    def find(self, service: ServiceRef, incident: Incident) -> Diagnosis:
        """What is known of it; where that cannot be read, a diagnosis that says so: the message goes all the same."""
        if self._hurry():
            return _unread("no time was left")
        try:
            answer = self._client.get_item(TableName=self._name, Key=_key(service, incident), ConsistentRead=True)
            item = answer.get("Item")
            return decode(Diagnosis, unpack(item["body"]["B"])) if item else NOTHING
        except ClientError as error:
            return _unread(f"{error.operation_name}: {error.response['Error']['Code']}")
        except (BotoCoreError, CodecError, KeyError, TypeError) as error:
            return _unread(type(error).__name__)


def _unread(why: str) -> Diagnosis:
    return Diagnosis(left_out=(f"the diagnosis could not be read: {why}",))


def _key(service: ServiceRef, incident: Incident) -> dict[str, Any]:
    return {"pk": {"S": service.key}, "sk": {"S": f"DIAGNOSIS#{incident.id}"}}
