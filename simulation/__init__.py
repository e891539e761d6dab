"""A simulated Amazon ECS: services, tasks, deployments, scaling and their events, on a virtual clock.

from simulation import Failure, ServiceSpec, Simulation, constant, crash, healthy

sim = Simulation(seed=1)
sim.create_cluster("prod")
sim.create_service(ServiceSpec(cluster="prod", name="web", desired_count=3, behaviour=crash(Failure.APP_CRASH)))
sim.at(3600, lambda: sim.deploy("prod", "web", behaviour=healthy()))
for event in sim.run_until(7200):
    ...
"""

from simulation.delivery.bus import Delivery
from simulation.scripting.behaviour import Behaviour, constant, crash, exponential, healthy, uniform
from simulation.scripting.failures import Ending, Failure, Phase, endings
from simulation.scripting.spec import (
    CircuitBreaker,
    EarlySuccess,
    HealthCheck,
    ServiceSpec,
    TargetGroup,
    TaskSpec,
    Timing,
    TrafficShift,
)
from simulation.simulation import Simulation

__all__ = [
    "Behaviour",
    "CircuitBreaker",
    "Delivery",
    "EarlySuccess",
    "Ending",
    "Failure",
    "HealthCheck",
    "Phase",
    "ServiceSpec",
    "Simulation",
    "TargetGroup",
    "TaskSpec",
    "Timing",
    "TrafficShift",
    "constant",
    "crash",
    "endings",
    "exponential",
    "healthy",
    "uniform",
]
