"""Draws messages as the readers' programs would: mail as it is, Slack's blocks and Amazon Q's cards as HTML."""

import re
from collections.abc import Iterator
from html import escape
from typing import Any

_STYLE = """
body { font: 15px/1.46 system-ui, "DejaVu Sans", sans-serif; margin: 0; padding: 16px; background: #fff; color: #1d1c1d;
  width: 720px; }
h2 { font-size: 13px; color: #6b7280; font-weight: 600; margin: 0 0 8px; }
.card { border-left: 4px solid; border-radius: 4px; padding: 4px 0 4px 12px; }
.header { font-size: 18px; font-weight: 800; margin: 4px 0; }
.part { margin: 8px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
pre { background: #f6f6f6; border: 1px solid #ddd; border-radius: 4px; padding: 8px; margin: 4px 0; font-size: 12px;
  font-family: "DejaVu Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.button { display: inline-block; border: 1px solid #bbb; border-radius: 4px; padding: 4px 12px; margin-right: 8px;
  font-weight: 600; font-size: 13px; }
.context { color: #616061; font-size: 12px; margin-top: 8px; }
"""


def page(title: str, body: str) -> str:
    """One page, whole in itself: nothing is loaded from anywhere."""
    return (
        f"<!doctype html>\n<html lang='en'><meta charset='utf-8'><title>{escape(title)}</title>\n"
        f"<style>{_STYLE}</style>\n<body>\n{body}\n</body></html>\n"
    )


def slack(post: dict[str, Any]) -> str:
    """A message of the Slack bot."""
    (attachment,) = post["attachments"]
    parts = "\n".join(part for block in attachment["blocks"] for part in _block(block))
    style = f"border-color:{attachment['color']}"
    return f"<h2>Slack, bot or webhook</h2>\n<div class='card' style='{style}'>\n{parts}\n</div>"


def amazon_q(chat: dict[str, Any]) -> str:
    """A custom notification of Amazon Q Developer in chat applications."""
    content = chat["content"]
    steps = "".join(f"<div class='part'>{_markdown(step)}</div>" for step in content["nextSteps"])
    steps = f"<div class='part'><b>Next steps</b></div>{steps}" if steps else ""
    keywords = escape(" · ".join(content["keywords"]))
    return (
        "<h2>Amazon Q Developer in chat applications</h2>\n<div class='card' style='border-color:#6b7280'>\n"
        f"<div class='header'>{escape(content['title'])}</div>\n"
        f"<div class='part'>{_markdown(content['description'])}</div>\n{steps}\n"
        f"<div class='context'>{keywords}</div>\n</div>"
    )


def _block(block: dict[str, Any]) -> Iterator[str]:
    match block["type"]:
        case "header":
            yield f"<div class='header'>{escape(block['text']['text'])}</div>"
        case "section":
            yield f"<div class='part'>{_markdown(block['text']['text'])}</div>"
        case "actions":
            buttons = (f"<span class='button'>{escape(b['text']['text'])}</span>" for b in block["elements"])
            yield f"<div class='part'>{''.join(buttons)}</div>"
        case "context":
            yield f"<div class='context'>{_markdown(block['elements'][0]['text'])}</div>"


def _markdown(text: str) -> str:
    """Slack's mark-up as HTML; the text is escaped for Slack already, which is HTML's own way."""
    drawn = []
    for number, part in enumerate(text.split("```")):
        if number % 2:
            drawn.append(f"<pre>{part.strip(chr(10))}</pre>")
        else:
            bold = re.sub(r"(?m)(^|\s)\*([^*\n]+)\*", r"\1<b>\2</b>", part.strip("\n") if number else part.rstrip("\n"))
            drawn.append(re.sub(r"<(https://[^|>]+)\|([^>]+)>", r"<u>\2</u>", bold))
    return "".join(drawn)
