"""Shows drift as one HTML page that stands alone: each feature then and now, side by side.

It may be mailed or put anywhere: the charts are in it, as SVG.
"""

from collections.abc import Iterator, Sequence
from html import escape

from ghstars_assets.learning.gates import Gates
from ghstars_assets.learning.monitoring.drift_between_windows import Compared
from ghstars_assets.learning.monitoring.drift_statistics import Shift
from ghstars_assets.reporting.charts.drift_charts import (
    NOW_COLOUR,
    THEN_COLOUR,
    then_and_now_chart,
)
from ghstars_assets.reporting.distributions import side_by_side
from ghstars_assets.reporting.markdown import format_figure
from ghstars_assets.reporting.rendering import stand_alone_page, svg

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
        f'<i style="background:{colour}"></i> {escape(window)}&emsp;'
        for colour, window in ((THEN_COLOUR, then), (NOW_COLOUR, now))
    )
    summary = (
        f"{drifted} of {len(features)} features have drifted; {gates.drifted_share.value:.0%} is "
        "much. Bars are shares of the rows; the outermost hold all that lies beyond."
    )
    lines = [f"<h1>{escape(title)}</h1>\n<p>{legend}</p>\n<p>{summary}</p>\n<main>"]
    for feature in features:
        lines += _section(feature, then, now, gates)
    return stand_alone_page(title, _STYLE, "\n".join([*lines, "</main>"]))


def _section(feature: Compared, then: str, now: str, gates: Gates) -> Iterator[str]:
    marked = ' class="drifted"' if feature.reason else ""
    yield f"<section{marked}>\n<h2>{escape(feature.name)}</h2>"
    yield f'<p class="what">{escape(feature.description)}</p>'
    yield svg(then_and_now_chart(side_by_side(feature.then, feature.now), then, now))
    yield from _statistics(feature.shift, gates)
    if feature.reason:
        yield f'<p class="why">Drifted: {escape(feature.reason)}</p>'
    yield "</section>"


def _statistics(shift: Shift, gates: Gates) -> Iterator[str]:
    beyond = shift.passed(gates)
    shown = [
        ("population_stability", "PSI", format_figure(shift.population_stability, ".3f")),
        ("wasserstein", "Wasserstein ÷ std", format_figure(shift.wasserstein, ".3f")),
        ("jensen_shannon", "Jensen–Shannon", format_figure(shift.jensen_shannon, ".3f")),
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
