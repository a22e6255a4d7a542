"""The source that a problem has of the Github-Ranking archive: a day of its lists."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import SourceError
from ghstars_assets.lake.marker import Marker
from ghstars_assets.lake.outcomes import DayOutcome
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.archives import import_from_archives
from ghstars_assets.sources.github_ranking.archive import RankingArchive, last_place
from ghstars_assets.sources.github_ranking.tables import (
    RankingTables,
    ranking_logs,
    ranking_tables,
)
from ghstars_assets.sources.source import Say, Source, keep_imported_days


def ranking_sources(problem: str) -> tuple[Source, ...]:
    tables = ranking_tables(problem)
    lists = _Lists(tables, RankingArchive(tables))
    return (
        Source(
            tables.ranking,
            lists.take,
            lists.known_days,
            covers="count(*)",
            status_line=lists.status_line,
            is_history=True,
            archive=lists.archive,
            logs=ranking_logs(problem),
        ),
    )


@dataclass(frozen=True)
class _Lists:
    """The functions of one problem's tables."""

    tables: RankingTables
    archive: RankingArchive

    def known_days(self, lake: Lake, _marker: Marker, _now: datetime) -> list[date]:
        """Whether there are other days is known only by importing them."""
        return lake.days(self.tables.ranking.name)

    def take(self, lake: Lake, _marker: Marker, days: DayRange, say: Say) -> Iterator[DayOutcome]:
        """What is stored is kept; what is not is looked for where the archive was found last."""
        missing = set(days) - set(lake.days(self.tables.ranking.name, days))
        place = lake.settings.github_ranking or last_place(lake, self.tables)
        if missing and place:
            say(f"looking for {len(missing):,} days in {place}")
            asked = DayRange(min(missing), max(missing))
            try:
                import_from_archives([self.archive], lake, place, asked, _show_nothing)
            except SourceError as error:
                say(str(error))
        why_not = f"{place} has no file of it" if place else "no archive was imported yet"
        yield from keep_imported_days(lake, self.tables.ranking, days, why_not)

    def status_line(self, lake: Lake, _marker: Marker) -> str:
        stored = lake.days(self.tables.ranking.name)
        if not stored:
            return ""
        missing = (stored[-1] - stored[0]).days + 1 - len(stored)
        return (
            f"archive: {len(stored):,} days from {stored[0]} to {stored[-1]}, {missing:,} days "
            "between of which it has no file (those are gaps)"
        )


def _show_nothing(_what: str, _done: int, _total: int) -> None:
    """Nobody watches."""
