"""Writes the Github-Ranking archive into `problem/github_ranking`, one partition a day.

What is stored depends on the content of the files alone, not on their order, on how often they are
imported or on where an import was killed: of two files of a day the one of the higher rank counts,
and each day is written whole.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from ghstars_assets.calendar import LAST_DAY, DayRange, utc_now, utc_today
from ghstars_assets.errors import SourceError
from ghstars_assets.lake.marker import Kind, Marker, mark_lake, read_marker, require_kind
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.archives import Progress
from ghstars_assets.sources.github_ranking.archive_days import (
    ArchiveDay,
    days_of,
    read_condensed,
    read_raw,
    rows_beyond,
)
from ghstars_assets.sources.github_ranking.identity import Rename
from ghstars_assets.sources.github_ranking.names import (
    identities,
    keep_renames,
    outdated_days,
    renames_in,
    with_identities,
    write_again,
)
from ghstars_assets.sources.github_ranking.places import (
    FilesFound,
    capture_times,
    describe_unknown,
    files_over_http,
    table_in,
    unpacked,
)
from ghstars_assets.sources.github_ranking.tables import RankingTables

_GITHUB_OPENED = date(2008, 1, 1)
FORM, ROWS, FINGERPRINT = "archive_form", "archive_rows", "archive_fingerprint"


@dataclass
class ImportReport:
    """What came of an import, and what was odd about it."""

    new: set[date] = field(default_factory=set)
    replaced: set[date] = field(default_factory=set)
    kept: set[date] = field(default_factory=set)
    absent: set[date] = field(default_factory=set)
    """Days that were asked for over HTTP and that the archive has no file of."""
    identified_anew: list[date] = field(default_factory=list)
    rows: int = 0
    renames: int = 0
    refuted: list[Rename] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    odd: defaultdict[str, dict[date, str]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def written(self) -> set[date]:
        return self.new | self.replaced

    @property
    def days(self) -> set[date]:
        return self.new | self.replaced | self.kept

    def lines(self) -> Iterator[str]:
        """The report, a line a thing."""
        yield (
            f"{len(self.days):,} days read: {len(self.new):,} new ({self.rows:,} rows), "
            f"{len(self.replaced):,} replaced by a better file, {len(self.kept):,} kept as "
            "they were"
        )
        if self.absent:
            yield f"{len(self.absent):,} days asked for that the archive has no file of"
        if self.renames:
            yield f"{self.renames:,} renames learnt"
        if self.refuted:
            shown = ", ".join(f"{one.old_name} → {one.new_name}" for one in self.refuted[:3])
            yield f"{len(self.refuted):,} renames refuted by GitHub: {shown}"
        if self.identified_anew:
            yield f"{len(self.identified_anew):,} days written again, a repository known better"
        for kind, days in sorted(self.odd.items()):
            examples = "; ".join(f"{day}: {particulars}" for day, particulars in _examples(days))
            yield f"{kind} on {len(days):,} days ({examples})"
        for reason in self.unusable[:10]:
            yield f"not used: {reason}"
        if len(self.unusable) > 10:
            yield f"not used: {len(self.unusable) - 10:,} more files"
        if self.unknown:
            yield f"of no use to us: {'; '.join(self.unknown)}"


def import_files(
    lake: Lake,
    tables: RankingTables,
    found: FilesFound,
    days: DayRange | None,
    progress: Progress,
    *,
    may_be_empty: bool = False,
) -> ImportReport:
    """Import files of this machine; that none holds a day is an error unless it may be."""
    report = ImportReport(unknown=describe_unknown(found.unknown))
    writing = _Writing(lake, tables, "real", report, _renames(found, report))
    captured = _capture_times(found, report)
    for done, path in enumerate(found.raw, 1):
        progress("lists", done, len(found.raw))
        try:
            archive_day = read_raw(unpacked(path), path.name)
        except SourceError as error:
            report.unusable.append(str(error))
            continue
        if days is None or archive_day.day in days:
            writing.take(archive_day)
    for path in found.condensed:
        _import_condensed(writing, path, days, captured, progress)
    if not (report.days or may_be_empty):
        wanted = f" of {days}" if days else ""
        nothing = f"No file holds a day{wanted}; name a range in which there are some."
        raise SourceError(report.unusable[0] if report.unusable else nothing)
    writing.finish(progress)
    return report


def import_over_http(
    lake: Lake, tables: RankingTables, place: str, kind: Kind, days: DayRange, progress: Progress
) -> ImportReport:
    """From the web, day by day; a day that was fetched before is not fetched again."""
    report = ImportReport()
    writing = _Writing(lake, tables, kind, report, [])
    done = 0

    def is_wanted(day: date) -> bool:
        nonlocal done
        done += 1
        progress("days", done, len(days))
        has = writing.rank_of(day)
        if has and has[0]:
            report.kept.add(day)
        return not (has and has[0])

    for day, name, content in files_over_http(place, days, is_wanted):
        if content is None:
            report.absent.add(day)
            continue
        try:
            archive_day = read_raw(content, name)
        except SourceError as error:
            report.unusable.append(str(error))
            continue
        writing.take(archive_day)
    if not report.days and report.unusable:
        raise SourceError(report.unusable[0])
    if not report.days:
        raise SourceError(
            f"{place} has no github-ranking-DAY.csv for any day of {days}; name the folder that "
            "holds the files, and a range in which there are some."
        )
    writing.finish(progress)
    return report


def identify_again(lake: Lake, tables: RankingTables, progress: Progress) -> list[date]:
    """Write again the days on which a repository is known better by now."""
    known = identities(lake, tables)
    outdated = outdated_days(lake, tables, known)
    for done, day in enumerate(outdated, 1):
        write_again(lake, tables, known, day)
        progress("names", done, len(outdated))
    return outdated


def _examples(days: dict[date, str]) -> list[tuple[date, str]]:
    """The first, and the last where there are several."""
    listed = sorted(days.items())
    return listed[:1] + listed[-1:] if len(listed) > 1 else listed


def _renames(found: FilesFound, report: ImportReport) -> list[Rename]:
    renames: list[Rename] = []
    for path in found.renames:
        try:
            renames += renames_in(table_in(path))
        except (pl.exceptions.PolarsError, SourceError) as error:
            report.unusable.append(_unlike(path, error))
    return renames


def _capture_times(found: FilesFound, report: ImportReport) -> dict[date, datetime]:
    captured: dict[date, datetime] = {}
    for path in found.qualities:
        try:
            captured |= capture_times(path)
        except (pl.exceptions.PolarsError, SourceError) as error:
            report.unusable.append(_unlike(path, error))
    return captured


def _import_condensed(
    writing: "_Writing",
    path: Path,
    days: DayRange | None,
    captured: dict[date, datetime],
    progress: Progress,
) -> None:
    """A month at a time: such a file may hold years, in any order."""
    scanned = pl.scan_parquet(path, glob=False)
    try:
        wanted_days = [day for day in days_of(scanned) if days is None or day in days]
        beyond = rows_beyond(scanned)
        if beyond:
            writing.report.unusable.append(
                f"{path.name} has {beyond:,} rows of days that no calendar has; they were left out."
            )
        done = 0
        for month, listed in _by_month(wanted_days).items():
            for archive_day in _archive_days(writing, path, scanned, listed, captured):
                writing.take(archive_day)
            done += len(listed)
            progress(f"{path.name} {month}", done, len(wanted_days))
    except pl.exceptions.PolarsError as error:
        writing.report.unusable.append(_unlike(path, error))


def _unlike(path: Path, error: Exception) -> str:
    """Why a table of somebody else's is left out."""
    why = str(error) if isinstance(error, SourceError) else _first_line(error)
    return f"{path.name} is damaged or has columns of another type ({why}); it was left out."


def _archive_days(
    writing: "_Writing",
    path: Path,
    scanned: pl.LazyFrame,
    days: list[date],
    captured: dict[date, datetime],
) -> Iterator[ArchiveDay]:
    day = pl.col("snapshot_date").cast(pl.Date)
    rows = scanned.filter((day >= days[0]) & (day <= days[-1])).collect()
    parts = rows.with_columns(day).partition_by("snapshot_date", as_dict=True)
    for one in days:
        try:
            yield read_condensed(parts[(one,)], one, captured.get(one))
        except SourceError as error:
            writing.report.unusable.append(f"{path.name}: {error}")


def _by_month(days: list[date]) -> dict[str, list[date]]:
    months: defaultdict[str, list[date]] = defaultdict(list)
    for day in days:
        months[f"{day:%Y-%m}"].append(day)
    return months


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


class _Writing:
    """Days on their way into the lake."""

    def __init__(
        self,
        lake: Lake,
        tables: RankingTables,
        kind: Kind,
        report: ImportReport,
        renames: list[Rename],
    ) -> None:
        if read_marker(lake) is not None:
            require_kind(lake, kind)
        self.lake = lake
        self.tables = tables
        self.kind: Kind = kind
        self.report = report
        report.renames = keep_renames(lake, tables, renames)
        self._known = identities(lake, tables)
        report.refuted = self._known.refuted
        self._stored = {one.day: one for one in lake.partitions(tables.ranking.name)}
        self._ranks: dict[date, tuple[int, int, str]] = {}

    def take(self, archive_day: ArchiveDay) -> None:
        """Store a day, unless what is stored of it is as good."""
        if not self._has_come(archive_day.day):
            self.report.unusable.append(
                f"{archive_day.day} is no day that an archive can have by now; it was left out."
            )
            return
        has = self.rank_of(archive_day.day)
        if has is None or has <= archive_day.rank:
            self._note_odd(archive_day)
        if has and has >= archive_day.rank:
            if archive_day.day not in self.report.written:
                self.report.kept.add(archive_day.day)
            return
        if not self._ranks:  # an import of nothing leaves an empty home unmarked
            mark_lake(self.lake, Marker(self.kind))
        table = self.tables.ranking
        rows = with_identities(archive_day.rows, archive_day.day, self._known).with_columns(
            day=pl.lit(archive_day.day),
            observed_at=pl.lit(archive_day.captured_at),
            ingested_at=pl.lit(utc_now().replace(microsecond=0)),
        )
        notes = {
            FORM: archive_day.form,
            ROWS: str(archive_day.rows.height),
            FINGERPRINT: archive_day.fingerprint,
        }
        self.lake.write(table.name, archive_day.day, table.conform(rows), notes=notes)
        self._ranks[archive_day.day] = archive_day.rank
        if has and archive_day.day in self.report.written:
            self.report.rows -= has[1]
        self.report.rows += rows.height
        self.report.kept.discard(archive_day.day)
        (
            self.report.replaced
            if has and archive_day.day not in self.report.new
            else self.report.new
        ).add(archive_day.day)

    def _has_come(self, day: date) -> bool:
        """Whether there was a GitHub then, and the day has begun somewhere on Earth. An invented
        world may be ahead of us."""
        last = LAST_DAY if self.kind == "sandbox" else utc_today() + timedelta(days=1)
        return _GITHUB_OPENED <= day <= last

    def rank_of(self, day: date) -> tuple[int, int, str] | None:
        """The rank of what is stored of the day."""
        if day not in self._ranks and day in self._stored:
            notes = self.lake.notes(self._stored[day])
            self._ranks[day] = (
                int(notes.get(FORM) == "csv"),
                int(notes.get(ROWS, 0)),
                notes.get(FINGERPRINT, ""),
            )
        return self._ranks.get(day)

    def finish(self, progress: Progress) -> None:
        self.report.identified_anew = identify_again(self.lake, self.tables, progress)
        self._note_sparse_days()

    def _note_odd(self, archive_day: ArchiveDay) -> None:
        """Only the file that counts is described."""
        for kind in list(self.report.odd):
            self.report.odd[kind].pop(archive_day.day, None)
            if not self.report.odd[kind]:
                del self.report.odd[kind]
        for kind, particulars in archive_day.odd.items():
            self.report.odd[kind][archive_day.day] = particulars

    def _note_sparse_days(self) -> None:
        """Days with far fewer repositories than the usual of the weeks around them."""
        counts = Counter({day: rank[1] for day in self.report.days if (rank := self.rank_of(day))})
        days = sorted(counts)
        for place, day in enumerate(days):
            around = sorted(counts[one] for one in days[max(0, place - 7) : place + 8])
            usual = around[len(around) // 2]
            if counts[day] < 0.8 * usual:
                self.report.odd["few repositories"][day] = f"{counts[day]:,}, usually {usual:,}"
