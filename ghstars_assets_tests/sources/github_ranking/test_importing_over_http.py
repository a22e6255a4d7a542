"""The archive over HTTP: each day is fetched once, and junk is refused in a sentence."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import SourceError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.github_ranking import importing
from ghstars_assets.sources.github_ranking.importing import (
    ImportReport,
    import_over_http,
)
from ghstars_assets_tests.support.invented_rankings import (
    DAY,
    TABLES,
    bring,
    condensed,
    contents_by_day,
    day_file,
    days_from,
    lake_at,
    silent,
    stars_by_name,
    write_parquet,
)

DAYS = days_from(DAY, 5)
SECOND, THIRD, FOURTH = DAYS[1:4]
LONG_AGO = datetime(2015, 1, 1, tzinfo=UTC)


class Web:
    """In place of the web: what it has, and what it was asked for."""

    def __init__(self) -> None:
        self.files: dict[date, bytes] = {}
        self.asked: list[date] = []

    def __call__(
        self, _place: str, days: DayRange, is_wanted: Callable[[date], bool]
    ) -> Iterator[tuple[date, str, bytes | None]]:
        for day in days:
            if is_wanted(day):
                self.asked.append(day)
                yield day, f"github-ranking-{day}.csv", self.files.get(day)

    def has(self, folder: Path, *days: date) -> None:
        self.files |= {day: day_file(folder, day, cat=day.day).read_bytes() for day in days}


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Web:
    served = Web()
    monkeypatch.setattr(importing, "files_over_http", served)
    return served


def fetch(lake: Lake, first: date = DAYS[0], last: date = DAYS[4]) -> ImportReport:
    return import_over_http(
        lake, TABLES, "https://archive.invalid", "real", DayRange(first, last), silent
    )


def test_what_is_fetched_is_what_the_files_give(lake: Lake, web: Web, tmp_path: Path) -> None:
    web.has(tmp_path / "files", *DAYS[1:4])
    report = fetch(lake)
    assert (report.new, report.absent) == (set(DAYS[1:4]), {DAYS[0], DAYS[4]})
    from_files = lake_at(tmp_path / "other")
    bring(from_files, tmp_path / "files")
    assert contents_by_day(lake) == contents_by_day(from_files)


def test_a_day_that_was_fetched_is_not_fetched_again(lake: Lake, web: Web, tmp_path: Path) -> None:
    web.has(tmp_path / "files", *DAYS)
    fetch(lake, DAYS[0], DAYS[2])
    web.asked.clear()
    report = fetch(lake)
    assert web.asked == DAYS[3:]
    assert (report.kept, report.new) == (set(DAYS[:3]), set(DAYS[3:]))
    web.asked.clear()
    assert fetch(lake).kept == set(DAYS)
    assert web.asked == []


def test_a_day_known_from_a_table_alone_is_fetched(lake: Lake, web: Web, tmp_path: Path) -> None:
    write_parquet(tmp_path / "table/t.parquet", condensed(DAY, cat=99))
    bring(lake, tmp_path / "table")
    web.has(tmp_path / "files", DAY)
    assert fetch(lake).replaced == {DAY}
    assert stars_by_name(lake, DAY) == {"octo/cat": DAY.day}


def test_a_day_that_cannot_be_read_is_reported_and_the_others_come(
    lake: Lake, web: Web, tmp_path: Path
) -> None:
    web.has(tmp_path / "files", DAYS[0], DAYS[2])
    web.files[SECOND] = b"<html>Please wait</html>\n"
    web.files[FOURTH] = web.files[DAYS[0]]
    report = fetch(lake)
    assert report.new == {DAYS[0], DAYS[2]}
    assert [reason.split(" ")[0] for reason in report.unusable] == [
        f"github-ranking-{SECOND}.csv",
        f"github-ranking-{FOURTH}.csv",
    ]


def test_an_address_without_any_file_is_one_sentence(lake: Lake, web: Web) -> None:
    with pytest.raises(SourceError) as caught:
        fetch(lake)
    assert str(caught.value) == (
        "https://archive.invalid has no github-ranking-DAY.csv for any day of 2024-03-05 to "
        "2024-03-09; name the folder that holds the files, and a range in which there are some."
    )
    assert web.asked == DAYS


def test_an_address_whose_every_file_is_junk_says_what_is_wrong_with_one(
    lake: Lake, web: Web
) -> None:
    web.files[SECOND] = b"<html>Please wait</html>\n"
    with pytest.raises(SourceError, match=f"github-ranking-{SECOND}.csv lacks the columns"):
        fetch(lake)
