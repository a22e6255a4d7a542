"""Charts what was measured of backtests: errors by month, and what the intervals held by decile."""

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import TYPE_CHECKING

from ghstars_assets.learning.evaluation.skill import LEVELS, SkillReport
from ghstars_assets.learning.tasks.intervals import INTERVALS
from ghstars_assets.reporting.charts.style import (
    MUTED,
    SERIES,
    chart_of,
    colours,
    described,
    every_nth,
    named_line,
    places,
    quantity,
    styled_chart,
)

if TYPE_CHECKING:
    import altair as alt


def error_by_month_chart(reports: Sequence[SkillReport]) -> "alt.LayerChart":
    """The MAE as a multiple of that of the naive forecast: one line for each mode."""
    import altair as alt

    months = sorted({row["month"] for report in reports for row in report.by_month})
    y = quantity("error", ".2f", alt.Scale(zero=False))
    curves = chart_of(_errors(reports, months)).encode(
        places("month", months, every_nth(months, 14)),
        y,
        _series("mode", [report.mode for report in reports]),
    )
    return styled_chart(
        *named_line(y, "error", 1.0, "as good as naive", MUTED),
        *_lines(curves),
        title="MAE ÷ MAE of the naive forecast, by month of the origin",
    )


def interval_coverage_chart(report: SkillReport) -> "alt.LayerChart":
    """What the intervals held by decile of the forecasts: all quarters, and faintly each."""
    import altair as alt

    deciles = [str(decile) for decile in range(1, LEVELS + 1)]
    x, y = places("decile", deciles, deciles), quantity("held", ".0%", alt.Scale(zero=False))
    colour = _series("interval", [_interval_name(share) for share in INTERVALS])
    promised = [
        layer
        for share, series_colour in zip(INTERVALS, SERIES, strict=False)
        for layer in named_line(y, "held", int(share) / 100, "promised", series_colour)
    ]
    each = chart_of(_held_by_quarter(report)).encode(x, y, colour, alt.Detail("quarter:N"))
    return styled_chart(
        *promised,
        each.mark_line(opacity=0.3, strokeWidth=1),
        *_lines(chart_of(_held_in_all(report)).encode(x, y, colour)),
        title="Share of outcomes that the intervals hold, by decile of typical",
    )


# ---- what is drawn ------------------------------------------------------------------------------


def _errors(reports: Sequence[SkillReport], months: Sequence[str]) -> Iterator[dict[str, object]]:
    """A row for every month of every mode: without a figure the line breaks."""
    for report in reports:
        skill = {row["month"]: row["skill_vs_naive"] for row in report.by_month}
        for month in months:
            measured = skill.get(month)
            error = None if measured is None else 1 - measured
            shown = "" if error is None else f"{report.mode}, {month}: {error:.3f}"
            yield {"mode": report.mode, "month": month, "error": error, "described": shown}


def _held_by_quarter(report: SkillReport) -> Iterator[dict[str, object]]:
    for row in report.by_level:
        for share in INTERVALS:
            yield {
                "quarter": row["quarter"],
                "interval": _interval_name(share),
                "decile": str(row["decile"]),
                "held": row[f"coverage_{share}"],
            }


def _held_in_all(report: SkillReport) -> Iterator[dict[str, object]]:
    """A row for every decile of every interval: without a figure the line breaks."""
    for share in INTERVALS:
        for decile in range(1, LEVELS + 1):
            name, held = _interval_name(share), _pooled(report, decile, f"coverage_{share}")
            shown = "" if held is None else f"{name}, decile {decile}: {held:.1%}"
            yield {"interval": name, "decile": str(decile), "held": held, "described": shown}


def _pooled(report: SkillReport, decile: int, measure: str) -> float | None:
    """The mean over the quarters, each weighted by its rows."""
    rows = [
        (row["n"], row[measure])
        for row in report.by_level
        if row["decile"] == decile and row[measure] is not None
    ]
    counted = sum(n for n, _ in rows)
    return sum(n * share for n, share in rows) / counted if counted else None


def _interval_name(share: str) -> str:
    return f"{share} % interval"


# ---- how it is drawn ----------------------------------------------------------------------------


def _lines(curves: "alt.Chart") -> "tuple[alt.Chart, alt.Chart]":
    """A line with a point at each value: a value between two gaps has no line."""
    return (
        curves.mark_line(strokeWidth=2, strokeJoin="round"),
        curves.mark_point(filled=True, size=30, opacity=1).encode(described()),
    )


def _series(field: str, names: Sequence[str]) -> "alt.Color":
    import altair as alt

    legend = alt.Legend(symbolType="stroke", symbolStrokeWidth=3)
    return colours(field, dict(zip(names, cycle(SERIES), strict=False)), legend)
