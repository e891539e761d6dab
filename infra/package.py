"""What the functions ship, where this library was installed: made when the library was, and carried in it."""

from pathlib import Path

SHIPPED = Path(__file__).with_name("functions.zip")


class ShippedError(RuntimeError):
    """This library came without the package of the functions."""


def shipped_package() -> Path:
    """The package as a zip. Raises ShippedError."""
    if not SHIPPED.is_file():
        raise ShippedError(f"{SHIPPED} is missing: install a wheel of loopbreaker, or run `make dist` here.")
    return SHIPPED
