"""`python -m loopctl` is `loopctl`."""

from loopctl.cli import main

main()
