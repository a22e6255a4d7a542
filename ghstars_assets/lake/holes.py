"""Holes we know of: days declared a gap with a reason, and days that wait in quarantine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from ghstars_assets.calendar import DayRange, utc_now
from ghstars_assets.lake.audit import record_event
from ghstars_assets.lake.catalog import Column, Table, problem_of
from ghstars_assets.lake.tables import GAP, QUARANTINED, WARNED, Lake, Partition


def gaps_table(problem: str) -> Table:
    return _log_table(f"{problem}.gaps", "Days that no source knows, each with its reason.")


def releases_table(problem: str) -> Table:
    return _log_table(
        f"{problem}.releases", "Quarantined days that a user let through, each with the reason."
    )


def declare_gaps(lake: Lake, problem: str, days: DayRange, reason: str) -> None:
    _append(lake, gaps_table(problem), days, reason)
    record_event(lake, problem=problem, event="gap", cause=reason, subject=str(days))


def declared_gaps(lake: Lake, problem: str) -> dict[date, str]:
    return _read(lake, gaps_table(problem))


def release_days(lake: Lake, problem: str, days: DayRange, reason: str) -> None:
    _append(lake, releases_table(problem), days, reason)
    record_event(lake, problem=problem, event="release", cause=reason, subject=str(days))


def released_days(lake: Lake, problem: str) -> dict[date, str]:
    return _read(lake, releases_table(problem))


@dataclass(frozen=True)
class Hole:
    reason: str
    is_quarantine: bool = False


def holes_in(lake: Lake, table: str, days: DayRange) -> dict[date, Hole]:
    """The days of a table that hold nothing, and why; what was filled in since is no hole."""
    gaps = declared_gaps(lake, problem_of(table))
    return holes_among(
        lake,
        lake.partitions(table, days),
        {day: reason for day, reason in gaps.items() if day in days},
    )


def holes_among(
    lake: Lake, partitions: Iterable[Partition], gaps: Mapping[date, str]
) -> dict[date, Hole]:
    """The same of partitions that are listed already and the gaps between them."""
    holes = {day: Hole(reason) for day, reason in gaps.items()}
    for partition in partitions:
        notes = lake.notes(partition)
        if QUARANTINED in notes:
            holes[partition.day] = Hole(notes[QUARANTINED], is_quarantine=True)
        elif GAP in notes:
            holes[partition.day] = Hole(notes[GAP])
        else:
            holes.pop(partition.day, None)
    return holes


def warned_days(lake: Lake, table: str, days: DayRange) -> set[date]:
    """Days that their gate let through and told of: what happened on them happened, and is out of
    the ordinary."""
    listed = lake.partitions(table, days)
    return {partition.day for partition in listed if WARNED in lake.notes(partition)}


def _log_table(name: str, description: str) -> Table:
    return Table(
        name,
        description,
        (
            Column("day", "date", "the day it concerns"),
            Column("reason", "varchar", "why"),
            Column("declared_at", "timestamptz", "when it was said"),
        ),
        key=("declared_at",),
    )


def _append(lake: Lake, table: Table, days: DayRange, reason: str) -> None:
    rows = [{"day": day, "reason": reason, "declared_at": utc_now()} for day in days]
    lake.append(table.name, table.conform(pl.DataFrame(rows)))


def _read(lake: Lake, table: Table) -> dict[date, str]:
    log = lake.read_log(table.name)
    return {} if log is None else dict(log.select("day", "reason").iter_rows())
