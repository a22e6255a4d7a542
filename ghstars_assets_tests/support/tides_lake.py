"""A lake of tides: 60 days of six stations, filled by the library's own functions, no Dagster."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.lake.outcomes import DayOutcome
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import LearningColumns, Training
from ghstars_assets.learning.wiring import Wired, wire
from ghstars_assets.settings import Settings
from ghstars_assets.sql_tables.engine import fill
from ghstars_assets_tests.support.tides.gauges import GAUGES
from ghstars_assets_tests.support.tides.problem import PROBLEM

SQL = Path(__file__).parent / "tides" / "sql"
DAYS = DayRange(date(2026, 1, 1), date(2026, 3, 1))
LABELLED = DayRange(DAYS.first, DAYS.last - timedelta(days=PROBLEM.horizon_days))
AS_OF = date(2026, 2, 23)
"""A Monday with 46 labelled days behind it."""


@lru_cache(maxsize=1)
def wired_tides() -> Wired:
    return wire([PROBLEM], SQL)


def settings_of(home: Path, threads: int = 1) -> Settings:
    return Settings(home=home, threads=threads, memory_gb=1)


def fill_table(lake: Lake, stage: str, days: DayRange) -> list[DayOutcome]:
    wired = wired_tides()
    batches = fill(lake, wired.graph.files[PROBLEM.table(stage)], wired.graph.tables, days)
    return [outcome for batch in batches for outcome in batch.outcomes]


def fill_tides(lake: Lake, days: DayRange = DAYS) -> None:
    """The source and the SQL stages; labels where their future has happened."""
    marker = mark_lake(lake, Marker("sandbox", DAYS.first))
    list(GAUGES.take(lake, marker, days, lambda _message: None))
    for stage in ("snapshots", "features"):
        fill_table(lake, stage, days)
    last = days.last - timedelta(days=PROBLEM.horizon_days)
    fill_table(lake, "labels", DayRange(days.first, last))


def rewrite(lake: Lake, stage: str, days: DayRange | Sequence[date], **columns: object) -> None:
    """Change columns of days that are there."""
    table = PROBLEM.table(stage)
    for day in days:
        lake.write(table, day, lake.read(table, day).with_columns(**columns))  # pyright: ignore[reportArgumentType]


def tides_columns() -> LearningColumns:
    return wired_tides().columns[PROBLEM.name]


def trained_with(**changes: object) -> Training:
    return replace(PROBLEM.training, **changes)  # pyright: ignore[reportArgumentType]


def copied(home: Path, to: Path) -> Path:
    """A home of one's own; files keep their times, so that nothing in it looks stale."""
    return Path(shutil.copytree(home, to))
