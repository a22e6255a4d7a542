"""`ghstars coverage`: which days are known from which source, as a table and as a picture."""

from pathlib import Path

import click
import polars as pl

from ghstars_assets.cli.console import say, say_if_sandbox, show_frame
from ghstars_assets.cli.parameters import (
    OUTPUT_FILE,
    form_options,
    pass_settings,
    problem_argument,
)
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.problems.platform import Form
from ghstars_assets.reporting.source_coverage import source_coverage
from ghstars_assets.settings import Settings


@click.command()
@problem_argument
@click.option("--svg", "picture", type=OUTPUT_FILE, metavar="FILE", help="draw it")
@form_options
@pass_settings
def coverage(settings: Settings, problem: Problem, picture: Path | None, form: Form) -> None:
    """Show which days PROBLEM knows from which source, and how well.

    \b
    ghstars coverage stars
    ghstars coverage stars --svg coverage.svg
    """
    lake = Lake(settings)
    lanes = source_coverage(lake, problem)
    if not lanes:
        raise GhstarsError(f"Nothing of {problem.name} is stored yet; run {problem.how_to_begin}.")
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
