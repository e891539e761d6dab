"""What the hub does with the news of an account: tell people once, in order, and keep how things stand."""

from enum import StrEnum
from typing import Protocol

from loopbreaker.hub.news import News


class Gathered(StrEnum):
    """What became of the news."""

    TOLD = "told"
    OLD = "old"


class Ledger(Protocol):
    """The newest news of each incident."""

    def newest(self, news: News) -> tuple[float, int] | None:
        """The order of the newest news of the same incident, read consistently; None where there is none."""

    def keep(self, news: News) -> None:
        """Write it, unless what is there is as new: whoever is late changes nothing."""


class People(Protocol):
    """Those who read the hub's messages."""

    def tell(self, news: News) -> None:
        """Raises where it could not be sent."""


def gather(news: News, *, ledger: Ledger, people: People) -> Gathered:
    """News that came before, or that newer news have overtaken, change nothing and are not told.

    Told first, kept then: a crash in between repeats a message, and loses none.
    """
    known = ledger.newest(news)
    if known is not None and news.order <= known:
        return Gathered.OLD
    people.tell(news)
    ledger.keep(news)
    return Gathered.TOLD
