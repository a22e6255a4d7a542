"""A query that sees the future is caught."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import SqlAssetError
from ghstars_assets.lake.catalog import Column, Table
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings
from ghstars_assets.sql_tables.engine import fill
from ghstars_assets.sql_tables.header import SqlFile, read_sql_file
from ghstars_assets.sql_tables.hindsight import refuse_hindsight

DAYS = DayRange(date(2026, 1, 1), date(2026, 1, 20))
LEVELS = Table(
    "pond.levels",
    "How high the water stood.",
    (Column("day", "date", "the day"), Column("level", "double", "in cm")),
)
SQL = """/*
description: What was known of the pond.
key: []
reads:
  pond.levels: -7..0
columns:
  day: {{type: date, is: "the day"}}
  level: {{type: double, is: "in cm"}}
  peek: {{type: double, is: "what the test asks for"}}
*/
select day, level, {peek} as peek
from pond.levels
"""


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(Settings(home=tmp_path, threads=1, memory_gb=1))
    for number, day in enumerate(DAYS):
        lake.write(LEVELS.name, day, pl.DataFrame({"day": [day], "level": [float(number**2 % 17)]}))
    return lake


def _filled(lake: Lake, folder: Path, peek: str) -> SqlFile:
    path = folder / "pond" / "features.sql"
    path.parent.mkdir()
    path.write_text(SQL.format(peek=peek))
    file = read_sql_file(path)
    list(fill(lake, file, {LEVELS.name: LEVELS}, DayRange(DAYS.first + timedelta(7), DAYS.last)))
    return file


@pytest.mark.parametrize(
    "peeks",
    [
        "lead(level) over (order by day)",
        "avg(level) over ()",
        "max(level) over (order by day rows between 1 preceding and 1 following)",
        "rank() over (order by level)::double",
    ],
)
def test_a_feature_that_peeks_is_named(lake: Lake, tmp_path: Path, peeks: str) -> None:
    file = _filled(lake, tmp_path, peeks)
    with pytest.raises(SqlAssetError, match=r"other values in peek .*sees the future"):
        refuse_hindsight(lake, file, {LEVELS.name: LEVELS}, DAYS.first + timedelta(days=12))


@pytest.mark.parametrize(
    "honest",
    [
        "level - lag(level) over (order by day)",
        "avg(level) over (order by day rows between 6 preceding and current row)",
        "null::double",
    ],
)
def test_a_feature_that_looks_back_passes(lake: Lake, tmp_path: Path, honest: str) -> None:
    file = _filled(lake, tmp_path, honest)
    refuse_hindsight(lake, file, {LEVELS.name: LEVELS}, DAYS.first + timedelta(days=10))


def test_a_row_that_the_day_alone_has_not_is_caught(lake: Lake, tmp_path: Path) -> None:
    file = _filled(lake, tmp_path, "level")
    day = DAYS.first + timedelta(days=10)
    stored = lake.read("pond.features", day)
    lake.write("pond.features", day, pl.concat([stored, stored]))
    with pytest.raises(SqlAssetError, match="other rows"):
        refuse_hindsight(lake, file, {LEVELS.name: LEVELS}, day)
