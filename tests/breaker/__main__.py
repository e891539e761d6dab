"""How much was tried: `python -m tests.breaker` counts the calls of each story."""

from tests.breaker.scenarios import SCENARIOS


def main() -> None:
    total = 0
    for name, scenario in SCENARIOS.items():
        made = scenario.build()
        made.run(scenario.ends)
        print(f"{made.calls:5} calls  {name}")
        total += made.calls
    print(f"{total:5} calls: {2 * total} crash points (before each call, and after it), {total} interleavings")


if __name__ == "__main__":
    main()
