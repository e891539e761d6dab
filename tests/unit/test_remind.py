"""Reminders: rare, told once each, and none where somebody knows or wants silence."""

from dataclasses import replace

import pytest

from loopbreaker.policy import Mode
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell, tell_once
from loopbreaker.remembering.record import Record
from loopbreaker.remembering.trip import Step
from loopbreaker.stories.acknowledge import acknowledge
from loopbreaker.treating.case import Case, Limits
from loopbreaker.treating.look import consider, share
from loopbreaker.treating.remind import IN_SUMMARY, in_summary, out_of_summary, remind
from loopctl.memory import MemoryStore
from tests.builders import POLICY, SERVICE, T0, facts, looping, trip

FOUND = T0 + 90
HOUR, DAY = 3600.0, 86_400.0


def told(record: Record) -> list[NoticeKind]:
    return [notice.kind for notice in record.notices]


def failing(record: Record, now: float) -> Record:
    """The record of a service of which a task has just failed."""
    assert record.incident is not None
    return replace(record, incident=replace(record.incident, last_failure_at=now))


def watched(record: Record, *, until: float, every: float) -> list[float]:
    """Hours after the loop was found at which somebody was reminded, of a service that is looked at now and then."""
    found, now = [], FOUND
    while now <= FOUND + until:
        record = failing(record, now)
        after = remind(record, now=now)
        if len(after.notices) > len(record.notices) or after.notices[-1:] != record.notices[-1:]:
            found.append(round((now - FOUND) / HOUR, 1))
        record, now = after, now + every
    return found


def test_a_loop_of_a_week_is_reminded_of_nine_times() -> None:
    """After 1 hour, 4, 24, and then once a day, however often it is looked at."""
    expected = [1, 4, 24, 48, 72, 96, 120, 144, 168]
    assert watched(looping(), until=7 * DAY, every=600) == pytest.approx(expected, abs=0.2)
    assert watched(looping(), until=5 * HOUR, every=20) == pytest.approx(expected[:2], abs=0.1)


def test_reminders_that_were_missed_are_one() -> None:
    """Nobody looked for three days: one reminder, and the next a day later."""
    record = remind(failing(looping(), FOUND + 3 * DAY), now=FOUND + 3 * DAY)
    assert told(record) == [NoticeKind.STILL_LOOPING]
    assert remind(record, now=FOUND + 3.9 * DAY) is record
    later = remind(failing(record, FOUND + 4 * DAY), now=FOUND + 4 * DAY)
    assert told(later) == [NoticeKind.STILL_LOOPING] * 2


def test_a_reminder_says_for_how_long() -> None:
    """Hours at first, days later."""
    ages = (HOUR, 5 * HOUR, 2 * DAY - 1, 2 * DAY, 3 * DAY)
    loops = [(failing(looping(), FOUND + age), FOUND + age) for age in ages]
    said = [remind(record, now=now).notices[-1].reason for record, now in loops]
    assert said == [
        "it was found 1 hour ago and is not over",
        "it was found 5 hours ago and is not over",
        "it was found 47 hours ago and is not over",
        "it was found 2 days ago and is not over",
        "it was found 3 days ago and is not over",
    ]


def test_nobody_is_reminded_of_what_is_known_or_silent() -> None:
    """Acknowledged, muted, or one of many with a summary: none; and none is made up for later."""
    known = looping(acknowledged=True)
    in_summary = looping(told=(IN_SUMMARY,))
    assert watched(known, until=3 * DAY, every=600) == []
    assert watched(in_summary, until=3 * DAY, every=600) == []
    assert watched(looping(silent=True), until=3 * DAY, every=600) == []
    muted = remind(failing(looping(silent=True), FOUND + 5 * HOUR), now=FOUND + 5 * HOUR)
    assert muted.incident is not None
    heard = replace(muted, incident=replace(muted.incident, silent=False))
    assert remind(heard, now=FOUND + 6 * HOUR) is heard


def test_what_is_quiet_is_not_said_to_loop_on() -> None:
    """No task has failed for an hour: it may be over, and if it is not, the reminder comes with the next failure."""
    quiet = looping(last_failure_at=FOUND)
    assert remind(quiet, now=FOUND + HOUR) is quiet
    assert told(remind(failing(quiet, FOUND + 2 * HOUR), now=FOUND + 2 * HOUR)) == [NoticeKind.STILL_LOOPING]


@pytest.mark.parametrize(
    ("gap", "quiet", "reminded"),
    [(30, 1800, True), (30, 1801, False), (1000, 2000, True), (1000, 2001, False)],
)
def test_how_long_it_may_be_quiet(gap: float, quiet: float, reminded: bool) -> None:
    """Half an hour, or twice the longest pause between two failures."""
    now = FOUND + 3 * HOUR
    record = looping(longest_gap=gap, last_failure_at=now - quiet)
    assert (told(remind(record, now=now)) == [NoticeKind.STILL_LOOPING]) is reminded


def test_a_service_that_is_held_is_quiet_by_us() -> None:
    """Of it people are reminded all the same; but not beside the daily message that it cannot be brought back."""
    now = FOUND + 3 * HOUR
    held = looping(last_failure_at=FOUND, trip=trip())
    assert told(remind(held, now=now)) == [NoticeKind.STILL_LOOPING]
    down = remind(replace(held, trip=trip(down="AccessDenied")), now=now)
    assert told(down) == []
    assert remind(replace(down, trip=trip()), now=now + 60) == replace(down, trip=trip()), "none is made up for later"


def test_who_was_told_three_times_today_is_not_reminded() -> None:
    """That it loops, is over, and loops again are messages of the same day."""
    now = FOUND + HOUR
    for before, reminded in ((2, True), (3, False)):
        record = failing(looping(told_before=(FOUND - HOUR,) * before), now)
        assert (told(remind(record, now=now)) == [NoticeKind.STILL_LOOPING]) is reminded


def test_a_loop_that_leaves_its_summary_is_told_of_by_itself() -> None:
    """For how long it has lasted; what else people were told of it stays known."""
    alone = out_of_summary(looping(told=("mass", IN_SUMMARY, "serving")), now=FOUND + 2 * HOUR)
    assert alone.incident is not None
    assert alone.incident.told == ("mass", "serving")
    assert alone.notices[-1].reason == "it was found 2 hours ago and is not over"


def test_what_somebody_seems_to_have_changed_is_not_reminded_of() -> None:
    """Until a second look agrees it is not known how the service stands; the reminder comes after that."""
    odd = looping(trip=replace(trip(), step=Step.PROBING, odd_at=FOUND + HOUR))
    assert remind(failing(odd, FOUND + HOUR), now=FOUND + HOUR + 5).notices == ()
    sure = looping(trip=replace(trip(), step=Step.PROBING))
    assert told(remind(failing(sure, FOUND + HOUR), now=FOUND + HOUR + 5)) == [NoticeKind.STILL_LOOPING]


def test_without_a_loop_there_is_no_reminder() -> None:
    """Whatever is remembered of the service besides."""
    assert remind(Record(service=SERVICE), now=FOUND + DAY) == Record(service=SERVICE)


def look(record: Record, *, at: float, tags: dict[str, str] | None = None) -> Record:
    seen = facts(action=None, tags=tags or {})
    return consider(Case(record, seen, Limits(mode=Mode.ALERT), POLICY, at)).record


def test_a_look_reminds() -> None:
    """Of a service that loops on; a tag that mutes it is heeded."""
    on = looping(last_failure_at=FOUND + HOUR, history_until=0.0)
    assert NoticeKind.STILL_LOOPING in told(look(on, at=FOUND + HOUR + 5))
    muted = {"loopbreaker:mute-until": "2036-01-01"}
    assert NoticeKind.STILL_LOOPING not in told(look(on, at=FOUND + HOUR + 5, tags=muted))


def test_a_look_notes_where_the_owner_reads() -> None:
    """The tag `loopbreaker:channel`, as it is now."""
    tagged = look(looping(last_failure_at=FOUND), at=FOUND + 5, tags={"loopbreaker:channel": "C0123456789"})
    assert tagged.incident is not None
    assert tagged.incident.channel == "C0123456789"
    untagged = look(tagged, at=FOUND + 50)
    assert untagged.incident is not None
    assert untagged.incident.channel == ""


def test_one_of_many_is_marked() -> None:
    """A loop that a summary stands for is known by it."""
    began = tuple(replace(SERVICE, name=f"s{n}") for n in range(POLICY.mass_limit + 1))
    new = tell(looping(), NoticeKind.LOOPING, at=FOUND, reason="why")
    many = share(new, began, len(began), first=True, policy=POLICY, now=FOUND)
    assert many.incident is not None
    assert {"mass", IN_SUMMARY} <= {*many.incident.told}


def test_one_that_was_told_of_by_itself_is_in_no_summary() -> None:
    """That it is not acted on, because many loop, is said once, and no summary is left because of it."""
    told_why = tell_once(looping(), NoticeKind.NOT_STOPPED, code="mass", at=FOUND, reason="many loop")
    assert not in_summary(told_why.incident)


def test_who_knows_says_so_once() -> None:
    """The record is marked; without a loop there is nothing to know."""
    store = MemoryStore()
    assert acknowledge(SERVICE, store=store) is None
    store.save(replace(looping(), version=0))
    known = acknowledge(SERVICE, store=store)
    assert known is not None
    assert known.incident is not None
    assert known.incident.acknowledged
