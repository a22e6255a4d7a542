"""`ghstars tracked`: who is followed on GitHub, and what became of them."""

import click

from ghstars_assets.lake.marker import read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.problems.platform import Form, Platform
from ghstars_assets.problems.stars.commands.repositories import TABLES, known_repositories
from ghstars_assets.sources.github.tracking.planning import tracked_summary, without_untracked
from ghstars_assets.sources.github.tracking.tracking_rules import current_rules

SHOWN_COLUMNS = (
    "full_name",
    "status",
    "stars",
    "stars_per_day",
    "tracked_because",
    "first_seen",
    "last_seen",
    "next_day",
    "previous_name",
)
SHOWN_ROWS = 50


@click.command()
@click.option("--csv", "is_csv", is_flag=True, help="all columns, with a header")
@click.option("--json", "is_json", is_flag=True, help="all columns")
@click.pass_obj
def tracked(platform: Platform, *, is_csv: bool, is_json: bool) -> None:
    """Show who is followed, why, what became of it and when it is asked about next."""
    if is_csv and is_json:
        raise click.UsageError("Give --csv or --json, not both.")
    form: Form | None = "csv" if is_csv else "json" if is_json else None
    lake = Lake(platform.settings)
    platform.say_if_sandbox(lake)
    now = current_rules(lake, TABLES, lake.settings)
    known = without_untracked(known_repositories(lake), now)
    known = known.sort("stars", descending=True, nulls_last=True)
    if form:
        platform.show_frame(known, form)
        return
    for rule in now.rules:
        platform.print_line(f"rule: {rule}")
    marker = read_marker(lake)
    if marker:
        platform.print_line(tracked_summary(lake, marker, TABLES))
    shown = known.filter("is_tracked").select(SHOWN_COLUMNS)
    if shown.height:
        platform.show_frame(shown.head(SHOWN_ROWS), "table")
    if shown.height > SHOWN_ROWS:
        platform.print_line(f"and {shown.height - SHOWN_ROWS:,} more; --csv or --json shows all")
