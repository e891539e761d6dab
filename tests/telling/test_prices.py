"""What a loop costs is measured, never made up from a moment."""

import pytest

from loopbreaker.model import Category
from loopbreaker.remembering.notice import NoticeKind
from loopbreaker.telling.contents import Background
from loopbreaker.telling.diagnosis import Diagnosis
from loopbreaker.telling.prices import burn
from tests.builders import T0, looping
from tests.telling.told import CASES, NAMES, of, told


@pytest.mark.parametrize(("restarts", "minutes"), [(3, 2), (500, 9.9), (2, 60), (0, 600), (1, 600)])
def test_a_moment_is_no_rate(restarts: int, minutes: float) -> None:
    """Neither minutes nor two failures say how many there are in an hour, and no message says so."""
    last = T0 + 10 + minutes * 60
    message = told(looping(failed_tasks=restarts, last_failure_at=last), NoticeKind.LOOPING)
    assert "an hour" not in message.text
    assert "a day" not in message.text
    assert "restartsPerHour" not in message.detail


def test_the_rate_is_what_an_hour_had() -> None:
    """A failure each minute for six hours is 60 an hour, 361 in all."""
    message = told(looping(failed_tasks=361, last_failure_at=T0 + 10 + 6 * 3600), NoticeKind.STILL_LOOPING)
    assert "361 tasks, about 60 an hour" in message.text
    assert message.detail["restartsPerHour"] == 60


def test_the_parts_add_up() -> None:
    """What stands in the list adds up to what is said of the whole: 100 restarts of 1 GB through NAT and Config."""
    found = burn(restarts=100, seconds=3600, category=Category.APP_CRASH)
    assert found.total == pytest.approx(100 * (0.045 + 4 * 0.003))
    assert found.per_day == pytest.approx(99 * 24 * (0.045 + 4 * 0.003))
    on_fargate = burn(restarts=100, seconds=3600, category=Category.APP_CRASH, vcpu=1, gib=2, fargate=True)
    # AWS Fargate, us-east-1: $0.04048 a vCPU hour and $0.004445 a GB hour, for one minute.
    assert on_fargate.total - found.total == pytest.approx(100 * (0.04048 + 2 * 0.004445) / 60)


def test_who_pulls_no_image_pays_for_none() -> None:
    """A task that ends before its pull passes nothing through a NAT gateway; one that is not placed costs nothing."""
    assert burn(restarts=9, seconds=3600, category=Category.IMAGE_PULL).total == pytest.approx(9 * 4 * 0.003)
    assert burn(restarts=9, seconds=3600, category=Category.PLACEMENT).parts == ()


def test_prices_carry_their_date() -> None:
    """Who reads of money reads from where and when."""
    words = " ".join(of(CASES[NAMES.index("still-looping")]).text.split())
    assert "at list prices of us-east-1 in 2026-11" in words
    assert "612 restarts in 6 h: up to about $35, $140 a day" in words


def test_a_service_at_zero_costs_nothing_a_day() -> None:
    """What is held restarts nothing: the past is told, no day to come."""
    words = " ".join(of(CASES[NAMES.index("still-held")]).text.split())
    assert "58 restarts in 32 minutes: up to about $3.32." in words
    assert "a day" not in words


def test_the_size_of_a_task_counts_where_it_is_known() -> None:
    """Without a diagnosis Fargate is left out; nothing is assumed of it."""
    loop = looping(failed_tasks=361, last_failure_at=T0 + 10 + 6 * 3600)
    known = Background(diagnosis=Diagnosis(vcpu=1, memory_mib=2048, fargate=True))
    assert "Fargate" not in told(loop, NoticeKind.STILL_LOOPING).text
    assert "a minute of Fargate with 1 vCPU and 2 GB" in told(loop, NoticeKind.STILL_LOOPING, background=known).text
