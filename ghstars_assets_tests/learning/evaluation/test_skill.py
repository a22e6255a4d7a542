"""Skill: the queries agree with what is plainly computed of the same rows, and of no others."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.tables import WARNED, Lake
from ghstars_assets.learning.evaluation.skill import SkillReport, measure_skill
from ghstars_assets.learning.problem import Problem
from ghstars_assets_tests.support.plain_skill import (
    plain_baseline,
    plain_intervals,
    plain_model,
    plain_points,
)
from ghstars_assets_tests.support.tides.problem import PROBLEM as TIDES

PROBLEM = replace(
    TIDES,
    segments={
        "coast": "coalesce(coast, 'none')",
        "height": "case when level < 5 then 'low' else 'high' end",
    },
)
FIRST = date(2026, 2, 25)
DAYS = DayRange(FIRST, date(2026, 4, 3))
"""Three months, two quarters."""
STATIONS = [f"station {n:03}" for n in range(120)]
POINTS = ["n", "mae", "wape", "r2", "median_ae", "rmsle", "skill_vs_naive", "bias"]
RANKING = ["precision_at_50", "ndcg_at_50"]


def forecasts(day: date, stations: Sequence[str] = STATIONS) -> pl.DataFrame:
    """Draw a day at random; many outcomes are equal, some are below zero, some unknown."""
    dice = np.random.default_rng(day.toordinal())
    rows = len(stations)
    actual = np.floor(dice.lognormal(1, 1, rows)) - 2
    typical = actual + dice.normal(0, 3, rows)
    half = dice.uniform(1, 3, rows)
    frame = pl.DataFrame(
        {
            "day": [day] * rows,
            "station": stations,
            "typical": typical,
            "mean": np.round(typical * 1.1),
            "low_80": typical - half,
            "high_80": typical + half,
            "low_95": typical - 2 * half,
            "high_95": typical + 3 * half,
            "naive": actual + dice.normal(0, 5, rows),
            "steady": actual + dice.normal(1, 4, rows),
            "actual": actual,
        }
    )
    unknown = pl.Series(dice.uniform(size=rows))
    return frame.with_columns(
        naive=pl.when(unknown > 0.1).then("naive"),
        actual=pl.when(unknown < 0.95).then("actual"),
        steady=pl.when((unknown < 0.4) | (unknown > 0.5)).then("steady"),
    )


def write(lake: Lake, frame: pl.DataFrame, mode: str = "monthly") -> None:
    for (day,), rows in frame.group_by("day"):
        assert isinstance(day, date)
        lake.write("tides.backtest", day, rows, part=mode)


def measured(
    lake: Lake, mode: str = "monthly", days: DayRange = DAYS, problem: Problem = PROBLEM
) -> SkillReport:
    return measure_skill(lake, problem, ["steady"], days, mode)


@pytest.fixture(scope="module")
def stored() -> pl.DataFrame:
    return pl.concat([forecasts(day) for day in DAYS])


@pytest.fixture(scope="module")
def known(stored: pl.DataFrame) -> pl.DataFrame:
    return stored.drop_nulls(["naive", "actual"])


@pytest.fixture
def filled(lake: Lake, stored: pl.DataFrame) -> Lake:
    write(lake, stored)
    return lake


# ---- what is measured ---------------------------------------------------------------------------


def test_the_model_is_measured_as_it_is_defined(filled: Lake, known: pl.DataFrame) -> None:
    report = measured(filled)
    assert report.overall == pytest.approx(plain_model(known), rel=1e-9)
    assert report.days == DAYS


@pytest.mark.parametrize("name", ["naive", "steady"])
def test_a_baseline_is_measured_where_it_is_known(
    filled: Lake, known: pl.DataFrame, name: str
) -> None:
    found = measured(filled).baselines[name]
    assert found == pytest.approx(plain_baseline(known, name), rel=1e-9)
    assert found["n"] == known[name].count()


def test_the_naive_forecast_has_no_skill_over_itself(filled: Lake) -> None:
    assert measured(filled).baselines["naive"]["skill_vs_naive"] == 0


def test_every_month_is_measured_by_itself(filled: Lake, known: pl.DataFrame) -> None:
    months = measured(filled).by_month
    assert [row["month"] for row in months] == ["2026-02", "2026-03", "2026-04"]
    for row in months:
        rows = known.filter(pl.col("day").dt.strftime("%Y-%m") == row.pop("month"))
        baselines = row.pop("baselines")
        assert row == pytest.approx(plain_model(rows), rel=1e-9)
        assert baselines["steady"] == pytest.approx(plain_baseline(rows, "steady"), rel=1e-9)


def test_coverage_is_reported_by_quarter_and_by_decile_of_its_forecasts(
    filled: Lake, known: pl.DataFrame
) -> None:
    levels = measured(filled).by_level
    assert [(row["quarter"], row["decile"]) for row in levels] == [
        (quarter, decile) for quarter in ("2026-Q1", "2026-Q2") for decile in range(1, 11)
    ]
    is_first = pl.col("day") < date(2026, 4, 1)
    for quarter, rows in (
        ("2026-Q1", known.filter(is_first)),
        ("2026-Q2", known.filter(~is_first)),
    ):
        tenths = np.array_split(np.arange(rows.height), 10)
        plain = [plain_intervals(rows.sort("typical")[tenth]) for tenth in tenths]
        for share in ("80", "95"):
            found = [row[f"coverage_{share}"] for row in levels if row["quarter"] == quarter]
            assert found == pytest.approx([tenth[f"coverage_{share}"] for tenth in plain])
        counted = [row["n"] for row in levels if row["quarter"] == quarter]
        assert counted == [len(tenth) for tenth in tenths]


def test_discounted_gains_by_hand(lake: Lake) -> None:
    rows = forecasts(FIRST, ["a", "b", "c", "d"]).with_columns(
        mean=pl.Series([1.0, 4.0, 2.0, 3.0]),
        actual=pl.Series([8.0, 0.0, -5.0, 3.0]),
        naive=pl.lit(1.0),
    )
    write(lake, rows)
    overall = measured(lake).overall
    # The best two of four: b (0) and d (3) are ranked highest, a (8) and d (3) were.
    assert overall["precision_at_50"] == 0.5
    best = 8 + 3 / math.log2(3)
    assert overall["ndcg_at_50"] == pytest.approx(3 / math.log2(3) / best)


def test_equal_forecasts_are_ranked_by_entity(lake: Lake) -> None:
    rows = forecasts(FIRST, ["d", "c", "b", "a"]).with_columns(
        mean=pl.lit(1.0), actual=pl.Series([0.0, 0.0, 1.0, 1.0]), naive=pl.lit(1.0)
    )
    write(lake, rows)
    assert measured(lake).overall["precision_at_50"] == 1


def test_a_day_on_which_nothing_gained_has_no_say_in_the_gains(lake: Lake) -> None:
    good = forecasts(FIRST).with_columns(naive=0.0, mean=pl.col("actual"))
    nothing = good.with_columns(day=FIRST + timedelta(days=1), actual=pl.lit(-1.0))
    write(lake, pl.concat([good, nothing]))
    overall = measured(lake).overall
    assert overall["ndcg_at_50"] == 1


def test_a_day_of_one_row_ranks_nothing(lake: Lake) -> None:
    write(lake, forecasts(FIRST, ["a"]).with_columns(naive=1.0, actual=3.0, typical=2.0))
    overall = measured(lake).overall
    assert (overall["n"], overall["mae"]) == (1, 1)
    assert [overall[name] for name in RANKING] == [None, None]
    assert overall["r2"] is None, "one outcome does not vary"


def test_median_of_an_even_number_lies_between_the_two_in_the_middle(lake: Lake) -> None:
    rows = forecasts(FIRST, ["a", "b", "c", "d"]).with_columns(
        typical=pl.Series([1.0, 2.0, 4.0, 100.0]), actual=pl.lit(0.0), naive=pl.lit(1.0)
    )
    write(lake, rows)
    overall = measured(lake).overall
    assert overall["median_ae"] == 3
    assert (overall["wape"], overall["bias"]) == (None, None), "nothing to divide by"


def test_an_outcome_at_an_end_of_its_interval_counts_as_inside(lake: Lake) -> None:
    rows = forecasts(FIRST, ["a", "b", "c", "d"]).with_columns(
        actual=pl.Series([1.0, 3.0, 0.0, 5.0]),
        naive=pl.lit(1.0),
        low_80=pl.lit(1.0),
        high_80=pl.lit(3.0),
    )
    write(lake, rows)
    overall = measured(lake).overall
    assert (overall["coverage_80"], overall["width_80"]) == (0.5, 2)
    # One lies 1 below and one 2 above: each unit costs 2 / 0.2.
    assert overall["winkler_80"] == pytest.approx(2 + (10 + 20) / 4)


# ---- on which rows ------------------------------------------------------------------------------


def test_rows_without_a_naive_forecast_or_an_outcome_are_left_out(
    filled: Lake, stored: pl.DataFrame, known: pl.DataFrame
) -> None:
    assert stored["naive"].null_count() > 100
    assert stored["actual"].null_count() > 100
    assert measured(filled).overall["n"] == known.height


def test_files_of_another_mode_are_not_read(filled: Lake, stored: pl.DataFrame) -> None:
    before = measured(filled)
    write(filled, stored.with_columns(typical=pl.col("actual") + 1), "weekly")
    assert measured(filled) == before
    assert measured(filled, "weekly").overall["mae"] == 1


def test_days_outside_are_not_read(filled: Lake, known: pl.DataFrame) -> None:
    days = DayRange(date(2026, 3, 3), date(2026, 3, 9))
    report = measured(filled, days=days)
    assert (
        report.overall["n"] == known.filter(pl.col("day").is_between(days.first, days.last)).height
    )
    assert report.days == days


def test_a_baseline_that_is_nowhere_known_is_measured_on_nothing(
    lake: Lake, stored: pl.DataFrame
) -> None:
    write(lake, stored.with_columns(steady=pl.lit(None, pl.Float64)))
    report = measured(lake)
    for found in (report.baselines["steady"], report.by_month[0]["baselines"]["steady"]):
        assert found == {"n": 0, **dict.fromkeys([*POINTS[1:], *RANKING])}


def test_without_forecasts_the_error_names_the_mode_and_the_remedy(filled: Lake) -> None:
    with pytest.raises(
        GhstarsError, match=r"no weekly forecasts of .*`ghstars backtest tides --retrain weekly`"
    ):
        measured(filled, "weekly")


def test_without_an_outcome_there_is_nothing_to_measure(lake: Lake, stored: pl.DataFrame) -> None:
    write(lake, stored.with_columns(actual=pl.lit(None, pl.Float64)))
    with pytest.raises(GhstarsError, match="holds no forecast beside which both an outcome"):
        measured(lake)


def test_a_baseline_that_the_backtest_was_made_without_is_named(
    lake: Lake, stored: pl.DataFrame
) -> None:
    write(lake, stored.drop("steady"))
    with pytest.raises(GhstarsError, match="was made without steady"):
        measured(lake)


# ---- segments -----------------------------------------------------------------------------------


def coast_of(number: int) -> str | None:
    """Twenty coasts, the first the most frequent, and stations that have none."""
    return f"coast {number % 20 if number % 3 else 0:02}" if number % 10 else None


def stations_on(day: date) -> pl.DataFrame:
    """Their level changes with the day; one station has no snapshot."""
    rows = [
        {"day": day, "station": name, "coast": coast_of(n), "level": (n + day.day) % 7}
        for n, name in enumerate(STATIONS[:-1])
    ]
    return pl.DataFrame(rows)


def fill_snapshots(lake: Lake, warned: Callable[[date], bool] = lambda _day: False) -> None:
    for day in DayRange(DAYS.first, DAYS.last + timedelta(days=10)):
        notes = {WARNED: "mass loss of stars"} if warned(day) else {}
        lake.write("tides.snapshots", day, stations_on(day), notes=notes)


def test_a_segment_is_what_the_snapshot_of_the_origin_says(
    filled: Lake, known: pl.DataFrame
) -> None:
    fill_snapshots(filled)
    found = {row.pop("value"): row for row in measured(filled).by_segment["height"]}
    joined = known.join(pl.concat(map(stations_on, DAYS)), on=["day", "station"])
    is_low = pl.col("level") < 5
    for value, rows in (("low", joined.filter(is_low)), ("high", joined.filter(~is_low))):
        others = {f"mae_{name}": plain_baseline(rows, name)["mae"] for name in ("naive", "steady")}
        plain = {**plain_points(rows, "typical"), **plain_intervals(rows), **others}
        assert found[value] == pytest.approx(plain, rel=1e-9)
    assert list(found) == ["low", "high"], "the more frequent first"


def test_the_fifteen_most_frequent_values_of_a_segment_are_listed(filled: Lake) -> None:
    fill_snapshots(filled)
    coasts = measured(filled).by_segment["coast"]
    assert len(coasts) == 15
    assert coasts[0]["value"] == "coast 00"
    counted = [row["n"] for row in coasts]
    assert counted == sorted(counted, reverse=True)


def test_without_snapshots_no_segment_is_listed(filled: Lake) -> None:
    assert measured(filled).by_segment == {"coast": [], "height": []}


# ---- days warned of -----------------------------------------------------------------------------


def test_outcomes_that_span_a_day_warned_of_are_measured_apart(
    filled: Lake, known: pl.DataFrame
) -> None:
    """Three days ahead: of a day warned of the three origins before it are touched."""
    warned = date(2026, 3, 10)
    fill_snapshots(filled, lambda day: day == warned)
    report = measured(filled)
    touched = [date(2026, 3, 7), date(2026, 3, 8), date(2026, 3, 9)]
    apart, others = pl.col("day").is_in(touched), ~pl.col("day").is_in(touched)
    assert report.warned.pop("days") == [str(warned)]
    assert report.warned.pop("origins") == [str(day) for day in touched]
    assert report.warned == pytest.approx(plain_model(known.filter(apart)), rel=1e-9)
    plain = plain_intervals(known.filter(others))
    without = {name: plain[name] for name in ("coverage_80", "coverage_95")}
    assert report.coverage_without_warned == pytest.approx(without)
    assert report.overall == pytest.approx(plain_model(known), rel=1e-9)
    assert sum(row["n"] for row in report.by_level) == known.filter(others).height


def test_a_day_warned_of_that_no_outcome_spans_is_not_listed(filled: Lake) -> None:
    fill_snapshots(filled, lambda day: day in (DAYS.first, DAYS.last + timedelta(days=4)))
    report = measured(filled)
    assert (report.warned["days"], report.warned["origins"]) == ([], [])
    assert (report.warned["n"], report.warned["mae"]) == (0, None)


def test_where_every_outcome_spans_a_day_warned_of_nothing_is_left(filled: Lake) -> None:
    fill_snapshots(filled, lambda _day: True)
    report = measured(filled)
    assert report.by_level == []
    assert report.coverage_without_warned == {"coverage_80": None, "coverage_95": None}


# ---- as JSON ------------------------------------------------------------------------------------


def test_a_report_is_json_with_finite_figures(filled: Lake, stored: pl.DataFrame) -> None:
    broken = stored.filter(day=DAYS.last).with_columns(typical=pl.lit(math.inf))
    write(filled, broken)
    report = measured(filled).as_dict()
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert list(report) == [
        *("problem", "mode", "from", "to", "overall", "baselines"),
        *("by_month", "by_segment", "by_level", "warned_days", "coverage_without_warned"),
    ]
    assert (report["from"], report["to"]) == ("2026-02-25", "2026-04-03")
    assert report["overall"]["mae"] is None
    assert isinstance(report["overall"]["n"], int)
