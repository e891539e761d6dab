"""Holds statements against what AWS's Service Authorization Reference says of their actions, by policy_sentry's data.

Started by `test_aws_tools.py` with the Python of `.venv/checks`. Reads a list of {"actions": [...], "keys": [...]}
from its input, and prints a line for each problem.
"""

import json
import sys

from policy_sentry.querying.actions import (  # type: ignore[import-not-found]
    get_action_data,
    get_actions_for_service,
)

# What every action knows; tags are for those that say so.
_TAGS = ("aws:resourcetag/", "aws:requesttag/", "aws:tagkeys")


def problems(statement: dict[str, list[str]]) -> list[str]:
    """What AWS would not understand of one statement."""
    found = []
    for action in statement["actions"]:
        known = _matching(action)
        if not known:
            found.append(f"{action}: no such action")
        for name in known:
            supported = _keys(name)
            found += [f"{name}: no condition key {key}" for key in statement["keys"] if not _knows(key, supported)]
    return found


def _matching(action: str) -> list[str]:
    service, _, name = action.partition(":")
    known: list[str] = get_actions_for_service(service)
    if name.endswith("*"):
        return [one for one in known if one.lower().startswith(f"{service}:{name[:-1]}".lower())]
    return [one for one in known if one.lower() == action.lower()]


def _keys(action: str) -> set[str]:
    """Condition keys of an action on any of its resources; of tags the part before the tag's own name."""
    service, _, name = action.partition(":")
    data = get_action_data(service, name)[service]
    return {key.lower().replace("${tagkey}", "") for resource in data for key in resource["condition_keys"]}


def _knows(key: str, supported: set[str]) -> bool:
    lower = key.lower()
    head = lower[: lower.index("/") + 1] if "/" in lower else lower
    return head in supported or (lower.startswith("aws:") and not lower.startswith(_TAGS))


if __name__ == "__main__":
    for statement in json.load(sys.stdin):
        for problem in problems(statement):
            print(problem)
