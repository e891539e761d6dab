"""Slack's own mark-up, for Slack and for Amazon Q: what came from outside cannot mean anything in it. Pure."""

from loopbreaker.telling.commands import wrapped
from loopbreaker.telling.letter import Block, Letter

_COLUMNS = 100


def escaped(text: str) -> str:
    """Slack asks for these three ("Formatting text for app surfaces"); without them no mention and no link works."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


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
    said = [f"*{part.title}*"]
    if part.text:
        said.append(escaped(part.text))
    said += [f"• {escaped(label)}: {escaped(value)}" for label, value in part.rows]
    code = [*part.lines, *(line for command in part.commands for line in wrapped(command, width=_COLUMNS))]
    head = "\n".join(said)
    if not code:
        return cut(head, most)
    room = most - len(head) - 9
    body = escaped("\n".join(code)).replace("```", "'''")
    while len(body) > room and "\n" in body:
        # Of log lines the last say most, of a command all of it is needed: whole lines go, from the beginning.
        body = body.partition("\n")[2]
    return f"{head}\n```\n{cut(body, max(1, room))}\n```"
