"""The capture rate: the archive's stars beside those that snapshots gained in the same hours."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import GAP, Lake
from ghstars_assets.sources.gharchive.importing import import_hours
from ghstars_assets.sources.gharchive.measuring import DayCapture, measure_capture
from ghstars_assets.sources.gharchive.tables import gharchive_tables
from ghstars_assets_tests.support.invented_hours import DAY, hour_of

TABLES = gharchive_tables("stars")
SNAPSHOTS = "stars.snapshots"
NEXT = DAY + timedelta(days=1)
MIDNIGHT = datetime(2021, 7, 21, tzinfo=UTC)
PAST_FOUR = timedelta(hours=4, minutes=3)


def snapshot(
    lake: Lake, day: date, stars: Mapping[int, int | None], at: timedelta = PAST_FOUR
) -> None:
    """Taken at a few minutes past four, as the archive's are."""
    observed_at = MIDNIGHT + (day - DAY) + at
    rows = [
        (day, repo_id, f"Octo/Repository{abs(repo_id)}", count, observed_at)
        for repo_id, count in stars.items()
    ]
    schema = {
        "day": pl.Date(),
        "repo_id": pl.Int64(),
        "full_name": pl.String(),
        "stars": pl.Int64(),
        "observed_at": pl.Datetime("us", "UTC"),
    }
    lake.write(SNAPSHOTS, day, pl.DataFrame(rows, schema=schema, orient="row"))


def hold(
    lake: Lake, folder: Path, gained: Mapping[int, tuple[int, ...]], first: int = 0, until: int = 28
) -> None:
    """Hours counted from midnight, with the repositories that gained a star in each."""
    paths = [
        hour_of(folder, MIDNIGHT + timedelta(hours=hour), *gained.get(hour, ()))
        for hour in range(first, until)
    ]
    import_hours(lake, TABLES, paths, None, lambda _message: None)


def measure(lake: Lake, days: DayRange | None = None) -> list[DayCapture]:
    return measure_capture(lake, TABLES, SNAPSHOTS, days or DayRange(DAY, DAY))


def test_the_archive_is_compared_within_the_hours_between_two_snapshots(
    lake: Lake, tmp_path: Path
) -> None:
    snapshot(lake, DAY, {1: 100, 2: 50})
    snapshot(lake, NEXT, {1: 108, 2: 52})
    hold(lake, tmp_path, {3: (1, 1), 4: (1, 1, 1), 12: (2,), 27: (1,), 28: (1, 1)}, until=29)
    assert measure(lake) == [DayCapture(DAY, 24, 2, 10, 5, 0.5)]


def test_a_repository_without_an_id_is_compared_by_its_name_in_any_case(
    lake: Lake, tmp_path: Path
) -> None:
    snapshot(lake, DAY, {-1: 100, 2: 50})
    snapshot(lake, NEXT, {-1: 108, 2: 52})
    hold(lake, tmp_path, {5: (1, 1, 1), 12: (2, 2)})
    assert measure(lake) == [DayCapture(DAY, 24, 2, 10, 5, 0.5)]


def test_each_repository_has_hours_of_its_own(lake: Lake, tmp_path: Path) -> None:
    snapshot(lake, DAY, {1: 100})
    snapshot(lake, NEXT, {1: 101})
    for day in (DAY, NEXT):
        early = lake.read(SNAPSHOTS, day)
        late = early.with_columns(
            repo_id=pl.lit(2, pl.Int64), observed_at=pl.col("observed_at") + pl.duration(hours=5)
        )
        lake.write(SNAPSHOTS, day, pl.concat([early, late]))
    gained = {5: (1, 2), 30: (1, 2)}
    hold(lake, tmp_path, gained, until=32)
    assert measure(lake) == [DayCapture(DAY, 24)]  # of the later of the two not every hour is known
    hold(lake, tmp_path, gained, first=32, until=33)
    assert measure(lake) == [DayCapture(DAY, 24, 2, 2, 2, 1.0)]


def test_only_repositories_with_a_count_in_both_snapshots_are_compared(
    lake: Lake, tmp_path: Path
) -> None:
    snapshot(lake, DAY, {1: 100, 2: 10, 4: None, 6: 3})
    snapshot(lake, NEXT, {1: 101, 4: 7, 5: 8, 6: None})
    hold(lake, tmp_path, {5: (1, 2, 4, 5, 6, 7)})
    assert measure(lake) == [DayCapture(DAY, 24, 1, 1, 1, 1.0)]


def test_a_repository_that_the_archive_never_names_gained_no_star_in_it(
    lake: Lake, tmp_path: Path
) -> None:
    snapshot(lake, DAY, {1: 100, 2: 10})
    snapshot(lake, NEXT, {1: 100, 2: 14})
    hold(lake, tmp_path, {})
    assert measure(lake) == [DayCapture(DAY, 24, 2, 4, 0, 0.0)]


def test_a_day_on_which_more_was_taken_back_than_given_has_no_rate(
    lake: Lake, tmp_path: Path
) -> None:
    snapshot(lake, DAY, {1: 100})
    snapshot(lake, NEXT, {1: 70})
    hold(lake, tmp_path, {5: (1,)})
    assert measure(lake) == [DayCapture(DAY, 24, 1, -30, 1, None)]


@pytest.mark.parametrize(("first", "until", "hours_known"), [(0, 23, 23), (0, 27, 24), (1, 28, 23)])
def test_a_day_that_lacks_an_hour_is_not_compared(
    lake: Lake, tmp_path: Path, first: int, until: int, hours_known: int
) -> None:
    snapshot(lake, DAY, {1: 100})
    snapshot(lake, NEXT, {1: 104})
    hold(lake, tmp_path, {5: (1,)}, first, until)
    assert measure(lake) == [DayCapture(DAY, hours_known)]
    hold(lake, tmp_path, {5: (1,)})
    assert measure(lake) == [DayCapture(DAY, 24, 1, 4, 1, 0.25)]
    assert lake.read(TABLES.capture.name, DAY)["capture_rate"].to_list() == [0.25]


def test_a_day_without_both_snapshots_is_not_compared(lake: Lake, tmp_path: Path) -> None:
    hold(lake, tmp_path, {5: (1,)}, until=24)
    assert measure(lake) == [DayCapture(DAY, 24)]
    snapshot(lake, DAY, {1: 100})
    assert measure(lake) == [DayCapture(DAY, 24)]
    lake.write(SNAPSHOTS, NEXT, lake.read(SNAPSHOTS, DAY).clear(), notes={GAP: "nobody knows"})
    assert measure(lake) == [DayCapture(DAY, 24)]


def test_a_snapshot_at_midnight_needs_no_hour_of_the_next_day(lake: Lake, tmp_path: Path) -> None:
    snapshot(lake, DAY, {1: 100}, at=timedelta())
    snapshot(lake, NEXT, {1: 102}, at=timedelta())
    hold(lake, tmp_path, {0: (1,), 23: (1,)}, until=24)
    assert measure(lake) == [DayCapture(DAY, 24, 1, 2, 2, 1.0)]


def test_each_measured_day_is_one_row_and_measuring_twice_changes_nothing(
    lake: Lake, tmp_path: Path
) -> None:
    for n in range(3):
        snapshot(lake, DAY + timedelta(days=n), {1: 100 + n})
    hold(lake, tmp_path, {5: (1,), 29: (1,)}, until=52)
    days = DayRange(DAY - timedelta(days=1), DAY + timedelta(days=3))
    measured = measure(lake, days)
    assert [(one.day, one.capture_rate) for one in measured] == [
        (DAY, 1.0),
        (NEXT, 1.0),
        (DAY + timedelta(days=2), None),
    ]
    before = [lake.store.get(part.key) for part in lake.partitions(TABLES.capture.name)]
    assert measure(lake, days) == measured
    assert [lake.store.get(part.key) for part in lake.partitions(TABLES.capture.name)] == before
    rows = lake.scan(TABLES.capture.name).collect()
    assert rows.columns == TABLES.capture.column_names
    assert rows["hours_held"].to_list() == [24, 24, 4]
