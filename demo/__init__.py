"""The whole stack at work without an account: deployed on an embedded AWS, watching a simulated ECS.

`make demo` tells one story on the screen; the end-to-end tests use the same parts.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
