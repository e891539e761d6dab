"""What `notify` does with one change of a record: publish the messages that it owes."""

from loopbreaker.record import Notice, Record, owed
from loopbreaker.stories.ports import Outlet
from loopbreaker.telling.messages import compose


def notify(before: Record | None, after: Record, *, outlet: Outlet) -> tuple[Notice, ...]:
    """Publish what the step from one version of a record to the next owes, in order; what was published."""
    notices = owed(before, after)
    for notice in notices:
        outlet.publish(compose(before, after, notice))
    return notices
