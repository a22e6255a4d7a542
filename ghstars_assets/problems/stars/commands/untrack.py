"""`ghstars untrack`: repositories that are followed no longer."""

import click

from ghstars_assets.calendar import utc_now
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.problems.platform import Platform
from ghstars_assets.problems.stars.commands.repositories import (
    TABLES,
    Choice,
    choosing_repositories,
    known_repositories,
)
from ghstars_assets.sources.github.tracking.tracking_rules import current_rules, record


@click.command()
@choosing_repositories
@click.option("--why", default="", help="the reason, kept with it")
@click.pass_obj
def untrack(platform: Platform, choice: Choice, why: str) -> None:
    """Stop following. What was stored stays.

    A repository that a rule added stays tracked when the rule ends; name it to end it too.
    """
    choice.require_any()
    lake = Lake(platform.settings)
    known = known_repositories(lake)
    ids = dict(zip(known["full_name"].str.to_lowercase(), known["repo_id"], strict=True))
    because = dict(zip(known["tracked_because"], known["repo_id"], strict=True))
    in_force = current_rules(lake, TABLES, lake.settings).rules
    keys_in_force = {(rule.kind, rule.what.lower()) for rule in in_force}
    ended = []
    for rule in choice.rules():
        repo_id = ids.get(rule.what.lower()) if rule.kind == "repository" else None
        # A rule keeps its repository when that is renamed.
        repo_id = repo_id or (because.get(str(rule)) if rule.kind == "repository" else None)
        if repo_id is None and (rule.kind, rule.what.lower()) not in keys_in_force:
            raise GhstarsError(
                f"{rule.what} is not tracked, so nothing was changed; `ghstars tracked` shows who "
                "is."
            )
        ended.append((rule, repo_id))
    record(lake, TABLES, "untrack", ended, why, utc_now())
    for rule, _ in ended:
        platform.say(f"no longer tracking {rule}; what is stored stays")
