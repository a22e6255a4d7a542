"""A small report of a backtest, for tests of what is made of it."""

from datetime import date
from typing import Any

from ghstars_assets.calendar import DayRange
from ghstars_assets.learning.evaluation.skill import Measures, SkillReport


def points(mae: float, skill: float | None) -> Measures:
    return {
        "n": 1234,
        "mae": mae,
        "wape": 0.25,
        "r2": 0.5,
        "median_ae": 1.5,
        "rmsle": 0.4,
        "skill_vs_naive": skill,
        "bias": 0.98,
        "precision_at_50": 0.72,
        "ndcg_at_50": 0.9,
    }


def model(mae: float = 6.0, skill: float | None = 0.4) -> Measures:
    shares: Measures = {"coverage_80": 0.79, "coverage_95": 0.94, "width_80": 10.0}
    rest: Measures = {"width_95": 20.0, "winkler_80": 15.0, "winkler_95": 33.0}
    return {**points(mae, skill), "mean_bias": 1.02, **shares, **rest}


def month(name: str, skill: float | None) -> dict[str, Any]:
    baselines = {"naive": points(10.0, 0.0), "steady": points(8.0, 0.2)}
    return {"month": name, **model(skill=skill), "baselines": baselines}


def level(quarter: str, decile: int, n: int, coverage: float) -> dict[str, Any]:
    return {
        "quarter": quarter,
        "decile": decile,
        "n": n,
        "coverage_80": coverage,
        "coverage_95": coverage + 0.1,
    }


REPORT = SkillReport(
    problem="tides",
    mode="monthly",
    days=DayRange(date(2026, 1, 5), date(2026, 4, 3)),
    overall=model(),
    baselines={"naive": points(10.0, 0.0), "steady": points(8.0, None)},
    by_month=[month("2026-01", 0.4), month("2026-02", 0.3), month("2026-04", 0.5)],
    by_segment={"coast": [{"value": "west|north", **model(5.0), "mae_naive": 7.0}], "none": []},
    by_level=[
        level(quarter, decile, n, coverage)
        for quarter, n, coverage in (("2026-Q1", 300, 0.6), ("2026-Q2", 100, 0.8))
        for decile in range(1, 11)
    ],
    warned={"days": ["2026-02-03"], "origins": ["2026-02-01", "2026-02-02"], **model(mae=9.0)},
    coverage_without_warned={"coverage_80": 0.801, "coverage_95": 0.951},
)


def points_of(path: str) -> list[tuple[float, float]]:
    pairs = (pair.split(",") for pair in path.split())
    return [(float(x), float(y)) for x, y in pairs]
