"""What a rule says to people."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """What people are told: the service loops, or (`over`) it no longer does. `why` is for the reader of a finding.

    sent: False where a summary of many services stands for it.
    alarm: False for what reminds of a loop that was told, or speaks of something else.
    """

    at: float
    service: str
    over: bool = False
    why: str = ""
    sent: bool = True
    alarm: bool = True
