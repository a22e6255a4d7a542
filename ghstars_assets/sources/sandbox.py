"""The invented world as a source: every day from its first to yesterday, UTC."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import polars as pl

from ghstars_assets.days import DayRange, utc_now
from ghstars_assets.errors import SourceError
from ghstars_assets.lake.claim import Claim


def newest_sandbox_day(now: datetime) -> date:
    """Yesterday: a day of the world is told only when it is over."""
    return now.date() - timedelta(days=1)


def capture_sandbox_days(held: Claim, days: DayRange) -> Iterator[tuple[date, pl.DataFrame]]:
    # numpy comes with the world; whoever only looks at the asset graph need not wait for it.
    from ghstars_assets.sandbox.world import World, WorldSpec

    newest = newest_sandbox_day(utc_now())
    if days.last > newest:
        raise SourceError(
            f"The sandbox ends yesterday, on {newest}, and knows nothing of {days.last}; "
            "ask for a day that is over."
        )
    if held.world is None:
        raise SourceError(
            "The lake's mark names no sandbox world; run `ghstars demo` on an empty home."
        )
    world = World(WorldSpec(held.world.seed, held.world.repositories, held.world.first_day))
    yield from world.snapshots(days.first, days.last)
