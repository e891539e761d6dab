"""What the README shows of the commands is what they print."""

from release.screens import README, written


def test_the_readme_shows_what_the_commands_print() -> None:
    """Whoever changes a command's words runs `python -m release.screens`."""
    text = README.read_text(encoding="utf-8")
    assert text.count("screens -->") == 2
    assert written(text) == text
