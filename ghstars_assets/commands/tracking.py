"""`ghstars track`, `untrack` and `tracked`: who is followed on GitHub, and what became of them."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from ghstars_assets.calendar import utc_now
from ghstars_assets.commands.console import Form, out, say, say_if_sandbox, show_frame
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.marker import Kind, Marker, mark_lake, read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.tables import GitHubTables, tables_of

if TYPE_CHECKING:
    from ghstars_assets.sources.github.tracking.tracking_rules import TrackingRule

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
WHAT_IS_NEXT = (
    "They are asked about with the next snapshot: `ghstars backfill stars --from today`, or by "
    "itself while `ghstars up` runs."
)
_PROBLEM = "stars"


def track(
    settings: Settings,
    names: Sequence[str],
    owners: Sequence[str],
    topics: Sequence[str],
    stars: Sequence[str],
    why: str,
) -> None:
    """Record the rules. A name is looked up at once, so that a typing error shows at once."""
    from ghstars_assets.sources.github.tracking.tracking_rules import record

    lake, tables = Lake(settings), tables_of(_PROBLEM)
    rules = _rules(names, owners, topics, stars)
    marker = read_marker(lake)
    found, kind = asyncio.run(_look_up(settings, marker, names))
    mark_lake(lake, Marker(kind))
    named = [(rule, found.get(rule.what)) for rule in rules]
    record(lake, tables, "track", named, why, utc_now())
    for rule, repo_id in named:
        say(f"tracking {rule}" + (f" (id {repo_id})" if repo_id else ""))


def untrack(
    settings: Settings,
    names: Sequence[str],
    owners: Sequence[str],
    topics: Sequence[str],
    stars: Sequence[str],
    why: str,
) -> None:
    from ghstars_assets.sources.github.tracking.tracking_rules import current_rules, record

    lake, tables = Lake(settings), tables_of(_PROBLEM)
    registry = _registry(lake, tables)
    ids = dict(zip(registry["full_name"].str.to_lowercase(), registry["repo_id"], strict=True))
    because = dict(zip(registry["tracked_because"], registry["repo_id"], strict=True))
    in_force = {
        (rule.kind, rule.what.lower()) for rule in current_rules(lake, tables, settings).rules
    }
    rules = []
    for rule in _rules(names, owners, topics, stars):
        repo_id = ids.get(rule.what.lower()) if rule.kind == "repository" else None
        # A rule keeps its repository when that is renamed.
        repo_id = repo_id or (because.get(str(rule)) if rule.kind == "repository" else None)
        if repo_id is None and (rule.kind, rule.what.lower()) not in in_force:
            raise GhstarsError(
                f"{rule.what} is not tracked, so nothing was changed; `ghstars tracked` shows who "
                "is."
            )
        rules.append((rule, repo_id))
    record(lake, tables, "untrack", rules, why, utc_now())
    for rule, _ in rules:
        say(f"no longer tracking {rule}; what is stored stays")


def show_tracked(settings: Settings, form: Form) -> None:
    from ghstars_assets.sources.github.tracking.planning import tracked_summary, without_untracked
    from ghstars_assets.sources.github.tracking.tracking_rules import current_rules

    lake, tables = Lake(settings), tables_of(_PROBLEM)
    say_if_sandbox(lake)
    marker = read_marker(lake)
    now = current_rules(lake, tables, settings)
    registry = without_untracked(_registry(lake, tables), now)
    registry = registry.sort("stars", descending=True, nulls_last=True)
    if form != "table":
        show_frame(registry, form)
        return
    for rule in now.rules:
        out().print(f"rule: {rule}", highlight=False)
    if marker:
        out().print(tracked_summary(lake, marker, tables), highlight=False)
    shown = registry.filter("is_tracked").select(SHOWN_COLUMNS)
    if shown.height:
        show_frame(shown.head(SHOWN_ROWS), "table")
    if shown.height > SHOWN_ROWS:
        out().print(f"and {shown.height - SHOWN_ROWS:,} more; --csv or --json shows all")


def _rules(
    names: Sequence[str], owners: Sequence[str], topics: Sequence[str], stars: Sequence[str]
) -> "list[TrackingRule]":
    from ghstars_assets.sources.github.tracking.tracking_rules import parse_tracking_rule

    return [
        *(parse_tracking_rule("repository", name) for name in names),
        *(parse_tracking_rule("owner", owner) for owner in owners),
        *(parse_tracking_rule("topic", topic) for topic in topics),
        *(parse_tracking_rule("stars", bounds) for bounds in stars),
    ]


async def _look_up(
    settings: Settings, marker: Marker | None, names: Sequence[str]
) -> tuple[dict[str, int], Kind]:
    """The ids of names, by GitHub's own word, and whose data the home is to hold."""
    from ghstars_assets.sources.github.api.client import GitHub
    from ghstars_assets.sources.github.api.endpoint import open_endpoint, own_world, world_behind

    if marker and own_world(settings, marker):
        return {}, marker.kind
    kind: Kind = marker.kind if marker else await world_behind(settings)
    with open_endpoint(settings, marker or Marker(kind)) as endpoint:
        async with GitHub(endpoint) as github:
            found: dict[str, int] = {}
            missing = []
            # A first question, so that a wrong token is told though no name is given.
            await github.budgets()
            for name in names:
                reply = await github.get(f"/repos/{name}")
                if reply.status == 200:
                    found[name] = reply.body["id"]
                    if reply.body["full_name"].lower() != name.lower():
                        say(f"{name} is called {reply.body['full_name']} now")
                else:
                    missing.append(name)
    if missing:
        raise GhstarsError(
            f"GitHub shows no {', '.join(missing)} to this token, so nothing was added; mend the "
            "name, or leave it out."
        )
    return found, kind


def _registry(lake: Lake, tables: GitHubTables) -> pl.DataFrame:
    stored = lake.days(tables.repositories.name)
    if not stored:
        return tables.repositories.empty()
    return lake.read(tables.repositories.name, stored[-1])
