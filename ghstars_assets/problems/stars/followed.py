"""Which repositories are the user's own, among all that are tracked."""

import polars as pl

from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.github.tables import tables_of

_OWN_RULES = r"^(repository|owner) "
"""A topic or a range of stars finds repositories that nobody named."""


def followed_repositories(lake: Lake) -> pl.Series:
    """Return the ids of those that the user named, by name or by owner; where none was named, of
    all that are tracked."""
    from ghstars_assets.sources.github.tracking.planning import without_untracked
    from ghstars_assets.sources.github.tracking.tracking_rules import current_rules

    tables = tables_of("stars")
    stored = lake.days(tables.repositories.name)
    known = lake.read(tables.repositories.name, stored[-1]) if stored else None
    if known is not None:
        rules = current_rules(lake, tables, lake.settings)
        known = without_untracked(known, rules).filter("is_tracked")
    if known is None or known.is_empty():
        raise GhstarsError(
            "No repository is tracked yet; name yours with `ghstars track OWNER/NAME`, and take "
            "their first snapshot with `ghstars backfill stars --from today`."
        )
    named = known.filter(pl.col("tracked_because").str.contains(_OWN_RULES))
    return (named if named.height else known)["repo_id"]
