"""Charts which day is known from which source: a lane for each source, time from left to right."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from ghstars_assets.calendar import DayRange
from ghstars_assets.reporting.charts.style import (
    BLUE,
    FRAME,
    MUTED,
    RED,
    WIDTH,
    chart_of,
    colours,
    described,
    styled_chart,
)
from ghstars_assets.reporting.source_coverage import SPARSE_SHARE, DayState, Lane

if TYPE_CHECKING:
    import altair as alt

LANE_HEIGHT = 40
_MEANINGS = {
    DayState.FULL: f"at least {SPARSE_SHARE:.0%} of what is usual",
    DayState.SHORT: f"under {SPARSE_SHARE:.0%}",
    DayState.HALF: "under half",
    DayState.MISSING: "nothing",
    DayState.QUARANTINED: "in quarantine",
}
_COLOURS = (BLUE, "#7fb2e5", "#f0b429", "#ffffff", RED)
_COMMON = (DayState.FULL, DayState.MISSING)
"""What is out of the ordinary is drawn above them, so that no neighbour covers its least width."""


def source_coverage_chart(lanes: Sequence[Lane]) -> "alt.LayerChart":
    import altair as alt

    span = DayRange(min(lane.first for lane in lanes), max(lane.last for lane in lanes))
    names = [lane.name for lane in lanes]
    x = alt.X("from:T", scale=alt.Scale(type="utc", nice=False), axis=_time_axis(span))
    until = alt.X2("until:T")
    y = alt.Y(
        "lane:N",
        sort=names,
        axis=alt.Axis(labelLimit=0),
        scale=alt.Scale(paddingInner=0.35, paddingOuter=0.1),
    )
    legend = alt.Legend(symbolType="square", symbolStrokeColor=FRAME, symbolStrokeWidth=1)
    colour = colours("meaning", dict(zip(_MEANINGS.values(), _COLOURS, strict=True)), legend)
    # Between the first and the last day a day without data is white; beyond them the frame shows.
    frames = chart_of(
        {"lane": name, "from": _moment(span.first), "until": _moment(_after(span.last))}
        for name in names
    )
    return styled_chart(
        frames.mark_rect(fill="#f3f4f6", stroke=FRAME, aria=False).encode(x, until, y),
        chart_of(_runs(lanes, span)).mark_rect().encode(x, until, y, colour, described()),
        title="Which day is known from which source",
        height=LANE_HEIGHT * len(lanes),
    )


def _runs(lanes: Sequence[Lane], span: DayRange) -> Iterator[dict[str, str]]:
    """Days one after the other in one state, as they are drawn: at least a pixel wide."""
    least = timedelta(days=len(span) / WIDTH)
    found = [
        (state, lane.name, list(run))
        for lane in lanes
        for state, run in groupby(lane.states().items(), lambda found: found[1])
    ]
    for state, name, run in sorted(found, key=lambda one: one[0] not in _COMMON):
        first, last = run[0][0], run[-1][0]
        days = f"{first} to {last}" if first < last else f"{first}"
        yield {
            "lane": name,
            "meaning": _MEANINGS[state],
            "from": _moment(first),
            "until": max(_moment(_after(last)), _moment(first, least)),
            "described": f"{name}, {days}: {_MEANINGS[state]}",
        }


def _time_axis(span: DayRange) -> "alt.Axis":
    """Years; months where there is less than a year and a half, days where there are two months."""
    import altair as alt

    # Of a few days every one: the axis would name hours.
    steps = {"year": len(span) > 550, "month": len(span) > 62, "week": len(span) > 14}
    step = next((name for name, is_it in steps.items() if is_it), "day")
    names = {
        "year": "utcFormat(datum.value, '%Y')",
        "month": "utcFormat(datum.value, utcmonth(datum.value) == 0 ? '%Y' : '%b')",
    }
    return alt.Axis(
        tickCount={"interval": step, "step": 1},
        labelExpr=names.get(step, "utcFormat(datum.value, '%-d %b')"),
        labelOverlap=True,
        domain=False,
        ticks=True,
        grid=True,
        gridColor=MUTED,
        gridDash=[2, 3],
        zindex=1,
    )


def _after(day: date) -> date:
    return day + timedelta(days=1)


def _moment(day: date, later: timedelta = timedelta(0)) -> str:
    return f"{datetime.combine(day, time(), UTC) + later:%Y-%m-%dT%H:%M:%SZ}"
