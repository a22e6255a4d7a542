"""On which days two versions are compared, and when the champion cannot be compared at all."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.promotion.decisions import model_row
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_decisions import (
    BAD,
    MONDAYS,
    REFERENCE,
    WITH_REFERENCE,
    champion_by_day,
    decide_on,
    figures_of,
    train,
)
from ghstars_assets_tests.support.tides_fixtures import ListedVersions
from ghstars_assets_tests.support.tides_lake import DAYS


@pytest.fixture(autouse=True)
def _no_tracking_server(versions: ListedVersions) -> None:
    """Versions are numbered from 1 in the order of training."""


def _changed(lake: Lake, version: int, **columns: pl.Expr) -> None:
    row = model_row(lake, PROBLEM, version)
    (partition,) = lake.partitions("tides.model", DayRange(row["day"], row["day"]))
    changed = lake.read("tides.model", row["day"]).with_columns(**columns)
    lake.write("tides.model", row["day"], changed, part=partition.part)


def _champion_learnt_through(lake: Lake, version: int, last: date) -> None:
    """As if the champion had been trained with a shorter holdout."""
    _changed(lake, version, trained_through=pl.lit(last))


def test_versions_are_compared_on_days_that_neither_learnt_from(
    tides: Lake, columns: LearningColumns
) -> None:
    train(tides, columns, MONDAYS[0])
    decide_on(tides, columns, MONDAYS[0])
    _champion_learnt_through(tides, 1, date(2026, 2, 5))
    train(tides, columns, MONDAYS[1])
    decision = decide_on(tides, columns, MONDAYS[1])
    # The candidate was judged from the 5th on; outcomes until the 8th were in the training rows.
    assert "on 2026-02-09 to 2026-02-12" in decision.reason
    assert figures_of(decision, "current")["rows"] == 4 * 6


def test_without_a_day_to_compare_on_the_champion_stays(
    tides: Lake, columns: LearningColumns
) -> None:
    train(tides, columns, MONDAYS[0])
    decide_on(tides, columns, MONDAYS[0])
    _champion_learnt_through(tides, 1, date(2026, 2, 20))
    train(tides, columns, MONDAYS[1])
    assert decide_on(tides, columns, MONDAYS[1]).decision == "skip"
    assert champion_by_day(tides)[MONDAYS[1]] == 1


def test_a_champion_that_can_no_longer_forecast_makes_way(
    tides: Lake, columns: LearningColumns
) -> None:
    train(tides, columns, MONDAYS[0])
    decide_on(tides, columns, MONDAYS[0])
    for day in DAYS:
        without = tides.read("tides.features", day).drop("week_before_cm")
        tides.write("tides.features", day, without)
    fewer = replace(columns, features=("day_before_cm", "rise_cm"))
    train(tides, fewer, MONDAYS[1], BAD)
    decision = decide_on(tides, fewer, MONDAYS[1])
    assert decision.decision == "deploy"
    assert "version 1 needs week_before_cm" in decision.reason


def test_a_champion_without_all_heads_makes_way(tides: Lake, columns: LearningColumns) -> None:
    train(tides, columns, MONDAYS[0])
    decide_on(tides, columns, MONDAYS[0])
    nothing = pl.lit(None, pl.String)
    _changed(tides, 1, booster_mean=nothing, sha256=nothing)
    train(tides, columns, MONDAYS[1], BAD)
    decision = decide_on(tides, columns, MONDAYS[1])
    assert (decision.decision, decision.reason) == (
        "deploy",
        "version 1 was trained without mean",
    )


def test_a_champion_whose_drift_cannot_be_measured_makes_way(
    tides: Lake, columns: LearningColumns
) -> None:
    train(tides, columns, MONDAYS[0])
    decide_on(tides, columns, MONDAYS[0])
    _changed(tides, 1, reference=pl.lit(None, pl.String))
    train(tides, columns, MONDAYS[1], BAD)
    decision = decide_on(tides, columns, MONDAYS[1])
    assert decision.decision == "deploy"
    assert "version 1 is of an earlier release" in decision.reason


def test_a_reference_window_whose_features_are_of_another_release_has_no_say(
    tides: Lake, columns: LearningColumns
) -> None:
    train(tides, columns, MONDAYS[0], problem=WITH_REFERENCE)
    decide_on(tides, columns, MONDAYS[0], WITH_REFERENCE)
    for day in REFERENCE:
        tides.write("tides.features", day, tides.read("tides.features", day).drop("rise_cm"))
    train(tides, columns, MONDAYS[1], problem=WITH_REFERENCE)
    decision = decide_on(tides, columns, MONDAYS[1], WITH_REFERENCE)
    assert "lack columns that one of the two needs; fill them again" in decision.reason
    assert list(decision.figures) == ["current", "no_worse_than", "served_days"]


def test_a_champion_with_a_feature_of_its_own_is_compared_fairly(
    tides: Lake, columns: LearningColumns
) -> None:
    train(tides, columns, MONDAYS[0])
    decide_on(tides, columns, MONDAYS[0])
    fewer = replace(columns, features=("day_before_cm",))
    train(tides, fewer, MONDAYS[1], BAD)
    assert decide_on(tides, fewer, MONDAYS[1]).decision == "reject"
