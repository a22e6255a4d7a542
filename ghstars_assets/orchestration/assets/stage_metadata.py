"""Metadata of a stage's run: the newest drift, the decisions of the last month."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from dagster import MetadataValue

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.reporting.drift_report import drift_markdown, drifted_share_svg, shares_up_to
from ghstars_assets.reporting.source_coverage_picture import as_markdown_image

SHOWN_DAYS = 30

RunMetadata = Callable[[Lake, Problem, Sequence[date]], dict[str, MetadataValue]]
"""From the days that a run has written; there is at least one."""


def drift_metadata(lake: Lake, problem: Problem, days: Sequence[date]) -> dict[str, MetadataValue]:
    """The features of the newest day, most drifted first, and how many they were lately."""
    day = days[-1]
    rows = lake.read(problem.table("drift"), day)
    shares = shares_up_to(lake, problem, day)
    chart = drifted_share_svg(shares, problem.gates.drifted_share.value)
    return {
        "drift": MetadataValue.md(drift_markdown(rows, problem.gates)),
        "drifted_share": MetadataValue.float(shares[day]),
        "drifted_share_by_day": MetadataValue.md(as_markdown_image(chart, "share drifted by day")),
    }


def health_metadata(lake: Lake, problem: Problem, days: Sequence[date]) -> dict[str, MetadataValue]:
    """The decisions of the last month, as a table that the UI renders."""
    table, last = problem.table("health"), days[-1]
    span = DayRange(last - timedelta(days=SHOWN_DAYS - 1), last)
    shown = ("day", "decision", "skill_vs_naive", "drifted_share", "reason")
    rows = lake.scan(table, span).select(shown).sort("day", descending=True).collect()
    lines = ["| day | decision | skill | drifted | reason |", "| --- | --- | --- | --- | --- |"]
    for day, decision, skill, share, reason in rows.iter_rows():
        figures = ("" if value is None else f"{value:.2f}" for value in (skill, share))
        lines.append("| " + " | ".join([str(day), decision, *figures, reason]) + " |")
    return {"decisions": MetadataValue.md("\n".join(lines))}


METADATA_OF_RUN: dict[str, RunMetadata] = {"drift": drift_metadata, "health": health_metadata}
"""By stage; a stage that is not named shows its days alone."""
