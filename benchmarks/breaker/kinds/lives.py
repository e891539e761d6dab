"""How services live that are none of the usual web servers: leaders, jobs, chains, zones, room that is not kept."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from random import Random

from benchmarks.breaker.kinds.ways import dead, mostly, served_for
from benchmarks.breaker.stage import CLUSTER, HOUR, MINUTE, Kind, Stage, grid
from simulation import Failure, HealthCheck, TargetGroup, TaskSpec, constant, crash, healthy, uniform


def _standby(stage: Stage, *, check: str) -> None:
    """A leader serves; its standby never turns healthy and is replaced for ever. Each hour the leader changes."""
    group = TargetGroup(grace=60, deregistration_delay=60)
    task = TaskSpec(health_check=HealthCheck())
    cause = Failure.ELB_HEALTH_CHECK if check == "load balancer" else Failure.CONTAINER_HEALTH_CHECK
    behaviour = crash(cause, slots=[1])
    if check == "load balancer":
        stage.service(desired_count=2, target_group=group, behaviour=behaviour)
    else:
        stage.service(desired_count=2, task=task, behaviour=behaviour)
    for hour in range(1, 8):
        stage.at(hour * HOUR + 700, lambda: _end_slot(stage, 0))


def _end_slot(stage: Stage, slot: int) -> None:
    for task in list(stage.sim.service(CLUSTER, "web").live.values()):
        if task.slot == slot and task.last_status == "RUNNING":
            stage.sim.churn.end(task)


def _zone_away(stage: Stage, *, minutes: float) -> None:
    """Every task of one zone dies at its start, and the others are moved about."""
    stage.service(desired_count=6, target_group=TargetGroup(deregistration_delay=120))
    stage.began, stage.ended = HOUR, HOUR + minutes * MINUTE
    stage.at(HOUR, lambda: stage.sim.behave(CLUSTER, "web", dead(3, slots=[0, 3], until=stage.ended or 0)))
    for slot in (0, 3):
        stage.at(HOUR, partial(_end_slot, stage, slot))
    for number in range(int(minutes / 12)):
        stage.at(HOUR + (6 + 12 * number) * MINUTE, lambda: stage.sim.churn.rebalance(CLUSTER, "web"))


def _nights(stage: Stage) -> None:
    """A poisonous message is at the head of the queue each night, for five hours; by day the worker serves."""
    stage.service(desired_count=2)
    for night in range(2):
        since = (2 + 24 * night) * HOUR
        until = since + 5 * HOUR
        stage.breaks(since, dead(8, until=until))
        stage.heals(until)
        stage.returns.append((until, 5 * HOUR))
        stage.began, stage.ended = since, until


def _queue_scaler(stage: Stage, *, minutes: float) -> None:
    """A script asks for 2 tasks while its queue has messages and for 0 while it has none, once a minute."""
    stage.service(desired_count=2)
    stage.began, stage.ended = HOUR, 6 * HOUR
    stage.breaks(HOUR, dead(3, until=stage.ended))

    def set_count() -> None:
        wanted = 2 if int(stage.sim.now / (minutes * MINUTE)) % 3 else 0
        if stage.sim.service(CLUSTER, "web").desired != wanted:
            stage.sim.scale(CLUSTER, "web", wanted)

    stage.sim.every(60, set_count, first=31)


def _no_room_to_come_back(stage: Stage, *, minutes: float) -> None:
    """When what it needs is back there is no capacity for a while."""
    stage.service(desired_count=3)
    stage.began, stage.ended = HOUR, 3 * HOUR + minutes * MINUTE
    stage.breaks(HOUR, dead(3))
    stage.at(3 * HOUR, lambda: stage.sim.behave(CLUSTER, "web", crash(Failure.PLACEMENT, until=stage.ended or 0)))


def _role_gone(stage: Stage, *, minutes: float) -> None:
    """The execution role is deleted, somebody restarts the service old tasks first, and the role is made again."""
    stage.service(desired_count=3, minimum_percent=0, maximum_percent=100)
    stage.began, stage.ended = HOUR, HOUR + minutes * MINUTE
    stage.at(HOUR, lambda: stage.sim.behave(CLUSTER, "web", crash(Failure.RESOURCE_INIT, until=stage.ended or 0)))
    stage.at(HOUR, lambda: stage.sim.churn.blip(CLUSTER, "web"))


def _rotated(stage: Stage, *, minutes: float) -> None:
    """A secret is rotated each hour, every task ends for it, and no start succeeds for some minutes."""
    stage.service(desired_count=3)
    for hour in range(1, 11):
        until = hour * HOUR + minutes * MINUTE
        stage.breaks(hour * HOUR, dead(3, until=until))
        stage.returns.append((until, minutes * MINUTE))
        stage.began, stage.ended = HOUR, until


def _leak(stage: Stage) -> None:
    """A leak: every task is out of memory after a day and a half, all about together."""
    stage.service(desired_count=4, behaviour=served_for(uniform(35.8 * HOUR, 36.2 * HOUR), cause=Failure.OUT_OF_MEMORY))


def _few_of_many(stage: Stage, *, tasks: int) -> None:
    """Three tasks of a great many serve, all others loop."""
    stage.service(desired_count=tasks)
    stage.at(HOUR, lambda: stage.sim.behave(CLUSTER, "web", dead(3, slots=list(range(3, tasks)))))

    def break_others() -> None:
        for slot in range(3, tasks):
            _end_slot(stage, slot)

    stage.at(HOUR, break_others)


def _heavy_image(stage: Stage, *, minutes: float) -> None:
    """An image that takes 20 min to pull; what the tasks need is away for hours, and each dies as soon as it runs."""
    stage.service(desired_count=2, task=TaskSpec(image_gb=13))
    stage.began, stage.ended = 2 * HOUR, 2 * HOUR + minutes * MINUTE
    stage.breaks(stage.began, dead(4, until=stage.ended))


def _slow_to_stop(stage: Stage) -> None:
    """Tasks that take two minutes to stop, whatever they are told; an outage of two hours."""
    stage.service(desired_count=3, task=TaskSpec(stop_timeout=120, handles_sigterm=False))
    stage.began, stage.ended = HOUR, 3 * HOUR
    stage.breaks(HOUR, dead(20, until=stage.ended))


def _one_lock(stage: Stage, *, share: float) -> None:
    """After a restart only one start in so many gets the lock that each needs for its migration."""
    stage.service(desired_count=6, minimum_percent=0, maximum_percent=100)
    stage.at(
        HOUR, lambda: stage.sim.behave(CLUSTER, "web", crash(Failure.APP_CRASH, after=uniform(5, 40), share=share))
    )
    stage.restarts(HOUR + 1)


def _pulls_fail_often(stage: Stage) -> None:
    """An outage of 50 min; afterwards the registry answers only every other pull for an hour."""
    stage.service(desired_count=8)
    stage.began, stage.ended = HOUR, HOUR + 50 * MINUTE
    stage.breaks(HOUR, dead(3))
    stage.at(stage.ended, lambda: stage.sim.behave(CLUSTER, "web", crash(Failure.IMAGE_PULL, share=0.5)))


def _room_is_given_up(stage: Stage, *, minutes: float) -> None:
    """A capacity provider takes the hosts of a service at 0 away, and needs some minutes to start others."""
    for _ in range(2):
        stage.sim.churn.add_host(CLUSTER)
    stage.service(desired_count=2, launch_type="EC2")
    stage.began, stage.ended = HOUR, 4 * HOUR
    stage.breaks(HOUR, dead(5, until=stage.ended))
    empty: list[float] = []

    def scale_hosts() -> None:
        hosts = stage.sim.world.clusters[CLUSTER].hosts
        if stage.sim.service(CLUSTER, "web").desired:
            if not hosts and empty:
                empty.clear()
                stage.at(stage.sim.now + minutes * MINUTE, lambda: stage.sim.churn.add_host(CLUSTER))
            return
        empty.append(stage.sim.now)
        if hosts and stage.sim.now > empty[0] + 15 * MINUTE:
            while hosts:
                stage.sim.churn.lose_host(CLUSTER)

    stage.sim.every(30, scale_hosts)


def _chain(stage: Stage, *, length: int, minutes: float) -> None:
    """Each service needs the one before it; what the first one needs is away."""
    names = [f"web-{number}" for number in range(length)]
    stage.began, stage.ended = HOUR, HOUR + minutes * MINUTE
    for name in names:
        stage.service(name, desired_count=2)
    stage.breaks(HOUR, dead(3, until=stage.ended), name=names[0])
    for needed, name in pairwise(names):
        stage.sim.every(15, _follow(stage, name, needed), first=600)


def _follow(stage: Stage, name: str, needed: str) -> Callable[[], None]:
    """A service that dies while another is away, and at its start."""
    down = [False]

    def look() -> None:
        away = not stage.sim.serving(CLUSTER, needed)
        if away != down[0]:
            down[0] = away
            stage.sim.behave(CLUSTER, name, dead(6) if away else healthy())
            if away:
                stage.sim.churn.blip(CLUSTER, name)

    return look


def _rare_leader(stage: Stage) -> None:
    """Three tasks fight for leadership; who loses ends after 20 s, who wins leads for 10 to 30 min."""
    stage.service(desired_count=3)
    life = mostly(20.0, uniform(600, 1800), share=0.3)
    stage.breaks(HOUR, crash(Failure.APP_CRASH, after=life, ready_after=constant(15)))


def _by_the_hour(stage: Stage) -> None:
    """A batch service that a schedule starts for twenty minutes each hour; its tasks all die."""
    stage.service(desired_count=0, behaviour=dead(3))
    for hour in range(1, 11):
        stage.at(hour * HOUR, lambda: stage.sim.scale(CLUSTER, "web", 2))
        stage.at(hour * HOUR + 20 * MINUTE, lambda: stage.sim.scale(CLUSTER, "web", 0))


def _taken_while_tried(stage: Stage, *, how: str) -> None:
    """Each task that is started to try the service is taken away after half a minute, for reasons of its own."""
    stage.service(desired_count=3)
    stage.began, stage.ended = HOUR, 3 * HOUR
    stage.breaks(HOUR, dead(3, until=stage.ended))
    taken = {
        "Spot": lambda: stage.sim.churn.interrupt_spot(CLUSTER, "web", count=None),
        "a person": lambda: stage.sim.churn.stop_by_user(CLUSTER, "web", count=None),
        "maintenance": lambda: stage.sim.churn.maintain(CLUSTER, "web"),
    }[how]
    for number in range(12):
        stage.at(3 * HOUR + (3 + 7 * number) * MINUTE, taken)


def _from_nothing(stage: Stage, *, minutes: float) -> None:
    """A service that was made with 0 tasks is started by hand, and what it needs is away."""
    stage.service(desired_count=0)
    stage.began, stage.ended = HOUR, HOUR + minutes * MINUTE
    stage.at(HOUR - 1, lambda: stage.sim.behave(CLUSTER, "web", dead(3, until=stage.ended or 0)))
    stage.scales(HOUR, 4)


def _well_for_minutes(stage: Stage, *, check: str) -> None:
    """After an outage everything dies again a few minutes after each start, for hours: a backlog that is too large."""
    group = TargetGroup(interval=10, deregistration_delay=30) if check else None
    stage.service(desired_count=3, target_group=group)
    stage.breaks(HOUR, dead(3))
    stage.heals(2.5 * HOUR, served_for(uniform(150, 400)))
    stage.heals(7 * HOUR)
    stage.began, stage.ended = HOUR, 2.5 * HOUR


def _opinions_are_late(stage: Stage, *, share: float) -> None:
    """The load balancers answer so many of the questions only, and the service serves now and then."""
    stage.service(desired_count=2, target_group=TargetGroup(interval=10, deregistration_delay=30))
    rng = Random(f"opinions {share} {stage.rng.random()}")
    stage.refuses("DescribeTargetHealth", code="Throttling", when=lambda _: rng.random() < share)
    life = mostly(3.0, uniform(60, 300), share=0.15)
    stage.breaks(HOUR, crash(Failure.APP_CRASH, after=life, ready_after=constant(5)))


def _together_again(stage: Stage, *, apart: float) -> None:
    """Five services, one of them not opted in, need the same; it is back after hours."""
    stage.began, stage.ended = HOUR, 5 * HOUR
    for number in range(5):
        name = f"web-{number}"
        stage.service(name, desired_count=2, **({"tags": {}} if not number else {}))
        stage.breaks(HOUR + number * apart * MINUTE, dead(3, until=stage.ended), name=name)


def _beside_one_that_flaps(stage: Stage) -> None:
    """A dead service, and one that began to die with it and serves for two minutes now and then, all day."""
    stage.service("web")
    stage.service("flaps", tags={})
    stage.breaks(HOUR, dead(3))
    life = mostly(3.0, constant(120), share=0.12)
    stage.breaks(HOUR, crash(Failure.APP_CRASH, after=life, ready_after=constant(4)), name="flaps")


LIVES = (
    Kind("a standby that never turns healthy", _standby, 9, 2, grid(check=("load balancer", "container"))),
    Kind("one zone is away", _zone_away, 7, 3, grid(minutes=(40, 180))),
    Kind("a poisonous message each night", _nights, 36, 2),
    Kind("a script scales to nothing by its queue", _queue_scaler, 9, 2, grid(minutes=(7, 60))),
    Kind("no capacity when it could come back", _no_room_to_come_back, 10, 2, grid(minutes=(20, 90))),
    Kind("the execution role is gone for a while", _role_gone, 8, 2, grid(minutes=(25, 120))),
    Kind("secrets rotated every hour", _rotated, 12, 2, grid(minutes=(3, 12))),
    Kind("a leak of a day and a half", _leak, 75, 1),
    Kind("three of very many serve", _few_of_many, 6.5, 2, grid(tasks=(40,))),
    Kind("an image of 20 minutes", _heavy_image, 14, 2, grid(minutes=(90, 400))),
    Kind("two minutes to stop each", _slow_to_stop, 8, 2),
    Kind("starts that fight for one lock", _one_lock, 7, 3, grid(share=(0.6, 0.85))),
    Kind("every other pull fails afterwards", _pulls_fail_often, 7, 2),
    Kind("its hosts go while it is held", _room_is_given_up, 10, 2, grid(minutes=(3, 8))),
    Kind("a chain of services", _chain, 14, 2, grid(length=(2, 4), minutes=(45, 120, 240))),
    Kind("a fight for leadership", _rare_leader, 8, 3),
    Kind("taken away while it is tried", _taken_while_tried, 9, 2, grid(how=("Spot", "a person", "maintenance"))),
    Kind("started from nothing", _from_nothing, 8, 2, grid(minutes=(20, 60, 150))),
    Kind("well for some minutes after an outage", _well_for_minutes, 11, 3, grid(check=("", "load balancer"))),
    Kind("load balancers that answer now and then", _opinions_are_late, 8, 3, grid(share=(0.5, 0.9))),
    Kind(
        "dead beside one that comes and goes",
        _beside_one_that_flaps,
        25,
        2,
        excused=("lost_before of flaps",),
        why="the one that comes and goes is not touched: chance goes other ways in it where the other is stopped",
    ),
    Kind("five that need the same", _together_again, 10, 2, grid(apart=(0.5, 6))),
    Kind("started for twenty minutes each hour", _by_the_hour, 12, 1),
)
