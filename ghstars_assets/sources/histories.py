"""What is known of the past by others: the Github-Ranking archive and the hours of GH Archive.

Both are brought by `ghstars import`, which knows a file by its columns. What they do is imported
when they do it.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ghstars_assets.calendar import DayRange, utc_now, utc_today
from ghstars_assets.errors import GhstarsError, SourceError
from ghstars_assets.lake.audit import record_event
from ghstars_assets.lake.catalog import Table, problem_of
from ghstars_assets.lake.marker import Kind, Marker, read_marker, require_marker
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.gharchive.tables import HOURS_A_DAY, GHArchiveTables, gharchive_tables
from ghstars_assets.sources.github_ranking.tables import RankingTables, ranking_tables
from ghstars_assets.sources.source import Brought, Progress, Say, Source, kept_as_it_was

if TYPE_CHECKING:
    from ghstars_assets.sources.gharchive.importing import HoursReport
    from ghstars_assets.sources.github_ranking.importing import ImportReport

FIRST_RANKING_DAY = date(2018, 12, 18)
"""Of the Github-Ranking archive itself."""


def histories(problem: str) -> tuple[Source, ...]:
    """The sources of a problem about repositories that know its past alone."""
    ranking, hours = ranking_tables(problem), gharchive_tables(problem)
    return (
        Source(
            ranking.ranking,
            partial(_take_ranking, ranking, hours),
            partial(_known_days, ranking.ranking),
            covers="count(*)",
            told=partial(_told, ranking),
            is_history=True,
            bring=partial(_bring, ranking, hours),
        ),
        Source(
            hours.hours,
            partial(_take_hours, hours),
            partial(_known_days, hours.hours),
            covers="count(distinct hour)",
            is_history=True,
        ),
        Source(
            hours.capture,
            partial(_take_capture, hours),
            partial(_known_days, hours.capture),
            is_history=True,
            reads=(hours.hours.name,),
        ),
    )


# ---- in Dagster -----------------------------------------------------------------------------


def _known_days(table: Table, lake: Lake, _held: Marker, _now: datetime) -> list[date]:
    """Those that were imported; whether there are others is known only by importing them."""
    return lake.days(table.name)


def _take_ranking(
    ranking: RankingTables,
    hours: GHArchiveTables,
    lake: Lake,
    _held: Marker,
    days: DayRange,
    say: Say,
) -> Iterator[DayOutcome]:
    """What is stored is kept; what is not is looked for where the archive was found last."""
    table = ranking.ranking.name
    missing = set(days) - set(lake.days(table, days))
    place = lake.settings.github_ranking or _last_place(lake, ranking)
    if missing and place:
        say(f"looking for {len(missing):,} days in {place}")
        try:
            _bring(ranking, hours, lake, place, DayRange(min(missing), max(missing)), _silent)
        except SourceError as error:
            say(str(error))
    where = f"{place} has no file of it" if place else "no archive was imported yet"
    yield from _stored_or_not(lake, ranking.ranking, days, where)


def _take_hours(
    hours: GHArchiveTables, lake: Lake, _held: Marker, days: DayRange, _say: Say
) -> Iterator[DayOutcome]:
    yield from _stored_or_not(lake, hours.hours, days, "no hour of it was imported")


def _take_capture(
    hours: GHArchiveTables, lake: Lake, _held: Marker, days: DayRange, _say: Say
) -> Iterator[DayOutcome]:
    """Measured afresh, for snapshots may have come since."""
    from ghstars_assets.sources.gharchive.measuring import measure_capture

    snapshots = f"{problem_of(hours.capture.name)}.snapshots"
    measure_capture(lake, hours, snapshots, days)
    yield from _stored_or_not(lake, hours.capture, days, "GH Archive told no hour of it")


def _stored_or_not(lake: Lake, table: Table, days: DayRange, why: str) -> Iterator[DayOutcome]:
    stored = set(lake.days(table.name, days))
    remedy = f"`ghstars import {problem_of(table.name)} PATH_OR_URL` brings what an archive has"
    for day in days:
        if day in stored:
            yield kept_as_it_was(lake, table, day)
        else:
            yield DayOutcome(day, Status.SKIPPED, reason=f"{why}; {remedy}")


# ---- importing ------------------------------------------------------------------------------


def _bring(
    ranking: RankingTables,
    hours: GHArchiveTables,
    lake: Lake,
    place: str,
    days: DayRange | None,
    progress: Progress,
) -> Brought:
    if "://" in place:
        return _bring_from_web(ranking, hours, lake, place, days, progress)
    from ghstars_assets.sources.gharchive.hours import is_event_hour
    from ghstars_assets.sources.gharchive.importing import import_hours
    from ghstars_assets.sources.github_ranking.importing import import_files
    from ghstars_assets.sources.github_ranking.places import files_in

    folder = Path(place).expanduser().resolve()
    found = files_in(folder, is_event_hour)
    if not found.is_of_use:
        raise SourceError(
            f"{folder} holds {len(found.unknown):,} files and none that we know: no ranking list, "
            "no table made of them and no hour of GH Archive; name another folder."
        )
    lines: list[str] = []
    changed: dict[str, frozenset[date]] = {}
    if found.raw or found.condensed:
        report = import_files(lake, ranking, found, days, progress)
        lines, changed = _after_ranking(lake, ranking, str(folder), report, progress)
    if found.event_hours:
        taken = import_hours(
            lake, hours, found.event_hours, days, _told_to(progress, len(found.event_hours))
        )
        if not (taken.hours or lines) and taken.refused:
            raise SourceError(taken.refused[0].reason)
        lines += _lines_of_hours(taken)
        changed |= _after_hours(lake, hours, taken)
    return Brought(tuple(lines), changed)


def _bring_from_web(
    ranking: RankingTables,
    hours: GHArchiveTables,
    lake: Lake,
    place: str,
    days: DayRange | None,
    progress: Progress,
) -> Brought:
    from ghstars_assets.sources.gharchive.downloading import hours_over_http
    from ghstars_assets.sources.github_ranking.importing import import_over_http
    from ghstars_assets.sources.github_ranking.places import is_sandbox_address

    if "gharchive" in place.lower():
        if days is None:
            raise GhstarsError(
                "GH Archive has 24 files for each day since 2011; say which days you want with "
                "--from and --to."
            )
        told = _told_to(progress, HOURS_A_DAY * len(days))
        taken = hours_over_http(lake, hours, place, days, told)
        if not taken.hours and taken.refused:
            raise SourceError(taken.refused[0].reason)
        return Brought(tuple(_lines_of_hours(taken)), _after_hours(lake, hours, taken))
    kind: Kind = "sandbox" if is_sandbox_address(place) else "real"
    marker = read_marker(lake)
    first = min((marker and marker.first_day) or FIRST_RANKING_DAY, utc_today())
    asked = days or DayRange(first, utc_today())
    report = import_over_http(lake, ranking, place, kind, asked, progress)
    lines, changed = _after_ranking(lake, ranking, place, report, progress)
    return Brought(tuple(lines), changed)


def _after_ranking(
    lake: Lake,
    tables: RankingTables,
    place: str,
    report: "ImportReport",
    progress: Progress,
) -> tuple[list[str], dict[str, frozenset[date]]]:
    lines = list(report.lines())
    if not report.told:  # beside the hours of GH Archive that were asked for
        return lines, {}
    lines += _identify(lake, tables, report, progress)
    _record(lake, tables, place, report, lines)
    return lines, {tables.ranking.name: frozenset({*report.written, *report.identified_anew})}


def _after_hours(
    lake: Lake, tables: GHArchiveTables, taken: "HoursReport"
) -> dict[str, frozenset[date]]:
    """Measure what was captured, where there are snapshots to measure it by."""
    from ghstars_assets.sources.gharchive.measuring import measure_capture

    new = frozenset(hour.day for hour in taken.taken)
    told = sorted({hour.day for hour in taken.hours})
    snapshots = f"{problem_of(tables.hours.name)}.snapshots"
    if not (told and lake.days(snapshots)):
        return {tables.hours.name: new}
    measured = measure_capture(lake, tables, snapshots, DayRange(told[0], told[-1]))
    return {tables.hours.name: new, tables.capture.name: frozenset(one.day for one in measured)}


def _lines_of_hours(taken: "HoursReport") -> Iterator[str]:
    yield (
        f"{len(taken.hours):,} hours of GH Archive told: {len(taken.taken):,} new, "
        f"{len(taken.kept):,} kept as they were"
    )
    if taken.absent:
        yield f"{len(taken.absent):,} hours for which GH Archive has no file"
    for refusal in taken.refused[:10]:
        yield f"not used: {refusal.reason}"
    if len(taken.refused) > 10:
        yield f"not used: {len(taken.refused) - 10:,} more hours"
    if taken.lacking:
        day, lacking = next(iter(taken.lacking.items()))
        yield (
            f"{len(taken.lacking):,} days without all 24 hours, such as {day}, which lacks "
            f"{len(lacking)}: their capture is not measured"
        )


def _told_to(progress: Progress, hours: int) -> Say:
    """Each hour that is done, on the bar."""
    done = 0

    def say(_text: str) -> None:
        nonlocal done
        done += 1
        progress("GH Archive", done, hours)

    return say


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
        keep_answers,
        names_told,
    )

    names = sorted(set(names_told(lake, tables)) - answered_names(lake, tables))
    if not names:
        return [_identified(lake, tables)]
    marker = require_marker(lake, frozenset({"real", "sandbox"}))
    is_own = own_world(lake.settings, marker)
    if marker.world is None if is_own else not has_credentials(lake.settings):
        told = (
            f"{len(names):,} names were joined by the renames that are known; with a token GitHub "
            "is asked which repositories they are: the same import again does it"
        )
        return [told]
    ask_names(
        lake.settings,
        marker,
        names,
        lake.days(tables.ranking.name)[-1],
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


def _told(tables: RankingTables, lake: Lake, _held: Marker) -> str:
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
