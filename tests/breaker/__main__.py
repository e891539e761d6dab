"""`python -m tests.breaker` counts the calls of each story; with a number it lives so many histories at random."""

import sys

from tests.breaker.stories import CHANGES, STORIES, calls_of, distinct
from tests.breaker.test_any_history import live_any
from tests.breaker.test_any_rollout import live_any_rollout


def main(number: int) -> None:
    if number:
        live_any(number, again=False)
        live_any_rollout(number, again=False)
        print(f"{number} histories, and as many of deployments, each lived twice: nobody was harmed")
        return
    changing = before = 0
    for name in STORIES:
        calls = calls_of(name)
        print(f"{len(calls):5} calls  {name}")
        before += len(distinct(calls))
        changing += sum(call in CHANGES for call in calls)
    print(f"{before:5} calls that begin an invocation or follow a change: so many crash points, and interleavings")
    print(f"{changing:5} calls that change something: so many crash points after a call, with its answer lost")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
