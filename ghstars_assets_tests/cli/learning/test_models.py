"""`ghstars models`, `promote` and `rollback`, on a home in which versions 1 and 3 have served."""

import json
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange, utc_today
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.promotion.manual_decisions import promote
from ghstars_assets.learning.registry.mlflow_tracking import CHAMPION_ALIAS, Tracking
from ghstars_assets.problems.stars.problem import PROBLEM
from ghstars_assets_tests.support.filled_home import DAYS, MODEL_DAYS, SCORED_DAYS, settings_of
from ghstars_assets_tests.support.ghstars_command import Ghstars


def _versions(ghstars: Ghstars, home: Path) -> dict[int, dict[str, object]]:
    ran = ghstars(home, "models", "stars", "--json")
    assert ran.code == 0, ran.err
    return {row["version"]: row for row in json.loads(ran.out)}


def test_versions_are_listed_with_their_record(ghstars: Ghstars, filled_lake: Lake) -> None:
    found = _versions(ghstars, filled_lake.settings.home)
    assert list(found) == [3, 2, 1]
    assert [row["decision"] for row in found.values()] == ["deploy", "skip", "deploy"]
    assert [row["serves"] for row in found.values()] == [True, False, False]
    assert [row["since"] for row in found.values()] == [
        str(MODEL_DAYS[2]),
        None,
        str(MODEL_DAYS[0]),
    ]
    assert [row["as_of"] for row in found.values()] == [str(day) for day in MODEL_DAYS[::-1]]

    scores = filled_lake.scan("stars.scores", SCORED_DAYS).drop_nulls("naive")
    by_one = scores.filter(pl.col("model_version") == 1).collect()
    error, naive = (
        by_one.select((pl.col("actual") - pl.col(name)).abs().sum()).item()
        for name in ("typical", "naive")
    )
    assert found[1]["forecasts"] == by_one.height
    assert found[1]["skill_served"] == pytest.approx(1 - error / naive)
    assert found[3]["skill_served"] is None

    figures = json.loads(str(found[3]["figures"]))
    assert found[3]["on_current"] == figures["current"]["difference"]
    assert found[3]["on_reference"] is None
    assert found[1]["figures"] is None


def test_the_table_and_the_csv_say_the_same(ghstars: Ghstars, filled_lake: Lake) -> None:
    home = filled_lake.settings.home
    table = ghstars(home, "models", "stars")
    assert "a candidate as of 2026-08-10 was asked for" in table.out
    assert ghstars(home, "models", "stars", "--csv").out.startswith("version,as_of,decision,serves")


def test_the_files_of_any_version_can_be_had(
    ghstars: Ghstars, filled_lake: Lake, tmp_path: Path
) -> None:
    to = tmp_path / "two"
    ran = ghstars(filled_lake.settings.home, "models", "stars", "--download", "2", "--to", str(to))
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == [
        str(to / name)
        for name in (
            "typical.lgb.txt",
            "mean.lgb.txt",
            "low_80.lgb.txt",
            "high_80.lgb.txt",
            "low_95.lgb.txt",
            "high_95.lgb.txt",
            "card.md",
            "metadata.json",
        )
    ]
    about = json.loads((to / "metadata.json").read_text())
    assert (about["version"], about["target_form"]) == (2, "RelativeToBase")
    assert (to / "card.md").read_text().startswith("# stars as of 2026-07-20")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("models", "moons"), 2, "There is no problem 'moons'"),
        (("models", "stars", "--download", "3"), 2, "--download VERSION and --to FOLDER go"),
        (("models", "stars", "--download", "9", "--to", "x"), 1, "stars has no version 9;"),
        (("models", "stars", "--download", "3", "--to", "/dev/null/x"), 1, "cannot be written"),
        (("promote", "stars", "9", "--why", "x"), 1, "stars has no version 9;"),
        (("promote", "stars", "3", "--why", "x"), 1, "Version 3 of stars serves already"),
        (("promote", "stars", "2"), 2, "Missing option '--why'"),
        (("promote", "stars", "two", "--why", "x"), 2, "'two' is not a valid integer"),
        (("promote", "stars", "2", "--why", " "), 1, "Say why"),
        (("rollback", "stars", "--to", "2", "--why", "x"), 1, "Version 2 of stars never served"),
        (("rollback", "moons", "--why", "x"), 2, "There is no problem 'moons'"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(
    ghstars: Ghstars, filled_lake: Lake, arguments: tuple[str, ...], code: int, message: str
) -> None:
    before = filled_lake.log_entries("stars.decisions")
    ran = ghstars(filled_lake.settings.home, *arguments)
    assert ran.code == code
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert filled_lake.log_entries("stars.decisions") == before


def test_a_home_without_a_version_shows_how_to_train_one(ghstars: Ghstars, tmp_path: Path) -> None:
    ran = ghstars(tmp_path, "models", "stars")
    assert ran.code == 1
    assert "stars has no version yet; train one with" in ran.err


def _serving(lake: Lake) -> tuple[int, str]:
    today = lake.read("stars.champion", utc_today()).row(0, named=True)
    return today["model_version"], today["decision"]


def test_a_promoted_version_serves_and_all_that_names_the_champion_follows(
    ghstars: Ghstars, filled_home_copy: Path
) -> None:
    lake, today = Lake(settings_of(filled_home_copy)), utc_today()
    # As if today's snapshot had arrived.
    features = lake.read("stars.features", DAYS.last).with_columns(day=pl.lit(today))
    lake.write("stars.features", today, features)

    ran = ghstars(filled_home_copy, "promote", "stars", "2", "--why", "seen by eye")
    assert ran.code == 0, ran.err
    assert f"Version 2 serves stars from {today} on, in place of version 3." in ran.out
    assert f"The forecasts of {today} are by version 2." in ran.out
    assert _serving(lake) == (2, "promote")
    assert set(lake.read("stars.predictions", today)["model_version"]) == {2}
    assert set(lake.read("stars.predictions", DAYS.last)["model_version"]) == {3}
    assert _alias(lake) == "2"
    latest = json.loads(lake.store.get("models/stars/latest.json") or b"")
    assert latest["version"] == 2
    assert "models/stars/2/calibration.json" in latest["files"]
    listed = _versions(ghstars, filled_home_copy)
    assert [row["serves"] for row in listed.values()] == [False, True, False]
    assert listed[2]["on_current"] is not None  # what was measured of it stays to be seen

    ran = ghstars(filled_home_copy, "rollback", "stars", "--why", "seen wrongly")
    assert ran.code == 0, ran.err
    assert _serving(lake) == (3, "rollback")
    assert set(lake.read("stars.predictions", today)["model_version"]) == {3}
    assert _alias(lake) == "3"


def test_where_today_has_no_features_the_message_says_when_forecasts_will_be(
    ghstars: Ghstars, filled_home_copy: Path
) -> None:
    lake = Lake(settings_of(filled_home_copy))
    ran = ghstars(filled_home_copy, "rollback", "stars", "--to", "1", "--why", "it was right")
    assert ran.code == 0, ran.err
    assert f"stars.predictions ends on {DAYS.last}; those forecasts stay" in ran.out
    assert "will be by version 1" in ran.out
    assert _serving(lake) == (1, "rollback")
    assert lake.days("stars.predictions", DayRange(utc_today(), utc_today())) == []


def _alias(lake: Lake) -> str:
    client = Tracking(lake.settings, "stars").client
    return str(client.get_model_version_by_alias("stars", CHAMPION_ALIAS).version)


def test_a_promotion_that_was_killed_once_it_was_on_record_is_completed_by_the_next(
    filled_home_copy: Path, ghstars: Ghstars
) -> None:
    lake = Lake(settings_of(filled_home_copy))
    promote(lake, PROBLEM, 2, "seen by eye", "a test")
    again = ghstars(filled_home_copy, "promote", "stars", "2", "--why", "seen by eye")
    assert again.code == 1
    assert "Version 2 of stars serves already" in again.err
    assert _serving(lake) == (2, "promote")
    latest = json.loads(lake.store.get("models/stars/latest.json") or b"{}")
    assert latest["version"] == 2
