"""A second problem goes through every room of the house, and nothing in the house names it."""

import inspect
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from dagster import DagsterInstance, ExecuteInProcessResult

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.settings import PROJECT_ROOT
from ghstars_assets_tests.support.dagster_runs import (
    Materializer,
    process_with_home,
    reason_of_failure,
)
from ghstars_assets_tests.support.tides import problem
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import AS_OF, DAYS, LABELLED, SQL

FORECAST = DayRange(AS_OF, DAYS.last)
SCORED = DayRange(AS_OF, LABELLED.last)


@pytest.fixture(scope="module")
def tides_runs(
    tmp_path_factory: pytest.TempPathFactory, mlflow_home: Path
) -> Iterator[tuple[Lake, Materializer, dict[str, ExecuteInProcessResult]]]:
    """Every stage, each as one run of Dagster over its range of days."""
    home = tmp_path_factory.mktemp("tides_runs")
    (home / "mlflow").mkdir()
    (home / "mlflow" / "mlflow.db").write_bytes((mlflow_home / "mlflow.db").read_bytes())
    with process_with_home(home) as settings, DagsterInstance.ephemeral() as instance:
        lake = Lake(settings)
        mark_lake(lake, Marker("sandbox", DAYS.first))
        materialize = Materializer(build_defs(settings, [PROBLEM], SQL), instance)
        as_of = DayRange(AS_OF, AS_OF)
        # Numbers from a launchpad arrive as floats, and LightGBM takes no 4.0 leaves.
        config = {"rounds": 12, "parameters": {"num_leaves": 4, "learning_rate": 0.25}}
        results = {
            "gauges": materialize("tides.gauges", DAYS),
            "snapshots": materialize("tides.snapshots", DAYS),
            "features": materialize("tides.features", DAYS),
            "labels": materialize("tides.labels", LABELLED),
            "model": materialize("tides.model", as_of, config),
            "champion": materialize("tides.champion", DayRange(AS_OF - timedelta(7), DAYS.last)),
            "calibration": materialize("tides.calibration", FORECAST),
            "predictions": materialize("tides.predictions", FORECAST),
            "scores": materialize("tides.scores", SCORED),
        }
        yield lake, materialize, results


def test_every_stage_runs_and_records_every_day(
    tides_runs: tuple[Lake, Materializer, dict[str, ExecuteInProcessResult]],
) -> None:
    lake, materialize, results = tides_runs
    for stage, result in results.items():
        assert result.success, (stage, reason_of_failure(result))
        assert materialize.recorded(f"tides.{stage}") == {
            str(day) for day in lake.days(f"tides.{stage}")
        }
    assert lake.days("tides.features") == list(DAYS)
    assert lake.days("tides.labels") == list(LABELLED)
    assert lake.days("tides.predictions") == list(FORECAST)
    assert lake.days("tides.scores") == list(SCORED)


def test_its_forecasts_are_scored_and_beat_the_naive_one(
    tides_runs: tuple[Lake, Materializer, dict[str, ExecuteInProcessResult]],
) -> None:
    lake, _, _ = tides_runs
    scores = lake.scan("tides.scores").collect()
    assert scores.schema == loop_tables(PROBLEM)["scores"].empty().schema
    assert scores.height == 6 * len(SCORED)
    missed = scores.select(
        model=(pl.col("actual") - pl.col("typical")).abs().mean(),
        naive=(pl.col("actual") - pl.col("naive")).abs().mean(),
    ).row(0, named=True)
    assert missed["model"] < 0.6 * missed["naive"]


def test_the_run_may_say_how_its_candidate_is_trained(
    tides_runs: tuple[Lake, Materializer, dict[str, ExecuteInProcessResult]],
) -> None:
    lake, _, results = tides_runs
    (row,) = lake.read("tides.model", AS_OF).iter_rows(named=True)
    assert "[num_leaves: 4]" in row["booster_typical"]
    assert "[learning_rate: 0.25]" in row["booster_typical"]
    assert '"rounds": 12' in row["parameters"]
    assert '"min_data_in_leaf": 5' in row["parameters"]
    assert row["dagster_run_id"] == results["model"].run_id


def test_days_before_the_first_champion_fail_by_name_and_the_others_are_recorded(
    tides_runs: tuple[Lake, Materializer, dict[str, ExecuteInProcessResult]],
) -> None:
    lake, materialize, _ = tides_runs
    before, after = AS_OF - timedelta(days=2), AS_OF + timedelta(days=1)
    assert lake.read("tides.champion", before).is_empty()
    result = materialize("tides.predictions", DayRange(before, after))
    assert not result.success
    reason = reason_of_failure(result)
    assert f"tides.predictions {before} was not filled: no version of tides served" in reason
    assert reason.endswith("(and 1 more days)")
    assert materialize.recorded("tides.predictions", by=result) == {str(AS_OF), str(after)}


def test_a_whole_day_can_be_one_run_of_all_its_stages(
    tides_runs: tuple[Lake, Materializer, dict[str, ExecuteInProcessResult]],
) -> None:
    lake, materialize, _ = tides_runs
    day = DAYS.last + timedelta(days=1)
    stages = ("gauges", "snapshots", "features", "champion", "calibration", "predictions")
    result = materialize([PROBLEM.table(stage) for stage in stages], DayRange(day, day))
    assert result.success, reason_of_failure(result)
    assert lake.read("tides.predictions", day).height == 6
    # The three-day outcome of an earlier day is known by now.
    outcome = date.fromisoformat(str(day)) - timedelta(days=PROBLEM.horizon_days)
    assert materialize(["tides.labels", "tides.scores"], DayRange(outcome, outcome)).success
    assert lake.read("tides.scores", outcome).height == 6


def test_its_declaration_is_short_and_nothing_else_names_it() -> None:
    assert len(inspect.getsource(problem).splitlines()) < 60
    files = [
        *(PROJECT_ROOT / "ghstars_assets").rglob("*.py"),
        *(PROJECT_ROOT / "sql").rglob("*.sql"),
    ]
    assert len(files) > 40
    assert [file for file in files if "tides" in file.read_text().lower()] == []
