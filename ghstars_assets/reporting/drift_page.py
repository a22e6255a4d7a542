"""Draws drift as one HTML page that stands alone: each feature then and now, side by side.

It may be mailed or put anywhere: it loads nothing, runs nothing, and says so to the browser.
"""

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from ghstars_assets.learning.monitoring.drift_between_windows import Compared
from ghstars_assets.learning.monitoring.drift_statistics import POINTS, Shift, Sketch
from ghstars_assets.learning.problem import Gates
from ghstars_assets.reporting.drift_report import told

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BARS = 24
WIDTH, HEIGHT = 560, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 8, 24
_MISSING_GAP = 14
_THEN, _NOW = "#9aa7b8", "#c2571a"

_STYLE = """
body { font: 15px/1.45 sans-serif; color: #222; background: #fff; margin: 2em auto; max-width: 78em;
  padding: 0 1em }
h1 { font-size: 1.5em } h2 { font-size: 1.05em; margin: 0; overflow-wrap: anywhere }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(34em, 1fr)); gap: 1.2em;
  margin-top: 1.2em }
section { border: 1px solid #d5d9df; border-radius: 4px; padding: .8em 1em }
section.drifted { border-color: #c62828 }
p { margin: .3em 0 } .why { color: #c62828 } .what { color: #5a6270 }
svg { width: 100%; height: auto }
dl { display: flex; flex-wrap: wrap; gap: .2em 1.4em; margin: .3em 0 0; font-size: .9em }
dt { color: #5a6270 } dd { margin: 0 } dl div { display: flex; gap: .4em }
dd.beyond { color: #c62828; font-weight: bold }
i { display: inline-block; width: .9em; height: .9em; vertical-align: -.1em }
"""


def drift_page(title: str, then: str, now: str, features: Sequence[Compared], gates: Gates) -> str:
    drifted = sum(bool(feature.reason) for feature in features)
    legend = " ".join(
        f'<i style="background:{colour}"></i> {escape(what)}&emsp;'
        for colour, what in ((_THEN, then), (_NOW, now))
    )
    summary = (
        f"{drifted} of {len(features)} features have drifted; {gates.drifted_share.value:.0%} is "
        "much. Bars are shares of the rows; the outermost hold all that lies beyond."
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    lines = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
        f"<h1>{escape(title)}</h1>\n<p>{legend}</p>\n<p>{summary}</p>\n<main>",
    ]
    for feature in features:
        lines += _section(feature, gates)
    return "\n".join([*lines, "</main>\n</body>\n</html>\n"])


def _section(feature: Compared, gates: Gates) -> Iterator[str]:
    marked = ' class="drifted"' if feature.reason else ""
    yield f"<section{marked}>\n<h2>{escape(feature.name)}</h2>"
    yield f'<p class="what">{escape(feature.description)}</p>'
    yield distributions_svg(feature.then, feature.now)
    yield from _statistics(feature.shift, gates)
    if feature.reason:
        yield f'<p class="why">Drifted: {escape(feature.reason)}</p>'
    yield "</section>"


def _statistics(shift: Shift, gates: Gates) -> Iterator[str]:
    beyond = shift.passed(gates)
    shown = [
        ("population_stability", "PSI", told(shift.population_stability, ".3f")),
        ("wasserstein", "Wasserstein ÷ std", told(shift.wasserstein, ".3f")),
        ("jensen_shannon", "Jensen–Shannon", told(shift.jensen_shannon, ".3f")),
        (
            "share_missing",
            "missing",
            f"{shift.share_missing_reference:.1%} → {shift.share_missing:.1%}",
        ),
        ("share_outside", "outside", f"{shift.share_outside:.1%}"),
        ("rows", "rows", f"{shift.reference_rows:,} → {shift.rows:,}"),
    ]
    yield "<dl>"
    for name, title, figure in shown:
        marked = ' class="beyond"' if name in beyond else ""
        yield f"<div><dt>{title}</dt><dd{marked}>{figure}</dd></div>"
    yield "</dl>"


# ---- both distributions -------------------------------------------------------------------------


def distributions_svg(then: Sketch, now: Sketch) -> str:
    """Two bars a place, then and now; last and set apart the rows without a value."""
    pairs = _bars(then, now)
    missing = then.share_missing, now.share_missing
    known = len(pairs)
    if any(missing):
        pairs.append(("missing", *missing))
    gap = _MISSING_GAP if any(missing) else 0
    step = (WIDTH - _LEFT - _RIGHT - gap) / max(len(pairs), 1)
    highest = max((share for _, *shares in pairs for share in shares), default=0.0) or 1.0
    parts = [_label(_LEFT - 6, _TOP + 8, f"{highest:.0%}", "end")]
    every = -(-known // 7)
    for place, (label, *shares) in enumerate(pairs):
        x = _LEFT + place * step + (gap if place == known else 0)
        for number, share in enumerate(shares):
            left = x + (0.1 + 0.4 * number) * step
            parts.append(_bar(left, 0.4 * step, share / highest, (_THEN, _NOW)[number]))
            parts[-1] += f"<title>{escape(label)}: {share:.1%}</title></rect>"
        if place == known or (place % every == 0 and known - place > every // 2):
            parts.append(_label(x + step / 2, HEIGHT - 8, label, "middle"))
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="11" role="img">'
    )
    ground = (
        f'<line x1="{_LEFT}" y1="{HEIGHT - _BOTTOM}" x2="{WIDTH - _RIGHT}" '
        f'y2="{HEIGHT - _BOTTOM}" stroke="#9aa0a8"/>'
    )
    return "".join([opening, ground, *parts, "</svg>"])


def _bar(left: float, width: float, share: float, colour: str) -> str:
    height = share * (HEIGHT - _TOP - _BOTTOM)
    return (
        f'<rect x="{left:.1f}" y="{HEIGHT - _BOTTOM - height:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" fill="{colour}">'
    )


def _bars(then: Sketch, now: Sketch) -> list[tuple[str, float, float]]:
    """What each place stands for, and the share of all rows in it then and now."""
    import numpy as np

    both = (then, now)
    values = sorted({*then.points, *now.points})
    if len(values) <= BARS:
        held = [dict(zip(sketch.points, sketch.weights, strict=True)) for sketch in both]
        labels = [f"{value:g}" for value in values]
        shares = [[of.get(value, 0.0) for value in values] for of in held]
    else:
        ends = [_quantile(of, share) for of in both if of.points for share in (0.01, 0.99)]
        low, high = min(ends), max(ends)
        if low == high:
            low, high = values[0], values[-1]
        edges = np.linspace(low, high, BARS + 1)
        labels = [f"{middle:.3g}" for middle in (edges[1:] + edges[:-1]) / 2]
        shares = [_shares_between(sketch, edges) for sketch in both]
    of_all = [
        [share * (1 - sketch.share_missing) for share in found]
        for sketch, found in zip(both, shares, strict=True)
    ]
    return list(zip(labels, *of_all, strict=True))


def _shares_between(sketch: Sketch, edges: "Floats") -> list[float]:
    """Of the known rows. Where the points are all the values, they are counted; where they stand
    for others, the rows between two are taken to lie evenly."""
    import numpy as np

    if not sketch.points:
        return [0.0] * (len(edges) - 1)
    points, upto = np.array(sketch.points), np.cumsum(sketch.weights)
    if len(points) < POINTS:
        below = np.concatenate([[0.0], upto])[np.searchsorted(points, edges[1:-1], side="right")]
    else:
        below = np.interp(edges[1:-1], points, upto - np.array(sketch.weights) / 2)
    return [float(share) for share in np.diff(np.concatenate([[0.0], below, [1.0]]))]


def _quantile(sketch: Sketch, share: float) -> float:
    import numpy as np

    upto = np.cumsum(sketch.weights)
    return sketch.points[min(int(np.searchsorted(upto, share)), len(sketch.points) - 1)]


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#444">{escape(text)}</text>'
