"""`ghstars explain`: one forecast with everything that is known of why it is what it is."""

from collections.abc import Mapping
from datetime import date, timedelta

import click
import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.cli.console import print_line, say_if_sandbox, show_frame
from ghstars_assets.cli.learning.forecasts import feature_descriptions, forecasts_of
from ghstars_assets.cli.learning.named_forecast import forecast_named
from ghstars_assets.cli.learning.outcome import describe_outcome, figure
from ghstars_assets.cli.parameters import DAY, pass_settings, problem_argument
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.tasks.intervals import INTERVALS
from ghstars_assets.learning.wiring import wire
from ghstars_assets.settings import SQL_ROOT, Settings

PERIODS_SHOWN = 8


@click.command()
@problem_argument
@click.argument("name")
@click.option(
    "--day", "--date", "day", type=DAY, metavar="DAY", help="the day of the forecast [newest]"
)
@pass_settings
def explain(settings: Settings, problem: Problem, name: str, day: date | None) -> None:
    """Show one forecast of PROBLEM and why it is what it is.

    Of a past day it also shows what really happened, and whether the intervals held it.

    \b
    ghstars explain stars duckdb/duckdb
    ghstars explain stars duckdb/duckdb --day 2026-08-01
    """
    lake = Lake(settings)
    say_if_sandbox(lake)
    wired = wire([problem], SQL_ROOT)
    forecast = forecast_named(problem, forecasts_of(lake, problem, day, top=None), name)
    made_on = forecast["day"][0]
    entity = forecast[problem.entity][0]
    called = forecast[problem.entity_columns[-1]][0]
    naive = wired.columns[problem.name].naive
    described = feature_descriptions(problem, wired)
    print_line(
        f"{called} on {made_on}, by version {forecast['model_version'][0]}. {problem.question}"
    )
    show_frame(_figures(forecast), "table")
    words = forecast["in_words"][0] if "in_words" in forecast.columns else None
    if words:
        print_line(f"In words: {words}.\n")
    print_line(f"{describe_outcome(lake, problem, made_on, entity)}\n")
    print_line("What moved the typical value most, and by how much:")
    show_frame(_drivers(lake, problem, described, forecast), "table")
    print_line(f"The past: {described[naive]}.")
    show_frame(_past(lake, problem, naive, entity, made_on), "table")


def _figures(forecast: pl.DataFrame) -> pl.DataFrame:
    row = forecast.row(0, named=True)
    figures = [("typical", figure(row["typical"])), ("mean", figure(row["mean"]))]
    for share in INTERVALS:
        ends = (figure(row[f"low_{share}"]), figure(row[f"high_{share}"]))
        figures.append((f"{share} % interval", " to ".join(ends)))
    figures.append(("naive", figure(row["naive"])))
    return pl.DataFrame(figures, schema=["forecast", "value"], orient="row")


def _drivers(
    lake: Lake, problem: Problem, described: Mapping[str, str], forecast: pl.DataFrame
) -> pl.DataFrame:
    row = _features_of(lake, problem, forecast["day"][0], forecast[problem.entity][0])
    drivers = forecast["drivers"][0].to_list()
    return pl.DataFrame(
        [
            (
                described.get(driver["feature"], f"{driver['feature']}, no longer a feature"),
                f"{driver['effect']:+,.1f}",
                row.get(driver["feature"]),
            )
            for driver in drivers
        ],
        schema={
            "driver": pl.String,
            "effect": pl.String,
            "its value": pl.Float64,
        },
        orient="row",
    )


def _past(lake: Lake, problem: Problem, naive: str, entity: object, made_on: date) -> pl.DataFrame:
    """Show what happened over the last periods as long as the forecast's, the newest first."""
    step = timedelta(days=problem.horizon_days)
    ends = [made_on - step * periods for periods in range(PERIODS_SHOWN)]
    past = [_features_of(lake, problem, day, entity).get(naive) for day in ends]
    return pl.DataFrame({"day": [str(day) for day in ends], "value": past}, strict=False)


def _features_of(lake: Lake, problem: Problem, day: date, entity: object) -> dict[str, object]:
    """Read one row of features; empty where the day, or the entity on that day, is not known."""
    table, one_day = problem.table("features"), DayRange(day, day)
    if not lake.days(table, one_day):
        return {}
    found = lake.scan(table, one_day).filter(pl.col(problem.entity) == entity).collect()
    return found.row(0, named=True) if found.height else {}
