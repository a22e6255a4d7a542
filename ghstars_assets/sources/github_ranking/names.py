"""What is known of the archive's names: renames found beside its files, and GitHub's own answers.

Both are logs, for they only ever grow. Rows whose repository is known better since are written
again with the better id; what the archive counted stays as it was.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from ghstars_assets.calendar import DayRange, utc_now
from ghstars_assets.lake.duck import bind_parquet, duck_session
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.github_ranking.identity import Identities, Meaning, Rename
from ghstars_assets.sources.github_ranking.tables import RankingTables

_RENAMES = {"first_day": pl.Date, "old_name": pl.String, "new_name": pl.String}
_MEANINGS = {
    "name": pl.String,
    "repo_id": pl.Int64,
    "created_at": pl.Datetime("us", "UTC"),
    "full_name": pl.String,
    "asked_at": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True)
class NameAnswer:
    """GitHub's answer about a name; without an id there is nothing of that name."""

    name: str
    repo_id: int | None
    created_at: datetime | None
    full_name: str | None


def renames_in(frame: pl.DataFrame) -> list[Rename]:
    """The renames of a table that was found."""
    found = frame.select(
        pl.col("first_date_new_name").cast(pl.Date), pl.col("old_name", "new_name").cast(pl.String)
    ).drop_nulls()
    return [Rename(*row) for row in found.iter_rows()]


def keep_renames(lake: Lake, tables: RankingTables, found: Iterable[Rename]) -> int:
    """Append those that are new; how many there were."""
    new = sorted(set(found) - set(known_renames(lake, tables)))
    if new:
        rows = [(rename.first_day, rename.old_name, rename.new_name) for rename in new]
        lake.append(tables.renames, pl.DataFrame(rows, schema=_RENAMES, orient="row"))
    return len(new)


def known_renames(lake: Lake, tables: RankingTables) -> list[Rename]:
    log = lake.read_log(tables.renames)
    return [] if log is None else sorted({Rename(*row) for row in log.iter_rows()})


def keep_answers(lake: Lake, tables: RankingTables, answers: Iterable[NameAnswer]) -> None:
    now = utc_now()
    rows = [(one.name.lower(), one.repo_id, one.created_at, one.full_name, now) for one in answers]
    if rows:
        lake.append(tables.meanings, pl.DataFrame(rows, schema=_MEANINGS, orient="row"))


def answered_names(lake: Lake, tables: RankingTables) -> set[str]:
    log = lake.read_log(tables.meanings)
    return set() if log is None else set(log["name"].to_list())


def identities(lake: Lake, tables: RankingTables) -> Identities:
    return Identities(known_renames(lake, tables), _meanings(lake, tables))


def _meanings(lake: Lake, tables: RankingTables) -> Mapping[str, Meaning]:
    log = lake.read_log(tables.meanings)
    if log is None:
        return {}
    newest = log.drop_nulls(["repo_id", "created_at"]).unique("name", keep="last")
    return {
        name: Meaning(repo_id, created_at.date())
        for name, repo_id, created_at in newest.select("name", "repo_id", "created_at").iter_rows()
    }


def with_identities(rows: pl.DataFrame, day: date, known: Identities) -> pl.DataFrame:
    """The rows of a day with the repository that each is about."""
    found = [known.of(name, day) for name in rows["full_name"].to_list()]
    return rows.with_columns(
        pl.Series("repo_id", [one.repo_id for one in found], pl.Int64),
        pl.Series("identified_by", [one.identified_by for one in found], pl.String),
    )


def archived_names(lake: Lake, tables: RankingTables) -> list[str]:
    """Every name in the archive's days, in lower case."""
    if not lake.days(tables.ranking.name):
        return []
    name = pl.col("full_name").str.to_lowercase().unique()
    found = lake.scan(tables.ranking.name).select(name).collect(engine="streaming")
    return found["full_name"].sort().to_list()


def outdated_days(lake: Lake, tables: RankingTables, known: Identities) -> list[date]:
    """Days on which a repository is known better now than when they were written."""
    table = tables.ranking
    urls = lake.urls(table.name)
    if not urls:
        return []
    spans = [
        (name, begins, identity.repo_id)
        for name in archived_names(lake, tables)
        for begins, identity in known.spans(name)
    ]
    schema = {"name": pl.String, "begins": pl.Date, "repo_id": pl.Int64}
    with duck_session(lake.settings, lake.store) as connection:
        bind_parquet(connection, table.name, urls, table.empty_sql())
        connection.register("known", pl.DataFrame(spans, schema=schema, orient="row"))
        found = connection.execute(
            f"""
            select distinct archived.day
            from {table.name} as archived
            asof join known
                on lower(archived.full_name) = known.name and archived.day >= known.begins
            where archived.repo_id <> known.repo_id
            order by archived.day
            """  # noqa: S608 - a table's name
        ).fetchall()
    return [day for (day,) in found]


def write_again(lake: Lake, tables: RankingTables, known: Identities, day: date) -> None:
    """Give the rows of a day the repositories that they are known to be about now."""
    table = tables.ranking
    (partition,) = lake.partitions(table.name, DayRange(day, day))
    stored = lake.read(table.name, day)
    better = with_identities(stored, day, known)
    lake.write(table.name, day, table.conform(better), notes=lake.notes(partition))
