"""`ghstars predict`: the stored forecasts of a day."""

from datetime import date

import click

from ghstars_assets.cli.console import print_rows_left_out, say_if_sandbox
from ghstars_assets.cli.learning.forecasts import forecasts_of, show_forecasts
from ghstars_assets.cli.learning.named_forecast import forecasts_followed, forecasts_named
from ghstars_assets.cli.parameters import DAY, form_options, pass_settings, problem_argument
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.problems.platform import Form
from ghstars_assets.settings import Settings

ROWS_OF_A_TABLE = 20


@click.command()
@problem_argument
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--mine", "is_mine", is_flag=True, help="only of what you follow")
@click.option("--date", "day", type=DAY, metavar="DAY", help="the day of the forecasts [newest]")
@click.option("--top", type=click.IntRange(min=1), default=None, help="how many [20 in a table]")
@form_options
@pass_settings
def predict(
    settings: Settings,
    problem: Problem,
    names: tuple[str, ...],
    day: date | None,
    top: int | None,
    form: Form,
    *,
    is_mine: bool,
) -> None:
    """Show the stored forecasts of PROBLEM, highest mean first.

    \b
    ghstars predict stars
    ghstars predict stars duckdb/duckdb pola-rs/polars
    ghstars predict stars --mine
    """
    if names and is_mine:
        raise click.UsageError("Give names or --mine, not both.")
    lake = Lake(settings)
    say_if_sandbox(lake)
    found = forecasts_of(lake, problem, day, None)
    if names:
        found = forecasts_named(problem, found, names)
    elif is_mine:
        found = forecasts_followed(lake, problem, found)
    most = top or (ROWS_OF_A_TABLE if form == "table" and not names else None)
    shown = found.head(most) if most else found
    show_forecasts(lake, problem, shown, form)
    if form == "table" and shown.height < found.height:
        print_rows_left_out(found.height - shown.height, "--top, --csv or --json shows more")
