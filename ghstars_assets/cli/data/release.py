"""`ghstars release`: days leave quarantine because a user says so, with the reason."""

from datetime import date

import click

from ghstars_assets.cli.console import print_line
from ghstars_assets.cli.data.holes import release_from_quarantine
from ghstars_assets.cli.parameters import DAY, days_between, pass_settings, problem_argument
from ghstars_assets.learning.problem import Problem
from ghstars_assets.settings import Settings


@click.command()
@problem_argument
@click.argument("first", type=DAY)
@click.argument("last", type=DAY, required=False)
@click.option("--why", required=True, help="the reason, kept with the release")
@pass_settings
def release(settings: Settings, problem: Problem, first: date, last: date | None, why: str) -> None:
    """Let days out of quarantine against the gate's verdict, and fill them again."""
    days = days_between(first, last)
    for line in release_from_quarantine(settings, problem.name, days, why):
        print_line(line)
