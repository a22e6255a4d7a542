"""GH Archive as `ghstars import` meets it: which files are its hours, and what an import reports.

What an import does is imported when it is done.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError, SourceError
from ghstars_assets.lake.catalog import problem_of
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.archives import (
    FilesOfArchive,
    FileUse,
    FoundFile,
    ImportResult,
    Progress,
)
from ghstars_assets.sources.gharchive.tables import HOURS_A_DAY, GHArchiveTables

if TYPE_CHECKING:
    from ghstars_assets.sources.gharchive.importing import HoursReport
    from ghstars_assets.sources.source import Say


@dataclass(frozen=True)
class GHArchive:
    """The archive, as one problem imports it."""

    tables: GHArchiveTables
    file_kinds: tuple[str, ...] = ("hour of GH Archive",)

    def recognise(self, file: FoundFile) -> FileUse | None:
        from ghstars_assets.sources.gharchive.hours import is_event_hour

        return FileUse.DAYS if is_event_hour(file.path) else None

    def is_at(self, address: str) -> bool:
        return "gharchive" in address.lower()

    def import_files(
        self, lake: Lake, files: FilesOfArchive, days: DayRange | None, progress: Progress
    ) -> ImportResult:
        from ghstars_assets.sources.gharchive.importing import import_hours

        paths = [file.path for file in files.own]
        say = _counting(progress, len(paths))
        report = import_hours(lake, self.tables, paths, days, say)
        if files.is_alone:
            _require_an_hour(report)
        return self._measured(lake, report)

    def import_from_web(
        self, lake: Lake, address: str, days: DayRange | None, progress: Progress
    ) -> ImportResult:
        from ghstars_assets.sources.gharchive.downloading import hours_over_http

        if days is None:
            raise GhstarsError(
                "GH Archive has 24 files for each day since 2011; say which days you want with "
                "--from and --to."
            )
        say = _counting(progress, HOURS_A_DAY * len(days))
        report = hours_over_http(lake, self.tables, address, days, say)
        _require_an_hour(report)
        return self._measured(lake, report)

    def _measured(self, lake: Lake, report: "HoursReport") -> ImportResult:
        """Measure what was captured, where there are snapshots to measure it by."""
        from ghstars_assets.sources.gharchive.measuring import measure_capture

        hours, capture = self.tables.hours.name, self.tables.capture.name
        changed = {hours: frozenset(hour.day for hour in report.taken)}
        days = sorted({hour.day for hour in report.hours})
        snapshots = f"{problem_of(hours)}.snapshots"
        if days and lake.days(snapshots):
            measured = measure_capture(lake, self.tables, snapshots, DayRange(days[0], days[-1]))
            changed[capture] = frozenset(one.day for one in measured)
        return ImportResult(tuple(_lines_of(report)), changed)


def _require_an_hour(report: "HoursReport") -> None:
    if not report.hours and report.refused:
        raise SourceError(report.refused[0].reason)


def _lines_of(report: "HoursReport") -> Iterator[str]:
    yield (
        f"{len(report.hours):,} hours of GH Archive read: {len(report.taken):,} new, "
        f"{len(report.kept):,} kept as they were"
    )
    if report.absent:
        yield f"{len(report.absent):,} hours for which GH Archive has no file"
    for refusal in report.refused[:10]:
        yield f"not used: {refusal.reason}"
    if len(report.refused) > 10:
        yield f"not used: {len(report.refused) - 10:,} more hours"
    if report.lacking:
        day, lacking = next(iter(report.lacking.items()))
        yield (
            f"{len(report.lacking):,} days without all 24 hours, such as {day}, which lacks "
            f"{len(lacking)}: their capture is not measured"
        )


def _counting(progress: Progress, hours: int) -> "Say":
    """Count each hour that is done on the bar, whatever is said of it."""
    done = 0

    def say(_text: str) -> None:
        nonlocal done
        done += 1
        progress("GH Archive", done, hours)

    return say
