"""Every message as people see it: `make previews` writes docs/previews/, and the tests see that it is not stale."""
