"""The invented GitHub as the demos use it: all of it is tracked, and in one story it changes."""

from datetime import date

from ghstars_assets.calendar import DayRange, utc_now
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.simulation.drift_story import DriftStory
from ghstars_assets.sources.github.tables import tables_of

DRIFT_STORY = DriftStory(
    # From 2025-05-20 to 2025-09-14 this world has no purge of its own.
    seed=20,
    repositories=800,
    first_day=date(2024, 10, 20),
    learns_from=date(2025, 1, 20),
    lived=DayRange(date(2025, 6, 19), date(2025, 9, 13)),
    change_on=date(2025, 7, 3),
    what_changes="a great purge, and then a boom",
)


def track_everything(lake: Lake) -> None:
    """Track all of the invented world, unless anything is tracked already."""
    from ghstars_assets.sources.github.tracking.tracking_rules import (
        current_rules,
        parse_tracking_rule,
        record,
    )

    tables = tables_of("stars")
    if not current_rules(lake, tables, lake.settings).rules:
        everything = [(parse_tracking_rule("stars", "0.."), None)]
        record(lake, tables, "track", everything, "the sandbox's whole world", utc_now())
