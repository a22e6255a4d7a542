"""Days of a table that hold nothing, and why: declared gaps, and days that wait in quarantine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Holes:
    """One table over a range of days: which days it has, and which of them hold nothing and why.

    It is read once for the range: one listing of the table, the gaps, and the footer of each
    partition. A stage that asks day by day asks this.
    """

    stored: frozenset[date] = frozenset()
    """The days that have a partition, be it an empty one."""
    by_day: Mapping[date, Hole] = field(default_factory=dict)
    damage: Mapping[date, str] = field(default_factory=dict)
    """Days whose partition is not what was written, and why."""

    @classmethod
    def of(
        cls, lake: Lake, table: str, days: DayRange, gaps: Mapping[date, str] | None = None
    ) -> "Holes":
        """`gaps` are those of the problem, where they are read already."""
        if gaps is None:
            gaps = declared_gaps(lake, problem_of(table))
        partitions = lake.partitions(table, days)
        own_gaps = {day: reason for day, reason in gaps.items() if day in days}
        stored = frozenset(partition.day for partition in partitions)
        damage = {
            partition.day: footer.damage
            for partition, footer in zip(partitions, lake.footers(partitions), strict=True)
            if footer.damage
        }
        return cls(stored, holes_among(lake, partitions, own_gaps), damage)

    def on(self, day: date) -> Hole | None:
        return self.by_day.get(day)

    @property
    def quarantined(self) -> frozenset[date]:
        return frozenset(day for day, hole in self.by_day.items() if hole.is_quarantine)


def holes_in(lake: Lake, table: str, days: DayRange) -> dict[date, Hole]:
    """The days of a table that hold nothing, and why; what was filled in since is no hole."""
    return dict(Holes.of(lake, table, days).by_day)


def holes_among(
    lake: Lake, partitions: Iterable[Partition], gaps: Mapping[date, str]
) -> dict[date, Hole]:
    """The same of partitions that are listed already and the gaps between them. Nobody knows
    whether a damaged one was a hole, so it is none."""
    holes = {day: Hole(reason) for day, reason in gaps.items()}
    listed = list(partitions)
    for partition, footer in zip(listed, lake.footers(listed), strict=True):
        notes = footer.notes
        if QUARANTINED in notes:
            holes[partition.day] = Hole(notes[QUARANTINED], is_quarantine=True)
        elif GAP in notes:
            holes[partition.day] = Hole(notes[GAP])
        else:
            holes.pop(partition.day, None)
    return holes


def quarantined_days(lake: Lake, table: str) -> dict[date, str]:
    """The days of a table that its gate held back whole, each with the reason, however long ago.
    Only days of which rows lie in quarantine are looked at."""
    held_back = set(lake.days(f"{table}_quarantine"))
    if not held_back:
        return {}
    span = DayRange(min(held_back), max(held_back))
    listed = [one for one in lake.partitions(table, span) if one.day in held_back]
    holes = holes_among(lake, listed, {})
    return {day: hole.reason for day, hole in holes.items() if hole.is_quarantine}


def warned_days(lake: Lake, table: str, days: DayRange) -> set[date]:
    """Days that their gate accepted with a warning: what happened on them did happen, and it is out
    of the ordinary."""
    listed = lake.partitions(table, days)
    notes = lake.notes_of(listed)
    return {
        partition.day for partition, of_it in zip(listed, notes, strict=True) if WARNED in of_it
    }


def _log_table(name: str, description: str) -> Table:
    return Table(
        name,
        description,
        (
            Column("day", "date", "the day it concerns"),
            Column("reason", "varchar", "why"),
            Column("declared_at", "timestamptz", "when it was declared"),
        ),
        key=("declared_at",),
    )


def _append(lake: Lake, table: Table, days: DayRange, reason: str) -> None:
    rows = [{"day": day, "reason": reason, "declared_at": utc_now()} for day in days]
    lake.append(table.name, table.conform(pl.DataFrame(rows)))


def _read(lake: Lake, table: Table) -> dict[date, str]:
    log = lake.read_log(table.name)
    return {} if log is None else dict(log.select("day", "reason").iter_rows())
