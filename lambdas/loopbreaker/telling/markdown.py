"""Slack's own mark-up, for Slack and for Amazon Q: what came from outside cannot mean anything in it. Pure."""

from loopbreaker.telling.commands import wrapped
from loopbreaker.telling.letter import Block, Letter

_COLUMNS = 100


def escaped(text: str) -> str:
    """Slack asks for the first three ("Formatting text for app surfaces"); without them no mention and no link works.

    A fence would make code of all that follows.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("```", "'''")


def cut(text: str, most: int) -> str:
    """At most so many characters, not cut within a word or an escape."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    space = max(head.rfind(" "), head.rfind("\n"))
    return f"{head[:space] if space > most // 2 else head.rpartition('&')[0] or head}…"


def facts(letter: Letter) -> str:
    return "\n".join(f"*{label}:* {escaped(value)}" for label, value in letter.facts)


def block(part: Block, *, most: int) -> str:
    """One block of the letter; lines and commands are code, which is shown as it is."""
    said = [f"*{escaped(part.title)}*"]
    if part.text:
        said.append(escaped(part.text))
    said += [f"• {escaped(label)}: {escaped(value)}" for label, value in part.rows]
    head = cut("\n".join(said), most)
    lines, codes = list(part.lines), ["\n".join(wrapped(command, width=_COLUMNS)) for command in part.commands]
    while lines and len(_whole(head, lines, codes)) > most:
        # Of log lines the last say most.
        del lines[0]
    while codes and len(_whole(head, lines, codes)) > most:
        del codes[-1]
    return _whole(head, lines, codes)


def _whole(head: str, lines: list[str], codes: list[str]) -> str:
    """A block of code for the lines, and one for each command, so that each is pasted alone."""
    blocks = [*(["\n".join(lines)] if lines else []), *codes]
    return "\n".join([head, *(f"```\n{escaped(block)}\n```" for block in blocks)])
