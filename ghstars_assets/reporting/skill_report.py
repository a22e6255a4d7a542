"""Shows what was measured of a backtest: tables as Markdown, curves as SVG."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

import polars as pl

from ghstars_assets.learning.evaluation.skill import LEVELS, Measures, SkillReport
from ghstars_assets.learning.tasks.intervals import INTERVALS

MODEL = "model"
WIDTH, HEIGHT = 1000, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 150, 24, 46
_MOST_TICKS = 8
_STEPS = [digit * 10.0**power for power in range(-2, 7) for digit in (1, 2, 5)]
_COLOURS = ("#1f5fa8", "#c62828", "#2e7d32", "#b26a00", "#6a3d9a")
"""Each dark enough for a thin line on white."""

_SHOWN: dict[str, tuple[str, str]] = {
    "n": ("rows", ",d"),
    "mae": ("MAE", ",.3f"),
    "skill_vs_naive": ("better than naive by", ".1%"),
    "median_ae": ("median error", ",.3f"),
    "wape": ("WAPE", ".1%"),
    "r2": ("R²", ".3f"),
    "rmsle": ("RMSLE", ".3f"),
    "bias": ("sum ÷ actual", ".3f"),
    "precision_at_50": ("precision@50", ".1%"),
    "ndcg_at_50": ("NDCG@50", ".3f"),
}
"""By measure what a reader is told it is, and how its figure is written."""


# ---- tables -------------------------------------------------------------------------------------


def report_markdown(report: SkillReport) -> str:
    """All of a report but its levels, which are drawn."""
    measured_on = (
        f"Forecasts of {report.days}, retrained {report.mode}; only rows whose outcome and naive "
        "forecast are known."
    )
    mean_bias = _told(report.overall["mean_bias"], ".3f")
    parts = [
        f"## {report.problem}: skill, {report.mode}",
        measured_on,
        _overall_table(report),
        f"The sum of the model's means is {mean_bias} of what happened.",
        "### Intervals",
        _interval_table(report),
        _told_of_warned(report),
        "### By month",
        _month_table(report),
    ]
    for name, rows in report.by_segment.items():
        if rows:
            parts += [f"### By {name}", _segment_table(name, rows)]
    return "\n\n".join(parts) + "\n"


def rows_for_console(report: SkillReport) -> pl.DataFrame:
    """A row a forecaster, the model first."""
    rows = [{"forecaster": name, **of} for name, of in _forecasters(report)]
    measures = [name for name in report.overall if name != "n"]
    schema = {"forecaster": pl.String, "n": pl.Int64, **dict.fromkeys(measures, pl.Float64)}
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def _forecasters(report: SkillReport) -> list[tuple[str, Measures]]:
    return [(MODEL, report.overall), *report.baselines.items()]


def _overall_table(report: SkillReport) -> str:
    header = ["forecaster", *(title for title, _ in _SHOWN.values())]
    rows = [
        [name, *(_told(of[measure], form) for measure, (_, form) in _SHOWN.items())]
        for name, of in _forecasters(report)
    ]
    return _table(header, rows)


def _interval_table(report: SkillReport) -> str:
    without = report.coverage_without_warned
    rows = [
        [
            f"{share} %",
            _told(report.overall[f"coverage_{share}"], ".1%"),
            _told(without[f"coverage_{share}"], ".1%"),
            _told(report.overall[f"width_{share}"], ",.3f"),
            _told(report.overall[f"winkler_{share}"], ",.3f"),
        ]
        for share in INTERVALS
    ]
    return _table(["interval", "holds", "without days warned of", "width", "Winkler"], rows)


def _told_of_warned(report: SkillReport) -> str:
    warned = report.warned
    if not warned["origins"]:
        return "No outcome spans a day that was let in with a warning."
    held = " and ".join(
        f"the {share} % intervals {_told(warned[f'coverage_{share}'], '.1%')}"
        for share in INTERVALS
    )
    return (
        f"{_counted(len(warned['days']), 'day')} let in with a warning "
        f"({_listed(warned['days'])}) within the outcomes of "
        f"{_counted(len(warned['origins']), 'origin')}: the MAE of these is "
        f"{_told(warned['mae'], ',.3f')} on {_told(warned['n'], ',d')} rows, and of their "
        f"outcomes {held} hold."
    )


def _month_table(report: SkillReport) -> str:
    others = list(report.baselines)
    header = ["month", "rows", "MAE", *(f"MAE of {name}" for name in others)]
    header += [_SHOWN["skill_vs_naive"][0], *(f"{share} % holds" for share in INTERVALS)]
    header += [_SHOWN[measure][0] for measure in ("precision_at_50", "ndcg_at_50")]
    rows = [
        [
            month["month"],
            *_cells(month, "n", "mae"),
            *(_told(month["baselines"][name]["mae"], ",.3f") for name in others),
            *_cells(month, "skill_vs_naive"),
            *(_told(month[f"coverage_{share}"], ".1%") for share in INTERVALS),
            *_cells(month, "precision_at_50", "ndcg_at_50"),
        ]
        for month in report.by_month
    ]
    return _table(header, rows)


def _segment_table(name: str, found: Sequence[Mapping[str, float | str | None]]) -> str:
    others = [key for key in (found[0] if found else {}) if key.startswith("mae_")]
    header = [name, "rows", "MAE", *(f"MAE of {key.removeprefix('mae_')}" for key in others)]
    header += [_SHOWN[measure][0] for measure in ("skill_vs_naive", "wape", "bias")]
    header += [f"{share} % holds" for share in INTERVALS]
    rows = [
        [
            str(row["value"]),
            *_cells(row, "n", "mae"),
            *(_told(row[key], ",.3f") for key in others),
            *_cells(row, "skill_vs_naive", "wape", "bias"),
            *(_told(row[f"coverage_{share}"], ".1%") for share in INTERVALS),
        ]
        for row in found
    ]
    return _table(header, rows)


def _cells(row: Mapping[str, float | str | None], *measures: str) -> Iterator[str]:
    for measure in measures:
        yield _told(row[measure], _SHOWN[measure][1])


def _told(value: float | str | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column names the row, the others are figures."""
    ruled = ["---", *["---:"] * (len(header) - 1)]
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, ruled, *escaped))


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _listed(days: Sequence[str], most: int = 5) -> str:
    more = f" and {len(days) - most} more" if len(days) > most else ""
    return ", ".join(days[:most]) + more


# ---- curves -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Axes:
    """Places on the x axis are numbered from 0; y runs from `low` to `high`."""

    places: Sequence[str]
    low: float
    high: float
    step: float

    @classmethod
    def around(cls, places: Sequence[str], values: Sequence[float]) -> "_Axes":
        least, most = min(values), max(values)
        step = next((s for s in _STEPS if (most - least) / s <= _MOST_TICKS - 2), _STEPS[-1])
        low, high = least // step * step, -(-most // step) * step
        return cls(places, low, high if high > low else low + step, step)

    def x(self, place: int) -> float:
        return _LEFT + (place + 0.5) / len(self.places) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)

    def drawn(self, form: str) -> Iterator[str]:
        for number in range(round((self.high - self.low) / self.step) + 1):
            value = self.low + number * self.step
            yield _rule(self.y(value), "#dfe3e8")
            yield _text(_LEFT - 8, self.y(value) + 4, format(value, form), "end")
        every = -(-len(self.places) // 14)
        for number, place in enumerate(self.places):
            if number % every == 0:
                yield _text(self.x(number), HEIGHT - _BOTTOM + 18, place, "middle")

    def line(
        self, values: Sequence[float | None], colour: str, *, name: str = "", width: float = 2.0
    ) -> Iterator[str]:
        """Broken where there is no value; a value between two gaps is a dot."""
        known = [(place, value) for place, value in enumerate(values) if value is not None]
        for _, run in groupby(enumerate(known), lambda found: found[1][0] - found[0]):
            points = [f"{self.x(place):.1f},{self.y(value):.1f}" for _, (place, value) in run]
            # A line of no length has no dot but for its round ends.
            ends = 'stroke-linecap="round" stroke-linejoin="round"'
            drawn = points * 2 if len(points) == 1 else points
            yield (
                f'<polyline points="{" ".join(drawn)}" fill="none" stroke="{colour}" '
                f'stroke-width="{width:g}" {ends}/>'
            )
        if known and name:
            yield _text(WIDTH - _RIGHT + 8, self.y(known[-1][1]) + 4, name, "start", colour)


def error_curve_svg(reports: Sequence[SkillReport]) -> str:
    """MAE ÷ that of the naive forecast by month: one line a mode."""
    months = sorted({row["month"] for report in reports for row in report.by_month})
    curves = {report.mode: _errors_by_month(report, months) for report in reports}
    known = [value for curve in curves.values() for value in curve if value is not None]
    axes = _Axes.around(months, [*known, 1.0])
    parts = list(axes.drawn(".2f"))
    parts += [_rule(axes.y(1.0), "#5a6270", dashes="5 4")]
    parts += [_text(_LEFT + 6, axes.y(1.0) - 6, "as good as naive", "start", "#5a6270")]
    for number, (mode, curve) in enumerate(curves.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        parts += axes.line(curve, colour)
        y = _TOP + 14 + 20 * number
        parts.append(_text(WIDTH - _RIGHT + 8, y, mode, "start", colour))
    return _picture("MAE ÷ MAE of the naive forecast, by month of the origin", parts)


def coverage_curve_svg(report: SkillReport) -> str:
    """What the intervals held by decile of the forecasts: all quarters, and faintly each."""
    deciles = range(1, LEVELS + 1)
    held = [row[f"coverage_{share}"] for row in report.by_level for share in INTERVALS]
    targets = [int(share) / 100 for share in INTERVALS]
    known = [value for value in held if value is not None]
    axes = _Axes.around([str(decile) for decile in deciles], [*known, *targets, 1.0])
    parts = list(axes.drawn(".0%"))
    for (share, target), colour in zip(
        zip(INTERVALS, targets, strict=True), _COLOURS, strict=False
    ):
        parts.append(_rule(axes.y(target), colour, dashes="5 4"))
        measure = f"coverage_{share}"
        for _, rows in groupby(report.by_level, lambda row: row["quarter"]):
            of_quarter = {row["decile"]: row[measure] for row in rows}
            faint = axes.line([of_quarter.get(n) for n in deciles], colour, width=1)
            parts += [f'<g opacity="0.3">{line}</g>' for line in faint]
        pooled = [_pooled(report, decile, measure) for decile in deciles]
        parts += axes.line(pooled, colour, name=f"{share} % interval", width=2.5)
    return _picture("Share of outcomes that the intervals hold, by decile of typical", parts)


def _errors_by_month(report: SkillReport, months: Sequence[str]) -> list[float | None]:
    skill = {row["month"]: row["skill_vs_naive"] for row in report.by_month}
    return [None if skill.get(month) is None else 1 - skill[month] for month in months]


def _pooled(report: SkillReport, decile: int, measure: str) -> float | None:
    """Over the quarters, each by its rows."""
    rows = [
        (row["n"], row[measure])
        for row in report.by_level
        if row["decile"] == decile and row[measure] is not None
    ]
    counted = sum(n for n, _ in rows)
    return sum(n * share for n, share in rows) / counted if counted else None


def _picture(title: str, parts: Sequence[str]) -> str:
    """Readable on light and on dark ground: the picture brings its own."""
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="13">'
    )
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    below = _text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 8, title, "middle")
    return "\n".join([opening, ground, *parts, below, "</svg>"])


def _rule(y: float, colour: str, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}" '
        f'stroke="{colour}"{dashed}/>'
    )


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#333") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">'
        f"{escape(text)}</text>"
    )
