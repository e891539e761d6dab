"""What every store promises to the stories (`loopbreaker.stories.ports.Incidents`), whatever it is made of."""

from dataclasses import replace

import pytest

from loopbreaker.model import Category, ServiceRef
from loopbreaker.remembering.incident import Incident, Signal
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.remembering.owed import tell
from loopbreaker.remembering.record import Record, Verdict
from loopbreaker.remembering.rung import Rung
from loopbreaker.stories.ports import Incidents
from tests.task_events import CREATED, arn

WEB = ServiceRef(arn("cluster/prod"), "web")
OTHERS = [ServiceRef(arn("cluster/prod"), "api"), ServiceRef(arn("cluster/stage"), "web")]


def looping() -> Record:
    """A record with something in every part that matters."""
    rung = Rung(
        created_at=CREATED - 40.25,
        failed_at=CREATED,
        lifetime=10.5,
        category=Category.APP_CRASH,
        generation=3,
        since=CREATED - 300,
        shortest=9.0,
        longest=11.125,
    )
    incident = Incident(
        signal=Signal.FAST,
        opened_at=CREATED + 2,
        first_failure_at=CREATED - 300,
        last_failure_at=CREATED,
        depth=3,
        category=Category.APP_CRASH,
        failed_tasks=3,
        exit_code=0,
    )
    record = Record(service=WEB, fast=(rung,), slow=(rung,), impaired=(CREATED,), incident=incident)
    record = replace(record, verdict=Verdict.LOOPING, due_at=CREATED + 600, asked_at=CREATED, touched_at=CREATED)
    return tell(record, NoticeKind.LOOPING, at=CREATED + 2, reason="replacements failed 3 times in a row")


class StoreContract:
    """Inherit, and give a fixture `store` that makes an empty one."""

    @pytest.fixture
    def store(self) -> Incidents:
        raise NotImplementedError

    def test_an_unknown_service_has_a_new_record(self, store: Incidents) -> None:
        """Nobody has to create a record before folding into it."""
        assert store.load(WEB) == Record(service=WEB)

    def test_a_record_is_loaded_as_it_was_saved(self, store: Incidents) -> None:
        """Every field survives; only the version has been counted up."""
        assert store.save(looping())
        assert store.load(WEB) == replace(looping(), version=1)

    def test_a_loaded_record_can_be_saved_again(self, store: Incidents) -> None:
        """Load, change, save goes on for ever."""
        for version in range(1, 4):
            assert store.save(replace(store.load(WEB), touched_at=float(version)))
            assert store.load(WEB) == Record(service=WEB, version=version, touched_at=float(version))

    @pytest.mark.parametrize("saved_before", [0, 1])
    def test_of_two_that_loaded_the_same_record_one_can_save(self, store: Incidents, saved_before: int) -> None:
        """The second is told, and what the first saved stays."""
        for _ in range(saved_before):
            store.save(store.load(WEB))
        loaded = store.load(WEB)
        assert store.save(replace(loaded, touched_at=1.0))
        assert not store.save(replace(loaded, touched_at=2.0))
        assert store.load(WEB).touched_at == 1.0

    def test_a_record_that_is_gone_is_not_saved_over(self, store: Incidents) -> None:
        """Who loaded what has been deleted since must fold again."""
        assert not store.save(Record(service=WEB, version=3))
        assert store.load(WEB) == Record(service=WEB)

    def test_services_of_one_name_are_two(self, store: Incidents) -> None:
        """A service is its cluster and its name."""
        store.save(looping())
        for other in OTHERS:
            assert store.load(other) == Record(service=other)

    def test_a_closed_incident_is_kept_beside_the_record(self, store: Incidents) -> None:
        """Archiving, once or twice, does not change the record."""
        store.save(looping())
        incident = looping().incident
        assert incident
        for _ in range(2):
            store.archive(WEB, incident, closed_at=CREATED + 900, reason="it is over")
        assert store.load(WEB).incident == incident

    def test_services_that_began_together_are_gathered(self, store: Incidents) -> None:
        """Within the window around a time, the newest included; whoever began long before is not."""
        api, stage = OTHERS
        assert store.gather(WEB, at=CREATED, window=600) == (WEB,)
        assert set(store.gather(api, at=CREATED + 600, window=600)) == {WEB, api}
        assert set(store.gather(stage, at=CREATED + 601, window=600)) == {api, stage}
        assert set(store.began(at=CREATED + 300, window=600)) == {WEB, api, stage}
        assert store.began(at=CREATED + 7200, window=600) == ()

    def test_a_service_that_begins_is_gathered_once(self, store: Incidents) -> None:
        """However often it was noted; a loop that begins later is another."""
        store.gather(WEB, at=CREATED, window=600)
        store.gather(WEB, at=CREATED + 60, window=600)
        assert store.began(at=CREATED, window=30) == (WEB,)
        store.gather(WEB, at=CREATED + 1000, window=600)
        assert store.began(at=CREATED + 1000, window=30) == (WEB,)

    def test_of_a_great_many_that_began_the_newest_are_known(
        self, store: Incidents, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Enough of them to know that the cause is shared, and what is read does not grow; who asks counts them all."""
        for module in ("loopbreaker.aws.store", "loopctl.memory"):
            monkeypatch.setattr(f"{module}.MOST_BEGINNINGS", 5)
        many = [ServiceRef(arn("cluster/prod"), f"s{number:03}") for number in range(12)]
        for number, service in enumerate([*many, many[3]]):
            store.gather(service, at=CREATED + number / 10, window=600)
        found = store.began(at=CREATED, window=600)
        assert 4 <= len(found) <= 5
        assert set(found) <= {*many[-5:], many[3]}
        assert store.number_began(at=CREATED, window=600) == 12
        assert store.number_began(at=CREATED + 7200, window=600) == 0

    def test_a_summary_knows_whom_it_stands_for(self, store: Incidents) -> None:
        """Each once, so many as are asked for, until it leaves; who left, or never was in it, may leave again."""
        api, stage = OTHERS
        for service in (WEB, api, stage, WEB):
            store.enter_summary(service, at=CREATED)
        assert set(store.in_summary(most=9)) == {WEB, api, stage}
        assert len(store.in_summary(most=2)) == 2
        for _ in range(2):
            store.leave_summary(api)
        assert set(store.in_summary(most=9)) == {WEB, stage}
        assert store.began(at=CREATED, window=600) == (), "it says nothing of who began when"

    def test_the_end_is_announced_once(self, store: Incidents) -> None:
        """By one record, which may try again; not where nobody told of a beginning; and anew after another one."""
        api, _ = OTHERS
        assert not store.announce_end(WEB, at=CREATED)
        store.announce(api, 6, at=CREATED, window=600)
        assert store.announce_end(WEB, at=CREATED + 60)
        assert not store.announce_end(api, at=CREATED + 61)
        assert store.announce_end(WEB, at=CREATED + 62), "it could not save what it was to tell"
        assert store.announce(api, 6, at=CREATED + 90, window=600)
        assert store.announce_end(api, at=CREATED + 120)

    def test_so_many_are_announced_once(self, store: Incidents) -> None:
        """Of all who saw as many, one tells; more are told again, and the same number when it comes about anew."""
        api, stage = OTHERS
        assert store.announce(WEB, 6, at=CREATED, window=600)
        assert not store.announce(api, 6, at=CREATED + 1, window=600)
        assert store.announce(WEB, 6, at=CREATED + 1, window=600), "it could not save what it was to tell"
        assert store.announce(api, 12, at=CREATED + 2, window=600)
        assert not store.announce(stage, 6, at=CREATED + 3, window=600)
        assert not store.announce(api, 6, at=CREATED + 3, window=600)
        assert store.announce(stage, 6, at=CREATED + 602, window=600)
