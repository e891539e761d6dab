"""One module a command: its options, its help, what it prints. Each has `register`; `loopctl.cli` lists them."""
