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
