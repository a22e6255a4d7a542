"""`ghstars track`: repositories to follow on GitHub, from the next snapshot on."""

import asyncio
from collections.abc import Sequence

import click

from ghstars_assets.calendar import utc_now
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.marker import Kind, Marker, mark_lake, read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.problems.platform import Platform
from ghstars_assets.problems.stars.commands.repositories import (
    TABLES,
    Choice,
    choosing_repositories,
)
from ghstars_assets.sources.github.api.answer_fields import full_name_in, identity_in
from ghstars_assets.sources.github.api.client import GitHub
from ghstars_assets.sources.github.api.endpoint import open_endpoint, own_world, world_behind
from ghstars_assets.sources.github.tracking.tracking_rules import record

WHAT_IS_NEXT = (
    "They are asked about with the next snapshot: `ghstars backfill stars --from today`, or by "
    "itself while `ghstars up` runs."
)


@click.command()
@choosing_repositories
@click.option("--why", default="", help="the reason, kept with it")
@click.pass_obj
def track(platform: Platform, choice: Choice, why: str) -> None:
    """Follow repositories on GitHub, from the next snapshot on.

    \b
    ghstars track dagster-io/dagster duckdb/duckdb
    ghstars track --owner pola-rs --topic data-engineering --stars 20000..
    """
    choice.require_any()
    track_repositories(platform, choice, why)
    platform.say(WHAT_IS_NEXT)


def track_repositories(platform: Platform, choice: Choice, why: str) -> None:
    """Record tracking rules. A name is looked up at once, so that a typing error is found at
    once."""
    lake = Lake(platform.settings)
    rules = choice.rules()
    marker = read_marker(lake)
    found, kind = asyncio.run(_look_up(platform, marker, choice.names))
    mark_lake(lake, Marker(kind))
    with_ids = [(rule, found.get(rule.what)) for rule in rules]
    record(lake, TABLES, "track", with_ids, why, utc_now())
    for rule, repo_id in with_ids:
        platform.say(f"tracking {rule}" + (f" (id {repo_id})" if repo_id else ""))


async def _look_up(
    platform: Platform, marker: Marker | None, names: Sequence[str]
) -> tuple[dict[str, int], Kind]:
    """Ask GitHub for the ids of names, and whose data the home is to hold."""
    settings = platform.settings
    if marker and own_world(settings, marker):
        return {}, marker.kind
    kind: Kind = marker.kind if marker else await world_behind(settings)
    with open_endpoint(settings, marker or Marker(kind)) as endpoint:
        async with GitHub(endpoint) as github:
            found: dict[str, int] = {}
            missing = []
            # A first question, so that a wrong token is found though no name is given.
            await github.budgets()
            for name in names:
                reply = await github.get(f"/repos/{name}")
                if reply.status == 200:
                    found[name] = identity_in(reply.body, "id")
                    called = full_name_in(reply.body, "full_name")
                    if called.lower() != name.lower():
                        platform.say(f"{name} is called {called} now")
                else:
                    missing.append(name)
    if missing:
        raise GhstarsError(
            f"GitHub shows no {', '.join(missing)} to this token, so nothing was added; mend the "
            "name, or leave it out."
        )
    return found, kind
