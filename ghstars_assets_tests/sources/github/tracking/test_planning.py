"""Who is asked about when: everyone while it fits, else the hot ones daily and the rest in turn."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import polars as pl
import pytest

from ghstars_assets.lake.marker import Marker
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.tables import tables_of
from ghstars_assets.sources.github.tracking.planning import (
    ABSENT_DAYS,
    capacity_per_day,
    plan,
    turns_of,
    with_next_days,
)
from ghstars_assets.sources.github.tracking.tracking_rules import TrackingRules, parse_tracking_rule

TABLES = tables_of("stars")
DAY = date(2026, 6, 1)
NOTHING = TrackingRules((), frozenset())


def _registry(count: int, *, asked: date = DAY - timedelta(days=1)) -> pl.DataFrame:
    """Repositories 1 to count, each growing faster than the one before."""
    table = TABLES.repositories
    ids = range(1, count + 1)
    frame = pl.DataFrame(
        {
            "day": [asked] * count,
            "repo_id": list(ids),
            "node_id": [f"R_{one}" for one in ids],
            "full_name": [f"a/n{one}" for one in ids],
            "status": ["live"] * count,
            "tracked_because": [f"repository a/n{one}" for one in ids],
            "is_tracked": [True] * count,
            "last_asked": [asked] * count,
            "stars_per_day": [float(one) for one in ids],
        }
    )
    return table.conform(
        frame.with_columns(
            pl.lit(None).alias(name) for name in table.column_names if name not in frame.columns
        )
    )


def _asked(registry: pl.DataFrame, capacity: int, day: date) -> list[int]:
    planned = plan(registry, NOTHING, TABLES.discovered.empty(), capacity, day)
    return [one.repo_id or 0 for one in planned.asked]


def _lived(registry: pl.DataFrame, capacity: int, days: int) -> dict[int, list[date]]:
    """The days on which each is asked about, the registry being kept up."""
    seen: dict[int, list[date]] = {}
    for number in range(days):
        day = DAY + timedelta(days=number)
        asked = _asked(registry, capacity, day)
        for repo_id in asked:
            seen.setdefault(repo_id, []).append(day)
        registry = registry.with_columns(
            last_asked=pl.when(pl.col("repo_id").is_in(asked))
            .then(pl.lit(day))
            .otherwise("last_asked")
        )
    return seen


def test_while_the_budget_allows_everyone_is_asked_every_day() -> None:
    registry = _registry(50)
    assert sorted(_asked(registry, 50, DAY)) == list(range(1, 51))
    assert not plan(registry, NOTHING, TABLES.discovered.empty(), 50, DAY).is_short


def test_short_of_budget_the_fastest_are_daily_and_nobody_is_forgotten() -> None:
    seen = _lived(_registry(700), 200, 28)
    turns = turns_of(_registry(700), 200)
    assert (turns.hot, turns.turn_days) == (100, 7)
    assert all(len(seen[repo_id]) == 28 for repo_id in range(601, 701))
    assert len(seen) == 700


def test_a_turn_comes_back_on_the_day_that_the_7_day_outcome_is_known() -> None:
    seen = _lived(_registry(700), 200, 28)
    for repo_id in range(1, 601):
        # The first days may bring one earlier, so that nobody waits longer than a turn.
        later = [day for day in seen[repo_id] if day >= DAY + timedelta(days=7)]
        apart = {(b - a).days for a, b in pairwise(later)}
        assert apart == {7}


def test_the_turns_are_spread_evenly_over_the_days() -> None:
    seen = _lived(_registry(7000), 2000, 14)
    by_day = Counter(day for days in seen.values() for day in days)
    assert max(by_day.values()) <= 2000
    assert min(by_day[DAY + timedelta(days=number)] for number in range(7, 14)) > 1600


def test_a_plan_that_cannot_reach_every_repository_in_time_is_marked_short() -> None:
    registry = _registry(5000)
    assert turns_of(registry, 10).turn_days == 28
    planned = plan(registry, NOTHING, TABLES.discovered.empty(), 10, DAY)
    assert planned.is_short
    assert len(planned.asked) == 10


def test_the_next_date_is_kept() -> None:
    """What `ghstars tracked` says is what the plan does."""
    registry = _registry(700, asked=DAY)
    dated = with_next_days(registry, 200, DAY)
    for ahead in range(1, 7):
        day = DAY + timedelta(days=ahead)
        expected = set(dated.filter(pl.col("next_day") == day)["repo_id"])
        asked = set(_asked(registry, 200, day))
        assert expected <= asked
        assert dated.filter(pl.col("is_hot"))["repo_id"].is_in(list(asked)).all()


def test_what_is_gone_is_looked_for_again_after_a_while() -> None:
    gone = _registry(3).with_columns(
        status=pl.when(pl.col("repo_id") == 2).then(pl.lit("not_found")).otherwise(pl.col("status"))
    )
    assert sorted(_asked(gone, 10, DAY)) == [1, 3]
    later = DAY - timedelta(days=1) + timedelta(days=ABSENT_DAYS)
    assert 2 in _asked(gone, 10, later)
    assert with_next_days(gone, 10, DAY).filter(pl.col("repo_id") == 2)["next_day"].item() == later


def test_who_was_untracked_is_not_asked_about() -> None:
    registry = _registry(3).with_columns(is_tracked=pl.col("repo_id") != 2)
    found = TABLES.discovered.conform(
        pl.DataFrame(
            {
                "day": [DAY],
                "repo_id": [9],
                "node_id": ["R_9"],
                "full_name": ["a/n9"],
                "stars": [5],
                "found_by": ["topic cli"],
                "observed_at": [None],
                "ingested_at": [None],
            }
        )
    )
    wanted = TrackingRules((), frozenset({9}))
    planned = plan(registry, wanted, found, 10, DAY)
    assert sorted(one.repo_id or 0 for one in planned.asked) == [1, 3]
    again = plan(registry, NOTHING, found, 10, DAY)
    assert ("a/n9", "topic cli", 9, "R_9") in [
        (one.full_name, one.because, one.repo_id, one.node_id) for one in again.asked
    ]


def test_a_rule_is_asked_by_name_until_a_repository_came_of_it() -> None:
    wanted = TrackingRules(
        (parse_tracking_rule("repository", "a/n1"), parse_tracking_rule("repository", "New/One")),
        frozenset(),
    )
    renamed = _registry(3).with_columns(
        full_name=pl.when(pl.col("repo_id") == 1)
        .then(pl.lit("b/elsewhere"))
        .otherwise(pl.col("full_name"))
    )
    planned = plan(renamed, wanted, TABLES.discovered.empty(), 10, DAY)
    assert [one.full_name for one in planned.asked if one.repo_id is None] == ["New/One"]


@pytest.mark.parametrize(("hours", "kept"), [(1.0, 0), (6.0, 500), (12.0, 2500)])
def test_the_capacity_follows_the_settings(hours: float, kept: int) -> None:
    settings = Settings(github_snapshot_hours=hours, github_points_kept=kept)
    capacity = capacity_per_day(settings, Marker("real"))
    assert capacity <= (5000 - kept) * hours / 0.08
    assert capacity <= hours * 3600 / 0.074
    assert capacity >= 0.9 * min((5000 - kept) * hours / 0.08, hours * 3600 / 0.074)


def test_a_hundred_thousand_a_day_fit_the_default_settings() -> None:
    assert capacity_per_day(Settings(), Marker("real")) > 100_000
