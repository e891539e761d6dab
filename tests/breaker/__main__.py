"""How much was tried: `python -m tests.breaker` counts the calls of each story."""

from tests.breaker.endings import CHANGES
from tests.breaker.scenarios import SCENARIOS
from tests.breaker.test_crashes import distinct
from tests.breaker.world import Crash


def main() -> None:
    total = changing = before = 0
    for name, scenario in SCENARIOS.items():
        made = scenario.build()
        made.crash = Crash(at=0, after=False)
        made.run(scenario.ends)
        print(f"{len(made.crash.names):5} calls  {name}")
        total += len(made.crash.names)
        before += len(distinct(made.crash.names))
        changing += sum(call in CHANGES for call in made.crash.names)
    print(f"{total:5} calls: so many interleavings")
    print(f"{before:5} calls that begin an invocation or follow a change: so many crash points before a call")
    print(f"{changing:5} calls that change something: so many crash points after a call, with its answer lost")


if __name__ == "__main__":
    main()
