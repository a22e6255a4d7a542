"""Who is to be tracked: rules in an append-only log, in a watch list and in the settings."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import polars as pl

from ghstars_assets.errors import SettingsError, WrongArgumentError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.tables import GitHubTables

RuleKind = Literal["repository", "owner", "topic", "stars"]
Action = Literal["track", "untrack"]

_FULL_NAME = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}$")
_OWNER = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$")
_TOPIC = re.compile(r"^[a-z0-9][a-z0-9-]{0,49}$")
_STARS = re.compile(r"^(\d{1,12})\.\.(\d{1,12})?$", re.ASCII)
_FORMS: dict[RuleKind, tuple[re.Pattern[str], str]] = {
    "repository": (_FULL_NAME, "owner/name"),
    "owner": (_OWNER, "a user or an organisation"),
    "topic": (_TOPIC, "a topic in lower case, such as data-engineering"),
    "stars": (_STARS, "a range such as 1000.. or 50..99"),
}
_SCHEMA = {
    "at": pl.Datetime("us", "UTC"),
    "action": pl.String,
    "kind": pl.String,
    "what": pl.String,
    "repo_id": pl.Int64,
    "why": pl.String,
}


@dataclass(frozen=True)
class TrackingRule:
    kind: RuleKind
    what: str

    def __str__(self) -> str:
        return f"{self.kind} {self.what}"

    @property
    def stars(self) -> tuple[int, int | None]:
        """The bounds of a range of stars."""
        match = _STARS.match(self.what)
        assert match is not None  # noqa: S101 - `parse_tracking_rule` looked
        return int(match[1]), int(match[2]) if match[2] else None


@dataclass(frozen=True)
class TrackingRules:
    """What holds now: the rules in force, and the repositories that were untracked by name."""

    rules: tuple[TrackingRule, ...]
    untracked: frozenset[int]

    def of_kind(self, *kinds: RuleKind) -> list[TrackingRule]:
        return [rule for rule in self.rules if rule.kind in kinds]


def parse_tracking_rule(kind: RuleKind, what: str, where: str = "") -> TrackingRule:
    """The rule that a text means; an error begins with `where` the text stands."""
    form, meant = _FORMS[kind]
    what = what.strip()
    is_range = kind == "stars" and form.match(what)
    is_backwards = is_range and is_range[2] and int(is_range[2]) < int(is_range[1])
    if not form.match(what) or is_backwards:
        kind_of_error = SettingsError if where else WrongArgumentError
        raise kind_of_error(f"{where}{what!r} cannot be tracked; write {meant}.")
    return TrackingRule(kind, what)


def record(
    lake: Lake,
    tables: GitHubTables,
    action: Action,
    rules: Sequence[tuple[TrackingRule, int | None]],
    why: str,
    at: datetime,
) -> None:
    """Append rules, each with the id of its repository where that is known."""
    rows = [(at, action, rule.kind, rule.what, repo_id, why) for rule, repo_id in rules]
    lake.append(tables.rules, pl.DataFrame(rows, schema=_SCHEMA, orient="row"))


def current_rules(lake: Lake, tables: GitHubTables, settings: Settings) -> TrackingRules:
    log = lake.read_log(tables.rules)
    rules: dict[tuple[str, str], TrackingRule] = {}
    untracked: set[int] = set()
    for row in log.iter_rows(named=True) if log is not None else ():
        rule = TrackingRule(row["kind"], row["what"])
        key = (rule.kind, rule.what.lower())
        if row["action"] == "track":
            rules[key] = rule
            untracked.discard(row["repo_id"])
        else:
            rules.pop(key, None)
            if row["repo_id"] is not None:
                untracked.add(row["repo_id"])
    for rule in _of_settings(settings):
        rules.setdefault((rule.kind, rule.what.lower()), rule)
    return TrackingRules(tuple(rules.values()), frozenset(untracked))


def _of_settings(settings: Settings) -> list[TrackingRule]:
    listed: list[tuple[RuleKind, str, str]] = [
        ("owner", "GHSTARS_TRACK_OWNERS", settings.track_owners),
        ("topic", "GHSTARS_TRACK_TOPICS", settings.track_topics),
        ("stars", "GHSTARS_TRACK_STARS", settings.track_stars),
    ]
    return [
        *_watch_list(settings.watch_list),
        *(
            parse_tracking_rule(kind, what, f"{name}: ")
            for kind, name, text in listed
            for what in filter(None, map(str.strip, text.split(",")))
        ),
    ]


def _watch_list(path: str) -> list[TrackingRule]:
    if not path:
        return []
    try:
        lines = Path(path).expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The watch list {path} cannot be read ({type(error).__name__}); mend "
            "GHSTARS_WATCH_LIST."
        ) from None
    found = []
    for number, line in enumerate(lines, 1):
        name = line.partition("#")[0].strip()
        if name:
            found.append(parse_tracking_rule("repository", name, f"{path}:{number} "))
    return found
