"""`ghstars coverage`: which days are known from which source, as a table and as a picture."""

from pathlib import Path

import polars as pl

from ghstars_assets.commands.console import Form, say, say_if_sandbox, show_frame
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.reporting.source_coverage import source_coverage
from ghstars_assets.settings import Settings


def show_coverage(settings: Settings, problem: Problem, picture: Path | None, form: Form) -> None:
    lake = Lake(settings)
    if picture and not picture.parent.is_dir():
        raise GhstarsError(f"There is no folder {picture.parent}; make it, or name another file.")
    lanes = source_coverage(lake, problem)
    if not lanes:
        raise GhstarsError(
            f"Nothing of {problem.name} is stored yet; `ghstars demo` or `ghstars start` begins."
        )
    say_if_sandbox(lake)
    rows = [
        {
            "table": lane.name,
            "first": lane.first,
            "last": lane.last,
            "days": len(lane.counts) - sum(not count for count in lane.counts.values()),
            "missing": len(lane.missing),
            "thin": len(lane.sparse),
            "in_quarantine": len(lane.quarantined),
            "least": min(count for count in lane.counts.values() if count),
            "most": max(lane.counts.values()),
        }
        for lane in lanes
    ]
    show_frame(pl.DataFrame(rows), form)
    if picture:
        from ghstars_assets.reporting.charts.source_coverage_chart import source_coverage_chart
        from ghstars_assets.reporting.rendering import svg

        picture.write_text(svg(source_coverage_chart(lanes)), encoding="utf-8")
        say(f"drawn in {picture}")
