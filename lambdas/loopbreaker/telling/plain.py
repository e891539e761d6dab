"""Times, spans, counts and money in plain words. Pure."""

from datetime import UTC, datetime


def time_of(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%d %H:%M UTC")


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).isoformat().replace("+00:00", "Z")


def span(seconds: float) -> str:
    """`40 seconds`, `12 minutes`, `6 h 20 min`, `3 days 4 h`: two units at most."""
    if seconds < 90:
        return count(max(0, round(seconds)), "second")
    minutes = round(seconds / 60)
    if minutes < 120:
        return count(minutes, "minute")
    if minutes < 48 * 60:
        return _two(*divmod(minutes, 60), "h", "min")
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} days" + (f" {hours} h" if hours else "")


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def dollars(amount: float) -> str:
    """Two figures that mean something: `$0.045`, `$1.20`, `$34`."""
    if amount >= 10:
        return f"${amount:,.0f}"
    if amount >= 0.1:
        return f"${amount:.2f}"
    return f"${amount:.2g}"


def listed(names: tuple[str, ...], *, most: int = 6) -> str:
    """`a, b and c`; of a long list the first ones, and how many more there are."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "none"


def _two(large: int, small: int, unit: str, smaller: str) -> str:
    return f"{large} {unit}" + (f" {small} {smaller}" if small else "")
