"""The gauges: made-up water levels, the same for whoever reads them again."""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.catalog import Column, Table
from ghstars_assets.lake.marker import Marker
from ghstars_assets.lake.outcomes import DayOutcome
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.source import Say, Source, take_days

STATIONS = ("Brest", "Cuxhaven", "Dover", "Hoek van Holland", "Le Havre", "St. Mary's")


def read_gauges(_marker: Marker, days: DayRange) -> Iterator[tuple[date, pl.DataFrame]]:
    """Spring and neap tides, and weather that nobody can foresee."""
    for day in days:
        moment = datetime.combine(day, time(12), UTC)
        rows = []
        for place, station in enumerate(STATIONS):
            moon = math.sin(2 * math.pi * (day.toordinal() + place) / 14.765)
            weather = math.sin(day.toordinal() * (place + 1) * 12.9898) * 43758.5453 % 1
            level_cm = 400 + 40 * place + 120 * moon + 30 * weather
            rows.append((day, station, level_cm, moment, moment))
        yield day, pl.DataFrame(rows, orient="row", schema=GAUGES.table.column_names)


def take_gauges(lake: Lake, marker: Marker, days: DayRange, say: Say) -> Iterator[DayOutcome]:
    return take_days(lake, GAUGES.table, read_gauges, marker, days)


def days_that_are_over(lake: Lake, marker: Marker, now: datetime) -> list[date]:
    """A gauge is read when its day is over, and keeps what it showed."""
    return list(DayRange(marker.first_day or date(2026, 1, 1), now.date() - timedelta(days=1)))


GAUGES = Source(
    table=Table(
        name="tides.gauges",
        description="The highest water of the day at each station.",
        columns=(
            Column("day", "date", "the UTC day"),
            Column("station", "varchar", "where the gauge stands"),
            Column("level_cm", "double", "the highest water"),
            Column("observed_at", "timestamptz", "when it was read"),
            Column("ingested_at", "timestamptz", "when we took it"),
        ),
        key=("station",),
    ),
    take=take_gauges,
    known_days=days_that_are_over,
    kinds=frozenset({"sandbox"}),
)
