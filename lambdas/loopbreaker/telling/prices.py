"""What a restart costs, part by part. Prices are data with a date: list prices, not a bill. Pure.

Sources: the public price pages of AWS Fargate, Amazon VPC (NAT gateway) and AWS Config, for us-east-1.
"""

from dataclasses import dataclass

from loopbreaker.model import Category

AS_OF = "2026-11"
REGION = "us-east-1"
FARGATE_VCPU_HOUR = 0.04048
FARGATE_GB_HOUR = 0.004445
# Fargate bills a task from the start of the pull, a minute at least.
FARGATE_LEAST = 60.0
NAT_GB = 0.045
CONFIG_ITEM = 0.003
# What is not known of a service is assumed, and said to be.
IMAGE_GB = 1.0
CONFIG_ITEMS = 4

# Tasks that end before an image is pulled: nothing passes a NAT gateway.
NO_PULL = (Category.IMAGE_PULL, Category.RESOURCE_INIT, Category.NETWORK_ENI, Category.PLACEMENT)
# A rate measured over less than this says little about a day.
LEAST_SPAN = 600.0


@dataclass(frozen=True, slots=True)
class Part:
    """One part of what a restart costs, in dollars, and under which condition."""

    what: str
    per_restart: float


@dataclass(frozen=True, slots=True)
class Burn:
    """Restarts as counted from the first failure to the last, `seconds` apart, and what they cost at most."""

    restarts: int
    seconds: float
    parts: tuple[Part, ...]

    @property
    def per_hour(self) -> float | None:
        """Restarts an hour, measured; None where it was not measured for long enough."""
        if self.seconds < LEAST_SPAN or self.restarts < 3:
            return None
        return (self.restarts - 1) / self.seconds * 3600

    @property
    def each(self) -> float:
        return sum(part.per_restart for part in self.parts)

    @property
    def total(self) -> float:
        return self.each * self.restarts

    @property
    def per_day(self) -> float | None:
        rate = self.per_hour
        return None if rate is None else rate * 24 * self.each


def burn(
    *, restarts: int, seconds: float, category: Category, vcpu: float = 0.0, gib: float = 0.0, fargate: bool = False
) -> Burn:
    """What the restarts of one loop cost at most; task sizes are 0 where they are not known."""
    parts: list[Part] = []
    if category not in NO_PULL:
        parts.append(
            Part(f"an image of {IMAGE_GB:g} GB (assumed) through a NAT gateway, if it goes there", NAT_GB * IMAGE_GB)
        )
    if category is not Category.PLACEMENT:
        parts.append(
            Part(f"{CONFIG_ITEMS} changes (assumed) in AWS Config, if it records them", CONFIG_ITEM * CONFIG_ITEMS)
        )
    if fargate and vcpu and category not in NO_PULL:
        minute = (vcpu * FARGATE_VCPU_HOUR + gib * FARGATE_GB_HOUR) * FARGATE_LEAST / 3600
        parts.append(Part(f"a minute of Fargate with {vcpu:g} vCPU and {gib:g} GB", minute))
    return Burn(restarts=restarts, seconds=max(0.0, seconds), parts=tuple(parts))
