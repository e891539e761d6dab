"""What ECS says of each cause of a failed task, with an exit code where there is one."""

from loopbreaker.model import Category
from loopbreaker.telling import sums

EVIDENCE: dict[Category, tuple[str, int | None]] = {
    Category.OUT_OF_MEMORY: ("OutOfMemoryError: Container killed due to memory usage", 137),
    Category.APP_CRASH: ("exit code 1", 1),
    Category.SEGFAULT: ("exit code 139", 139),
    Category.KILLED: ("exit code 137", 137),
    Category.TERMINATED: ("exit code 143", 143),
    Category.CLEAN_EXIT: ("exit code 0", 0),
    Category.CANNOT_START: ('CannotStartContainerError: exec: "/app/serve": permission denied', None),
    Category.DISK: ("CannotPullContainerError: write /var/lib: no space left on device", None),
    Category.IMAGE_PULL: (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/checkout:1.5: not found",
        None,
    ),
    Category.RESOURCE_INIT: (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
        "unable to retrieve secret from asm: AccessDeniedException",
        None,
    ),
    Category.NETWORK_ENI: ("Timeout waiting for network interface provisioning to complete.", None),
    Category.PLACEMENT: ("RESOURCE:MEMORY", None),
    Category.ELB_HEALTH_CHECK: ("Task failed ELB health checks in (target-group checkout)", 143),
    Category.CONTAINER_HEALTH_CHECK: ("Task failed container health checks", 137),
    Category.UNKNOWN: ("", None),
}

# As AWS describes what stands beside some causes.
_OLD, _NEW = (
    {
        "containerDefinitions": [
            {"name": "web", "memory": memory, "healthCheck": {"command": ["CMD-SHELL", "curl -f localhost"]}}
        ]
    }
    for memory in (1024, 512)
)
_GROUP = {"HealthCheckIntervalSeconds": 30, "UnhealthyThresholdCount": 2, "HealthCheckPath": "/health"}
_SUBNETS = [
    {"SubnetId": "subnet-0a1b2c3d4e5f60718", "AvailableIpAddressCount": 0},
    {"SubnetId": "subnet-0b1c2d3e4f5061728", "AvailableIpAddressCount": 3},
]
SUMS = {
    Category.OUT_OF_MEMORY: tuple(sums.memory(_NEW, "web", _OLD)),
    Category.ELB_HEALTH_CHECK: tuple(sums.balancer_check(90, [_GROUP], 124)),
    Category.CONTAINER_HEALTH_CHECK: tuple(sums.container_check(_NEW, "web", 95)),
    Category.NETWORK_ENI: tuple(sums.addresses(_SUBNETS)),
}
