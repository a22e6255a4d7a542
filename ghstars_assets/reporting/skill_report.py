"""Reports what was measured of a backtest: tables for people, and all of it as files."""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from ghstars_assets.learning.evaluation.skill import Measures, SkillReport
from ghstars_assets.learning.tasks.intervals import INTERVALS
from ghstars_assets.reporting.charts.skill_charts import (
    error_by_month_chart,
    interval_coverage_chart,
)
from ghstars_assets.reporting.markdown import format_figure, table_of_figures
from ghstars_assets.reporting.rendering import svg

MODEL = "model"

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
"""By measure its title for a reader, and how its figure is written."""


def report_markdown(report: SkillReport) -> str:
    """Everything in a report but its levels, which are drawn."""
    measured_on = (
        f"Forecasts of {report.days}, retrained {report.mode}; only rows whose outcome and naive "
        "forecast are known."
    )
    mean_bias = format_figure(report.overall["mean_bias"], ".3f")
    parts = [
        f"## {report.problem}: skill, {report.mode}",
        measured_on,
        _overall_table(report),
        f"The sum of the model's means is {mean_bias} of what happened.",
        "### Intervals",
        _interval_table(report),
        _warned_sentence(report),
        "### By month",
        _month_table(report),
    ]
    for name, rows in report.by_segment.items():
        if rows:
            parts += [f"### By {name}", _segment_table(name, rows)]
    return "\n\n".join(parts) + "\n"


def report_files(report: SkillReport) -> dict[str, str]:
    """Everything in a report as text files, by name, to be kept beside the figures."""
    return {
        "backtest.md": report_markdown(report),
        "error_by_month.svg": svg(error_by_month_chart([report])),
        "coverage_by_level.svg": svg(interval_coverage_chart(report)),
    }


def rows_for_console(report: SkillReport) -> pl.DataFrame:
    """A row for each forecaster, the model first."""
    rows = [{"forecaster": name, **of} for name, of in _forecasters(report)]
    measures = [name for name in report.overall if name != "n"]
    schema = {"forecaster": pl.String, "n": pl.Int64, **dict.fromkeys(measures, pl.Float64)}
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def _forecasters(report: SkillReport) -> list[tuple[str, Measures]]:
    return [(MODEL, report.overall), *report.baselines.items()]


def _overall_table(report: SkillReport) -> str:
    header = ["forecaster", *(title for title, _ in _SHOWN.values())]
    rows = [
        [name, *(format_figure(of[measure], form) for measure, (_, form) in _SHOWN.items())]
        for name, of in _forecasters(report)
    ]
    return table_of_figures(header, rows)


def _interval_table(report: SkillReport) -> str:
    without = report.coverage_without_warned
    rows = [
        [
            f"{share} %",
            format_figure(report.overall[f"coverage_{share}"], ".1%"),
            format_figure(without[f"coverage_{share}"], ".1%"),
            format_figure(report.overall[f"width_{share}"], ",.3f"),
            format_figure(report.overall[f"winkler_{share}"], ",.3f"),
        ]
        for share in INTERVALS
    ]
    return table_of_figures(
        ["interval", "holds", "without days warned of", "width", "Winkler"], rows
    )


def _warned_sentence(report: SkillReport) -> str:
    warned = report.warned
    if not warned["origins"]:
        return "No outcome spans a day that was let in with a warning."
    held = " and ".join(
        f"the {share} % intervals {format_figure(warned[f'coverage_{share}'], '.1%')}"
        for share in INTERVALS
    )
    return (
        f"{_counted(len(warned['days']), 'day')} let in with a warning "
        f"({_listed(warned['days'])}) within the outcomes of "
        f"{_counted(len(warned['origins']), 'origin')}: the MAE of these is "
        f"{format_figure(warned['mae'], ',.3f')} on {format_figure(warned['n'], ',d')} rows, "
        f"and of their outcomes {held} hold."
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
            *(format_figure(month["baselines"][name]["mae"], ",.3f") for name in others),
            *_cells(month, "skill_vs_naive"),
            *(format_figure(month[f"coverage_{share}"], ".1%") for share in INTERVALS),
            *_cells(month, "precision_at_50", "ndcg_at_50"),
        ]
        for month in report.by_month
    ]
    return table_of_figures(header, rows)


def _segment_table(name: str, found: Sequence[Mapping[str, float | str | None]]) -> str:
    others = [key for key in (found[0] if found else {}) if key.startswith("mae_")]
    header = [name, "rows", "MAE", *(f"MAE of {key.removeprefix('mae_')}" for key in others)]
    header += [_SHOWN[measure][0] for measure in ("skill_vs_naive", "wape", "bias")]
    header += [f"{share} % holds" for share in INTERVALS]
    rows = [
        [
            str(row["value"]),
            *_cells(row, "n", "mae"),
            *(format_figure(row[key], ",.3f") for key in others),
            *_cells(row, "skill_vs_naive", "wape", "bias"),
            *(format_figure(row[f"coverage_{share}"], ".1%") for share in INTERVALS),
        ]
        for row in found
    ]
    return table_of_figures(header, rows)


def _cells(row: Mapping[str, float | str | None], *measures: str) -> Iterator[str]:
    for measure in measures:
        yield format_figure(row[measure], _SHOWN[measure][1])


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _listed(days: Sequence[str], most: int = 5) -> str:
    more = f" and {len(days) - most} more" if len(days) > most else ""
    return ", ".join(days[:most]) + more
