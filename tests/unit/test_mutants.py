"""The trial of the tests is itself tried: what it says of a file must follow from the tests that it was given."""

import subprocess
import sys

SCOPE = "lambdas/loopbreaker/treating/scope.py"
ONE_IS_FORBIDDEN = "tests/unit/test_facts.py::test_on_which_services_an_installation_acts[scope5-False]"


def test_a_trial_names_what_its_tests_did_not_notice_and_nothing_else() -> None:
    """A test of what is forbidden notices that nothing is, and not that nothing is allowed."""
    command = [sys.executable, "-m", "tests.mutants", SCOPE, "--tests", ONE_IS_FORBIDDEN]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "1 of 1 tests take less" in done.stdout, done.stdout + done.stderr
    assert "14 changes" in done.stdout
    assert "in self.deny))  ->  False" not in done.stdout
    assert "not self.allow  ->  self.allow" in done.stdout
    assert done.returncode == 1
