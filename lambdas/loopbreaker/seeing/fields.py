"""Fields of a JSON object from outside, each read or named in an error."""

from collections.abc import Mapping
from datetime import datetime

_EXIT_CODES = range(-(2**31), 2**32)  # Windows sends NTSTATUS unsigned, some relays turn it signed.
_AHEAD = 900.0
_JSON_NAMES = {"NoneType": "null", "bool": "a boolean", "dict": "an object", "list": "a list", "str": "text"}


class MalformedEventError(ValueError):
    """An event of ours that cannot be read. The message names each bad field by its path."""


class Fields:
    """Reads fields of one JSON object. What is wrong is noted in `problems`, and read as absent."""

    __slots__ = ("_path", "_problems", "_values")

    def __init__(self, values: Mapping[str, object], *, path: str, problems: list[str]) -> None:
        self._values = values
        self._path = path
        self._problems = problems

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if value is None:
            return ""
        if isinstance(value, str) and is_unicode(value):
            return value
        self.wrong(name, f"not text but {json_name(value)}" if not isinstance(value, str) else "not Unicode")
        return ""

    def required_text(self, name: str) -> str:
        if self._values.get(name) in (None, ""):
            self.wrong(name, "absent")
        return self.text(name)

    def arn(self, name: str, *, of: str) -> str:
        """ARN of a cluster or a task; what follows the kind is not looked at, since old task ARNs name no cluster."""
        text = self.required_text(name)
        parts = text.split(":", 5)
        named = parts[-1].startswith(f"{of}/") and not text.endswith("/")
        if text and not (named and len(parts) == 6 and parts[0] == "arn" and is_name(text)):
            self.wrong(name, f"not the ARN of a {of}: {shown(text)}")
        return text

    def time(self, name: str) -> float | None:
        text = self.text(name)
        if not text:
            return None
        seconds = _epoch(text)
        if seconds is None:
            self.wrong(name, f"not an ISO 8601 time: {shown(text)}")
        return seconds

    def exit_code(self, name: str) -> int | None:
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(name, f"not an integer but {json_name(value)}")
            return None
        if value not in _EXIT_CODES:
            self.wrong(name, "more than 32 bits")
            return None
        return value

    def objects(self, name: str) -> list["Fields"]:
        value = self._values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(name, f"not a list but {json_name(value)}")
            return []
        found = []
        for index, item in enumerate(value):
            if isinstance(item, dict):
                found.append(Fields(item, path=f"{self._path}{name}[{index}].", problems=self._problems))
            else:
                self.wrong(f"{name}[{index}]", f"not an object but {json_name(item)}")
        return found

    def wrong(self, name: str, problem: str) -> None:
        self._problems.append(f"{self._path}{name}: {problem}")


def refuse_future(at: float, *, now: float) -> None:
    """Clocks differ by seconds: what claims to happen much later would stand as the newest for ever."""
    if at > now + _AHEAD:
        raise MalformedEventError("dated in the future")


def refuse(problems: list[str]) -> None:
    if problems:
        raise MalformedEventError("; ".join(problems))


def _epoch(text: str) -> float | None:
    """Seconds since 1970 of an ISO 8601 time with a zone; digits beyond microseconds are cut."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    seconds = moment.timestamp()
    return seconds if seconds >= 0 else None


def is_name(text: str) -> bool:
    """Whether it may name a thing of AWS: `#` ends a name in our keys, and a control character breaks out of a line."""
    return "#" not in text and text.isprintable()


def is_unicode(text: str) -> bool:
    """JSON may spell half of a character; nobody can store or send it."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def json_name(value: object) -> str:
    return _JSON_NAMES.get(type(value).__name__, "a number")


def shown(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:79]}…")
