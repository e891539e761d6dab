"""Which packages the wheel holds: found where they are. Everything else stands in pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages("lambdas", include=["loopbreaker", "loopbreaker.*"]),
        *find_packages(include=["loopctl", "loopctl.*"]),
        "loopbreaker.cdk",  # the folder infra, see [tool.setuptools.package-dir]
    ]
)
