"""What is kept of the Github-Ranking archive: its counts of each day, and what its names mean."""

from dataclasses import dataclass
from datetime import date

from ghstars_assets.lake.catalog import Column, Table

FIRST_DAY = date(2018, 12, 18)
"""The first day of the archive itself."""

IDENTIFIED_BY = ("github", "name")
"""Who says which repository a row is about: GitHub, by its id; or nobody but the name it had first,
followed through the renames that are known."""


@dataclass(frozen=True)
class RankingTables:
    """The tables that one problem keeps of the archive."""

    ranking: Table
    renames: str
    """Log of renames that were found beside the archive's files."""
    meanings: str
    """Log of GitHub's answers to what a name means now."""
    imports: str
    """Log of imports: from where, what they imported and what was odd."""


def ranking_tables(problem: str) -> RankingTables:
    return RankingTables(
        ranking=Table(
            name=f"{problem}.github_ranking",
            description=(
                "The Github-Ranking archive's lists of a day: the top 100 repositories by stars, "
                "by forks and of each language. Its counts are never changed; which repository a "
                "name meant may be learnt later."
            ),
            columns=(
                Column("day", "date", "the UTC day on which the lists were captured"),
                Column(
                    "repo_id",
                    "bigint",
                    "GitHub's databaseId where GitHub has given it; else a negative number made "
                    "of the first name the repository had in the archive",
                ),
                Column("full_name", "varchar", "owner/name on that day"),
                Column(
                    "identified_by",
                    "varchar",
                    "who says which repository it is",
                    accepted=IDENTIFIED_BY,
                ),
                Column(
                    "stars", "bigint", "the highest, for that is the last, of its lists' counts"
                ),
                Column("stars_lowest", "bigint", "the lowest of its lists' counts"),
                Column("forks", "bigint", "forks"),
                Column(
                    "open_issues",
                    "bigint",
                    "open issues; with pull requests before 2021-08-20, without them since",
                ),
                Column("language", "varchar", "the main language, where there is one"),
                Column("pushed_at", "timestamptz", "the last push known then"),
                Column(
                    "lists", "bigint", "in how many lists it stood; null where nobody kept that"
                ),
                Column(
                    "observed_at",
                    "timestamptz",
                    "when the lists were captured: the newest push that any of them knows",
                ),
                Column("ingested_at", "timestamptz", "when we took the day from the archive"),
            ),
            # While it is renamed one may stand in a list by its old name and in another by its new.
            key=("repo_id", "full_name"),
        ),
        renames=f"{problem}.archive_renames",
        meanings=f"{problem}.archive_meanings",
        imports=f"{problem}.imports",
    )


def ranking_logs(problem: str) -> tuple[Table, ...]:
    """The logs beside the lists, as they can be queried."""
    tables = ranking_tables(problem)
    return (
        Table(
            name=tables.renames,
            description="Renames that were found beside the files of the Github-Ranking archive.",
            columns=(
                Column("first_day", "date", "the first day under the new name"),
                Column("old_name", "varchar", "owner/name before"),
                Column("new_name", "varchar", "owner/name since"),
            ),
        ),
        Table(
            name=tables.meanings,
            description="What GitHub answered about the names in the Github-Ranking archive.",
            columns=(
                Column("name", "varchar", "the name that was asked about, in lower case"),
                Column("repo_id", "bigint", "GitHub's databaseId; null if there is nothing of it"),
                Column("created_at", "timestamptz", "when the repository was created"),
                Column("full_name", "varchar", "what it is called now"),
                Column("asked_at", "timestamptz", "when GitHub was asked"),
            ),
        ),
        Table(
            name=tables.imports,
            description="Imports of the Github-Ranking archive, with all that was odd in it.",
            columns=(
                Column("at", "timestamptz", "when it was imported"),
                Column("place", "varchar", "the folder, the file or the address"),
                Column("days_new", "bigint", "days that were not there before"),
                Column("days_replaced", "bigint", "days that a better file replaced"),
                Column("days_kept", "bigint", "days that stayed as they were"),
                Column("rows", "bigint", "rows that were written"),
                Column("odd", "varchar", "what was odd, as JSON: by kind, then by day"),
            ),
        ),
    )
