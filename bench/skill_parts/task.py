"""What is forecast, and from what: rows of our backtest, each with its history up to the origin."""

import sys
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from skill_parts.sampling import sample, spread
from skill_parts.series import LEAST_HISTORY_DAYS, on_calendar, unbroken

HISTORY_DAYS = 400


@dataclass(frozen=True)
class Task:
    """What is forecast, and from what."""

    rows: pl.DataFrame
    """One a forecast: `row`, `day`, `repo_id`, `stars`; `naive`, `ours`, `actual` of the week."""
    histories: pl.DataFrame
    """The counts up to each row: `unique_id` (which is `row`), `ds`, `y`."""
    snapshots: pl.DataFrame
    """Of all repositories of the archive: `day`, `repo_id`, `stars`."""

    def sampled(self, repositories: int, origins: int) -> "Task":
        days = spread(self.rows["day"].unique().sort().to_list(), origins)
        kept = sample(self.rows["repo_id"].unique().sort().to_list(), repositories)
        rows = self.rows.filter(pl.col("day").is_in(days), pl.col("repo_id").is_in(kept))
        histories = self.histories.filter(pl.col("unique_id").is_in(rows["row"].implode()))
        return Task(rows, histories, self.snapshots)


def task_of(lake: Lake, wanted: DayRange, mode: str, *, origins: int, repositories: int) -> Task:
    """The forecasts that our backtest made, as far as every peer can make them too."""
    if not lake.days("stars.backtest", wanted):
        sys.exit(
            f"{lake.settings.home} holds no backtest of {wanted}; make one with "
            f"`ghstars backtest stars --from {wanted.first} --to {wanted.last}`."
        )
    scored = (
        lake.scan("stars.backtest", wanted)
        .filter(pl.col("mode") == mode)
        .select("day", "repo_id", "naive", "actual", ours="typical")
        .drop_nulls()
        .collect()
    )
    if scored.is_empty():
        sys.exit(f"No {mode} backtest of {wanted} has an outcome; try another --mode.")
    chosen = spread(scored["day"].unique().sort().to_list(), origins)
    snapshots = _snapshots(lake, DayRange(chosen[0], chosen[-1]))
    rows = pl.concat(_rows(scored, snapshots, origin) for origin in chosen)
    kept = sample(rows["repo_id"].unique().sort().to_list(), repositories)
    rows = rows.filter(pl.col("repo_id").is_in(kept)).with_row_index("row")
    return Task(rows, _histories(rows, snapshots), snapshots)


def _snapshots(lake: Lake, origins: DayRange) -> pl.DataFrame:
    first = origins.first - timedelta(days=HISTORY_DAYS - 1)
    return (
        lake.scan("stars.snapshots", DayRange(first, origins.last))
        .select("day", "repo_id", pl.col("stars").cast(pl.Float64))
        .collect()
        .sort("repo_id", "day")
    )


def _rows(scored: pl.DataFrame, snapshots: pl.DataFrame, origin: date) -> pl.DataFrame:
    """The forecasts of one origin that every peer could make."""
    history_days = (pl.col("day").max() - pl.col("day").min()).dt.total_days() + 1
    long_enough = (
        unbroken(snapshots, origin, HISTORY_DAYS)
        .group_by("repo_id")
        .agg(pl.col("stars").last(), history_days=history_days)
        .filter(pl.col("history_days") >= LEAST_HISTORY_DAYS)
    )
    return scored.filter(pl.col("day") == origin).join(
        long_enough.drop("history_days"), on="repo_id", maintain_order="left"
    )


def _histories(rows: pl.DataFrame, snapshots: pl.DataFrame) -> pl.DataFrame:
    histories: list[pl.DataFrame] = []
    for (origin,), of_origin in rows.partition_by("day", as_dict=True).items():
        chosen = snapshots.join(of_origin, on="repo_id", how="semi", maintain_order="left")
        known = unbroken(chosen, origin, HISTORY_DAYS)
        histories.append(
            on_calendar(known)
            .join(of_origin.select("repo_id", "row"), on="repo_id", maintain_order="left")
            .select(unique_id="row", ds="day", y="stars")
        )
    return pl.concat(histories).sort("unique_id", "ds")
