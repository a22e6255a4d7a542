"""`ghstars rollback`: a version that served before serves again."""

import click

from ghstars_assets.cli.learning.manual_decision import carry_out, completing
from ghstars_assets.cli.parameters import pass_settings, problem_argument
from ghstars_assets.lake.audit import this_user
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.promotion import manual_decisions
from ghstars_assets.settings import Settings


@click.command()
@problem_argument
@click.option(
    "--to",
    "version",
    type=click.IntRange(min=1),
    metavar="VERSION",
    help="[the one that served before]",
)
@click.option("--why", required=True, help="the reason, kept with the decision")
@pass_settings
def rollback(settings: Settings, problem: Problem, version: int | None, why: str) -> None:
    """Go back to a version of PROBLEM that served before, from today on.

    Forecasts of days gone by stay as they were made.

    \b
    ghstars rollback stars --why "its forecasts for small repositories are off"
    """
    lake = Lake(settings)
    with completing(lake, problem):
        decision = manual_decisions.rollback(lake, problem, why, this_user(), version)
    carry_out(lake, problem, decision)
