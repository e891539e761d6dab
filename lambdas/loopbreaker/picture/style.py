"""The look of the drawing, and the signs for how a task ended. Colours only repeat what a shape or a word says."""

from loopbreaker.picture.words import Cause

STYLE = """
svg{--card:#fff;--ink:#1f2328;--soft:#57606a;--line:#d5dbe1;--run:#4a7ab8;--bad:#c0262d;--good:#1a7f37;--warn:#8a5a00;
--money:#7a4fc4;--fold:#f3f5f7;--held:#8c959f;
font:13px -apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif}
@media(prefers-color-scheme:dark){svg{--card:#0d1117;--ink:#e6edf3;--soft:#9aa4af;--line:#2c333c;--run:#79abe8;
--bad:#ff7b72;--good:#56d364;--warn:#e3b341;--money:#bc9bf5;--fold:#161c24;--held:#6e7681}}
text{fill:var(--ink)}.h{font-size:19px;font-weight:600}.s{fill:var(--soft)}.t{font-size:11.5px;fill:var(--soft)}
.m{text-anchor:middle}.e{text-anchor:end}.b{font-weight:600}.card{fill:var(--card);stroke:var(--line)}
.g{stroke:var(--line);fill:none}.r{fill:var(--run)}.w{fill:url(#lb-start);stroke:var(--run)}
.x{stroke:var(--bad);stroke-width:2.2;fill:none;stroke-linecap:round;stroke-linejoin:round}
.k{stroke:var(--card);stroke-width:5.5;fill:var(--card);stroke-linecap:round;stroke-linejoin:round}
.a{stroke:var(--soft);fill:none;stroke-width:1.2;marker-end:url(#lb-tip)}.tip{fill:var(--soft)}
.f{fill:var(--fold)}.p{fill:var(--card)}.z{stroke:var(--held);fill:none}.held{fill:url(#lb-held)}.hl{stroke:var(--held)}
.sl{stroke:var(--run);stroke-width:1.1}.v{stroke:var(--soft);stroke-width:1.2}
.v-found,.v-told,.v-reminded{stroke:var(--warn);stroke-dasharray:5 3}.v-deployment{stroke-dasharray:1.5 3}
.v-stopped,.v-rolled{stroke:var(--bad);stroke-width:2}.v-probe{stroke-dasharray:8 3 2 3}
.v-back,.v-over{stroke:var(--good);stroke-width:2}
.area{fill:var(--run);fill-opacity:.28;stroke:var(--run);stroke-width:1.4}
.cash{fill:none;stroke:var(--money);stroke-width:2;stroke-dasharray:6 2.5}
""".strip().replace("\n", "")

DEFS = (
    '<defs><pattern id="lb-start" width="4.5" height="4.5" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><path class="sl" d="M0 0V4.5"/></pattern>'
    '<pattern id="lb-held" width="9" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">'
    '<path class="hl" stroke-opacity=".35" d="M0 0V9"/></pattern>'
    '<marker id="lb-tip" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="5.5" markerHeight="5.5" orient="auto">'
    '<path class="tip" d="M0 0L6 3L0 6z"/></marker></defs>'
)


def sign(cause: Cause, x: float, y: float, size: float = 4.4) -> str:
    """The path of a sign around a point: a cross, a filled-in triangle, an empty diamond, a ring, a bar."""
    s = round(size, 1)
    match cause:
        case Cause.ENDED:
            return f"M{x - s:.1f} {y - s:.1f}l{2 * s:.1f} {2 * s:.1f}m0 {-2 * s:.1f}l{-2 * s:.1f} {2 * s:.1f}"
        case Cause.KILLED:
            return f"M{x - s:.1f} {y + s:.1f}h{2 * s:.1f}l{-s:.1f} {-2 * s:.1f}z"
        case Cause.NEVER_STARTED:
            return f"M{x - s:.1f} {y:.1f}l{s:.1f} {-s:.1f}l{s:.1f} {s:.1f}l{-s:.1f} {s:.1f}z"
        case Cause.UNHEALTHY:
            return f"M{x - s:.1f} {y:.1f}a{s} {s} 0 1 0 {2 * s:.1f} 0a{s} {s} 0 1 0 {-2 * s:.1f} 0"
        case Cause.OTHER:
            return f"M{x:.1f} {y - s:.1f}v{2 * s:.1f}"
