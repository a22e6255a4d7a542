"""`ghstars gap`: days that no source knows are declared, with the reason."""

from datetime import date

import click

from ghstars_assets.cli.console import print_line
from ghstars_assets.cli.data.holes import declare_gap
from ghstars_assets.cli.parameters import DAY, days_between, pass_settings, problem_argument
from ghstars_assets.learning.problem import Problem
from ghstars_assets.settings import Settings


@click.command()
@problem_argument
@click.argument("first", type=DAY)
@click.argument("last", type=DAY, required=False)
@click.option("--why", required=True, help="the reason, kept with the gap")
@pass_settings
def gap(settings: Settings, problem: Problem, first: date, last: date | None, why: str) -> None:
    """Declare days that no source knows, so that they are holes with a reason."""
    print_line(declare_gap(settings, problem.name, days_between(first, last), why))
