"""The Github-Ranking archive as `ghstars import` meets it: which files are its own, and what
follows an import (who the names are, and a note of what came).

What an import does is imported when it is done.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from ghstars_assets.calendar import DayRange, utc_now, utc_today
from ghstars_assets.lake.audit import record_event
from ghstars_assets.lake.catalog import problem_of
from ghstars_assets.lake.marker import Kind, read_marker, require_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.archives import (
    FilesOfArchive,
    FileUse,
    FoundFile,
    ImportResult,
    Progress,
)
from ghstars_assets.sources.github_ranking.tables import FIRST_DAY, RankingTables

if TYPE_CHECKING:
    from ghstars_assets.sources.github_ranking.importing import ImportReport


@dataclass(frozen=True)
class RankingArchive:
    """The archive, as one problem imports it."""

    tables: RankingTables
    file_kinds: tuple[str, ...] = ("ranking list", "table made of them")

    def recognise(self, file: FoundFile) -> FileUse | None:
        from ghstars_assets.sources.github_ranking.places import file_use

        return file_use(file)

    def is_at(self, address: str) -> bool:
        return "github-ranking" in address.lower()

    def import_files(
        self, lake: Lake, files: FilesOfArchive, days: DayRange | None, progress: Progress
    ) -> ImportResult:
        from ghstars_assets.sources.github_ranking.importing import import_files
        from ghstars_assets.sources.github_ranking.places import sorted_files

        found = sorted_files(files.own, files.unknown)
        report = import_files(
            lake, self.tables, found, days, progress, may_be_empty=not files.is_alone
        )
        return self._followed_up(lake, str(files.folder), report, progress)

    def import_from_web(
        self, lake: Lake, address: str, days: DayRange | None, progress: Progress
    ) -> ImportResult:
        from ghstars_assets.sources.github_ranking.importing import import_over_http
        from ghstars_assets.sources.github_ranking.places import is_sandbox_address

        kind: Kind = "sandbox" if is_sandbox_address(address) else "real"
        marker = read_marker(lake)
        first = min((marker and marker.first_day) or FIRST_DAY, utc_today())
        asked = days or DayRange(first, utc_today())
        report = import_over_http(lake, self.tables, address, kind, asked, progress)
        return self._followed_up(lake, address, report, progress)

    def _followed_up(
        self, lake: Lake, place: str, report: "ImportReport", progress: Progress
    ) -> ImportResult:
        lines = list(report.lines())
        if not report.days:  # beside the files of another archive, which were asked for
            return ImportResult(tuple(lines))
        lines += _identify(lake, self.tables, report, progress)
        _note(lake, self.tables, place, report, lines)
        changed = frozenset({*report.written, *report.identified_anew})
        return ImportResult(tuple(lines), {self.tables.ranking.name: changed})


def last_place(lake: Lake, tables: RankingTables) -> str:
    """Where the archive was imported from last; empty where it never was."""
    log = lake.read_log(tables.imports)
    return "" if log is None else str(log["place"][-1])


def _identify(
    lake: Lake, tables: RankingTables, report: "ImportReport", progress: Progress
) -> list[str]:
    """Ask GitHub who the names are, where there is a token; else say that nobody was asked."""
    from ghstars_assets.sources.github.api.credentials import has_credentials
    from ghstars_assets.sources.github.api.endpoint import own_world
    from ghstars_assets.sources.github_ranking.asking import ask_names
    from ghstars_assets.sources.github_ranking.importing import identify_again
    from ghstars_assets.sources.github_ranking.names import (
        answered_names,
        archived_names,
        keep_answers,
    )

    names = sorted(set(archived_names(lake, tables)) - answered_names(lake, tables))
    if not names:
        return [_identified(lake, tables)]
    marker = require_marker(lake, frozenset({"real", "sandbox"}))
    is_own = own_world(lake.settings, marker)
    if marker.world is None if is_own else not has_credentials(lake.settings):
        joined = (
            f"{len(names):,} names were joined by the renames that are known; with a token GitHub "
            "is asked which repositories they are: the same import again does it"
        )
        return [joined]
    ask_names(
        lake.settings,
        marker,
        names,
        lake.days(tables.ranking.name)[-1],
        keep=lambda answers: keep_answers(lake, tables, answers),
        progress=lambda done, total: progress("names asked", done, total),
    )
    report.identified_anew += identify_again(lake, tables, progress)
    return [_identified(lake, tables)]


def _identified(lake: Lake, tables: RankingTables) -> str:
    newest = lake.days(tables.ranking.name)[-1]
    by = lake.read(tables.ranking.name, newest)["identified_by"].value_counts().iter_rows()
    counted = dict(by)
    return (
        f"on {newest} GitHub has told who {counted.get('github', 0):,} of "
        f"{sum(counted.values()):,} repositories are"
    )


def _note(
    lake: Lake, tables: RankingTables, place: str, report: "ImportReport", lines: list[str]
) -> None:
    row = {
        "at": utc_now(),
        "place": place,
        "days_new": len(report.new),
        "days_replaced": len(report.replaced),
        "days_kept": len(report.kept),
        "rows": report.rows,
        "odd": json.dumps(
            {
                kind: {str(day): particulars for day, particulars in sorted(days.items())}
                for kind, days in sorted(report.odd.items())
            }
        ),
    }
    lake.append(tables.imports, pl.DataFrame([row]))
    days = sorted(report.days)
    record_event(
        lake,
        problem=problem_of(tables.ranking.name),
        event="import",
        cause=f"ghstars import from {place}",
        subject=f"{days[0]} to {days[-1]}" if days else "no day",
        detail=lines[0],
    )
