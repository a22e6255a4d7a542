"""Filling `drift`: which days are compared with which version, and what becomes of days without."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.duck import scratch_session
from ghstars_assets.lake.holes import declare_gaps
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.sampling import is_sampled
from ghstars_assets.lake.tables import GAP, Lake
from ghstars_assets.learning.gates import Gates, Threshold
from ghstars_assets.learning.monitoring.drift import feature_values, sampled_rows
from ghstars_assets.learning.monitoring.drift_profile import drift_profile_from_json
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.learning.training.candidates_on_record import obtain_candidate
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets_tests.support.stage_runs import (
    calibrate_days,
    drift_days,
    predict_days,
    score_days,
)
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_fixtures import ListedVersions
from ghstars_assets_tests.support.tides_lake import (
    AS_OF,
    DAYS,
    fill_table,
    rewrite,
    trained_with,
)

DAY = DAYS.last
"""The sixth day after the training; forecasts of four days have come due by its end."""
ONE_DAY = DayRange(DAY, DAY)
FORECAST = DayRange(AS_OF, DAY)
DUE = DAY - timedelta(days=PROBLEM.horizon_days)


@pytest.fixture
def modelled(tides: Lake, columns: LearningColumns, versions: ListedVersions) -> Lake:
    """Tides with versions 1 and 2, and the forecasts of version 1 since it was trained."""
    for training in (PROBLEM.training, trained_with(rounds=1, every_nth_day=3)):
        obtain_candidate(
            tides,
            PROBLEM,
            columns,
            training,
            card=model_card,
            as_of=AS_OF,
            dagster_run_id="run",
            progress=lambda _message: None,
        )
    champions = dict.fromkeys(FORECAST, 1)
    list(calibrate_days(tides, PROBLEM, columns, champions, FORECAST))
    list(predict_days(tides, PROBLEM, columns, champions, FORECAST))
    list(score_days(tides, PROBLEM, columns, DayRange(AS_OF, DUE)))
    return tides


def _fill(
    lake: Lake,
    columns: LearningColumns,
    days: Iterable[date] = ONE_DAY,
    champion: int = 1,
    problem: Problem = PROBLEM,
) -> list[DayOutcome]:
    wanted = list(days)
    return list(drift_days(lake, problem, columns, dict.fromkeys(wanted, champion), wanted))


def _drift(lake: Lake, columns: LearningColumns, champion: int = 1) -> pl.DataFrame:
    (outcome,) = _fill(lake, columns, champion=champion)
    assert (outcome.status, outcome.reason) == (Status.WRITTEN, "")
    return lake.read("tides.drift", DAY)


def _row(rows: pl.DataFrame, feature: str, kind: str = "feature") -> dict[str, object]:
    (row,) = rows.filter(kind=kind, feature=feature).iter_rows(named=True)
    return row


# ---- what is looked at --------------------------------------------------------------------------


def test_a_row_for_each_feature_and_for_forecasts_target_and_errors(
    modelled: Lake, columns: LearningColumns
) -> None:
    rows = _drift(modelled, columns)
    assert rows.schema == loop_tables(PROBLEM)["drift"].empty().schema
    assert set(rows.select("kind", "feature").iter_rows()) == {
        *(("feature", name) for name in columns.features),
        ("forecast", "typical"),
        ("forecast", "mean"),
        ("target", columns.target),
        ("error", "typical"),
    }
    assert set(rows["day"]) == {DAY}
    assert set(rows["model_version"]) == {1}
    # Six stations: a week of features, as many days of forecasts, and the four that came due.
    seen = {kind: rows.filter(kind=kind)["rows"][0] for kind in rows["kind"].unique()}
    assert seen == {"feature": 42, "forecast": 42, "target": 24, "error": 24}


def test_the_reference_is_made_of_the_rows_that_the_version_learnt_from(
    modelled: Lake, columns: LearningColumns
) -> None:
    versions = modelled.read("tides.model", AS_OF)
    for row in versions.iter_rows(named=True):
        kept = drift_profile_from_json(row["reference"])
        assert {sketch.rows for sketch in kept["feature"].values()} == {row["rows"]}
        assert kept["target"][columns.target].rows == row["rows"]
        # Forecasts and errors are those of the held-out days.
        assert kept["error"]["typical"].rows == 6 * 8


def test_a_feature_that_moves_is_flagged_and_the_others_are_as_before(
    modelled: Lake, columns: LearningColumns
) -> None:
    before = _drift(modelled, columns)
    week = DayRange(DAY - timedelta(days=6), DAY)
    rewrite(modelled, "features", week, rise_cm=pl.col("rise_cm") + 500)
    after = _drift(modelled, columns)
    moved = _row(after, "rise_cm")
    assert moved["is_drifted"]
    assert moved["share_outside"] == 1.0
    assert "100.0% of the rows outside the reference" in str(moved["reason"])
    others = pl.col("feature") != "rise_cm"
    assert_frame_equal(after.filter(others), before.filter(others))


def test_only_the_latest_week_is_looked_at(modelled: Lake, columns: LearningColumns) -> None:
    before = _drift(modelled, columns)
    week_ago = DAY - timedelta(days=7)
    rewrite(modelled, "features", [week_ago], rise_cm=pl.lit(9e9))
    assert_frame_equal(_drift(modelled, columns), before)
    rewrite(modelled, "features", [week_ago + timedelta(days=1)], rise_cm=pl.lit(9e9))
    assert _row(_drift(modelled, columns), "rise_cm")["share_outside"] == pytest.approx(1 / 7)


def test_what_comes_later_changes_nothing(modelled: Lake, columns: LearningColumns) -> None:
    day = DAY - timedelta(days=2)
    _fill(modelled, columns, [day])
    before = modelled.read("tides.drift", day)
    later = DayRange(day + timedelta(days=1), DAY)
    rewrite(modelled, "features", later, **dict.fromkeys(columns.features, pl.lit(9e9)))
    rewrite(modelled, "predictions", later, typical=pl.lit(9e9), mean=pl.lit(9e9))
    unknown = DayRange(day - timedelta(days=2), DUE)
    rewrite(modelled, "scores", unknown, actual=pl.lit(9e9))
    _fill(modelled, columns, [day])
    assert_frame_equal(modelled.read("tides.drift", day), before)


def test_outcomes_count_from_the_day_on_which_they_are_known(
    modelled: Lake, columns: LearningColumns
) -> None:
    before = _drift(modelled, columns)
    rewrite(modelled, "scores", [DUE], actual=pl.lit(9e9))
    after = _drift(modelled, columns)
    for kind in ("target", "error"):
        was, now = (rows.filter(kind=kind)["share_outside"][0] for rows in (before, after))
        assert now == pytest.approx(was + 1 / 4)


def test_only_the_latest_outcomes_are_looked_at(modelled: Lake, columns: LearningColumns) -> None:
    two_days = replace(PROBLEM, gates=replace(PROBLEM.gates, skill_days=2))
    _fill(modelled, columns, problem=two_days)
    rows = modelled.read("tides.drift", DAY)
    assert set(rows.filter(pl.col("kind").is_in(["target", "error"]))["rows"]) == {12}


def test_before_any_forecast_has_come_due_features_and_forecasts_are_looked_at_alone(
    modelled: Lake, columns: LearningColumns
) -> None:
    for day in modelled.days("tides.scores"):
        modelled.delete("tides.scores", day)
    assert set(_drift(modelled, columns)["kind"]) == {"feature", "forecast"}


def test_each_day_is_compared_with_its_own_champion(
    modelled: Lake, columns: LearningColumns
) -> None:
    first, second = (_drift(modelled, columns, champion) for champion in (1, 2))
    rows = modelled.read("tides.model", AS_OF).sort("model_version")["rows"].to_list()
    for drift, version in ((first, 1), (second, 2)):
        learnt = drift.filter(kind="feature")
        assert set(learnt["model_version"]) == {version}
        assert set(learnt["reference_rows"]) == {rows[version - 1]}


def test_several_days_in_one_run_are_as_one_by_one(
    modelled: Lake, columns: LearningColumns
) -> None:
    _fill(modelled, columns, FORECAST)
    together = [modelled.read("tides.drift", day) for day in FORECAST]
    for day, rows in zip(FORECAST, together, strict=True):
        _fill(modelled, columns, [day])
        assert_frame_equal(modelled.read("tides.drift", day), rows)


# ---- columns that come and go -------------------------------------------------------------------


def test_a_feature_new_in_the_champion_is_looked_at_from_the_day_that_has_it(
    modelled: Lake, columns: LearningColumns
) -> None:
    for day in DayRange(DAY - timedelta(days=6), DAY - timedelta(days=2)):
        features = modelled.read("tides.features", day)
        modelled.write("tides.features", day, features.drop("rise_cm"))
    row = _row(_drift(modelled, columns), "rise_cm")
    assert (row["rows"], row["share_missing"]) == (12, 0.0)


def test_a_feature_that_is_gone_is_missing_everywhere(
    modelled: Lake, columns: LearningColumns
) -> None:
    for day in DayRange(DAY - timedelta(days=6), DAY):
        features = modelled.read("tides.features", day)
        modelled.write("tides.features", day, features.drop("rise_cm"))
    row = _row(_drift(modelled, columns), "rise_cm")
    assert (row["rows"], row["share_missing"], row["is_drifted"]) == (42, 1.0, True)


def test_values_of_days_are_joined_and_the_unknown_is_nan() -> None:
    frames = [pl.DataFrame({"a": [1, None]}), pl.DataFrame({"a": [3], "b": [0.5]})]
    values = feature_values(frames, ["a", "b", "c"])
    np.testing.assert_array_equal(values["a"], [1, np.nan, 3])
    np.testing.assert_array_equal(values["b"], [0.5])
    np.testing.assert_array_equal(values["c"], [np.nan] * 3)


def test_of_many_rows_the_same_entities_are_taken_on_every_day(lake: Lake) -> None:
    many = pl.DataFrame({"station": [f"station {n}" for n in range(10_000)], "rise_cm": 1.0})
    for day in DayRange(DAY - timedelta(days=1), DAY):
        shuffled = many.sample(fraction=1.0, shuffle=True, seed=day.day)
        lake.write("tides.features", day, shuffled.with_columns(day=pl.lit(day)))
    names = ["station", "rise_cm", "no such column"]
    first, second = (
        sampled_rows(lake, PROBLEM, "features", day, names, most=1000)
        for day in DayRange(DAY - timedelta(days=1), DAY)
    )
    assert 850 < first.height < 1150
    assert first.columns == ["station", "rise_cm"]
    assert set(first["station"]) == set(second["station"])
    # And as for training: by DuckDB's hash, which no release of Polars changes.
    with scratch_session() as connection:
        connection.register("many", many)
        query = f"select station from many where {is_sampled('station', 1000, 10_000)}"
        drawn = {row[0] for row in connection.execute(query).fetchall()}
    assert set(first["station"]) == drawn
    assert sampled_rows(lake, PROBLEM, "features", DAY, names, most=10_000).height == 10_000


# ---- days that cannot be had --------------------------------------------------------------------


def _failed(lake: Lake, columns: LearningColumns, champion: int = 1) -> str:
    (outcome,) = _fill(lake, columns, champion=champion)
    assert outcome.status is Status.FAILED
    assert lake.days("tides.drift") == []
    return outcome.reason


def test_a_version_of_an_earlier_release_fails_the_day_and_says_what_to_do(
    modelled: Lake, columns: LearningColumns
) -> None:
    for partition in modelled.partitions("tides.model"):
        rows = pl.read_parquet(modelled.store.url(partition.key)).drop("reference")
        modelled.write("tides.model", partition.day, rows, part=partition.part)
    reason = _failed(modelled, columns)
    assert reason.startswith("version 1 of tides was trained by an earlier release")
    assert reason.endswith("train anew with `ghstars backfill tides --stages model,champion`")


def test_a_day_that_no_version_served_fails_while_others_go_on(
    modelled: Lake, columns: LearningColumns
) -> None:
    days = DayRange(DAY - timedelta(days=1), DAY)
    failed, written = drift_days(modelled, PROBLEM, columns, {DAY: 1}, days)
    assert (failed.status, written.status) == (Status.FAILED, Status.WRITTEN)
    assert f"no version of tides served on {days.first}" in failed.reason
    assert modelled.days("tides.drift") == [DAY]


@pytest.mark.parametrize("stage", ["features", "predictions"])
def test_a_day_that_lacks_what_it_is_made_from_fails_and_names_it(
    modelled: Lake, columns: LearningColumns, stage: str
) -> None:
    modelled.delete(f"tides.{stage}", DAY)
    reason = _failed(modelled, columns)
    assert f"tides.{stage} has no {DAY}" in reason
    assert f"--from {DAY} --to {DAY} --stages {stage}`" in reason


def test_a_quarantined_day_is_skipped_and_keeps_no_row_of_before(
    modelled: Lake, columns: LearningColumns
) -> None:
    _drift(modelled, columns)
    modelled.write("tides.gauges", DAY, modelled.read("tides.gauges", DAY).head(2))
    for stage in ("snapshots", "features"):
        fill_table(modelled, stage, ONE_DAY)
    (outcome,) = _fill(modelled, columns)
    assert outcome.status is Status.SKIPPED
    assert f"tides.snapshots of {DAY} is quarantined" in outcome.reason
    assert modelled.days("tides.drift") == []


def test_a_declared_gap_is_an_empty_day_that_says_why(
    modelled: Lake, columns: LearningColumns
) -> None:
    modelled.delete("tides.gauges", DAY)
    declare_gaps(modelled, "tides", ONE_DAY, "the gauges were painted")
    for stage in ("snapshots", "features"):
        fill_table(modelled, stage, ONE_DAY)
    (outcome,) = _fill(modelled, columns)
    assert (outcome.status, outcome.reason) == (Status.GAP, "the gauges were painted")
    (partition,) = modelled.partitions("tides.drift", ONE_DAY)
    assert modelled.notes(partition)[GAP] == "the gauges were painted"
    assert modelled.read("tides.drift", DAY).is_empty()


# ---- what is recorded ---------------------------------------------------------------------------


def _minding_only_the_impossible() -> Problem:
    """Of 42 rows of the moon nothing ordinary is steady; only what is far outside counts."""
    never = Threshold(1e9, "a test")
    gates: Gates = replace(
        PROBLEM.gates,
        population_stability=never,
        wasserstein=never,
        share_outside=Threshold(0.5, "a test"),
        young_history=Threshold(1.0, "a test"),
    )
    return replace(PROBLEM, gates=gates)


def _turns(lake: Lake) -> list[tuple[str, str]]:
    log = lake.read_log("platform.audit")
    if log is None:
        return []
    return list(log.filter(event="drift").select("subject", "cause").iter_rows())


def test_a_share_that_passes_its_threshold_is_recorded_once_and_so_is_its_fall(
    modelled: Lake, columns: LearningColumns
) -> None:
    problem, days = _minding_only_the_impossible(), DayRange(DAY - timedelta(days=3), DAY)
    _fill(modelled, columns, days, problem=problem)
    assert _turns(modelled) == []
    everything = {name: pl.col(name) + 9e9 for name in columns.features}
    ordinary = {day: modelled.read("tides.features", day) for day in days}
    flooded = DayRange(days.first - timedelta(days=5), days.first + timedelta(days=2))
    rewrite(modelled, "features", flooded, **everything)
    _fill(modelled, columns, days, problem=problem)
    passed = (str(days.first), "3 of 3 features have drifted: the share of 100% has passed 50%")
    assert _turns(modelled) == [passed]
    _fill(modelled, columns, days, problem=problem)
    assert _turns(modelled) == [passed]
    # The water falls, and a week with three wet days in it is no longer much.
    for day, features in ordinary.items():
        modelled.write("tides.features", day, features)
    _fill(modelled, columns, [DAY], problem=problem)
    fallen = (str(DAY), "0 of 3 features have drifted: the share of 0% has fallen below 50%")
    assert _turns(modelled) == [passed, fallen]
    _fill(modelled, columns, [DAY], problem=problem)
    assert _turns(modelled) == [passed, fallen]


def test_a_hole_does_not_make_a_lasting_drift_a_new_one(
    modelled: Lake, columns: LearningColumns
) -> None:
    problem = _minding_only_the_impossible()
    hole, before = DAY - timedelta(days=1), DAY - timedelta(days=2)
    everything = {name: pl.col(name) + 9e9 for name in columns.features}
    rewrite(modelled, "features", DayRange(DAY - timedelta(days=8), DAY), **everything)
    _fill(modelled, columns, [before], problem=problem)
    table = loop_tables(PROBLEM)["drift"]
    modelled.write(table.name, hole, table.empty(), notes={GAP: "the gauges were painted"})
    _fill(modelled, columns, [DAY], problem=problem)
    assert [day for day, _ in _turns(modelled)] == [str(before)]
