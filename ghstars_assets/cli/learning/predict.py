"""`ghstars predict`: the stored forecasts of a day."""

from datetime import date

import click

from ghstars_assets.cli.console import say_if_sandbox
from ghstars_assets.cli.learning.forecasts import forecasts_of, show_forecasts
from ghstars_assets.cli.parameters import DAY, form_options, pass_settings, problem_argument
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.problems.platform import Form
from ghstars_assets.settings import Settings

ROWS_OF_A_TABLE = 20


@click.command()
@problem_argument
@click.option("--date", "day", type=DAY, metavar="DAY", help="the day of the forecasts [newest]")
@click.option("--top", type=click.IntRange(min=1), default=None, help="how many [20 in a table]")
@form_options
@pass_settings
def predict(
    settings: Settings, problem: Problem, day: date | None, top: int | None, form: Form
) -> None:
    """Show the stored forecasts of PROBLEM, highest mean first."""
    lake = Lake(settings)
    most = top or (ROWS_OF_A_TABLE if form == "table" else None)
    say_if_sandbox(lake)
    show_forecasts(lake, problem, forecasts_of(lake, problem, day, most), form)
