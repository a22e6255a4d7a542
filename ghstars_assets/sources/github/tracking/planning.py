"""Who is asked about on which day: everyone while the budget allows, else the hot ones daily and
the others in turn.

The turns are whole weeks, so that a repository seen today is seen on the day its 7-day outcome is
known, and each has its own place in them that does not move from day to day.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from ghstars_assets.lake.marker import Marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.api.repository_batches import Asked
from ghstars_assets.sources.github.tables import BLOCKED, NOT_FOUND, GitHubTables
from ghstars_assets.sources.github.tracking.tracking_rules import TrackingRules, current_rules

TURNS_DAYS = (7, 14, 21, 28)
ABSENT_DAYS = 28
"""What is gone or blocked is looked for again after so long: some come back."""

# Eight connections a repository are 8 points a hundred by GitHub's formula; fifty take some 3.7 s.
_POINTS_PER_REPOSITORY = 0.08
_SECONDS_PER_REPOSITORY = 0.074
_POINTS_PER_HOUR = 5000
_SECONDS_PER_HOUR = 3600 * 0.93
"""Of GitHub's time, as much as the governor makes use of."""
_UNLIMITED = 10**9
_SHARE_PLANNED = 0.9
"""Of the room for turns: chance makes some days fuller than others, and there are new ones."""


@dataclass(frozen=True)
class Plan:
    asked: list[Asked]
    is_short: bool
    """The budget is short of the tracked set."""


@dataclass(frozen=True)
class Turns:
    """How the tracked set is spread over days."""

    hot: int
    turn_days: int
    """1: everyone daily."""

    @property
    def is_short(self) -> bool:
        return self.turn_days > 1


def capacity_per_day(settings: Settings, marker: Marker) -> int:
    """Repositories that a daily snapshot can ask about within the time it is given."""
    if marker.kind == "sandbox":
        return _UNLIMITED
    hours = settings.github_snapshot_hours
    points = max(0, _POINTS_PER_HOUR - settings.github_points_kept) * hours
    seconds = _SECONDS_PER_HOUR * hours
    return max(1, int(min(points / _POINTS_PER_REPOSITORY, seconds / _SECONDS_PER_REPOSITORY)))


def plan(
    registry: pl.DataFrame,
    wanted: TrackingRules,
    discovered: pl.DataFrame,
    capacity: int,
    day: date,
) -> Plan:
    """Whom to ask about on a day: who is due, then who is new, within the capacity."""
    placed = _placed(registry, capacity, day)
    turns = turns_of(registry, capacity)
    due = placed.filter("is_due").sort(
        pl.col("is_hot"), "stars_per_day", descending=True, nulls_last=True
    )
    found = discovered.join(registry.select("repo_id"), on="repo_id", how="anti").filter(
        ~pl.col("repo_id").is_in(list(wanted.untracked))
    )
    asked = [
        *_named(registry, wanted),
        *(
            Asked(full_name, because, repo_id, node_id)
            for repo_id, node_id, full_name, because in found.select(
                "repo_id", "node_id", "full_name", "found_by"
            ).iter_rows()
        ),
        *(
            Asked(full_name, because, repo_id, node_id)
            for repo_id, node_id, full_name, because in due.select(
                "repo_id", "node_id", "full_name", "tracked_because"
            ).iter_rows()
        ),
    ]
    return Plan(asked[:capacity], turns.is_short or len(asked) > capacity)


def turns_of(registry: pl.DataFrame, capacity: int) -> Turns:
    live = registry.filter(pl.col("is_tracked") & ~_is_absent()).height
    if live <= capacity:
        return Turns(live, 1)
    hot = capacity // 2
    room = _SHARE_PLANNED * (capacity - hot)
    fitting = [days for days in TURNS_DAYS if (live - hot) / days <= room]
    return Turns(hot, fitting[0] if fitting else TURNS_DAYS[-1])


def with_next_days(registry: pl.DataFrame, capacity: int, day: date) -> pl.DataFrame:
    """The registry at the end of a day, with who is hot and when each is asked about next."""
    placed = _placed(registry, capacity, day + timedelta(days=1))
    next_day = (
        pl.when(~pl.col("is_tracked"))
        .then(None)
        .when(_is_absent())
        .then(
            pl.max_horizontal(
                pl.col("last_asked") + timedelta(days=ABSENT_DAYS),
                pl.lit(day + timedelta(days=1)),
            )
        )
        .otherwise(pl.lit(day + timedelta(days=1)) + pl.duration(days="days_to_turn"))
    )
    return placed.with_columns(next_day=next_day).select(registry.columns)


def tracked_summary(lake: Lake, marker: Marker, tables: GitHubTables) -> str:
    """What `ghstars status` says of the tracked set."""
    now = current_rules(lake, tables, lake.settings)
    stored = lake.days(tables.repositories.name)
    if not stored:
        return f"Tracked: {len(now.rules)} rules, no repository asked about yet."
    registry = without_untracked(lake.read(tables.repositories.name, stored[-1]), now)
    capacity = capacity_per_day(lake.settings, marker)
    turns = turns_of(registry, capacity)
    tracked = registry.filter("is_tracked")
    absent = tracked.filter(_is_absent()).height
    summary = f"Tracked: {tracked.height - absent:,} repositories"
    summary += f" and {absent:,} that are gone or blocked" if absent else ""
    if not turns.is_short:
        return f"{summary}; all are asked about every day."
    return (
        f"{summary}; the budget is good for {capacity:,} a day: {turns.hot:,} hot ones daily, the "
        f"others every {turns.turn_days} days (`ghstars tracked` has each one's next date). Raise "
        "GHSTARS_GITHUB_SNAPSHOT_HOURS or untrack some."
    )


def without_untracked(registry: pl.DataFrame, now: TrackingRules) -> pl.DataFrame:
    """A stored registry, with what was untracked since."""
    is_tracked = pl.col("is_tracked") & ~pl.col("repo_id").is_in(list(now.untracked))
    return registry.with_columns(is_tracked=is_tracked)


def _placed(registry: pl.DataFrame, capacity: int, day: date) -> pl.DataFrame:
    """With who is hot, the days until each one's turn, and whether it is due on the day."""
    turns = turns_of(registry, capacity)
    # A hash of the identity alone, so that a turn stays where it is; even in its high bits.
    mixed = pl.col("repo_id").cast(pl.UInt64) * 2_654_435_761 % 2**32 // 2**12
    place = (mixed % turns.turn_days).cast(pl.Int64)
    is_candidate = pl.col("is_tracked") & ~_is_absent()
    pace = pl.when(is_candidate).then(pl.col("stars_per_day").fill_null(0.0)).otherwise(None)
    is_hot = is_candidate & (pace.rank("ordinal", descending=True) <= turns.hot)
    to_turn = (place - day.toordinal()) % turns.turn_days
    late_in = (pl.col("last_asked") + timedelta(days=turns.turn_days) - pl.lit(day)).dt.total_days()
    is_looked_for = pl.lit(day) - pl.col("last_asked") >= timedelta(days=ABSENT_DAYS)
    days_to_turn = (
        pl.when("is_hot").then(0).otherwise(pl.min_horizontal(to_turn, late_in.clip(lower_bound=0)))
    )
    has_its_turn = pl.when(_is_absent()).then(is_looked_for).otherwise(pl.col("days_to_turn") == 0)
    return (
        registry.with_columns(is_hot=is_hot.fill_null(value=False))
        .with_columns(days_to_turn=days_to_turn)
        .with_columns(is_due=pl.col("is_tracked") & has_its_turn)
    )


def _named(registry: pl.DataFrame, wanted: TrackingRules) -> list[Asked]:
    """Rules for single repositories that no tracked one came of yet. Who came of a rule once
    stays its answer, whatever its name is by now."""
    answered = set(registry["tracked_because"]) | {
        f"repository {name}" for name in registry["full_name"]
    }
    answered = {rule.lower() for rule in answered if rule}
    return [
        Asked(rule.what, str(rule))
        for rule in wanted.of_kind("repository")
        if str(rule).lower() not in answered
    ]


def _is_absent() -> pl.Expr:
    return pl.col("status").is_in([NOT_FOUND, BLOCKED])
