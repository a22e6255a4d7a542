"""What all charts have in common: size, colours and axes, on a ground of their own."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import altair as alt

WIDTH, HEIGHT = 830, 290
BLUE, RED, GREEN, AMBER, PURPLE = "#1f5fa8", "#c62828", "#2e7d32", "#b26a00", "#6a3d9a"
SERIES = (BLUE, RED, GREEN, AMBER, PURPLE)
"""Each dark enough for a thin line on white."""
INK, MUTED, FRAME, FAINT = "#333333", "#5a6270", "#c8ccd2", "#dfe3e8"

_AXIS = {
    "title": None,
    "ticks": False,
    "labelAngle": 0,
    "labelColor": INK,
    "labelFontSize": 12,
    "labelPadding": 6,
    "gridColor": FAINT,
    "domainColor": "#9aa0a8",
}
_LEGEND = {
    "title": None,
    "orient": "top",
    "labelColor": INK,
    "labelFontSize": 12,
    "labelLimit": 0,
    "symbolSize": 140,
    "symbolOpacity": 1,
}
_STYLE = {
    # Readable on a light and on a dark page: the chart brings its own ground.
    "background": "#ffffff",
    "padding": 14,
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": _AXIS,
    "axisY": {"domain": False},
    "legend": _LEGEND,
    "title": {
        "color": INK,
        "fontSize": 14,
        "fontWeight": "normal",
        "anchor": "start",
        "offset": 12,
    },
    "text": {"fontSize": 12, "align": "left", "dx": 6},
    # Shown on hovering is what a mark describes; these describe nothing.
    "line": {"aria": False},
    "rule": {"aria": False, "strokeDash": [5, 4]},
}


def styled_chart(
    *layers: "alt.Chart", title: str, height: int = HEIGHT, width: int = WIDTH
) -> "alt.LayerChart":
    """The layers as one chart, the later above the earlier."""
    import altair as alt

    sized = alt.LayerChart(layer=list(layers)).properties(width=width, height=height)
    return (sized.properties(title=title) if title else sized).configure(**_STYLE)


def chart_of(rows: Iterable[Mapping[str, object]]) -> "alt.Chart":
    """Rows within the specification, however many: what a chart shows was counted before."""
    import altair as alt

    return alt.Chart(alt.Data(values=[dict(row) for row in rows]))


def described() -> "alt.Description":
    """What a mark shows on hovering: its row's `described`."""
    import altair as alt

    return alt.Description("described:N")


def places(
    field: str, names: Sequence[str], named: Sequence[str], labels: Mapping[str, str] | None = None
) -> "alt.X":
    """Places beside each other in this order, of which some are named on the axis."""
    import altair as alt

    scale = alt.Scale(domain=list(names), paddingInner=0.2)
    axis = alt.Axis(values=list(named), labelExpr=looked_up(labels) if labels else alt.Undefined)
    return alt.X(f"{field}:O", scale=scale, axis=axis)


def looked_up(texts: Mapping[str, str]) -> str:
    """The expression by which Vega finds the text for a name on an axis or in a legend."""
    return f"{json.dumps(texts)}[datum.value]"


def every_nth(names: Sequence[str], most: int) -> Sequence[str]:
    """As many names as do not lie on each other."""
    return names[:: -(-len(names) // most) or 1]


def quantity(field: str, form: str, scale: "alt.Scale", ticks: int = 8) -> "alt.Y":
    import altair as alt

    axis = alt.Axis(format=form, tickCount=ticks, tickMinStep=0.01)
    return alt.Y(f"{field}:Q", scale=scale, axis=axis)


def colours(field: str, by_name: Mapping[str, str], legend: "alt.Legend | None") -> "alt.Color":
    import altair as alt

    scale = alt.Scale(domain=list(by_name), range=list(by_name.values()))
    return alt.Color(f"{field}:N", scale=scale, legend=legend)


def named_line(y: "alt.Y", field: str, value: float, name: str, colour: str) -> "list[alt.Chart]":
    """A dashed line across the chart, with its name on the right."""
    import altair as alt

    line = chart_of([{field: value, "name": name}])
    return [
        line.mark_rule(color=colour).encode(y),
        line.mark_text(color=colour).encode(y, alt.XValue(WIDTH), alt.Text("name:N")),
    ]
