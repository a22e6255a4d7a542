"""`stars/repositories`: every repository ever tracked, and what became of it.

A day's registry is the one before it with the day's answers folded in. So it can be had for any
day from the newest that is stored and the answers since, whichever of the two was filled first.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import MissingDayError
from ghstars_assets.lake.catalog import problem_of
from ghstars_assets.lake.marker import Marker
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.github.tables import (
    BLOCKED,
    FORBIDDEN,
    LIVE,
    NOT_FOUND,
    GitHubTables,
)
from ghstars_assets.sources.github.tracking.planning import capacity_per_day, with_next_days
from ghstars_assets.sources.github.tracking.tracking_rules import current_rules
from ghstars_assets.sources.source import Say, kept_as_it_was

_ONE_DAY = timedelta(days=1)


class Registry:
    """The registry as a range of days is walked: each day is folded in once."""

    def __init__(self, lake: Lake, tables: GitHubTables) -> None:
        self._lake = lake
        self._tables = tables
        self._untracked = current_rules(lake, tables, lake.settings).untracked
        self._through: date | None = None
        self._now = tables.repositories.empty()

    def before(self, day: date) -> pl.DataFrame:
        """As known when the day begins."""
        return self.at_end_of(day - _ONE_DAY)

    def at_end_of(self, day: date) -> pl.DataFrame:
        if self._through is None or self._through > day:
            self._begin(day)
        for answered in self._lake.days(self._tables.github.name, self._days_to_fold(day)):
            answers = self._lake.read(self._tables.github.name, answered)
            self._now = fold(self._now, answers, answered, self._untracked)
        self._through = day
        return self._now.with_columns(day=pl.lit(day))

    def _days_to_fold(self, day: date) -> DayRange | None:
        first = self._through + _ONE_DAY if self._through else date.min
        return DayRange(first, max(first, day)) if first <= day else DayRange(day, day)

    def _begin(self, day: date) -> None:
        stored = self._lake.days(self._tables.repositories.name)
        earlier = [known for known in stored if known <= day]
        self._through = earlier[-1] if earlier else None
        self._now = self._tables.repositories.empty()
        if earlier:
            self._now = self._lake.read(self._tables.repositories.name, earlier[-1])


def registry_as_of(lake: Lake, tables: GitHubTables, day: date) -> pl.DataFrame:
    return Registry(lake, tables).at_end_of(day)


def fold(
    registry: pl.DataFrame, answers: pl.DataFrame, day: date, untracked: frozenset[int]
) -> pl.DataFrame:
    """The registry after a day's answers. What was not asked about stays as it was."""
    answered = answers.filter(pl.col("repo_id").is_not_null())
    both = registry.join(answered, on="repo_id", how="full", coalesce=True, suffix="_now")
    was_known = pl.col("status").is_not_null()
    is_asked = pl.col("status_now").is_not_null()
    is_live = (pl.col("status_now") == LIVE).fill_null(value=False)
    was_live = (pl.col("status") == LIVE).fill_null(value=False)
    has_new_name = (
        is_live
        & was_known
        & (pl.col("full_name").str.to_lowercase() != pl.col("full_name_now").str.to_lowercase())
    )
    has_new_owner = _owner("full_name") != _owner("full_name_now")
    is_taken = pl.col("old_name_is_now").is_not_null() & pl.col("old_name_is_now").ne_missing(
        pl.col("name_taken_by")
    )
    days_between = (pl.lit(day) - pl.col("last_seen")).dt.total_days()
    change = (
        pl.when(~was_known & is_live)
        .then(pl.lit("first_seen"))
        .when(was_known & ~was_live & is_live)
        .then(pl.lit("returned"))
        .when(has_new_name & has_new_owner)
        .then(pl.lit("transferred"))
        .when(has_new_name)
        .then(pl.lit("renamed"))
        .when(was_live & (pl.col("status_now") == NOT_FOUND))
        .then(pl.lit("gone"))
        .when((pl.col("status") != BLOCKED) & (pl.col("status_now") == BLOCKED))
        .then(pl.lit("blocked"))
        .when((pl.col("status") != FORBIDDEN) & (pl.col("status_now") == FORBIDDEN))
        .then(pl.lit("forbidden"))
        .when(is_taken)
        .then(pl.lit("name_taken"))
    )
    has_new_status = is_asked & pl.col("status").ne_missing(pl.col("status_now"))
    folded = both.select(
        day=pl.lit(day),
        repo_id="repo_id",
        node_id=pl.coalesce(pl.when(is_live).then("node_id_now"), "node_id", "node_id_now"),
        full_name=pl.coalesce(pl.when(is_live).then("full_name_now"), "full_name", "full_name_now"),
        status=pl.coalesce("status_now", "status"),
        status_since=pl.when(has_new_status).then(pl.lit(day)).otherwise("status_since"),
        change=change,
        previous_name=pl.when(has_new_name).then("full_name").otherwise("previous_name"),
        name_taken_by=pl.coalesce("old_name_is_now", "name_taken_by"),
        tracked_because=pl.coalesce("tracked_because", "tracked_because_now"),
        is_tracked=~pl.col("repo_id").is_in(list(untracked)),
        first_seen=pl.coalesce("first_seen", pl.when(is_live).then(pl.lit(day))),
        last_seen=pl.when(is_live).then(pl.lit(day)).otherwise("last_seen"),
        last_asked=pl.when(is_asked).then(pl.lit(day)).otherwise("last_asked"),
        stars=pl.when(is_live).then("stars_now").otherwise("stars"),
        stars_per_day=pl.when(is_live & (days_between > 0))
        .then((pl.col("stars_now") - pl.col("stars")) / days_between)
        .otherwise("stars_per_day"),
        is_hot="is_hot",
        next_day="next_day",
    )
    # What GitHub never showed was never tracked, whatever a rule asks for.
    return folded.filter(pl.col("first_seen").is_not_null()).select(registry.columns)


def take_repositories_days(
    lake: Lake, marker: Marker, tables: GitHubTables, days: DayRange, _say: Say
) -> Iterator[DayOutcome]:
    table = tables.repositories
    registry = Registry(lake, tables)
    capacity = capacity_per_day(lake.settings, marker)
    answered = set(lake.days(tables.github.name, days))
    stored = set(lake.days(table.name, days))
    for day in days:
        if day in stored:
            yield kept_as_it_was(lake, table, day)
            continue
        if day not in answered:
            raise MissingDayError(
                f"{tables.github.name} has no {day}, which {table.name} follows; fill it with "
                f"`ghstars backfill {problem_of(table.name)} --from {day} --to {day}`."
            )
        rows = table.conform(with_next_days(registry.at_end_of(day), capacity, day))
        written = lake.write(table.name, day, rows, only_if_absent=True)
        changes = rows["change"].drop_nulls().value_counts(sort=True).iter_rows()
        summary = ", ".join(f"{count:,} {change}" for change, count in changes)
        reason = summary or "nothing changed"
        yield DayOutcome(day, Status.WRITTEN, written.rows, written.size_bytes, reason=reason)


def _owner(column: str) -> pl.Expr:
    return pl.col(column).str.to_lowercase().str.split("/").list.first()
