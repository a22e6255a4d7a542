"""Which repositories a command is about: named, or all of an owner, a topic, a range of stars."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import click
import polars as pl

from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.github.tables import tables_of
from ghstars_assets.sources.github.tracking.tracking_rules import TrackingRule, parse_tracking_rule

TABLES = tables_of("stars")
R = TypeVar("R")


@dataclass(frozen=True)
class Choice:
    """What a user wrote; the rules that it stands for are made, and may be refused, later."""

    names: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    stars: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.names or self.owners or self.topics or self.stars)

    def rules(self) -> list[TrackingRule]:
        return [
            *(parse_tracking_rule("repository", name) for name in self.names),
            *(parse_tracking_rule("owner", owner) for owner in self.owners),
            *(parse_tracking_rule("topic", topic) for topic in self.topics),
            *(parse_tracking_rule("stars", bounds) for bounds in self.stars),
        ]

    def require_any(self) -> None:
        if self.is_empty:
            raise click.UsageError("Name a repository, an owner, a topic or a range of stars.")


def choosing_repositories(command: Callable[..., R]) -> Callable[..., R]:
    """Hand in `choice`: the repositories that the command is about."""

    @click.argument("names", nargs=-1, metavar="[OWNER/NAME]...")
    @click.option("--owner", "owners", multiple=True, help="all public repositories of one")
    @click.option("--topic", "topics", multiple=True, help="all repositories with it")
    @click.option("--stars", "stars", multiple=True, metavar="A..B", help="1000.. or 50..99")
    @functools.wraps(command)
    def with_choice(
        *given: object,
        names: tuple[str, ...],
        owners: tuple[str, ...],
        topics: tuple[str, ...],
        stars: tuple[str, ...],
        **named: object,
    ) -> R:
        return command(*given, choice=Choice(names, owners, topics, stars), **named)

    return with_choice


def known_repositories(lake: Lake) -> pl.DataFrame:
    """The repositories as the newest snapshot left them."""
    stored = lake.days(TABLES.repositories.name)
    if not stored:
        return TABLES.repositories.empty()
    return lake.read(TABLES.repositories.name, stored[-1])
