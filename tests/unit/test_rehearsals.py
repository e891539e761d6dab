"""Stories without AWS: which messages begin an investigation, what is said of its end, and what a drill is shown."""

from dataclasses import dataclass, field

import pytest

from loopbreaker.drill import CLUSTER
from loopbreaker.model import ServiceRef
from loopbreaker.remembering.trip import Scaling
from loopbreaker.stories.investigate import Began, Investigated, finding, investigate
from loopbreaker.stories.rehearsal import OnlyReads, rehearsal
from loopbreaker.telling.parcel import Parcel
from loopbreaker.treating.facts import Facts, Refusal, Unknown
from loopctl.memory import MemoryStore
from tests.builders import SERVICE, looping


@dataclass
class Agency:
    """An agent and its cases: how many were begun, and of which incidents."""

    begun: dict[str, str] = field(default_factory=dict)
    counted: int = 0

    def begin(self, parcel: Parcel) -> str:
        return f"task-{parcel.incident}"

    def known(self, parcel: Parcel) -> bool:
        return parcel.incident in self.begun

    def allow(self, *, most: int) -> bool:
        self.counted += 1
        return self.counted <= most

    def keep(self, parcel: Parcel, task: str) -> None:
        self.begun[parcel.incident] = task

    def of(self, task: str) -> Investigated | None:
        return None


def asked(agency: Agency, incident: str = "1", *, kind: str = "looping", service: ServiceRef = SERVICE) -> Began:
    parcel = Parcel(service, incident, 1, "", {}, "", transition=kind)
    return investigate(parcel, agent=agency, cases=agency, most=2)


def test_each_incident_is_investigated_once_and_so_many_a_day() -> None:
    """What is known is not counted again."""
    agency = Agency()
    assert [asked(agency, one) for one in ("1", "1", "2", "3", "2")] == [
        Began.BEGUN,
        Began.NOT_NEEDED,
        Began.BEGUN,
        Began.ENOUGH,
        Began.NOT_NEEDED,
    ]
    assert agency.begun == {"1": "task-1", "2": "task-2"}
    assert agency.counted == 3


@pytest.mark.parametrize(
    ("kind", "incident", "cluster", "begins"),
    [
        ("looping", "1", "prod", True),
        ("mass", "1", "prod", True),
        ("still-looping", "1", "prod", False),
        ("looping", "", "prod", False),
        ("looping", "1", CLUSTER, False),
    ],
)
def test_which_messages_begin_an_investigation(kind: str, incident: str, cluster: str, begins: bool) -> None:
    """That a loop was found, or many at once; of no incident, and of a drill, there is nothing to find."""
    service = ServiceRef(f"arn:aws:ecs:eu-west-1:123456789012:cluster/{cluster}", "web")
    agency = Agency()
    assert asked(agency, incident, kind=kind, service=service) is (Began.BEGUN if begins else Began.NOT_NEEDED)
    assert bool(agency.begun) is bool(agency.counted) is begins


@pytest.mark.parametrize("execution", ["", "exec-7"])
def test_the_end_of_an_investigation_says_where_its_finding_is(execution: str) -> None:
    """Where there is one to read; a reply, and no state of the incident."""
    said = finding(Investigated(SERVICE, "17"), said="completed", space="space-1", task="task-1", execution=execution)
    assert (said.service, said.incident, said.sequence) == (SERVICE, "17", 0)
    first, *command = said.reply.splitlines()
    assert first == "🔎 *AWS DevOps Agent: completed*, task task-1"
    assert bool(command) is bool(execution)
    assert ("--agent-space-id space-1 --execution-id exec-7" in said.reply) is bool(execution)


def test_what_only_reads_refuses_every_call() -> None:
    """And says why."""
    ecs = OnlyReads(lambda service: Unknown(service.name), "a recording")
    assert ecs.read(SERVICE) == Unknown("web")
    flags = Scaling(1, True, True, True)
    why = [
        ecs.set_desired_count(SERVICE, 0),
        ecs.set_suspended(SERVICE, flags),
        ecs.untag_held(SERVICE),
        ecs.roll_back("arn"),
    ]
    assert why == [Refusal("a recording")] * 4
    assert ecs.tag_held(SERVICE, count=2, since=7.0) == Refusal("a recording: 2 since 7.0")


def test_the_service_of_a_drill_is_there_until_it_was_found() -> None:
    """One task wanted; gone once its loop is known, which ends it."""
    store = MemoryStore()
    ecs = rehearsal(store)
    assert ecs.read(SERVICE) == Facts(exists=True, desired_count=1)
    store.save(looping(version=0))
    assert ecs.read(SERVICE) == Facts(exists=False, desired_count=1)
    assert ecs.roll_back("arn") == Refusal("a drill")
