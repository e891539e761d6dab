"""Two months of a dozen services: nothing grows, nothing waits for ever, and what is open is true."""

from dataclasses import replace

import pytest

from benchmarks.year.living import Year
from benchmarks.year.world import BEGIN, DAY, HOUR, Kind, services
from tests.builders import looping


@pytest.fixture(scope="module")
def lived() -> Year:
    year = Year(services(12, days=60))
    year.live()
    return year


def test_nothing_is_stuck_and_what_is_open_is_true(lived: Year) -> None:
    """Each day every record was held against the world, and nothing was wrong."""
    kinds = {phase.kind for service in lived.services for phase in service.phases}
    assert kinds >= {Kind.WELL, Kind.FLAKY, Kind.LOOP}
    assert lived.failures > 500
    assert lived.complaints == []


def test_nothing_grows(lived: Year) -> None:
    """The largest record that ever was is small, and no more records are kept than there are services."""
    assert lived.largest <= 2048
    assert len([*lived.store.records()]) <= 12
    assert lived.store.saves < 3 * lived.failures


def test_who_is_down_with_all_others_is_told_in_one_message(lived: Year) -> None:
    """On the twentieth day all are: summaries of the beginning, and one of the end."""
    assert lived.store.messages["mass"] >= 1
    assert lived.store.messages["mass-over"] == 1


def test_the_inspection_finds_what_is_wrong(lived: Year) -> None:
    """A record that nobody will look at, one that was asked for in vain, and an incident that is long over."""
    year = Year(lived.services, now=lived.now)
    record = next(record for record in lived.store.records() if not record.incident)
    service = next(one for one in lived.services if one.ref == record.service)
    since = max([BEGIN, *(phase.end for phase in service.phases if phase.kind is Kind.LOOP and phase.end < year.now)])
    opened = looping().incident
    assert opened
    over = replace(opened, last_failure_at=since, longest_gap=60.0)
    year.now = since + 3 * DAY
    for wrong, said in (
        (replace(record, due_at=year.now - DAY), "was due 1440 minutes ago"),
        (replace(record, asked_at=year.now), "was asked for and not looked at"),
        (replace(record, incident=over, due_at=year.now + 60), "no task has failed in a loop for days"),
        (replace(record, incident=over, due_at=None), "will never be looked at"),
    ):
        year.complaints.clear()
        year.store._records[record.service] = replace(wrong, touched_at=year.now)
        year._inspect()
        assert any(said in complaint for complaint in year.complaints)


def test_a_loop_that_nobody_found_is_a_complaint() -> None:
    """Also where no record knows of it."""
    service, phase = next(
        (service, phase)
        for service in services(60, days=60)
        for phase in service.phases
        if phase.kind is Kind.LOOP and phase.every < HOUR / 6 and phase.end > phase.begin + 3 * HOUR
    )
    year = Year((service,), now=phase.begin + 2.5 * HOUR)
    year._inspect()
    assert len(year.complaints) == 1
    assert "has looped for hours without an incident" in year.complaints[0]
