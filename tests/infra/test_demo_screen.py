"""What the demo shows, at the width of the terminal."""

from io import StringIO

import pytest
from rich.console import Console

from demo.__main__ import main
from demo.screen import Screen


@pytest.mark.parametrize("width", [60, 80, 120])
def test_words_are_whole_at_every_width(width: int) -> None:
    """Long lines are broken between words, beside the margin, in what is said and in letters."""
    shown = StringIO()
    screen = Screen(Console(file=shown, width=width, force_terminal=True, color_system=None))
    text = "  " + "Deploy the fix: another task definition brings the service back by itself. " * 3
    screen.say("people", text)
    screen.letter("checkout was stopped", f"{text}\n\n{text}")
    lines = shown.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    shown_words = {word for line in lines for word in line.split() if word != "|"}
    assert {*text.split(), "checkout", "was", "stopped"} <= shown_words
    assert len(shown_words - {*text.split()}) <= 8, "what else there is: who speaks, and when"


@pytest.mark.parametrize(("argument", "status"), [("--help", 0), ("--nonsense", 2)])
def test_a_question_does_not_start_the_demo(
    argument: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who asks what it is is told, and nothing is deployed."""
    monkeypatch.setattr("sys.argv", ["demo", argument])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == status
    shown = capsys.readouterr()
    assert "python -m demo" in shown.out + shown.err
