"""The asset `drift` in Dagster: what the UI is told, and the two checks of each day."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from dagster import AssetCheckSeverity, DagsterInstance, MetadataValue

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.promotion.decisions import champions_of, decide
from ghstars_assets.learning.training.candidates_on_record import obtain_candidate
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets_tests.support.dagster_runs import (
    Materializer,
    evaluations,
    process_with_home,
    reason_of_failure,
)
from ghstars_assets_tests.support.stage_runs import calibrate_days, predict_days, score_days
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_fixtures import ListedVersions
from ghstars_assets_tests.support.tides_lake import AS_OF, DAYS, SQL, copied, rewrite

FORECAST = DayRange(AS_OF, DAYS.last)
DUE = DayRange(AS_OF, DAYS.last - timedelta(days=PROBLEM.horizon_days))
LAST_TWO = DayRange(DAYS.last - timedelta(days=1), DAYS.last)


@pytest.fixture
def served(
    tides_home: Path, tmp_path: Path, columns: LearningColumns, versions: ListedVersions
) -> Iterator[tuple[Lake, Materializer]]:
    """Tides with a champion, its forecasts and their scores; Dagster has seen none of it."""
    home = copied(tides_home, tmp_path / "home")
    with process_with_home(home) as settings, DagsterInstance.ephemeral() as instance:
        lake = Lake(settings)
        obtain_candidate(
            lake,
            PROBLEM,
            columns,
            PROBLEM.training,
            card=model_card,
            as_of=AS_OF,
            dagster_run_id="run",
            progress=lambda _told: None,
        )
        decide(lake, PROBLEM, columns, AS_OF)
        serving = champions_of(lake, PROBLEM, FORECAST)
        for day in FORECAST:
            lake.write("tides.champion", day, serving.filter(pl.col("day") == day))
        champions = dict.fromkeys(FORECAST, 1)
        list(calibrate_days(lake, PROBLEM, columns, champions, FORECAST))
        list(predict_days(lake, PROBLEM, columns, champions, FORECAST))
        list(score_days(lake, PROBLEM, columns, DUE))
        yield lake, Materializer(build_defs(settings, [PROBLEM], SQL), instance)


def test_days_are_filled_in_one_run_and_the_newest_tells_of_its_features(
    served: tuple[Lake, Materializer],
) -> None:
    lake, materialize = served
    result = materialize("tides.drift", LAST_TWO)
    assert result.success, reason_of_failure(result)
    assert materialize.recorded("tides.drift") == {str(day) for day in LAST_TWO}
    told = {
        event.partition: event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
    }
    newest = told[str(DAYS.last)]
    table = str(newest["drift"].value)
    assert table.startswith("| column | kind | drifted | PSI |")
    assert "| rise_cm | feature |" in table
    assert "Held against version 1, which learnt from" in table
    assert "data:image/svg+xml;base64," in str(newest["drifted_share_by_day"].value)
    assert newest["drifted_share"] == MetadataValue.float(_share(lake, DAYS.last))
    assert "drift" not in told[str(LAST_TWO.first)]


def _share(lake: Lake, day: object) -> float:
    rows = lake.read("tides.drift", DAYS.last).filter(kind="feature", day=day)
    return float(rows["is_drifted"].mean())  # pyright: ignore[reportArgumentType]


def test_each_day_has_its_own_evaluation_and_a_warning_stops_nothing(
    served: tuple[Lake, Materializer], columns: LearningColumns
) -> None:
    lake, materialize = served
    moved = {name: pl.col(name) + 9e9 for name in columns.features}
    rewrite(lake, "features", DayRange(DAYS.last - timedelta(days=9), DAYS.last), **moved)
    rewrite(lake, "scores", DUE, actual=pl.lit(9e9))
    result = materialize("tides.drift", LAST_TWO)
    assert result.success, reason_of_failure(result)
    for check in ("few_features_drifted", "target_is_steady"):
        found = evaluations(result, "tides.drift", check)
        assert found == {str(LAST_TWO.first): False, str(LAST_TWO.last): False, None: False}
    for evaluation in result.get_asset_check_evaluations():
        assert evaluation.severity is AssetCheckSeverity.WARN
    (of_day,) = (
        evaluation
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.partition == str(DAYS.last)
        and evaluation.check_name == "few_features_drifted"
    )
    assert of_day.metadata["share"] == MetadataValue.float(2 / 3)
    assert str(of_day.description).startswith("2 of 3 features have drifted: ")


def test_without_outcomes_the_target_is_not_called_drifted(
    served: tuple[Lake, Materializer],
) -> None:
    lake, materialize = served
    for day in DUE:
        lake.delete("tides.scores", day)
    result = materialize("tides.drift", DayRange(DAYS.last, DAYS.last))
    assert evaluations(result, "tides.drift", "target_is_steady")[str(DAYS.last)]
