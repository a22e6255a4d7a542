"""The archive's own files, as they are: what they hold comes in, and nothing else.

They are no part of the repository; without them these tests are skipped.
"""

import csv
import gzip
import io
import shutil
from collections import defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.github_ranking.archive_days import ArchiveDay, read_condensed, read_raw
from ghstars_assets.sources.github_ranking.identity import surrogate_of
from ghstars_assets.sources.github_ranking.importing import ImportReport, import_files
from ghstars_assets.sources.github_ranking.names import renames_in
from ghstars_assets.sources.github_ranking.places import (
    FilesFound,
    capture_times,
    table_in,
    unpacked,
)
from ghstars_assets_tests.support.invented_rankings import (
    RANKING,
    TABLES,
    bring,
    found_in,
    silent,
    stars_by_name,
)
from ghstars_assets_tests.support.shared_data import real_data

FIRST = date(2018, 12, 18)
ISSUES_BREAK = date(2021, 8, 20)
"""From here on open issues are counted without pull requests."""
PURGE = date(2024, 1, 3)
RAW_DAYS = (
    FIRST,
    date(2021, 8, 19),
    ISSUES_BREAK,
    date(2021, 8, 21),
    date(2022, 9, 1),
    date(2024, 1, 2),
    PURGE,
    date(2026, 2, 28),
)
CUT_DAY = date(2022, 2, 16)
"""Every list of it has 60 rows."""


@pytest.fixture(scope="module")
def stars() -> Path:
    folder = real_data() / "stars"
    if not folder.is_dir():
        pytest.skip(f"there are no files of the archive at {folder}")
    return folder


@pytest.fixture(scope="module")
def captured(stars: Path) -> dict[date, datetime]:
    return capture_times(stars / "snapshot_quality.parquet")


def raw_file(stars: Path, day: date) -> Path:
    return stars / f"raw/github-ranking-{day}.csv.gz"


def raw_day(stars: Path, day: date) -> ArchiveDay:
    path = raw_file(stars, day)
    return read_raw(unpacked(path), path.name)


def table_of(stars: Path, day: date) -> pl.DataFrame:
    table = pl.scan_parquet(stars / f"stars_{day.year}.parquet")
    return table.filter(pl.col("snapshot_date") == day).collect()


def bring_tables(lake: Lake, stars: Path, *spans: DayRange) -> list[ImportReport]:
    """Days of the tables with what lies beside them."""
    reports = []
    for span in spans:
        found = FilesFound(
            condensed=[stars / f"stars_{span.first.year}.parquet"],
            renames=[stars / "renames_heuristic.parquet"],
            qualities=[stars / "snapshot_quality.parquet"],
        )
        reports.append(import_files(lake, TABLES, found, span, silent))
    return reports


def course(lake: Lake, full_name: str) -> dict[date, int]:
    rows = lake.scan(RANKING).filter(pl.col("full_name") == full_name).sort("day")
    return dict(rows.select("day", "stars").collect().iter_rows())


def test_every_file_is_known_for_what_it_is(stars: Path) -> None:
    found = found_in(stars)
    assert [path.name for path in found.renames] == ["renames_heuristic.parquet"]
    assert [path.name for path in found.qualities] == ["snapshot_quality.parquet"]
    assert [path.name for path in found.condensed] == [
        f"stars_{year}.parquet" for year in range(2018, 2027)
    ]
    assert {path.parent.name for path in found.raw} == {"raw"}
    assert found.unknown == []


@pytest.mark.parametrize("day", RAW_DAYS)
def test_a_days_lists_are_folded_as_one_would_by_hand(stars: Path, day: date) -> None:
    counts: defaultdict[str, list[int]] = defaultdict(list)
    text = gzip.decompress(raw_file(stars, day).read_bytes()).decode()
    for listed in csv.DictReader(io.StringIO(text)):
        counts[listed["repo_url"].removeprefix("https://github.com/")].append(int(listed["stars"]))
    archived = raw_day(stars, day)
    columns = ("full_name", "stars", "stars_lowest", "lists")
    assert archived.rows.select(columns).rows() == sorted(
        (name, max(each), min(each), len(each)) for name, each in counts.items()
    )


@pytest.mark.parametrize("day", RAW_DAYS)
def test_the_table_made_of_a_days_lists_holds_what_they_hold(
    stars: Path, captured: dict[date, datetime], day: date
) -> None:
    raw = raw_day(stars, day)
    table = read_condensed(table_of(stars, day), day, captured[day])
    only_in_lists = ("stars_lowest", "lists")
    assert table.rows.drop(only_in_lists).equals(raw.rows.drop(only_in_lists))
    assert (raw.day, raw.captured_at) == (table.day, table.captured_at)
    assert table.odd == {}
    assert raw.rank > table.rank


def test_every_raw_file_is_of_the_day_in_its_name(stars: Path) -> None:
    odd: dict[date, str] = {}
    for path in found_in(stars / "raw").raw:
        archived = read_raw(unpacked(path), path.name)
        assert path.name == f"github-ranking-{archived.day}.csv.gz"
        assert archived.captured_at.date() == archived.day
        archived.odd.pop("several counts", None)
        if archived.odd:
            odd[archived.day] = ", ".join(archived.odd.values())
    assert odd == {date(2026, 2, 12): "1 of 36 lists, CSharp has 93 rows"}


def test_open_issues_fall_where_pull_requests_were_left_out(stars: Path) -> None:
    """They are kept as they were counted on both sides of the break."""
    days = [ISSUES_BREAK + timedelta(days=number) for number in (-1, 0, 1)]
    before, since, later = (raw_day(stars, day).rows for day in days)
    assert _share_that_fell(before, since, "open_issues") > 0.8
    assert _share_that_fell(since, later, "open_issues") < 0.1


def test_a_purge_of_stars_is_kept_as_it_happened(stars: Path) -> None:
    before, after = (raw_day(stars, day).rows for day in (PURGE - timedelta(days=1), PURGE))
    assert _share_that_fell(before, after, "stars") > 0.3


def _share_that_fell(before: pl.DataFrame, after: pl.DataFrame, count: str) -> float:
    both = before.join(after, on="full_name", suffix="_after")
    return both.filter(pl.col(f"{count}_after") < pl.col(count)).height / both.height


def test_a_day_of_lists_of_60_rows_is_reported_for_what_it_lacks(lake: Lake, stars: Path) -> None:
    around = DayRange(CUT_DAY - timedelta(days=3), CUT_DAY + timedelta(days=3))
    (report,) = bring_tables(lake, stars, around)
    assert list(report.odd["few repositories"]) == [CUT_DAY]
    assert lake.read(RANKING, CUT_DAY).height == 2080


def test_stars_that_went_away_and_came_back_are_kept_as_they_were_counted(
    lake: Lake, stars: Path
) -> None:
    """ant-design showed 797 stars on the day after its stars were lost, and months later had all
    of them again: to mend that is for those who read, not for the record."""
    spans = [
        DayRange(date(2021, 2, 15), date(2021, 2, 18)),
        DayRange(date(2021, 5, 14), date(2021, 5, 17)),
    ]
    bring_tables(lake, stars, *spans)
    stars_on = course(lake, "ant-design/ant-design")
    assert stars_on[date(2021, 2, 17)] == 797
    assert (stars_on[date(2021, 5, 15)], stars_on[date(2021, 5, 16)]) == (6_684, 70_219)
    ids = lake.scan(RANKING).filter(pl.col("full_name") == "ant-design/ant-design")
    assert ids.select(pl.col("repo_id").unique()).collect().rows() == [
        (surrogate_of("ant-design/ant-design"),)
    ]


def test_a_repository_that_comes_in_a_rush_and_goes_is_stored_on_its_days_alone(
    lake: Lake, stars: Path
) -> None:
    bring_tables(
        lake,
        stars,
        DayRange(date(2024, 7, 8), date(2024, 7, 12)),
        DayRange(date(2024, 9, 4), date(2024, 9, 7)),
    )
    assert course(lake, "ShiArthur03/ShiArthur03") == {
        date(2024, 7, 10): 1_428,
        date(2024, 7, 11): 5_953,
        date(2024, 7, 12): 7_824,
        date(2024, 9, 4): 10_375,
        date(2024, 9, 5): 10_382,
    }


def test_days_that_the_archive_has_no_file_of_stay_empty(lake: Lake, stars: Path) -> None:
    bring_tables(
        lake,
        stars,
        DayRange(date(2024, 10, 22), date(2024, 11, 30)),
        DayRange(date(2025, 1, 1), date(2025, 1, 9)),
    )
    days = lake.days(RANKING)
    assert days[days.index(date(2024, 10, 23)) + 1] == date(2025, 1, 8)
    assert lake.days(RANKING)[-1] == date(2025, 1, 9)


def test_days_around_a_gap_are_stored_and_those_in_it_are_not(lake: Lake, stars: Path) -> None:
    asked = DayRange(date(2025, 8, 17), date(2025, 9, 7))
    (report,) = bring_tables(lake, stars, asked)
    missing = DayRange(date(2025, 8, 19), date(2025, 9, 5))
    assert report.new == set(asked) - set(missing)


def test_no_row_is_invented_and_none_is_lost(
    lake: Lake, stars: Path, captured: dict[date, datetime]
) -> None:
    days = DayRange(date(2021, 5, 14), date(2021, 5, 18))
    bring_tables(lake, stars, days)
    for day in days:
        stored = lake.read(RANKING, day)
        expected = table_of(stars, day).sort("full_name")
        columns = ["full_name", "stars", "forks", "open_issues", "language"]
        assert stored.sort("full_name").select(columns).equals(expected.select(columns))
        assert set(stored["observed_at"]) == {captured[day]}
        assert stored.unique(["repo_id", "full_name"]).height == stored.height
        assert set(stored["identified_by"]) == {"name"}


def test_the_renames_beside_the_files_join_what_was_renamed(lake: Lake, stars: Path) -> None:
    renames = renames_in(table_in(stars / "renames_heuristic.parquet"))
    assert len(renames) == 500
    bring_tables(lake, stars, DayRange(date(2026, 1, 7), date(2026, 1, 8)))
    old, new = (
        lake.read(RANKING, day).filter(pl.col("full_name").str.to_lowercase() == name)["repo_id"]
        for day, name in (
            (date(2026, 1, 7), "comfyanonymous/comfyui"),
            (date(2026, 1, 8), "comfy-org/comfyui"),
        )
    )
    assert old.to_list() == new.to_list()
    assert old.len() == 1


def test_the_lists_take_the_place_of_the_tables(lake: Lake, stars: Path, tmp_path: Path) -> None:
    days = DayRange(date(2026, 2, 26), date(2026, 2, 28))
    bring_tables(lake, stars, days)
    before = {day: stars_by_name(lake, day) for day in days}
    folder = tmp_path / "clone/Data"
    folder.mkdir(parents=True)
    for day in days:
        shutil.copy(raw_file(stars, day), folder)
    report = bring(lake, tmp_path / "clone")
    assert (report.replaced, report.new) == (set(days), set())
    for day in days:
        assert stars_by_name(lake, day) == before[day]
        assert lake.read(RANKING, day)["lists"].min() == 1
