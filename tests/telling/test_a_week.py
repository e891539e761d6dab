"""Ten thousand failures of one service, through the rules, the words and the chat: what a person sees of them."""

from collections import Counter
from random import Random

from benchmarks.cost.events import stopped
from loopbreaker.policy import Mode, Policy
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import owed
from loopbreaker.seeing.events import parse
from loopbreaker.stories.detect import detect, observation
from loopbreaker.stories.post import post
from loopbreaker.stories.rehearsal import OnlyReads
from loopbreaker.stories.respond import Tools, respond
from loopbreaker.telling.messages import compose
from loopbreaker.telling.parcel import pack, unpack
from loopbreaker.treating.facts import Facts
from loopbreaker.treating.look import ask
from loopbreaker.treating.scope import Scope
from loopctl.memory import MemoryStore
from tests.telling.test_slack import CHANNEL, Notes, World

BEGAN = 1_767_225_600.0
FAILURES, EVERY = 10_080, 60.0


class Week:
    """One service in a stack that only tells: its record, a clock, and a channel."""

    def __init__(self) -> None:
        self.now = BEGAN
        self.store = MemoryStore()
        self.chat, self.notes = World(), Notes()
        self.told: list[NoticeKind] = []
        self.tools = Tools(
            store=self.store,
            # ECS goes on starting the one task that the service wants, and none of them lives.
            ecs=OnlyReads(lambda _: Facts(exists=True, desired_count=1), "not asked to"),
            mode=Mode.ALERT,
            scope=Scope(),
            policy=Policy(),
            clock=lambda: self.now,
        )

    def fail(self, at: float, random: Random) -> None:
        """A task fails, and whatever is due by then is done, as the clock of each minute would."""
        self.now = at
        seen = observation(parse(stopped("web", at=at, random=random, ran=20, started=10)))
        assert seen is not None
        before = self.store.load(seen.service)
        detect([seen], store=self.store, policy=Policy(), now=at)
        record = self.store.load(seen.service)
        if record.asked_at is None and record.due_at is not None and record.due_at <= at:
            self.store.save(ask(record, now=at))
        if self.store.load(seen.service).asked_at is not None:
            respond(seen.service, self.tools)
        after = self.store.load(seen.service)
        for notice in owed(before, after):
            self.told.append(notice.kind)
            post(unpack(pack(compose(before, after, notice))), CHANNEL, chat=self.chat, memory=self.notes)


def test_ten_thousand_failures_of_a_week_are_one_message_and_nine_replies() -> None:
    """Found once, then after 1 hour, 4, 24 and each day: one message in the channel, and at most ten replies."""
    week, random = Week(), Random(1)
    for number in range(FAILURES):
        week.fail(BEGAN + number * EVERY, random)
    assert Counter(week.told) == {NoticeKind.LOOPING: 1, NoticeKind.STILL_LOOPING: 8}
    assert len(week.chat.parents) == 1
    assert len(week.chat.replies) <= 10
    (shown,) = week.chat.parents.values()
    assert "still loops" in shown
    (record,) = week.store.records()
    assert record.incident is not None
    assert FAILURES - 10 <= record.incident.failed_tasks <= FAILURES
