"""Hours come into the lake once each, whatever the order, the repetition or the kill."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import WrongHomeError
from ghstars_assets.lake.duck import bind_parquet, duck_session
from ghstars_assets.lake.marker import Marker, SandboxWorld, mark_lake, read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings
from ghstars_assets.sources.gharchive import importing
from ghstars_assets.sources.gharchive.importing import HoursReport, import_hours
from ghstars_assets.sources.gharchive.tables import gharchive_tables
from ghstars_assets_tests.support.invented_hours import (
    DAY,
    SEVEN,
    event,
    hour_of,
    line,
    star,
    write_hour,
)

TABLES = gharchive_tables("stars")
HOURS = TABLES.hours.name
EIGHT = SEVEN + timedelta(hours=1)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "utc_now", lambda: NOW)


@pytest.fixture
def three_hours(tmp_path: Path) -> list[Path]:
    began = (SEVEN, EIGHT, SEVEN + timedelta(days=1))
    return [hour_of(tmp_path / "files", at, 1, n + 2, n + 2) for n, at in enumerate(began)]


def import_all(lake: Lake, paths: Sequence[Path], days: DayRange | None = None) -> HoursReport:
    return import_hours(lake, TABLES, paths, days, lambda _message: None)


def content(lake: Lake) -> dict[str, bytes | None]:
    return {file.key: lake.store.get(file.key) for file in lake.store.files("stars/")}


def test_an_hour_is_a_part_of_its_day(lake: Lake, three_hours: list[Path]) -> None:
    report = import_all(lake, three_hours[:2])
    assert [(hour.day, hour.hour, hour.is_new) for hour in report.hours] == [
        (DAY, 7, True),
        (DAY, 8, True),
    ]
    assert [part.part for part in lake.partitions(HOURS)] == ["hour-07", "hour-08"]
    stored = lake.read(HOURS, DAY)
    assert stored.select("day", "hour", "repo_id", "full_name", "stars_gained").rows() == [
        (DAY, 7, 1, "octo/repository1", 1),
        (DAY, 7, 2, "octo/repository2", 2),
        (DAY, 8, 1, "octo/repository1", 1),
        (DAY, 8, 3, "octo/repository3", 2),
    ]
    assert stored["observed_at"].to_list()[1] == SEVEN + timedelta(minutes=2)
    assert set(stored["ingested_at"]) == {NOW}


def test_an_import_marks_an_empty_lake_as_real(lake: Lake, three_hours: list[Path]) -> None:
    import_all(lake, three_hours)
    assert read_marker(lake) == Marker("real")


def test_a_sandbox_takes_nothing_of_the_real_world(lake: Lake, three_hours: list[Path]) -> None:
    mark_lake(lake, Marker("sandbox", DAY, SandboxWorld(1, 10, DAY)))
    for offered in (three_hours, []):
        with pytest.raises(WrongHomeError):
            import_all(lake, offered)
    assert lake.tables() == []


def test_an_import_that_found_nothing_leaves_the_lake_unmarked(lake: Lake, tmp_path: Path) -> None:
    assert import_all(lake, [tmp_path / "absent"]).refused
    assert read_marker(lake) is None


def test_importing_twice_changes_nothing_and_reads_no_file_through(
    lake: Lake, three_hours: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import_all(lake, three_hours)
    before = content(lake)
    monkeypatch.setattr(importing, "utc_now", lambda: NOW + timedelta(days=1))
    monkeypatch.setattr(importing, "count_stars", _never)
    report = import_all(lake, three_hours)
    assert content(lake) == before
    assert (len(report.kept), report.taken) == (3, ())


def test_any_order_gives_the_same_lake(three_hours: list[Path], tmp_path: Path) -> None:
    lakes = []
    for seed in range(3):
        lake = Lake(Settings(home=tmp_path / str(seed), threads=1))
        shuffled = random.Random(seed).sample(three_hours, 3)
        for path in shuffled if seed else [shuffled]:
            import_all(lake, path if isinstance(path, list) else [path])
        lakes.append(content(lake))
    assert lakes[0] == lakes[1] == lakes[2]
    assert len(lakes[0]) == 3


def test_an_import_killed_half_way_is_taken_up_by_the_next(
    lake: Lake, three_hours: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, counted = importing.count_stars, []

    def killed_at_the_second(path: Path, shown_as: str = "") -> importing.HourCounts:
        counted.append(path)
        if len(counted) == 2:
            raise KeyboardInterrupt
        return count(path, shown_as)

    with monkeypatch.context() as patch:
        patch.setattr(importing, "count_stars", killed_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            import_all(lake, three_hours)
    assert len(content(lake)) == 1
    report = import_all(lake, three_hours)
    assert (len(report.kept), len(report.taken)) == (1, 2)
    never_killed = Lake(Settings(home=tmp_path / "never_killed", threads=1))
    import_all(never_killed, three_hours)
    assert content(lake) == content(never_killed)


def test_of_two_files_of_one_hour_the_first_stays(lake: Lake, tmp_path: Path) -> None:
    one = hour_of(tmp_path / "one", SEVEN, 1)
    two = hour_of(tmp_path / "two", SEVEN, 1, 2)
    import_all(lake, [one])
    before = content(lake)
    report = import_all(lake, [two])
    assert [hour.summary for hour in report.kept] == ["taken before from another file and kept"]
    assert content(lake) == before


def test_two_files_of_one_hour_in_one_import_are_taken_by_name(tmp_path: Path) -> None:
    paths = [hour_of(tmp_path / "b", SEVEN, 1), hour_of(tmp_path / "a", SEVEN, 1, 2)]
    lakes = [Lake(Settings(home=tmp_path / str(n), threads=1)) for n in range(2)]
    import_all(lakes[0], paths)
    import_all(lakes[1], paths[::-1])
    assert content(lakes[0]) == content(lakes[1])


def test_an_hour_whose_file_begins_with_the_hour_before_is_not_taken_for_that(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_all(lake, [hour_of(tmp_path, SEVEN, 1)])
    stragglers = [star(n, 1, at=SEVEN) for n in range(10)]
    mixed = write_hour(
        tmp_path / "2021-07-21-8.json.gz",
        [*stragglers, *(star(n, 2, at=EIGHT) for n in range(100, 900))],
    )
    # As if only the stragglers had been seen at first.
    monkeypatch.setattr(importing, "likely_hour", lambda _path, _name: SEVEN)
    report = import_all(lake, [mixed])
    assert [(hour.hour, hour.is_new) for hour in report.hours] == [(8, True)]
    assert "10 events of other hours left out" in report.hours[0].summary


def test_days_from_june_2025_on_are_refused_with_the_reason(lake: Lake, tmp_path: Path) -> None:
    last = hour_of(tmp_path, datetime(2025, 5, 31, 23, tzinfo=UTC), 1)
    later = hour_of(tmp_path, datetime(2025, 6, 1, 0, tzinfo=UTC), 1)
    report = import_all(lake, [later, last])
    assert [(hour.day, hour.hour) for hour in report.taken] == [(date(2025, 5, 31), 23)]
    (refused,) = report.refused
    assert refused.name == "2025-06-01-0.json.gz"
    assert "cannot be trusted for stars after 2025-05-31" in refused.reason
    assert lake.days(HOURS) == [date(2025, 5, 31)]


def test_a_later_day_is_refused_even_where_its_first_events_are_of_may(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = hour_of(tmp_path, datetime(2025, 6, 1, 0, tzinfo=UTC), 1)
    may = datetime(2025, 5, 31, 23, tzinfo=UTC)
    monkeypatch.setattr(importing, "likely_hour", lambda _path, _name: may)
    assert import_all(lake, [later]).refused
    assert lake.days(HOURS) == []


def test_one_bad_file_stops_no_other(lake: Lake, three_hours: list[Path]) -> None:
    bad = three_hours[0]
    bad.write_bytes(bad.read_bytes()[:-10])
    report = import_all(lake, three_hours)
    assert len(report.taken) == 2
    assert [(one.name, "ends in the middle" in one.reason) for one in report.refused] == [
        ("2021-07-21-7.json.gz", True)
    ]


def test_a_truncated_file_of_a_stored_hour_is_reported(lake: Lake, three_hours: list[Path]) -> None:
    import_all(lake, three_hours)
    three_hours[0].write_bytes(three_hours[0].read_bytes()[:-1])
    assert len(import_all(lake, three_hours).refused) == 1


def test_other_days_than_those_asked_for_are_left_alone(
    lake: Lake, three_hours: list[Path]
) -> None:
    report = import_all(lake, three_hours, DayRange(DAY, DAY))
    assert report.outside == ("2021-07-22-7.json.gz",)
    assert lake.days(HOURS) == [DAY]


def test_hours_that_a_day_lacks_are_reported(lake: Lake, three_hours: list[Path]) -> None:
    rest = tuple(hour for hour in range(24) if hour not in (7, 8))
    lacking = import_all(lake, three_hours[:2]).lacking
    assert lacking == {DAY: rest}
    before = DAY - timedelta(days=1)
    asked = import_all(lake, three_hours, DayRange(before, DAY)).lacking
    assert asked == {before: tuple(range(24)), DAY: rest}


def test_a_whole_day_lacks_nothing(lake: Lake, tmp_path: Path) -> None:
    midnight = datetime(2021, 7, 21, tzinfo=UTC)
    paths = [hour_of(tmp_path, midnight + timedelta(hours=n), 1) for n in range(24)]
    assert import_all(lake, paths).lacking == {}


def test_an_hour_without_a_star_counts_as_known(lake: Lake, tmp_path: Path) -> None:
    path = write_hour(tmp_path / "hour", [line(event())])
    assert 7 not in import_all(lake, [path]).lacking[DAY]
    assert lake.read(HOURS, DAY).is_empty()


def test_what_is_odd_about_an_hour_is_reported(lake: Lake, tmp_path: Path) -> None:
    lines = [star(1), star(1), star(2, 0), b"rubbish", star(3, at=EIGHT)]
    messages: list[str] = []
    import_hours(lake, TABLES, [write_hour(tmp_path / "hour", lines)], None, messages.append)
    (message,) = messages
    assert message == (
        "2021-07-21 hour-07: 1 stars of 1 repositories, 1 unreadable lines, 1 stars listed twice, "
        "1 stars of no repository, 1 events of other hours left out (hour)"
    )


def test_sql_reads_hours_with_and_without_stars_as_declared(
    lake: Lake, settings: Settings, tmp_path: Path, three_hours: list[Path]
) -> None:
    import_all(lake, [*three_hours, write_hour(tmp_path / "h", [line(event(at=EIGHT))])])
    with duck_session(settings, lake.store) as connection:
        bind_parquet(connection, HOURS, lake.urls(HOURS), TABLES.hours.empty_sql())
        read = connection.sql(f"select * from {HOURS}").pl()
    assert read.schema == TABLES.hours.empty().schema
    assert read["stars_gained"].sum() == 9


def _never(*_arguments: object) -> importing.HourCounts:
    raise AssertionError("a stored hour was read again")
