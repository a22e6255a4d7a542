"""The lake that both sides read: which days it has, and how it is opened."""

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings

if TYPE_CHECKING:
    from ghstars_assets.sql_tables.graph import SqlGraph

FIRST_DAY = date(2015, 1, 1)
THREADS = 2
MEMORY_GB = 2.0  # DuckDB's limit where nothing is set


def lake_of(home: Path) -> Lake:
    return Lake(Settings(home=home, threads=THREADS, memory_gb=MEMORY_GB))


def first_days(number: int) -> DayRange:
    return DayRange(FIRST_DAY, FIRST_DAY + timedelta(days=number - 1))


def stars_graph() -> "SqlGraph":
    # The peer, whose memory is measured too, has no use for it.
    from ghstars_assets.learning.wiring import wire
    from ghstars_assets.problems.stars.problem import PROBLEM
    from ghstars_assets.settings import SQL_ROOT

    return wire([PROBLEM], SQL_ROOT).graph
