"""What `ghstars demo --drift` makes of its story, apart from living it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from ghstars_assets.cli import cli
from ghstars_assets.cli.operations import demo_drift
from ghstars_assets.cli.operations.demo_drift import line_of_day, mark_empty, once_each, timeline
from ghstars_assets.errors import WrongHomeError
from ghstars_assets.lake.audit import AUDIT, record_event
from ghstars_assets.lake.marker import Marker, SandboxWorld, mark_lake, read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.training.reference_windows import ENOUGH_LABELS
from ghstars_assets.problems.stars.problem import PROBLEM
from ghstars_assets.problems.stars.sandbox_world import DRIFT_STORY as STORY
from ghstars_assets.settings import Settings

BEGUN = pl.DataFrame(
    {
        "at": [datetime(2026, 11, 1, 8, 0, tzinfo=UTC), datetime(2026, 11, 1, 8, 1, tzinfo=UTC)],
        "day": [date(2025, 7, 1), date(2025, 7, 2)],
    },
    {"at": pl.Datetime("us", "UTC"), "day": pl.Date},
)


def event(
    minute: int, second: int, name: str, subject: str = "stars:2025-07-01"
) -> dict[str, object]:
    return {
        "at": datetime(2026, 11, 1, 8, minute, second, tzinfo=UTC),
        "problem": "stars",
        "event": name,
        "cause": f"why {name}",
        "subject": "version 2",
        "actor": "champion",
        "detail": "",
    }


def events(*rows: dict[str, object]) -> pl.DataFrame:
    return timeline(AUDIT.conform(pl.DataFrame(rows)), BEGUN)


def test_every_event_stands_on_the_day_that_was_being_lived() -> None:
    found = events(event(0, 5, "train"), event(1, 30, "deploy"), event(1, 10, "health"))
    assert found.select("day", "event").rows() == [
        (date(2025, 7, 1), "train"),
        (date(2025, 7, 2), "health"),
        (date(2025, 7, 2), "deploy"),
    ]
    assert found["cause"][0] == "why train"


def test_what_happened_before_the_first_day_is_no_part_of_the_story() -> None:
    early = event(0, 0, "track") | {"at": datetime(2026, 11, 1, 7, 59, tzinfo=UTC)}
    assert events(early, event(0, 5, "train"))["event"].to_list() == ["train"]


def test_what_is_held_back_day_after_day_is_shown_once() -> None:
    names = ["retraining_asked", *["retraining_held_back"] * 3, "deploy", "retraining_held_back"]
    found = events(*(event(0, second, name) for second, name in enumerate(names)))
    assert once_each(found)["event"].to_list() == [
        "retraining_asked",
        "retraining_held_back",
        "deploy",
        "retraining_held_back",
    ]


@pytest.mark.parametrize(
    ("skill", "last_decision", "line"),
    [
        (None, "", "2025-06-20 (2 of 87): no skill known yet; wait: too early"),
        (0.1234, "wait", "2025-06-20 (2 of 87): skill  0.123"),
        (-0.05, "healthy", "2025-06-20 (2 of 87): skill -0.050; wait: too early"),
    ],
)
def test_each_day_shows_its_skill_and_a_decision_where_it_is_new(
    skill: float | None, last_decision: str, line: str
) -> None:
    health = {
        "day": date(2025, 6, 20),
        "skill_vs_naive": skill,
        "decision": "wait",
        "reason": "too early",
    }
    assert line_of_day(STORY, health, last_decision) == line


def test_a_home_that_is_in_use_is_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    mark_lake(Lake(settings), Marker("sandbox", world=SandboxWorld(1, 10, date(2025, 1, 1))))
    with pytest.raises(WrongHomeError, match="needs an empty one; set GHSTARS_HOME"):
        mark_empty(Lake(settings), STORY)


def test_a_home_with_data_and_no_marker_is_refused(tmp_path: Path) -> None:
    lake = Lake(Settings(home=tmp_path))
    record_event(lake, problem="stars", event="track", cause="a test", subject="all")
    with pytest.raises(WrongHomeError, match="is in use"):
        mark_empty(lake, STORY)
    assert read_marker(lake) is None


def test_the_control_is_the_same_world_without_the_change(tmp_path: Path) -> None:
    lake = Lake(Settings(home=tmp_path))
    mark_empty(lake, STORY.control)
    marker = read_marker(lake)
    assert marker is not None
    assert marker.world is not None
    assert marker.world == SandboxWorld(STORY.seed, STORY.repositories, STORY.first_day)
    changing = STORY.marker.world
    assert changing is not None
    assert changing == replace(marker.world, change_on=STORY.change_on)
    assert STORY.change_on in STORY.lived


def test_the_first_version_already_spares_a_reference_window() -> None:
    known = STORY.lived.first - STORY.learns_from - timedelta(PROBLEM.label_lag_days)
    assert known.days >= ENOUGH_LABELS


def test_the_control_without_the_drift_is_refused() -> None:
    message = CliRunner().invoke(cli, ["demo", "--control"])
    assert message.exit_code == 2
    assert "--control goes with --drift" in message.output


def test_a_retraining_asked_for_in_the_control_is_a_fault() -> None:
    assert demo_drift.why_not_calm(events(event(0, 1, "health"))) == ""
    asked = events(event(1, 1, "retraining_asked"))
    assert (
        "A retraining was asked for 1 times in a world that never changed"
        in demo_drift.why_not_calm(asked)
    )


LAST = {"day": date(2025, 7, 2), "is_due": False, "skill_vs_naive": 0.2, "reason": "why"}


@pytest.mark.parametrize(
    ("names", "last", "message"),
    [
        (["retraining_asked", "train", "deploy"], {}, ""),
        (["train", "deploy"], {}, "never asked"),
        (["deploy", "retraining_asked", "train", "skip"], {}, "Nothing was deployed"),
        (["retraining_asked", "deploy"], {"skill_vs_naive": 0.05}, "had not recovered: why"),
        (["retraining_asked", "deploy"], {"skill_vs_naive": None}, "had not recovered"),
        (["retraining_asked", "deploy"], {"is_due": True}, "had not recovered"),
    ],
)
def test_the_story_ends_well_only_with_a_deployment_that_was_asked_for_and_skill_again(
    names: list[str], last: dict[str, object], message: str
) -> None:
    found = events(*(event(0, second, name) for second, name in enumerate(names)))
    why = demo_drift.why_not_recovered(PROBLEM, found, LAST | last)
    assert message in why
    assert bool(why) == bool(message)
