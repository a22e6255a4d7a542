"""The sources that a problem has of GH Archive: the stars of each hour, and its share of all."""

from collections.abc import Iterator
from datetime import date, datetime
from functools import partial

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.catalog import Table, problem_of
from ghstars_assets.lake.marker import Marker
from ghstars_assets.lake.outcomes import DayOutcome
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.gharchive.archive import GHArchive
from ghstars_assets.sources.gharchive.tables import GHArchiveTables, gharchive_tables
from ghstars_assets.sources.source import Say, Source, keep_imported_days


def gharchive_sources(problem: str) -> tuple[Source, ...]:
    """In the order in which a day is taken."""
    tables = gharchive_tables(problem)
    return (
        Source(
            tables.hours,
            partial(_take_hours, tables),
            partial(_imported_days, tables.hours),
            covers="count(distinct hour)",
            is_history=True,
            archive=GHArchive(tables),
        ),
        Source(
            tables.capture,
            partial(_take_capture, tables),
            partial(_imported_days, tables.capture),
            is_history=True,
            reads=(tables.hours.name,),
        ),
    )


def _imported_days(table: Table, lake: Lake, _marker: Marker, _now: datetime) -> list[date]:
    """Whether there are other days is known only by importing them."""
    return lake.days(table.name)


def _take_hours(
    tables: GHArchiveTables, lake: Lake, _marker: Marker, days: DayRange, _say: Say
) -> Iterator[DayOutcome]:
    yield from keep_imported_days(lake, tables.hours, days, "no hour of it was imported")


def _take_capture(
    tables: GHArchiveTables, lake: Lake, _marker: Marker, days: DayRange, _say: Say
) -> Iterator[DayOutcome]:
    """Measure afresh, for snapshots may have come since."""
    from ghstars_assets.sources.gharchive.measuring import measure_capture

    snapshots = f"{problem_of(tables.capture.name)}.snapshots"
    measure_capture(lake, tables, snapshots, days)
    yield from keep_imported_days(lake, tables.capture, days, "GH Archive has no hour of it")
