"""Rules: from the log, the watch list and the settings; what cannot be meant is refused."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ghstars_assets.errors import GhstarsError, SettingsError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.tables import tables_of
from ghstars_assets.sources.github.tracking.tracking_rules import (
    RuleKind,
    current_rules,
    parse_tracking_rule,
    record,
)

TABLES = tables_of("stars")
AT = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "what", "meant"),
    [
        ("repository", "no-slash", "owner/name"),
        ("repository", "a/b/c", "owner/name"),
        ("repository", "-a/b", "owner/name"),
        ("repository", "https://github.com/a/b", "owner/name"),
        ("owner", "a b", "a user or an organisation"),
        ("topic", "Data Engineering", "in lower case"),
        ("stars", "100", "a range such as"),
        ("stars", "200..100", "a range such as"),
    ],
)
def test_what_cannot_be_tracked_is_refused_with_what_is_meant(
    kind: RuleKind, what: str, meant: str
) -> None:
    with pytest.raises(GhstarsError, match=meant):
        parse_tracking_rule(kind, what)


def test_a_range_of_stars_knows_its_bounds() -> None:
    assert parse_tracking_rule("stars", "50..99").stars == (50, 99)
    assert parse_tracking_rule("stars", "1000..").stars == (1000, None)


def test_the_log_the_file_and_the_settings_come_together(lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / "watched.txt"
    file.write_text("# mine\n\na/one  # the first\nB/Two\n")
    record(lake, TABLES, "track", [(parse_tracking_rule("repository", "b/two"), 2)], "", AT)
    settings = Settings(watch_list=str(file), track_topics="cli, web", track_stars="1000..")
    found = current_rules(lake, TABLES, settings).rules
    assert [str(rule) for rule in found] == [
        "repository b/two",
        "repository a/one",
        "topic cli",
        "topic web",
        "stars 1000..",
    ]


def test_a_bad_line_of_the_watch_list_is_named(lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / "watched.txt"
    file.write_text("a/one\nnonsense\n")
    with pytest.raises(GhstarsError, match=r"watched\.txt:2 'nonsense' cannot be tracked"):
        current_rules(lake, TABLES, Settings(watch_list=str(file)))


def test_a_watch_list_that_is_not_there_is_named(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="GHSTARS_WATCH_LIST"):
        current_rules(lake, TABLES, Settings(watch_list=str(tmp_path / "nowhere")))


def test_the_last_word_holds(lake: Lake) -> None:
    one = parse_tracking_rule("repository", "a/one")
    record(lake, TABLES, "track", [(one, 1)], "", AT)
    record(lake, TABLES, "untrack", [(one, 1)], "", AT)
    now = current_rules(lake, TABLES, Settings())
    assert (now.rules, now.untracked) == ((), frozenset({1}))
    record(lake, TABLES, "track", [(one, 1)], "", AT)
    now = current_rules(lake, TABLES, Settings())
    assert (now.rules, now.untracked) == ((one,), frozenset())
