"""What became of a forecast, in a sentence: what really happened, and whether it was held."""

from datetime import date, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange, utc_today
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.tasks.intervals import INTERVALS


def describe_outcome(lake: Lake, problem: Problem, made_on: date, entity: object) -> str:
    """Say what happened after the forecast, or when that will be known."""
    due = made_on + timedelta(days=problem.horizon_days)
    table = problem.table("scores")
    one_day = DayRange(made_on, made_on)
    if not lake.days(table, one_day):
        return _not_scored(problem, table, made_on, due)
    rows = lake.scan(table, one_day).filter(pl.col(problem.entity) == entity).collect()
    if rows.is_empty() or rows["actual"][0] is None:
        return f"What happened is not known: nothing was measured of it on {due}."
    row = rows.row(0, named=True)
    actual, typical, naive = row["actual"], row["typical"], row["naive"]
    off = f"the typical value was {_distance(typical, actual)}"
    if naive is not None:
        off += f", the naive forecast {_distance(naive, actual)}"
    held = [
        f"the {share} % interval "
        + ("held it" if row[f"low_{share}"] <= actual <= row[f"high_{share}"] else "missed it")
        for share in INTERVALS
    ]
    return f"What happened by {due}: {figure(actual)}; {off}. {_sentence(' and '.join(held))}."


def _not_scored(problem: Problem, table: str, made_on: date, due: date) -> str:
    if due >= utc_today():
        return f"What happens is known once {due} is over."
    return (
        f"What happened by {due} is not in {table} yet; `ghstars backfill {problem.name} --from "
        f"{made_on} --to {made_on} --stages labels,scores` fills it in, where it is known."
    )


def _distance(forecast: float, actual: float) -> str:
    apart = figure(abs(forecast - actual))
    if apart == figure(0):
        return "right"
    return f"{apart} too {'high' if forecast > actual else 'low'}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def figure(value: float | None) -> str:
    """Format a count; one below ten with a decimal, which sets it apart from the next."""
    if value is None:
        return "unknown"
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) < 10 else f"{value:,.0f}"
