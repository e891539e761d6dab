"""What the hub writes of news: the same words as the account's own message, and whose it is. Pure."""

from dataclasses import dataclass

from loopbreaker.drill import WHAT_IT_IS, is_drill
from loopbreaker.hub.news import News
from loopbreaker.telling import mail
from loopbreaker.telling.commands import console_url
from loopbreaker.telling.letter import Block, Letter, clean
from loopbreaker.telling.plain import count, dollars, time_of


@dataclass(frozen=True, slots=True)
class HubMail:
    """One message of the hub. `attributes` are for the filter policies of subscriptions."""

    subject: str
    text: str
    attributes: dict[str, str]


def write(news: News) -> HubMail:
    place = f"{news.account} {news.region}"
    where = f" in {news.service.cluster}" if news.service else ""
    return HubMail(
        subject=mail.subject(f"[Loopbreaker] {place}: {news.headline}{where}"),
        text=mail.render(_letter(news)),
        attributes={
            "account": news.account,
            "region": clean(news.region),
            "transition": clean(news.transition) or "none",
            "severity": news.severity.value,
        },
    )


def _letter(news: News) -> Letter:
    rows = [("Now", news.state), ("Account", f"{news.account}, {news.region}"), ("At", time_of(news.at))]
    rows.append(("Service" if news.service else "Alarm", clean(news.name)))
    if news.began_at is not None:
        rows.append(("Since", time_of(news.began_at)))
    if news.failed_tasks:
        rows.append(("Failed", count(news.failed_tasks, "task")))
    if news.category:
        rows.append(("Cause", f"{news.category}{f': {news.evidence}' if news.evidence else ''}"))
    if news.dollars_per_day:
        rows.append(("Cost", f"about {dollars(news.dollars_per_day)} a day"))
    blocks, links = [], []
    if news.service and is_drill(news.service):
        blocks.append(Block("Drill", f"{WHAT_IT_IS}."))
    elif news.service:
        show = f"loopctl show {clean(news.name)} --region {clean(news.region)}"
        blocks.append(Block("More", "With credentials of that account:", commands=(show,)))
        links.append(("Console", console_url(news.service)))
    return Letter(news.headline, news.reason or "not said", news.severity, tuple(rows), tuple(blocks), tuple(links))
