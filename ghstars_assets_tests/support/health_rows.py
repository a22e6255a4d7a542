"""Rows that health is made of: forecasts that have come due and a day's drift, as a test likes."""

from collections.abc import Iterable
from datetime import date, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets_tests.support.stage_runs import health_days
from ghstars_assets_tests.support.tides.problem import PROBLEM

DAY = date(2026, 2, 20)
HORIZON = timedelta(days=PROBLEM.horizon_days)
ORIGINS = DayRange(DAY - HORIZON - timedelta(days=13), DAY - HORIZON)
"""The fortnight whose forecasts are judged on `DAY`."""


def write_scores(
    lake: Lake,
    days: Iterable[date],
    *,
    error: float,
    error_naive: float = 10.0,
    actual: tuple[float | None, ...] = (400.0, 500.0),
) -> None:
    """Forecasts that miss by `error`, beside naive ones that miss by `error_naive`."""
    table = loop_tables(PROBLEM)["scores"]
    for day in days:
        rows = pl.DataFrame(
            {
                "day": [day] * len(actual),
                "station": [f"station {number}" for number in range(len(actual))],
                "actual": actual,
            },
            schema_overrides={"actual": pl.Float64},
        ).with_columns(
            typical=pl.col("actual") + error,
            naive=pl.col("actual") - error_naive,
            model_version=pl.lit(1),
        )
        missing = [name for name in table.column_names if name not in rows.columns]
        filled = rows.with_columns(pl.lit(None).alias(name) for name in missing)
        lake.write(table.name, day, table.conform(filled))


def write_drift(
    lake: Lake,
    days: Iterable[date],
    *,
    drifted: int = 0,
    features: int = 4,
    version: int = 1,
    is_target_drifted: bool = False,
) -> None:
    """The first `drifted` of so many features have drifted, the later the more."""
    table = loop_tables(PROBLEM)["drift"]
    for day in days:
        rows = pl.DataFrame(
            {
                "day": day,
                "feature": [f"feature_{number}" for number in range(features)] + ["level_cm"],
                "kind": ["feature"] * features + ["target"],
                "model_version": version,
                "population_stability": [
                    0.3 + number if number < drifted else 0.01 for number in range(features)
                ]
                + [0.5 if is_target_drifted else 0.0],
            }
        ).with_columns(is_drifted=pl.col("population_stability") > 0.2)
        missing = [name for name in table.column_names if name not in rows.columns]
        filled = rows.with_columns(pl.lit(None).alias(name) for name in missing)
        lake.write(table.name, day, table.conform(filled))


def fill_health(lake: Lake, *days: date, version: int = 1) -> None:
    """Health of days on which a version serves."""
    outcomes = list(health_days(lake, PROBLEM, dict.fromkeys(days, version), days))
    assert all(outcome.is_stored for outcome in outcomes), outcomes
