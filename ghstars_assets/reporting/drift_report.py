"""Reports drift: a day's statistics as a table, and the share of drifted features by day."""

from datetime import date, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.gates import Gates
from ghstars_assets.learning.monitoring.drift_summary import drift_on, most_drifted_first
from ghstars_assets.learning.problem import Problem
from ghstars_assets.reporting.charts.drift_charts import SHOWN_DAYS
from ghstars_assets.reporting.markdown import format_figure, table

_SHOWN = {
    "population_stability": ("PSI", ".2f"),
    "wasserstein": ("Wasserstein", ".2f"),
    "jensen_shannon": ("Jensen–Shannon", ".2f"),
    "share_missing": ("missing", ".1%"),
    "share_missing_reference": ("in the reference", ".1%"),
    "share_outside": ("outside", ".1%"),
}
"""By column its title for a reader, and how its figure is written."""


def drift_markdown(rows: pl.DataFrame, gates: Gates) -> str:
    """The rows of one day."""
    titles = [title for title, _ in _SHOWN.values()]
    cells = [
        [
            row["feature"],
            row["kind"],
            "**yes**" if row["is_drifted"] else "no",
            *(format_figure(row[name], form) for name, (_, form) in _SHOWN.items()),
            f"{row['rows']:,}",
            row["reason"],
        ]
        for row in most_drifted_first(rows, gates).iter_rows(named=True)
    ]
    header = ["column", "kind", "drifted", *titles, "rows", "why"]
    shown = table(header, cells, figures=[*titles, "rows"])
    learnt = rows.filter(pl.col("kind") == "feature")["reference_rows"]
    version, compared = rows["model_version"][0], learnt.max() or 0
    return f"{shown}\n\nHeld against version {version}, which learnt from {compared:,} rows.\n"


def shares_up_to(lake: Lake, problem: Problem, day: date) -> dict[date, float]:
    """The share of drifted features on the latest days; days without any row are left out."""
    stored = problem.table("drift")
    days = DayRange(day - timedelta(days=SHOWN_DAYS - 1), day)
    shares = {
        found: drift_on(lake.read(stored, found), problem.gates).drifted_share
        for found in lake.days(stored, days)
    }
    return {found: share for found, share in shares.items() if share is not None}
