"""The invented world's rows as the source that reads it over HTTP would have stored them."""

from datetime import UTC, date, datetime, time

import polars as pl

from ghstars_assets.lake.catalog import Table
from ghstars_assets.sources.github.tables import LIVE, tables_of
from ghstars_assets.sources.github_ranking.tables import ranking_tables

TABLE = tables_of("stars").github
STAR_HISTORY = tables_of("stars").star_history
RANKING = ranking_tables("stars").ranking


def as_github(frame: pl.DataFrame) -> pl.DataFrame:
    """The world's rows as the GitHub table has them; what the world does not know stays null."""
    known = frame.with_columns(
        pl.lit(LIVE).alias("status"),
        pl.format("R_{}", "repo_id").alias("node_id"),
        pl.format("R_{}", "repo_id").alias("asked_as"),
    )
    return _completed(TABLE, known)


def as_ranking(frame: pl.DataFrame) -> pl.DataFrame:
    """The world's rows as the archive has them, which looked earlier and missed a few stars."""
    return _completed(
        RANKING,
        frame.with_columns(pl.lit("github").alias("identified_by"), pl.col("stars") - 1),
    )


def as_star_history(answer: pl.DataFrame, repo_id: int, asked_on: date) -> pl.DataFrame:
    """Rows of one repository's answer, which has `gained_on` and `stars_gained`."""
    evening = datetime.combine(asked_on, time(23), UTC)
    known = answer.with_columns(
        day=pl.lit(asked_on),
        repo_id=pl.lit(repo_id),
        observed_at=pl.lit(evening),
        ingested_at=pl.lit(evening),
    )
    return _completed(STAR_HISTORY, known)


def _completed(table: Table, known: pl.DataFrame) -> pl.DataFrame:
    unknown = [name for name in table.column_names if name not in known.columns]
    return table.conform(known.with_columns(pl.lit(None).alias(name) for name in unknown))
