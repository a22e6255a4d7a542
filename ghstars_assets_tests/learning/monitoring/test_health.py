"""Health: the decision at its thresholds, what it says, and what stands in the way of one."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import GAP, QUARANTINED, Lake
from ghstars_assets.learning.gates import Threshold
from ghstars_assets.learning.monitoring.retraining_requests import request_retraining
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets_tests.support.health_rows import (
    DAY,
    ORIGINS,
    fill_health,
    write_drift,
    write_scores,
)
from ghstars_assets_tests.support.stage_runs import health_days
from ghstars_assets_tests.support.tides.problem import PROBLEM

NEXT = DAY + timedelta(days=1)
GATES = PROBLEM.gates
assert (GATES.skill_warning.value, GATES.skill_critical.value) == (0.2, 0.0)
assert GATES.drifted_share.value == 0.5


def _outcome(lake: Lake, day: date = DAY, problem: Problem = PROBLEM) -> DayOutcome:
    (outcome,) = health_days(lake, problem, {day: 1}, [day])
    return outcome


def _judged(lake: Lake, day: date = DAY, problem: Problem = PROBLEM) -> dict[str, Any]:
    assert _outcome(lake, day, problem).status is Status.WRITTEN
    return lake.read("tides.health", day).row(0, named=True)


def _with(**gates: Any) -> Problem:
    return replace(PROBLEM, gates=replace(GATES, **gates))


def _audit(lake: Lake, event: str) -> list[dict[str, Any]]:
    log = lake.read_log(AUDIT.name)
    return [] if log is None else log.filter(event=event).to_dicts()


@pytest.mark.parametrize(
    ("error", "drifted", "decision"),
    [
        (10.1, 0, "reactive"),  # skill just below the critical 0
        (10.0, 0, "wait"),  # at it, which is below the warning without drift
        (10.0, 2, "proactive"),
        (8.1, 2, "proactive"),  # just below the warning of 0.2, and half of the features
        (8.1, 1, "wait"),  # under half of them
        (8.0, 2, "wait"),  # at the warning: drift, and the skill is fine
        (8.0, 1, "healthy"),
        (10.1, 4, "reactive"),
    ],
)
def test_the_decision_at_its_thresholds(
    lake: Lake, error: float, drifted: int, decision: str
) -> None:
    write_scores(lake, ORIGINS, error=error)
    write_drift(lake, [DAY], drifted=drifted)
    row = _judged(lake)
    assert row["decision"] == decision
    assert row["is_due"] == (decision in ("reactive", "proactive"))


def test_a_row_says_all_that_led_to_it(lake: Lake) -> None:
    write_scores(lake, ORIGINS, error=8.5)
    write_drift(lake, [DAY], drifted=3, is_target_drifted=True)
    row = _judged(lake)
    assert row["reason"] == (
        "the skill of 0.15 over 14 days of origin up to 2026-02-17 is below the warning of 0.2; "
        "3 of 4 features have drifted (75%; 50% is much), and so have the outcomes"
    )
    scored = {name: row[name] for name in ("scored_from", "scored_through", "scored_days", "rows")}
    assert scored == {
        "scored_from": ORIGINS.first,
        "scored_through": ORIGINS.last,
        "scored_days": 14,
        "rows": 28,
    }
    assert (row["mae"], row["mae_naive"], row["rmse"]) == pytest.approx((8.5, 10.0, 8.5))
    assert row["skill_vs_naive"] == pytest.approx(0.15)
    assert row["r2"] == pytest.approx(1 - 8.5**2 / 50**2)
    assert row["drifted_share"] == 0.75
    assert row["drifted_features"] == "feature_2, feature_1, feature_0"
    assert row["is_target_drifted"] is True
    assert json.loads(row["thresholds"]) == {
        "skill_critical": 0.0,
        "skill_warning": 0.2,
        "drifted_share": 0.5,
        "drifted": {
            "population_stability": 0.2,
            "wasserstein": 0.25,
            "jensen_shannon": 0.1,
            "share_missing": 0.1,
            "share_outside": 0.05,
        },
        "young_history": 0.05,
        "drift_days": 7,
        "skill_days": 14,
        "fewest_skill_days": 3,
        "absolute": {},
    }


def test_figures_of_many_days_are_those_of_all_their_rows(lake: Lake) -> None:
    for number, day in enumerate(ORIGINS):
        levels = tuple(400.0 + 30 * number * place for place in range(number % 4 + 1))
        write_scores(lake, [day], error=float(number), actual=levels)
    write_drift(lake, [DAY])
    row = _judged(lake)
    rows = lake.scan("tides.scores").collect()
    typical, actual = rows["typical"].to_numpy(), rows["actual"].to_numpy()
    error = typical - actual
    assert row["mae"] == pytest.approx(abs(error).mean())
    assert row["rmse"] == pytest.approx((error**2).mean() ** 0.5)
    assert row["r2"] == pytest.approx(1 - (error**2).mean() / actual.var())


def test_only_outcomes_that_were_known_on_the_day_count(lake: Lake) -> None:
    write_scores(lake, ORIGINS, error=5.0)
    write_scores(lake, [ORIGINS.last + timedelta(days=1)], error=500.0)
    write_scores(lake, [ORIGINS.first - timedelta(days=1)], error=500.0)
    write_drift(lake, [DAY, NEXT])
    assert _judged(lake)["skill_vs_naive"] == pytest.approx(0.5)
    assert _judged(lake, NEXT)["decision"] == "reactive"


def test_rows_without_a_naive_forecast_or_an_outcome_give_no_skill(lake: Lake) -> None:
    write_scores(lake, ORIGINS, error=5.0, actual=(400.0, None))
    write_drift(lake, [DAY])
    row = _judged(lake)
    assert (row["rows"], row["skill_vs_naive"]) == (14, pytest.approx(0.5))


@pytest.mark.parametrize(("drifted", "decision"), [(0, "healthy"), (4, "wait")])
def test_too_early_is_neither_good_nor_bad(lake: Lake, drifted: int, decision: str) -> None:
    write_scores(lake, list(ORIGINS)[-2:], error=50.0)
    write_drift(lake, [DAY], drifted=drifted)
    row = _judged(lake, problem=_with(absolute={"rmse": Threshold(1, "a test")}))
    assert row["decision"] == decision
    assert row["skill_vs_naive"] is None
    assert "too early to tell: forecasts of 2 days have come due, and 3 are needed" in row["reason"]
    write_scores(lake, list(ORIGINS)[-3:], error=50.0)
    assert _judged(lake)["decision"] == "reactive"


def test_a_first_day_without_any_score_is_judged_all_the_same(lake: Lake) -> None:
    write_drift(lake, [DAY])
    row = _judged(lake)
    assert (row["decision"], row["scored_days"], row["mae"]) == ("healthy", 0, None)


def test_a_quiet_week_is_no_alarm(lake: Lake) -> None:
    """Hardly anything happens: little variance is left to explain, and the naive forecast errs
    little too."""
    write_scores(lake, ORIGINS, error=0.5, error_naive=1.0, actual=(400.0, 400.1))
    write_drift(lake, [DAY])
    row = _judged(lake)
    assert row["r2"] < 0
    assert row["decision"] == "healthy"


def test_a_week_in_which_the_naive_forecast_never_errs_is_no_alarm(lake: Lake) -> None:
    write_scores(lake, ORIGINS, error=0.1, error_naive=0.0)
    write_drift(lake, [DAY])
    row = _judged(lake)
    assert (row["decision"], row["skill_vs_naive"]) == ("healthy", None)
    assert "the naive forecast was never wrong" in row["reason"]


@pytest.mark.parametrize(
    ("name", "bound", "decision"),
    [
        ("rmse", 5.0, "healthy"),
        ("rmse", 4.9, "reactive"),
        ("r2", 0.99, "healthy"),
        ("r2", 0.991, "reactive"),
    ],
)
def test_absolute_gates_hold_where_a_problem_sets_them(
    lake: Lake, name: str, bound: float, decision: str
) -> None:
    write_scores(lake, ORIGINS, error=5.0)
    write_drift(lake, [DAY])
    row = _judged(lake, problem=_with(absolute={name: Threshold(bound, "a test")}))
    assert row["decision"] == decision
    if decision == "reactive":
        assert f"the {name} of" in row["reason"]
    assert json.loads(row["thresholds"])["absolute"] == {name: bound}


@pytest.mark.parametrize(("bound", "decision"), [(0.75, "healthy"), (0.76, "reactive")])
def test_the_area_under_the_curve_is_measured_where_it_is_a_gate(
    lake: Lake, bound: float, decision: str
) -> None:
    write_scores(lake, ORIGINS, error=0.0, actual=(0.0, 0.0, 1.0, 1.0))
    for day in ORIGINS:
        rows = lake.read("tides.scores", day)
        # Of the four pairs of one that came true and one that did not, three are ranked rightly.
        chances = pl.Series([0.1, 0.6, 0.5, 0.9])
        lake.write("tides.scores", day, rows.with_columns(typical=chances))
    write_drift(lake, [DAY])
    row = _judged(lake, problem=_with(absolute={"auc": Threshold(bound, "a test")}))
    assert row["auc"] == pytest.approx(0.75)
    assert row["decision"] == decision


def test_a_gate_that_nobody_measures_is_refused_by_name(lake: Lake) -> None:
    write_drift(lake, [DAY])
    with pytest.raises(GhstarsError, match="'mape', which health does not measure; choose"):
        _outcome(lake, problem=_with(absolute={"mape": Threshold(1, "a test")}))


# ---- days that cannot be judged -----------------------------------------------------------------


def test_a_day_without_drift_fails_and_names_the_remedy(lake: Lake) -> None:
    outcome = _outcome(lake)
    assert outcome.status is Status.FAILED
    assert "tides.drift has no 2026-02-20; fill it with `ghstars backfill tides" in outcome.reason
    assert "--stages drift`" in outcome.reason


def test_drift_against_another_version_than_serves_is_not_taken(lake: Lake) -> None:
    write_drift(lake, [DAY], version=2)
    outcome = _outcome(lake)
    assert outcome.status is Status.FAILED
    assert "is of version 2, and version 1 serves" in outcome.reason


def test_a_day_without_a_champion_fails(lake: Lake) -> None:
    write_drift(lake, [DAY])
    (outcome,) = health_days(lake, PROBLEM, {}, [DAY])
    assert outcome.status is Status.FAILED
    assert "no version of tides served" in outcome.reason


def test_a_gap_stays_a_gap_and_a_quarantined_day_is_skipped(lake: Lake) -> None:
    drift = loop_tables(PROBLEM)["drift"]
    lake.write(drift.name, DAY, drift.empty(), notes={GAP: "the gauges were down"})
    outcome = _outcome(lake)
    assert (outcome.status, outcome.reason) == (Status.GAP, "the gauges were down")
    assert lake.read("tides.health", DAY).is_empty()

    write_drift(lake, [NEXT])
    _judged(lake, NEXT)
    lake.delete(drift.name, NEXT)
    empty = pl.DataFrame({"day": []}, schema={"day": pl.Date})
    lake.write("tides.snapshots", NEXT, empty, notes={QUARANTINED: "all levels are zero"})
    outcome = _outcome(lake, NEXT)
    assert outcome.status is Status.SKIPPED
    assert "quarantined (all levels are zero)" in outcome.reason
    assert lake.days("tides.health", DayRange(NEXT, NEXT)) == []


def test_a_batch_of_days_judges_each_by_itself(lake: Lake) -> None:
    days = list(DayRange(DAY, DAY + timedelta(days=4)))
    write_scores(lake, ORIGINS, error=5.0)
    write_drift(lake, [days[0], days[1], days[4]])
    outcomes = health_days(lake, PROBLEM, dict.fromkeys(days, 1), days)
    assert [outcome.is_stored for outcome in outcomes] == [True, True, False, False, True]


# ---- requests -----------------------------------------------------------------------------------


def _answer(
    lake: Lake, day: date, evaluation: str, request: int | None = None, version: int = 2
) -> None:
    table = loop_tables(PROBLEM)["model"]
    row = {"day": day, "model_version": version, "evaluation": evaluation, "request": request}
    rows = pl.DataFrame([row])
    missing = [name for name in table.column_names if name not in rows.columns]
    filled = rows.with_columns(pl.lit(None).alias(name) for name in missing)
    lake.write(table.name, day, table.conform(filled), part=f"candidate-{version}")


def test_a_request_forces_until_a_version_answers_it(lake: Lake) -> None:
    write_scores(lake, ORIGINS, error=5.0)
    write_drift(lake, [DAY, NEXT])
    number = request_retraining(lake, PROBLEM, "a new harbour wall", "anna", DAY)
    row = _judged(lake)
    assert (row["decision"], row["is_due"], row["request"]) == ("force", True, number)
    assert row["reason"] == "request 1 by anna of 2026-02-20: a new harbour wall"
    assert row["skill_vs_naive"] == pytest.approx(0.5)
    assert _judged(lake, NEXT)["decision"] == "force"

    _answer(lake, NEXT, f"tides:{DAY}:reactive:7")
    assert _judged(lake)["decision"] == "force"
    _answer(lake, NEXT, f"tides:{DAY}:force:8")
    assert [_judged(lake, day)["decision"] for day in (DAY, NEXT)] == ["healthy"] * 2
    assert _judged(lake)["request"] is None


def test_a_day_that_is_filled_again_says_what_was_known_then(lake: Lake) -> None:
    write_drift(lake, [DAY, NEXT])
    request_retraining(lake, PROBLEM, "a new harbour wall", "anna", DAY)
    _answer(lake, NEXT, f"tides:{NEXT}:force:9")
    assert [_judged(lake, day)["decision"] for day in (DAY, NEXT)] == ["force", "healthy"]


def test_a_request_is_not_open_before_its_day(lake: Lake) -> None:
    write_drift(lake, [DAY, NEXT])
    request_retraining(lake, PROBLEM, "a new harbour wall", "anna", NEXT)
    assert [_judged(lake, day)["decision"] for day in (DAY, NEXT)] == ["healthy", "force"]


def test_a_second_request_of_a_day_needs_an_answer_of_its_own(lake: Lake) -> None:
    write_drift(lake, [DAY])
    first = request_retraining(lake, PROBLEM, "a new wall", "anna", DAY)
    _answer(lake, DAY, f"tides:{DAY}:force:8", _judged(lake)["request"])
    assert _judged(lake)["decision"] == "healthy"
    second = request_retraining(lake, PROBLEM, "the wall again", "anna", DAY)
    row = _judged(lake)
    assert (row["decision"], row["request"], first) == ("force", second, 1)
    _answer(lake, DAY, f"tides:{DAY}:force:9", row["request"], version=3)
    assert _judged(lake)["decision"] == "healthy"


def test_a_request_is_asked_about_later_and_needs_a_reason(lake: Lake) -> None:
    with pytest.raises(GhstarsError, match="Nobody will know later why tides was retrained"):
        request_retraining(lake, PROBLEM, "  ", "anna", DAY)
    request_retraining(lake, PROBLEM, "a new  harbour\nwall", "anna", DAY)
    (event,) = _audit(lake, "retrain_requested")
    assert (event["cause"], event["actor"]) == ("a new harbour wall", "anna")
    assert event["subject"] == "request 1 of 2026-02-20"


# ---- the audit log ------------------------------------------------------------------------------


def test_a_turn_is_recorded_once_and_a_day_like_the_one_before_is_not(lake: Lake) -> None:
    days = list(DayRange(DAY, DAY + timedelta(days=3)))
    write_drift(lake, days)
    write_scores(lake, ORIGINS, error=5.0)
    write_scores(lake, DayRange(ORIGINS.last, DAY), error=500.0)
    fill_health(lake, *days)
    fill_health(lake, *days)
    decisions = lake.scan("tides.health").collect()["decision"].to_list()
    assert decisions == ["reactive"] * 4
    (event,) = _audit(lake, "health")
    assert event["subject"] == f"{DAY}: reactive"
    assert "is critical" in event["cause"]
    assert json.loads(event["detail"])["thresholds"]["skill_critical"] == 0.0


def test_a_good_beginning_is_no_event_and_a_hole_hides_no_turn(lake: Lake) -> None:
    write_scores(lake, ORIGINS, error=5.0)
    write_drift(lake, [DAY])
    drift = loop_tables(PROBLEM)["drift"]
    lake.write(drift.name, NEXT, drift.empty(), notes={GAP: "the gauges were down"})
    third = NEXT + timedelta(days=1)
    write_drift(lake, [third], drifted=4)
    fill_health(lake, DAY, NEXT, third)
    assert [event["subject"] for event in _audit(lake, "health")] == [f"{third}: wait"]
