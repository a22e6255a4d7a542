"""What is kept of GH Archive: stars given in each hour, and how many of all it captured in a day.

GH Archive is not trusted beyond May 2025: its share of all stars fell under a fifth in 2026, and
the days on which that began look like quiet ones in its own files.
"""

import re
from dataclasses import dataclass
from datetime import date

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.catalog import Column, Table
from ghstars_assets.lake.tables import Lake, Partition

LAST_TRUSTED = date(2025, 5, 31)
WHY_NOT_LATER = (
    f"GH Archive cannot be trusted for stars after {LAST_TRUSTED}, since it captures ever fewer of "
    "them; take later days from GitHub itself"
)
HOURS_A_DAY = 24

_PART = re.compile(r"hour-(\d\d)")


@dataclass(frozen=True)
class GHArchiveTables:
    """The tables that one problem keeps of GH Archive."""

    hours: Table
    capture: Table


def gharchive_tables(problem: str) -> GHArchiveTables:
    return GHArchiveTables(
        hours=Table(
            name=f"{problem}.gharchive",
            description=(
                "Stars that GH Archive saw given in each UTC hour, one partition part an hour; an "
                "hour without a row was read and had no star. Stars that were taken back are in "
                "no event, so that this is never mixed with the differences of snapshots."
            ),
            columns=(
                Column("day", "date", "the UTC day of the events"),
                Column("hour", "integer", "the UTC hour of the events", minimum=0, maximum=23),
                Column("repo_id", "bigint", "GitHub's databaseId", minimum=1),
                Column(
                    "full_name",
                    "varchar",
                    "owner/name in the hour's last star; null where the repository had none",
                ),
                Column("stars_gained", "bigint", "star events, each once", minimum=1),
                Column("observed_at", "timestamptz", "the last of these events"),
                Column("ingested_at", "timestamptz", "our clock when the hour was imported"),
            ),
            key=("hour", "repo_id"),
        ),
        capture=Table(
            name=f"{problem}.gharchive_capture",
            description=(
                "How many of the stars that a day's snapshots gained GH Archive has, over the "
                "repositories that both know, from a day's snapshot to the next day's. All but "
                "`day` and `hours_held` are null where an hour or a snapshot is not there."
            ),
            columns=(
                Column("day", "date", "the day of the earlier snapshot"),
                Column(
                    "hours_held", "integer", "hours of the day in the lake", minimum=0, maximum=24
                ),
                Column(
                    "repositories_compared",
                    "bigint",
                    "repositories in the snapshots of the day and of the next",
                ),
                Column(
                    "stars_gained_by_snapshots",
                    "bigint",
                    "what these gained between the two, less what was taken back",
                ),
                Column(
                    "stars_told_by_archive",
                    "bigint",
                    "star events of the same repositories between the same moments, to the hour",
                ),
                Column(
                    "capture_rate",
                    "double",
                    "its stars by those gained: over 1 where many stars were taken back, null "
                    "where as many or more were taken back as given",
                ),
            ),
            key=("day",),
        ),
    )


def part_of(hour: int) -> str:
    return f"hour-{hour:02d}"


def held_hours(lake: Lake, tables: GHArchiveTables, days: DayRange) -> dict[date, set[int]]:
    """The hours of each day that are stored; a day without any is not named."""
    held: dict[date, set[int]] = {}
    for partition in lake.partitions(tables.hours.name, days):
        if match := _PART.fullmatch(partition.part):
            held.setdefault(partition.day, set()).add(int(match[1]))
    return held


def held_partition(lake: Lake, tables: GHArchiveTables, day: date, hour: int) -> Partition | None:
    stored = lake.partitions(tables.hours.name, DayRange(day, day))
    return next((one for one in stored if one.part == part_of(hour)), None)
