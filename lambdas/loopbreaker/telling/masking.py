"""Secrets in text from outside are masked before anybody reads it. Pure.

A list of patterns finds what looks like a secret, and no more: log lines are shown only where somebody asked for them.
"""

import re

MASK = "[masked]"

_NAMES = (
    r"pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key|credentials?"
    r"|auth(?:orization)?|session(?:[_-]?id)?|cookie|signature|connection[_-]?string|dsn|client[_-]?secret"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        # -----BEGIN … PRIVATE KEY-----, with what follows on the line.
        (r"-----BEGIN [A-Z ]*(?:KEY|CERTIFICATE)-----.*", MASK),
        # Authorization: Bearer …, Basic …
        (r"\b(bearer|basic)\s+[\w.~+/=-]{12,}", rf"\1 {MASK}"),
        # scheme://user:password@host
        (r"(\w[\w+.-]*://)[^\s/@:]*:[^\s/@]+@", rf"\1{MASK}@"),
        # password=…, "apiKey": "…", --token …, X-Api-Key: …
        (
            rf"((?:\b|_|-|[a-z])(?:{_NAMES})[\"']?\s*(?:=>|[:=]|\s+is\s+)\s*)(?:\"[^\"]*\"|'[^']*'|[^\s,;&\"']+)",
            rf"\1{MASK}",
        ),
        (rf"(--?(?:[\w-]*-)?(?:{_NAMES})\s+)(?!-)\S+", rf"\1{MASK}"),
        # Keys of well-known shapes: AWS, GitHub, GitLab, Slack, Stripe, Google, npm, JSON web tokens.
        (r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b", MASK),
        (r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[a-z]-|sk_live_|rk_live_|sk-|AIza|npm_|hf_|dop_v1_)[\w-]{10,}", MASK),
        (r"\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?", MASK),
        (r"https://hooks\.slack\.com/\S+", MASK),
        # Card numbers.
        (r"\b(?:\d[ -]?){13,16}\b", MASK),
    )
)
# A long run of letters and digits together is more often a key than a word; ARNs and names have separators.
_LONG = re.compile(r"(?<![\w/.:-])(?=[A-Za-z+/_-]*\d)(?=[\d+/_-]*[A-Za-z])[A-Za-z0-9+/_-]{32,}={0,2}(?![\w/.-])")


def masked(text: str) -> str:
    """The text without what looks like a secret; long random words stay, such as digests of images."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def masked_strictly(text: str) -> str:
    """The same, and long random words as well: for the lines that an application wrote."""
    return _LONG.sub(MASK, masked(text))
