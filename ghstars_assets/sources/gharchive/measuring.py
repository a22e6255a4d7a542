"""How much GH Archive captures: its stars beside those that two snapshots a day apart gained."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.gharchive.tables import HOURS_A_DAY, GHArchiveTables, held_hours

_BY_ID = pl.col("repo_id").cast(pl.String)
_BY_NAME = pl.col("full_name").str.to_lowercase()
_KNOWN_AS = pl.when(pl.col("repo_id") > 0).then(_BY_ID).otherwise(_BY_NAME)
"""A repository that only an archive of names knows has no id of GitHub's to compare by."""
_ONE_DAY = timedelta(days=1)
_ONE_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class DayCapture:
    """A row of the capture table."""

    day: date
    hours_held: int
    repositories_compared: int | None = None
    stars_gained_by_snapshots: int | None = None
    stars_told_by_archive: int | None = None
    capture_rate: float | None = None


def measure_capture(
    lake: Lake, tables: GHArchiveTables, snapshots_table: str, days: DayRange
) -> list[DayCapture]:
    """Compare each day of which the lake holds an hour, and write one row for it.

    The difference of two snapshots is what a repository gained from the moment its stars were seen
    on a day (`observed_at`) to the moment they were seen on the next. Its stars in the archive are
    those of the same hours, from the hour that holds the first moment to the last full one before
    the second. So a day is compared where all its 24 hours are held, and those of the next day up
    to its snapshot.

    Two things are approximate. Both edges are rounded down to the hour, for the archive is stored
    by the hour; with snapshots at the same time of day the two errors nearly cancel out. And a
    snapshot loses the stars that are taken back, of which the archive has no event, so a rate may
    be above 1, and one day's rate says less than a month's."""
    measured: list[DayCapture] = []
    for day in days:
        held = held_hours(lake, tables, DayRange(day, day + _ONE_DAY))
        if day not in held:
            continue
        captured = _compared(lake, tables, snapshots_table, day, held)
        frame = tables.capture.conform(pl.DataFrame([asdict(captured)]))
        lake.write(tables.capture.name, day, frame)
        measured.append(captured)
    return measured


def _compared(
    lake: Lake, tables: GHArchiveTables, snapshots_table: str, day: date, held: dict[date, set[int]]
) -> DayCapture:
    uncompared = DayCapture(day, len(held[day]))
    if len(held[day]) < HOURS_A_DAY:
        return uncompared
    gains = _gains(lake, snapshots_table, day)
    if gains.is_empty() or not _needed_hours(gains) <= _began_at(held):
        return uncompared
    gained, archived = int(gains["gained"].sum()), _archived_stars(lake, tables, day, gains)
    return DayCapture(
        day=day,
        hours_held=len(held[day]),
        repositories_compared=gains.height,
        stars_gained_by_snapshots=gained,
        stars_told_by_archive=archived,
        capture_rate=archived / gained if gained > 0 else None,
    )


def _gains(lake: Lake, snapshots_table: str, day: date) -> pl.DataFrame:
    """One row a repository that both snapshots know: what it gained, and from when until when."""
    both = DayRange(day, day + _ONE_DAY)
    if len(lake.days(snapshots_table, both)) < len(both):
        return pl.DataFrame()
    earlier, later = (
        lake.scan(snapshots_table, DayRange(one, one))
        .filter(pl.col("stars").is_not_null(), pl.col("observed_at").is_not_null())
        .select("stars", known_as=_KNOWN_AS, seen=pl.col("observed_at").dt.truncate("1h"))
        for one in both
    )
    return (
        earlier.join(later, on="known_as", suffix="_later", validate="1:1")
        .select(
            "known_as",
            gained=pl.col("stars_later") - pl.col("stars"),
            begins="seen",
            ends="seen_later",
        )
        .collect()
    )


def _needed_hours(gains: pl.DataFrame) -> set[datetime]:
    """Every hour between the first snapshot of a repository and the last."""
    first, last = (gains["begins"].min(), gains["ends"].max())
    assert isinstance(first, datetime)  # noqa: S101 - there is a row, and none is null
    assert isinstance(last, datetime)  # noqa: S101
    hours = int((last - first) / _ONE_HOUR)
    return {first + n * _ONE_HOUR for n in range(hours)}


def _began_at(held: dict[date, set[int]]) -> set[datetime]:
    return {datetime.combine(day, time(hour), UTC) for day, hours in held.items() for hour in hours}


def _archived_stars(lake: Lake, tables: GHArchiveTables, day: date, gains: pl.DataFrame) -> int:
    """The archive's stars of these repositories, each within its own hours."""
    began_at = pl.col("day").cast(pl.Datetime("us", "UTC")) + pl.duration(hours="hour")
    hours = lake.scan(tables.hours.name, DayRange(day, day + _ONE_DAY))
    known = [
        hours.select("stars_gained", known_as=known_as, began_at=began_at)
        for known_as in (_BY_ID, _BY_NAME)
    ]
    found = (
        pl.concat(known)
        .join(gains.lazy(), on="known_as")
        .filter(pl.col("began_at") >= pl.col("begins"), pl.col("began_at") < pl.col("ends"))
    )
    return int(found.select(pl.col("stars_gained").sum()).collect().item())
