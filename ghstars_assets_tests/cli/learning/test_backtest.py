"""`ghstars backtest`: from an archive's rows to a record, by one command."""

import json
from datetime import date
from pathlib import Path

import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets_tests.support.filled_home import DAYS, settings_of
from ghstars_assets_tests.support.ghstars_command import Ghstars, code_of

FIRST, LAST = date(2026, 7, 29), date(2026, 8, 4)


def test_a_backtest_ends_with_its_record_on_the_screen_in_json_in_mlflow_and_in_dagster(
    ghstars: Ghstars, filled_home_copy: Path
) -> None:
    file = filled_home_copy / "skill.json"
    asked = (
        "backtest",
        "stars",
        "--from",
        str(FIRST),
        "--to",
        str(LAST),
        "--retrain",
        "weekly",
        "--json",
        str(file),
    )
    ran = ghstars(filled_home_copy, *asked)
    assert ran.code == 0, ran.err
    assert "Backtest of 2026-07-29 to 2026-08-04, retrained weekly" in ran.out
    for forecaster in ("naive", "mean_28d"):
        assert forecaster in ran.out
    report = json.loads(file.read_text())
    overall = {
        "n", "mae", "wape", "r2", "median_ae", "rmsle", "skill_vs_naive", "coverage_80",
        "coverage_95", "width_80", "precision_at_50", "ndcg_at_50",
    }  # fmt: skip
    assert overall <= report["overall"].keys()
    assert {"naive", "mean_28d"} <= report["baselines"].keys()
    assert [month["month"] for month in report["by_month"]] == ["2026-07", "2026-08"]

    lake = Lake(settings_of(filled_home_copy))
    rows = lake.scan("stars.backtest", DayRange(FIRST, LAST)).collect()
    assert lake.days("stars.backtest") == list(DayRange(FIRST, LAST))
    measured = rows.drop_nulls(["naive", "actual"])
    assert report["overall"]["n"] == measured.height
    error = (measured["actual"] - measured["typical"]).abs().mean()
    assert report["overall"]["mae"] == pytest.approx(error)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (("--from", "2026-08-04", "--to", "2026-07-29"), "ends before it starts"),
        (("--from", "2020-01-01", "--to", "2020-02-01"), "hold 2026-06-01 to 2026-08-14 and noth"),
        (("--from", "someday"), "'someday' is not a day"),
        (("--json", "nowhere/skill.json"), "There is no folder"),
        (("--from", "2026-06-08", "--to", "2026-06-10"), "needs 14 labelled days to learn from"),
    ],
)
def test_what_cannot_be_forecast_is_refused_in_a_sentence(
    ghstars: Ghstars, filled_home_copy: Path, asked: tuple[str, ...], reason: str
) -> None:
    ran = ghstars(filled_home_copy, "backtest", "stars", *asked)
    assert ran.code == code_of(ran.err)
    assert reason in ran.err
    assert "Traceback" not in ran.err


def test_an_empty_home_is_answered_with_what_to_import(ghstars: Ghstars, tmp_path: Path) -> None:
    ran = ghstars(tmp_path, "backtest", "stars", "--from", str(DAYS.first), "--to", str(LAST))
    assert ran.code == 1
    assert "ghstars import stars PATH_OR_URL" in ran.err
