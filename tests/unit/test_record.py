"""The record: which messages a step owes, and how long it is kept."""

from dataclasses import replace

from loopbreaker.remembering.incident import Incident
from loopbreaker.remembering.notice import Notice, NoticeKind
from loopbreaker.remembering.owed import owed, tell, tell_once, untell
from loopbreaker.remembering.record import Record, Verdict, keep_until
from loopbreaker.remembering.trip import Scaling
from tests.builders import SERVICE, T0, incident, looping

DAY = 86_400


def told(record: Record, count: int) -> Record:
    for number in range(count):
        record = tell(record, NoticeKind.LOOPING, at=T0 + number, reason=f"reason {number}")
    return record


def of(record: Record) -> Incident:
    assert record.incident is not None
    return record.incident


def test_a_new_record_owes_what_it_tells() -> None:
    """The first version of a record owes all of its messages, in order."""
    assert [notice.number for notice in owed(None, told(Record(service=SERVICE), 2))] == [1, 2]
    assert owed(None, Record(service=SERVICE)) == ()


def test_a_step_owes_what_it_adds() -> None:
    """A message is owed by the one step that brings it, and never again."""
    before = told(Record(service=SERVICE), 3)
    after = told(before, 1)
    assert [notice.reason for notice in owed(before, after)] == ["reason 0"]
    assert [notice.number for notice in owed(before, after)] == [4]
    assert owed(after, after) == ()
    assert owed(after, replace(after, touched_at=T0)) == ()
    assert owed(Record(service=SERVICE), after) == after.notices


def test_a_message_names_the_save_that_brings_it() -> None:
    """The version after the one that was loaded, by which the table knows that it is new."""
    for version in (0, 7):
        record = tell(Record(service=SERVICE, version=version), NoticeKind.MASS, at=T0, reason="x", services=6)
        assert record.notices == (Notice(1, NoticeKind.MASS, T0, "x", version=version + 1, services=6),)


def test_what_was_not_sent_yet_is_taken_back() -> None:
    """From the record, and from what the incident remembers: of an incident, and of none."""
    first = tell(looping(), NoticeKind.LOOPING, at=T0, reason="a")
    both = tell(first, NoticeKind.MASS, at=T0, reason="b")
    left = untell(both, both.notices[:1])
    assert ([notice.reason for notice in left.notices], [told.reason for told in of(left).messages]) == (["b"], ["b"])
    assert untell(told(Record(service=SERVICE), 1), told(Record(service=SERVICE), 1).notices) == Record(service=SERVICE)


def test_few_messages_are_kept_and_all_are_numbered() -> None:
    """The last four messages stay in the record; their numbers go on."""
    assert [notice.number for notice in told(Record(service=SERVICE), 9).notices] == [6, 7, 8, 9]


def test_an_incident_remembers_what_was_told_of_it() -> None:
    """The first six messages and the last six, however many there are, with their times and the gist of each reason."""
    record = told(looping(), 40)
    assert record.incident
    assert [message.at - T0 for message in record.incident.messages] == [*range(6), *range(34, 40)]
    longest = tell(looping(), NoticeKind.MASS, at=T0, reason="x" * 5000)
    assert longest.incident
    assert len(longest.incident.messages[0].reason) == 120
    assert longest.notices[-1].reason == "x" * 5000


def test_silence_is_kept() -> None:
    """While the owner of a service asks for silence nothing is owed."""
    silent = looping(silent=True)
    assert tell(silent, NoticeKind.LOOPING, at=T0, reason="a") is silent
    assert tell_once(silent, NoticeKind.NOT_STOPPED, code="a", at=T0, reason="a") is silent


def test_each_reason_is_told_once_in_an_incident() -> None:
    """A second time changes nothing; another reason is another message; without an incident there is nobody to tell."""
    once = tell_once(looping(), NoticeKind.NOT_STOPPED, code="survivor", at=T0, reason="1 task still serves")
    assert once.incident is not None
    assert (len(once.notices), once.incident.told) == (1, ("survivor",))
    assert tell_once(once, NoticeKind.NOT_STOPPED, code="survivor", at=T0 + 9, reason="2 tasks still serve") is once
    twice = tell_once(once, NoticeKind.NOT_STOPPED, code="deploying", at=T0 + 9, reason="a deployment is in progress")
    assert [notice.number for notice in twice.notices] == [1, 2]
    calm = Record(service=SERVICE)
    assert tell_once(calm, NoticeKind.NOT_STOPPED, code="a", at=T0, reason="a") is calm


def test_a_record_is_kept_while_it_has_something_to_say() -> None:
    """A day after its last change where all is well, and more than a year while a loop lasts."""
    healthy = Record(service=SERVICE, touched_at=T0)
    assert keep_until(healthy) == T0 + DAY
    assert keep_until(replace(healthy, verdict=Verdict.LOOPING)) == T0 + 400 * DAY


def test_an_incident_is_named_by_its_opening() -> None:
    """The name is the second in which it was opened, and does not change while it lasts."""
    assert incident(opened_at=T0 + 0.4).id == "1767225600"
    assert incident(opened_at=T0 + 0.4, depth=9).id == "1767225600"


def test_scaling_by_load_is_suspended_when_both_flags_say_so() -> None:
    """One of them that goes on is enough to move the count; its schedule may go on."""
    flags = {"dynamic_in_suspended": True, "dynamic_out_suspended": True}
    for scheduled in (True, False):
        assert Scaling(minimum=1, **flags, scheduled_suspended=scheduled).suspended
        for name in flags:
            assert not Scaling(minimum=1, **(flags | {name: False}), scheduled_suspended=scheduled).suspended
