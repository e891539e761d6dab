"""Pictures and their stories as one HTML page, without script and without anything from elsewhere. Pure."""

from collections.abc import Iterable
from html import escape

from loopbreaker.picture.svg import svg
from loopbreaker.picture.timeline import Timeline

_STYLE = (
    ":root{color-scheme:light dark}body{margin:24px auto;max-width:980px;padding:0 12px;"
    'font:15px/1.5 -apple-system,"Segoe UI",Roboto,"Liberation Sans",Arial,sans-serif}'
    "svg{max-width:100%;height:auto}pre{white-space:pre-wrap;font-size:13px;margin:12px 0 40px}"
)


def page(title: str, loops: Iterable[tuple[Timeline, str]]) -> str:
    """A page with a picture and a story for each loop."""
    parts = [
        f"{svg(timeline, name=f'lb{number}')}<pre>{escape(story)}</pre>"
        for number, (timeline, story) in enumerate(loops)
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" '
        f"content=\"default-src 'none'; style-src 'unsafe-inline'\"><style>{_STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n{''.join(parts) or '<p>No restart loop.</p>'}</body></html>\n"
    )
