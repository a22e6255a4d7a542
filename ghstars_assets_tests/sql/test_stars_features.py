"""sql/stars/features.sql and labels.sql against a slow and obvious computation in Python.

The world has what makes them hard: days nobody captured, a repository that was away for a week and
one for longer than a line may bridge, a late arrival, a deletion.
"""

import statistics
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from itertools import pairwise
from math import copysign, isclose, log1p

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sql_tables.graph import SqlGraph
from ghstars_assets_tests.support import small_world
from ghstars_assets_tests.support.small_world import (
    AWAY_BRIEFLY,
    AWAY_FOR_LONG,
    BRIEFLY,
    CAME_LATE,
    CAME_ON,
    DELETED,
    DELETED_FROM,
    FOR_LONG,
    RENAMED,
    RENAMED_FROM,
    days_after_first,
    fill_days,
)
from ghstars_assets_tests.support.world_rows import STAR_HISTORY

Series = Mapping[date, int]
"""Stars by day."""

# Days on which the hard cases show: just after a gap, just after each absence, and long after.
PROBED = (6, 39, 43, 47, 91, 94, 106, 112, 116, 118, 128, 140)


def counted_back(snapshots: Series, gained: Series, asked_on: date) -> dict[date, int]:
    """The days before a snapshot that nothing is known of for a month before it, or ever."""
    found: dict[date, int] = {}
    days = sorted(snapshots)
    for previous, day in zip([None, *days], days, strict=False):
        is_dawn = previous is None or (day - previous).days > 31
        if not is_dawn or day > asked_on:
            continue
        stars, before = snapshots[day], day
        while before in gained and (previous is None or before > back(previous, -1)):
            stars -= gained[before]
            before = back(before, 1)
            found[before] = stars
    return found


def back(day: date, days: int) -> date:
    return day - timedelta(days=days)


class Repository:
    """One repository's past at the end of a day."""

    def __init__(self, snapshots: Series, answers: Mapping[date, Series], day: date) -> None:
        self.day = day
        self.snapshots = {seen: stars for seen, stars in snapshots.items() if seen <= day}
        asked_on = max((asked_on for asked_on in answers if asked_on <= day), default=None)
        past = counted_back(self.snapshots, answers[asked_on], asked_on) if asked_on else {}
        known = past | self.snapshots
        self.known = {seen: stars for seen, stars in known.items() if seen >= self.begin(known)}

    def begin(self, known: Series) -> date:
        """Of what can be compared with today: after the last seam, outage's edge or long gap."""
        days = sorted(known)
        edges = [days[0]]
        for earlier, later in pairwise(days):
            is_seam = earlier in self.snapshots and later not in self.snapshots
            ratio = known[later] / max(known[earlier], 1)
            is_jump = known[earlier] >= 1000 and not 1 / 4 <= ratio <= 4
            if is_seam or is_jump or (later - earlier).days > 31:
                edges.append(later)
        return edges[-1]

    def stars(self, days_ago: int) -> float | None:
        """The count of a day, or the straight line between its two known neighbours."""
        day = back(self.day, days_ago)
        if day in self.known:
            return self.known[day]
        before = max((known for known in self.known if known < day), default=None)
        after = min((known for known in self.known if known > day), default=None)
        if before is None or after is None:
            return None
        share = (day - before).days / (after - before).days
        return self.known[before] + share * (self.known[after] - self.known[before])

    def gain(self, days: int, until_days_ago: int = 0) -> float | None:
        """Stars a week."""
        now, then = self.stars(until_days_ago), self.stars(until_days_ago + days)
        return None if now is None or then is None else (now - then) * 7 / days

    def paces(self, days: int) -> list[tuple[int, float]]:
        """(days ago, that day's own gain in stars a week), where it is known."""
        found = ((ago, self.gain(1, ago)) for ago in range(days))
        return [(ago, pace) for ago, pace in found if pace is not None]

    def median(self, days: int) -> float | None:
        paces = [pace for _, pace in self.paces(days)]
        return statistics.median(paces) if paces else None

    def moving_average(self, half_life_days: int) -> float | None:
        weighted = [(0.5 ** (ago / half_life_days), pace) for ago, pace in self.paces(90)]
        total = sum(weight for weight, _ in weighted)
        return sum(weight * pace for weight, pace in weighted) / total if weighted else None

    def weekly_gain(self) -> float | None:
        estimates = [self.median(7), self.moving_average(4), self.moving_average(2), self.gain(7)]
        known = [estimate for estimate in estimates if estimate is not None]
        return sum(known) / len(known) if known else None

    def versus_base(self, pace: float | None) -> float | None:
        base = self.weekly_gain()
        return None if pace is None or base is None else slog(pace) - slog(base)


def is_same(found: float | None, expected: float | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9)


def slog(value: float) -> float:
    return copysign(log1p(abs(value)), value)


ORACLE: dict[str, Callable[[Repository], float | None]] = {
    "stars_gained_7d": lambda one: (
        one.known[one.day] - one.known[back(one.day, 7)]
        if back(one.day, 7) in one.known and back(one.day, 7) in one.snapshots
        else None
    ),
    "base": lambda one: one.weekly_gain() or 0.0,
    "scale": lambda one: max(abs(one.weekly_gain() or 0), one.median(28) or 0, 3),
    "gain_1d_vs_base": lambda one: one.versus_base(one.gain(1)),
    "gain_7d_vs_base": lambda one: one.versus_base(one.gain(7)),
    "gain_90d_vs_base": lambda one: one.versus_base(one.gain(90)),
    "gain_2_weeks_ago_vs_base": lambda one: one.versus_base(one.gain(7, 14)),
    "median_28d_vs_base": lambda one: one.versus_base(one.median(28)),
    "ewma_30d_vs_base": lambda one: one.versus_base(one.moving_average(30)),
    "ewma_60d_vs_base": lambda one: one.versus_base(one.moving_average(60)),
    "max_28d_vs_base": lambda one: one.versus_base(
        max((pace for _, pace in one.paces(28)), default=None)
    ),
    "log_stars": lambda one: log1p(one.known[one.day]),
}


@pytest.fixture(scope="module")
def ids() -> list[int]:
    """The first day's repositories in the source, where the late arrival stood too."""
    return small_world.founding_ids()


@pytest.mark.parametrize("place", PROBED)
def test_features_are_what_a_slow_computation_finds(
    world_lake: Lake, stars_graph: SqlGraph, ids: list[int], place: int
) -> None:
    day = days_after_first(place)
    fill_days(world_lake, stars_graph, "stars.features", DayRange(day, day))
    features = world_lake.read("stars.features", day)
    snapshot = world_lake.read("stars.snapshots", day)
    assert features["repo_id"].to_list() == snapshot["repo_id"].to_list()

    counts = world_lake.scan("stars.snapshots").select("repo_id", "day", "stars").collect()
    answers = world_lake.scan(STAR_HISTORY.name).collect()
    biggest = ids.index(snapshot.sort("stars")["repo_id"][-1])
    hard = (biggest, DELETED, RENAMED, AWAY_BRIEFLY, AWAY_FOR_LONG, CAME_LATE, 20, 40)
    compared = 0
    for row in features.filter(pl.col("repo_id").is_in([ids[n] for n in hard])).to_dicts():
        own = counts.filter(pl.col("repo_id") == row["repo_id"])
        own_answers = answers.filter(pl.col("repo_id") == row["repo_id"])
        by_day = {
            asked_on: dict(answer.select("gained_on", "stars_gained").iter_rows())
            for (asked_on,), answer in own_answers.partition_by("day", as_dict=True).items()
        }
        one = Repository(dict(own.select("day", "stars").iter_rows()), by_day, day)
        for column, expected in ORACLE.items():
            assert is_same(row[column], expected(one)), (column, expected(one), row)
            compared += 1
    assert compared >= 4 * len(ORACLE)


def test_the_world_has_the_hard_cases(world_lake: Lake, ids: list[int]) -> None:
    counts = world_lake.scan("stars.snapshots").select("repo_id", "day", "full_name").collect()

    def days_of(place: int) -> set[date]:
        return set(counts.filter(pl.col("repo_id") == ids[place])["day"])

    assert max(days_of(DELETED)) == days_after_first(DELETED_FROM - 1)
    assert min(days_of(CAME_LATE)) == days_after_first(CAME_ON)
    for place, away in ((AWAY_BRIEFLY, BRIEFLY), (AWAY_FOR_LONG, FOR_LONG)):
        assert days_of(place).isdisjoint(days_after_first(n) for n in away)
        assert days_after_first(away.stop) in days_of(place)
    names = counts.filter(pl.col("repo_id") == ids[RENAMED]).sort("day")["full_name"]
    assert names.n_unique() == 2


def test_a_rename_breaks_no_series(world_lake: Lake, stars_graph: SqlGraph, ids: list[int]) -> None:
    day = days_after_first(RENAMED_FROM)
    fill_days(world_lake, stars_graph, "stars.features", DayRange(day, day))
    features = world_lake.read("stars.features", day)
    (row,) = features.filter(pl.col("repo_id") == ids[RENAMED]).to_dicts()
    assert row["full_name"] == "new-owner/new-name"
    assert row["stars_gained_7d"] is not None


def test_labels_are_the_difference_of_two_days_and_never_span_a_gap(
    world_lake: Lake, stars_graph: SqlGraph
) -> None:
    days = DayRange(days_after_first(100), days_after_first(130))
    fill_days(world_lake, stars_graph, "stars.labels", days)
    labels = world_lake.scan("stars.labels").collect()
    counts = {
        (day, repo): stars
        for day, repo, stars in world_lake.scan("stars.snapshots")
        .select("day", "repo_id", "stars")
        .collect()
        .iter_rows()
    }
    expected = {
        (day, repo): counts[day + timedelta(days=7), repo] - stars
        for (day, repo), stars in counts.items()
        if day in days and (day + timedelta(days=7), repo) in counts
    }
    assert {(day, repo): gained for day, repo, gained in labels.iter_rows()} == expected
    gap = date(2026, 4, 28)
    assert labels.filter(pl.col("day").is_in([gap, gap - timedelta(days=7)])).is_empty()
    assert gap - timedelta(days=7) in days
