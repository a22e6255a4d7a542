"""`ghstars explain`: one forecast with everything that is known of why it is what it is."""

import difflib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import click
import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.cli.console import out, say_if_sandbox, show_frame
from ghstars_assets.cli.learning.forecasts import forecasts_of
from ghstars_assets.cli.parameters import DAY, pass_settings, problem_argument
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.tasks.intervals import INTERVALS
from ghstars_assets.learning.wiring import Wired, wire
from ghstars_assets.settings import SQL_ROOT, Settings

NEAREST = 3
PERIODS_SHOWN = 8


class UnknownNameError(GhstarsError):
    """Nothing of that name was forecast."""


@click.command()
@problem_argument
@click.argument("name")
@click.option(
    "--day", "--date", "day", type=DAY, metavar="DAY", help="the day of the forecast [newest]"
)
@pass_settings
def explain(settings: Settings, problem: Problem, name: str, day: date | None) -> None:
    """Show one forecast of PROBLEM and why it is what it is.

    \b
    ghstars explain stars duckdb/duckdb
    """
    lake = Lake(settings)
    say_if_sandbox(lake)
    wired = wire([problem], SQL_ROOT)
    forecast = _row_of(problem, forecasts_of(lake, problem, day, top=None), name)
    made_on = forecast["day"][0]
    entity = forecast[problem.entity][0]
    called = forecast[problem.entity_columns[-1]][0]
    naive = wired.columns[problem.name].naive
    described = _described(problem, wired)
    _print(f"{called} on {made_on}, by version {forecast['model_version'][0]}. {problem.question}")
    show_frame(_figures(forecast), "table")
    words = forecast["in_words"][0] if "in_words" in forecast.columns else None
    if words:
        _print(f"In words: {words}.\n")
    _print("What moved the typical value most, and by how much:")
    show_frame(_drivers(lake, problem, described, forecast), "table")
    _print(f"The past, {naive}: {described[naive]}.")
    show_frame(_past(lake, problem, naive, entity, made_on), "table")


def _print(text: str) -> None:
    out().print(text, highlight=False, markup=False)


def _row_of(problem: Problem, frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Find the row of a name, in whatever case it is written, or of the entity's own key."""
    names = pl.col(problem.entity_columns[-1]).cast(pl.String)
    found = frame.filter(
        (names.str.to_lowercase() == name.lower())
        | (pl.col(problem.entity).cast(pl.String) == name)
    )
    if not found.is_empty():
        return found.head(1)
    near = _nearest(name, frame.select(names).to_series().to_list())
    day = f" on {frame['day'][0]}" if frame.height else ""
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    raise UnknownNameError(
        f"{problem.table('predictions')} has no {name!r}{day}; {meant}`ghstars predict "
        f"{problem.name} --csv` lists all."
    )


def _nearest(name: str, names: Sequence[str]) -> list[str]:
    """Find the name of another owner, or of one that was left out, and names spelled alike."""
    written = name.lower()
    last = written.rpartition("/")[2]
    by_last = {known.lower().rpartition("/")[2]: known for known in reversed(names)}
    spelled = by_last | {known.lower(): known for known in names}
    alike = [spelled[found] for found in difflib.get_close_matches(written, spelled, n=NEAREST)]
    same = [by_last[last]] if last in by_last else []
    return list(dict.fromkeys([*same, *alike]))[:NEAREST]


def _figures(forecast: pl.DataFrame) -> pl.DataFrame:
    row = forecast.row(0, named=True)
    figures = [("typical", _figure(row["typical"])), ("mean", _figure(row["mean"]))]
    for share in INTERVALS:
        ends = (_figure(row[f"low_{share}"]), _figure(row[f"high_{share}"]))
        figures.append((f"{share} % interval", " to ".join(ends)))
    figures.append(("naive", _figure(row["naive"])))
    return pl.DataFrame(figures, schema=["forecast", "value"], orient="row")


def _figure(value: float | None) -> str:
    """Format a count; one below ten with a decimal, which sets it apart from the next."""
    if value is None:
        return "unknown"
    return f"{value:,.1f}" if abs(value) < 10 else f"{value:,.0f}"


def _drivers(
    lake: Lake, problem: Problem, described: Mapping[str, str], forecast: pl.DataFrame
) -> pl.DataFrame:
    row = _features_of(lake, problem, forecast["day"][0], forecast[problem.entity][0])
    drivers = forecast["drivers"][0].to_list()
    return pl.DataFrame(
        [
            (
                driver["feature"],
                f"{driver['effect']:+,.1f}",
                row.get(driver["feature"]),
                described.get(driver["feature"], "no longer a feature"),
            )
            for driver in drivers
        ],
        schema={
            "driver": pl.String,
            "effect": pl.String,
            "its value": pl.Float64,
            "it is": pl.String,
        },
        orient="row",
    )


def _past(lake: Lake, problem: Problem, naive: str, entity: object, made_on: date) -> pl.DataFrame:
    """Show what happened over the last periods as long as the forecast's, the newest first."""
    step = timedelta(days=problem.horizon_days)
    ends = [made_on - step * periods for periods in range(PERIODS_SHOWN)]
    past = [_features_of(lake, problem, day, entity).get(naive) for day in ends]
    return pl.DataFrame({"day": [str(day) for day in ends], naive: past}, strict=False)


def _features_of(lake: Lake, problem: Problem, day: date, entity: object) -> dict[str, object]:
    """Read one row of features; empty where the day, or the entity on that day, is not known."""
    table, one_day = problem.table("features"), DayRange(day, day)
    if not lake.days(table, one_day):
        return {}
    found = lake.scan(table, one_day).filter(pl.col(problem.entity) == entity).collect()
    return found.row(0, named=True) if found.height else {}


def _described(problem: Problem, wired: Wired) -> dict[str, str]:
    columns = wired.graph.tables[problem.table("features")].columns
    return {column.name: column.description for column in columns}
