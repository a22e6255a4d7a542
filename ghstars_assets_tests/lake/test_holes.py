from datetime import date

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.holes import (
    Hole,
    Holes,
    declare_gaps,
    declared_gaps,
    holes_in,
    release_days,
    released_days,
)
from ghstars_assets.lake.tables import GAP, QUARANTINED, Lake
from ghstars_assets_tests.support.counted_requests import count_footers, count_requests

DAYS = DayRange(date(2026, 1, 1), date(2026, 1, 5))
DAY, SECOND, THIRD, FOURTH, FIFTH = DAYS


def rows(day: date) -> pl.DataFrame:
    return pl.DataFrame({"day": [day], "repo_id": [1]})


def test_a_gap_is_declared_for_each_day_with_its_reason_and_audited(lake: Lake) -> None:
    assert declared_gaps(lake, "stars") == {}
    declare_gaps(lake, "stars", DayRange(SECOND, THIRD), "the capture was down")
    declare_gaps(lake, "stars", DayRange(FIFTH, FIFTH), "no archive has it")
    assert declared_gaps(lake, "stars") == {
        SECOND: "the capture was down",
        THIRD: "the capture was down",
        FIFTH: "no archive has it",
    }
    assert declared_gaps(lake, "bikes") == {}
    audit = lake.read_log(AUDIT.name)
    assert audit is not None
    assert audit.select("problem", "event", "cause", "subject").rows() == [
        ("stars", "gap", "the capture was down", "2026-01-02 to 2026-01-03"),
        ("stars", "gap", "no archive has it", "2026-01-05"),
    ]
    assert all(actor for actor in audit["actor"])


def test_a_gap_declared_again_keeps_the_last_reason(lake: Lake) -> None:
    declare_gaps(lake, "stars", DayRange(DAY, DAY), "unknown")
    declare_gaps(lake, "stars", DayRange(DAY, DAY), "the disk was full")
    assert declared_gaps(lake, "stars") == {DAY: "the disk was full"}


def test_a_release_is_recorded_with_its_reason_and_audited(lake: Lake) -> None:
    release_days(lake, "stars", DayRange(DAY, SECOND), "a real launch")
    assert released_days(lake, "stars") == {DAY: "a real launch", SECOND: "a real launch"}
    audit = lake.read_log(AUDIT.name)
    assert audit is not None
    assert audit["event"].to_list() == ["release"]


def test_holes_are_declared_gaps_and_the_partitions_that_say_why_they_are_empty(
    lake: Lake,
) -> None:
    declare_gaps(lake, "stars", DayRange(DAY, SECOND), "the capture was down")
    lake.write("stars.snapshots", SECOND, rows(SECOND))
    lake.write("stars.snapshots", THIRD, rows(THIRD).clear(), notes={GAP: "nothing came"})
    lake.write("stars.snapshots", FOURTH, rows(FOURTH).clear(), notes={QUARANTINED: "half is gone"})
    lake.write("stars.snapshots", FIFTH, rows(FIFTH))
    assert holes_in(lake, "stars.snapshots", DAYS) == {
        DAY: Hole("the capture was down"),
        THIRD: Hole("nothing came"),
        FOURTH: Hole("half is gone", is_quarantine=True),
    }


def test_a_gap_outside_the_days_asked_for_is_left_out(lake: Lake) -> None:
    declare_gaps(lake, "stars", DAYS, "the capture was down")
    assert list(holes_in(lake, "stars.snapshots", DayRange(THIRD, THIRD))) == [THIRD]


def test_holes_of_a_range_are_read_once_for_the_range(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in DAYS:
        declare_gaps(lake, "stars", DayRange(day, day), "the capture was down")
    for day in (SECOND, THIRD):
        lake.write("stars.snapshots", day, rows(day))
    lake.write("stars.snapshots", FOURTH, rows(FOURTH).clear(), notes={QUARANTINED: "half is gone"})
    counted, footers = count_requests(lake), count_footers(monkeypatch)
    holes = Holes.of(lake, "stars.snapshots", DAYS)
    assert [holes.on(day) for day in DAYS] == [
        Hole("the capture was down"),
        None,
        None,
        Hole("half is gone", is_quarantine=True),
        Hole("the capture was down"),
    ]
    assert holes.stored == {SECOND, THIRD, FOURTH}
    assert holes.quarantined == {FOURTH}
    assert counted.counted("list", "stars/snapshots") == 1
    assert counted.counted("list", "stars/gaps") == 1
    assert len(footers) == 3


def test_a_footer_is_read_once_for_each_version_of_a_partition(
    any_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    footers = count_footers(monkeypatch)
    any_lake.write("stars.snapshots", DAY, rows(DAY))
    for _ in range(3):
        assert holes_in(any_lake, "stars.snapshots", DAYS) == {}
    assert len(footers) == 1
    any_lake.write("stars.snapshots", DAY, rows(DAY).clear(), notes={GAP: "nothing came"})
    for _ in range(3):
        assert holes_in(any_lake, "stars.snapshots", DAYS) == {DAY: Hole("nothing came")}
    assert len(footers) == 2
