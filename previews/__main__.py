"""`make previews`: every message as people see it, into docs/previews/; with Chromium installed, pictures too."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from loopbreaker.telling.messages import Message, compose
from previews.cases import Case, cases
from previews.drawing import amazon_q, page, slack

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "previews"
# Names under which Debian, Fedora and others install it.
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_SHOWN = "<!-- preview -->"
PICTURED = ("looping-app-crash", "looping-out-of-memory", "stopped", "down", "still-looping", "mass", "recovered")
"""Messages of which pictures are committed; the others are pages to open in a browser."""


def written() -> dict[str, str]:
    """Every file of text that belongs into docs/previews/, by its name."""
    files: dict[str, str] = {}
    rows = []
    for case in cases():
        message = message_of(case)
        files[f"{case.name}.txt"] = f"Subject: {message.subject}\n\n{message.text}\n"
        files[f"{case.name}.html"] = page(case.name, f"{slack(message.post)}\n<br>\n{amazon_q(message.chat)}")
        files[f"{case.name}.json"] = json.dumps(message.detail, indent=2, ensure_ascii=False) + "\n"
        picture = f"[picture]({case.name}.png)" if case.name in PICTURED else ""
        rows.append(
            f"| {message.subject} | [mail]({case.name}.txt) | [Slack and Amazon Q]({case.name}.html) "
            f"| [event]({case.name}.json) | {picture} |"
        )
    files["README.md"] = "\n".join(
        [
            "# Every message, as people read it",
            "",
            "Written by `make previews`; a test compares the text. The cases stand in `previews/cases.py`.",
            "",
            "| subject | mail | chat | event | picture |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )
    return files


def message_of(case: Case) -> Message:
    return compose(case.before, case.after, case.after.notices[-1], case.background)


def shown(readme: str) -> str:
    """The project's README with the mail of a crash loop between its two marks."""
    head, _, rest = readme.partition(_SHOWN)
    _, _, tail = rest.partition(_SHOWN)
    text = written()["looping-app-crash.txt"]
    return f"{head}{_SHOWN}\n```text\n{text}```\n{_SHOWN}{tail}"


def main() -> int:
    TARGET.mkdir(exist_ok=True)
    files = written()
    for old in TARGET.iterdir():
        if old.name not in files:
            old.unlink()
    for name, text in files.items():
        (TARGET / name).write_text(text, encoding="utf-8")
    readme = ROOT / "README.md"
    readme.write_text(shown(readme.read_text(encoding="utf-8")), encoding="utf-8")
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        print(f"{len(files)} files; no pictures, because none of {', '.join(_BROWSERS)} is installed")
        return 0
    for name in PICTURED:
        _photograph(browser, TARGET / f"{name}.html", TARGET / f"{name}.png")
    print(f"{len(files)} files and {len(PICTURED)} pictures in {TARGET.relative_to(ROOT)}")
    return 0


def _photograph(browser: str, source: Path, target: Path) -> None:
    """The page as a picture, as high as it is."""
    with tempfile.TemporaryDirectory() as profile:
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}")
        height = _height(browser, options, source)
        command = [browser, *options, f"--window-size=760,{height}", f"--screenshot={target}", source.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)


def _height(browser: str, options: tuple[str, ...], source: Path) -> int:
    """Asks the page itself, by a script in a copy of it."""
    script = "<script>document.title = document.documentElement.scrollHeight</script></body>"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "page.html"
        copy.write_text(source.read_text(encoding="utf-8").replace("</body>", script), encoding="utf-8")
        command = [browser, *options, "--window-size=760,100", "--dump-dom", copy.as_uri()]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return int(done.stdout.partition("<title>")[2].partition("</title>")[0] or 2000) + 20


if __name__ == "__main__":
    sys.exit(main())
