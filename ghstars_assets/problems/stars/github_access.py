"""What `ghstars doctor` looks at on GitHub: the token, and what is left of its budgets."""

import asyncio
from typing import TYPE_CHECKING

from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.marker import Marker, read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings

if TYPE_CHECKING:
    from ghstars_assets.sources.github.api.governor import Budget

SHOWN_BUDGETS = ("graphql", "core", "search")


def describe_access(settings: Settings) -> str:
    """Describe whether the token is good, and what is left of its budgets."""
    from ghstars_assets.sources.github.api.credentials import credentials_of, has_credentials
    from ghstars_assets.sources.github.api.endpoint import own_world
    from ghstars_assets.sources.github.tables import tables_of
    from ghstars_assets.sources.github.tracking.tracking_rules import current_rules

    lake = Lake(settings)
    marker = read_marker(lake)
    if marker and own_world(settings, marker):
        return "this home has an invented one of its own, which needs no token"
    if marker is None and not has_credentials(settings):
        return "no token set; GitHub itself needs one in GHSTARS_GITHUB_TOKEN, the sandbox does not"
    if (
        not has_credentials(settings)
        and not current_rules(lake, tables_of("stars"), settings).rules
    ):
        return "no token set and nothing tracked: this home lives on what was imported"
    kind = credentials_of(settings).kind
    budgets = asyncio.run(_budgets(settings, marker))
    left = [
        f"{name}: {budget.remaining:,} of {budget.limit:,} left, full again at "
        f"{budget.resets_at:%H:%M} UTC"
        for name, budget in budgets.items()
        if name in SHOWN_BUDGETS
    ]
    kept = settings.github_points_kept
    points = budgets.get("graphql")
    if points and points.remaining <= min(kept, points.limit // 2):
        raise GhstarsError(
            f"The {kind} is good, but its points are spent ({left[0]}); snapshots go on then, or "
            "lower GHSTARS_GITHUB_POINTS_KEPT."
        )
    return f"{kind}; {'; '.join(left)}; {kept:,} of each hour are kept for other uses"


async def _budgets(settings: Settings, marker: Marker | None) -> "dict[str, Budget]":
    from ghstars_assets.sources.github.api.client import GitHub
    from ghstars_assets.sources.github.api.endpoint import open_endpoint, world_behind

    known = marker or Marker(await world_behind(settings))
    with open_endpoint(settings, known) as endpoint:
        async with GitHub(endpoint) as github:
            return await github.budgets()
