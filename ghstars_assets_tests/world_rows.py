"""The invented world's rows as the source that reads it over HTTP would have stored them."""

import polars as pl

from ghstars_assets.sources.github.tables import LIVE, tables_of

TABLE = tables_of("stars").github


def as_github(frame: pl.DataFrame) -> pl.DataFrame:
    """What the world does not tell by itself is left unknown."""
    known = frame.with_columns(
        pl.lit(LIVE).alias("status"),
        pl.format("R_{}", "repo_id").alias("node_id"),
        pl.format("R_{}", "repo_id").alias("asked_as"),
    )
    unknown = [name for name in TABLE.column_names if name not in known.columns]
    return TABLE.conform(known.with_columns(pl.lit(None).alias(name) for name in unknown))
