"""`ghstars promote`: a version serves because a user says so."""

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
@click.argument("version", type=click.IntRange(min=1))
@click.option("--why", required=True, help="the reason, kept with the decision")
@pass_settings
def promote(settings: Settings, problem: Problem, version: int, why: str) -> None:
    """Let VERSION of PROBLEM serve from today on, whatever was decided on it.

    \b
    ghstars promote stars 12 --why "the window of the last decision held a purge"
    """
    lake = Lake(settings)
    with completing(lake, problem):
        decision = manual_decisions.promote(lake, problem, version, why, this_user())
    carry_out(lake, problem, decision)
