"""The Github-Ranking archive as a source: brought by `ghstars import`, a day of it taken in the UI.

What it does is imported when it does it.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ghstars_assets.days import DayRange, utc_now, utc_today
from ghstars_assets.errors import SourceError
from ghstars_assets.lake.audit import record_event
from ghstars_assets.lake.catalog import problem_of
from ghstars_assets.lake.claim import Claim, Kind, claim
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.github_ranking.tables import RankingTables, ranking_tables
from ghstars_assets.sources.source import Brought, Progress, Say, Source, kept_as_it_was

if TYPE_CHECKING:
    from ghstars_assets.sources.github_ranking.importing import ImportReport

FIRST_DAY = date(2018, 12, 18)
"""Of the archive itself."""


def ranking_source(problem: str) -> Source:
    tables = ranking_tables(problem)
    return Source(
        tables.ranking,
        partial(_take, tables),
        partial(_known_days, tables),
        told=partial(_told, tables),
        bring=partial(_bring, tables),
    )


def _known_days(tables: RankingTables, lake: Lake, _held: Claim, _now: datetime) -> list[date]:
    """Those that were imported; whether there are others is known only by importing them."""
    return lake.days(tables.ranking.name)


def _take(
    tables: RankingTables, lake: Lake, _held: Claim, days: DayRange, say: Say
) -> Iterator[DayOutcome]:
    """What is stored is kept; what is not is looked for where the archive was found last."""
    table = tables.ranking.name
    missing = set(days) - set(lake.days(table, days))
    place = lake.settings.github_ranking or _last_place(lake, tables)
    if missing and place:
        say(f"looking for {len(missing):,} days in {place}")
        try:
            _bring(tables, lake, place, DayRange(min(missing), max(missing)), _silent)
        except SourceError as error:
            say(str(error))
    stored = set(lake.days(table, days))
    for day in days:
        if day in stored:
            yield kept_as_it_was(lake, tables.ranking, day)
        else:
            where = f"{place} has no file of it" if place else "no archive was imported yet"
            remedy = f"`ghstars import {problem_of(table)} PATH_OR_URL` brings what an archive has"
            yield DayOutcome(day, Status.SKIPPED, reason=f"{where}; {remedy}")


def _bring(
    tables: RankingTables, lake: Lake, place: str, days: DayRange | None, progress: Progress
) -> Brought:
    from ghstars_assets.sources.github_ranking.importing import (
        import_files,
        import_over_http,
    )
    from ghstars_assets.sources.github_ranking.places import (
        files_in,
        is_address,
        is_sandbox_address,
    )

    if is_address(place):
        kind: Kind = "sandbox" if is_sandbox_address(place) else "real"
        held = claim(lake, Claim(kind))
        yesterday = DayRange(min(FIRST_DAY, utc_today()), utc_today())
        asked = days or DayRange(held.first_day or yesterday.first, yesterday.last)
        report = import_over_http(lake, tables, place, asked, progress)
    else:
        place = str(Path(place).expanduser().resolve())
        found = files_in(Path(place), lambda _path: False)
        if not found.is_of_use:
            raise SourceError(
                f"{place} holds {len(found.unknown):,} files and none that we know: no ranking "
                "list, no table made of them and no hour of GH Archive; name another folder."
            )
        held = claim(lake, Claim("real"))
        report = import_files(lake, tables, found, days, progress)
    lines = list(report.lines())
    lines += _identify(lake, tables, held, report, progress)
    _record(lake, tables, place, report, lines)
    changed = frozenset({*report.written, *report.identified_anew})
    return Brought(tuple(lines), {tables.ranking.name: changed})


def _identify(
    lake: Lake, tables: RankingTables, held: Claim, report: "ImportReport", progress: Progress
) -> list[str]:
    """Ask GitHub who the names are, where there is a token; else say that nobody was asked."""
    from ghstars_assets.sources.github.credentials import has_credentials
    from ghstars_assets.sources.github.endpoint import own_world
    from ghstars_assets.sources.github_ranking.asking import ask_names
    from ghstars_assets.sources.github_ranking.importing import identify_again
    from ghstars_assets.sources.github_ranking.names import (
        answered_names,
        keep_answers,
        names_told,
    )

    names = sorted(set(names_told(lake, tables)) - answered_names(lake, tables))
    if not names:
        return [_identified(lake, tables)]
    if not own_world(lake.settings, held) and not has_credentials(lake.settings):
        told = (
            f"{len(names):,} names were joined by the renames that are known; with a token GitHub "
            "is asked which repositories they are: the same import again does it"
        )
        return [told]
    ask_names(
        lake.settings,
        held,
        names,
        keep=lambda said: keep_answers(lake, tables, said),
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


def _record(
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
                kind: {str(day): told for day, told in sorted(days.items())}
                for kind, days in sorted(report.odd.items())
            }
        ),
    }
    lake.append(tables.imports, pl.DataFrame([row]))
    told = sorted(report.told)
    record_event(
        lake,
        problem=problem_of(tables.ranking.name),
        event="import",
        cause=f"ghstars import from {place}",
        subject=f"{told[0]} to {told[-1]}" if told else "no day",
        detail=lines[0],
    )


def _last_place(lake: Lake, tables: RankingTables) -> str:
    log = lake.read_log(tables.imports)
    return "" if log is None else str(log["place"][-1])


def _told(tables: RankingTables, lake: Lake, _held: Claim) -> str:
    stored = lake.days(tables.ranking.name)
    if not stored:
        return ""
    missing = (stored[-1] - stored[0]).days + 1 - len(stored)
    return (
        f"archive: {len(stored):,} days from {stored[0]} to {stored[-1]}, {missing:,} days between "
        "of which it has no file (those are gaps)"
    )


def _silent(_what: str, _done: int, _total: int) -> None:
    """Nobody watches."""
