"""What `promote` and `rollback` have in common: everything that follows from the decision."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from ghstars_assets.calendar import DayRange, utc_today
from ghstars_assets.cli.console import print_line, say
from ghstars_assets.cli.data.backfill import backfill
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.promotion.decisions import Decision
from ghstars_assets.learning.promotion.manual_decisions import ServesAlreadyError
from ghstars_assets.learning.registry.champion_files import publish_champion
from ghstars_assets.learning.training.candidates_on_record import point_alias_at_champion


def carry_out(lake: Lake, problem: Problem, decision: Decision) -> None:
    """Do what follows from a decision on record: files, alias, and the forecasts of its first day
    where there are features to make them of."""
    version, day = decision.model_version, decision.effective_from
    instead = decision.figures["instead_of"]
    print_line(
        f"Version {version} serves {problem.name} from {day} on, in place of version {instead}."
    )
    _follow(lake, problem, day)
    print_line(_about_forecasts(lake, problem, version, day))


@contextmanager
def completing(lake: Lake, problem: Problem) -> Iterator[None]:
    """Whoever repeats a decision of today is refused, but what follows from it is done once more:
    the command may have been killed after the decision was on record."""
    try:
        yield
    except ServesAlreadyError as error:
        if error.since == utc_today():
            _follow(lake, problem, error.since)
        raise


def _follow(lake: Lake, problem: Problem, day: date) -> None:
    point_alias_at_champion(lake, problem)
    one_day = DayRange(day, day)
    # Its files are published by the asset.
    reports = list(backfill(lake.settings, problem, one_day, ("champion",), force=True))
    if lake.days(problem.table("features"), one_day):
        reports += backfill(lake.settings, problem, one_day, ("calibration", "predictions"))
    publish_champion(lake, problem)
    for report in reports:
        say(str(report))


def _about_forecasts(lake: Lake, problem: Problem, version: int, day: date) -> str:
    table = problem.table("predictions")
    newest = lake.days(table)[-1:]
    if newest == [day]:
        return f"The forecasts of {day} are by version {version}."
    stored = f"{table} ends on {newest[0]}; those forecasts stay" if newest else f"{table} is empty"
    return f"{stored}. The next, of {day} or later, will be by version {version}."
