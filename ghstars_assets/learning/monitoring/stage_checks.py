"""The checks of `drift` and `health`: what the graph shows of a day, and what wakes the sensor.

None of them stops anything: whether drift hurts shows in the scores, and what to do about the
scores is what health decides.
"""

from datetime import date

import polars as pl

from ghstars_assets.learning.monitoring.drift_summary import drift_on
from ghstars_assets.learning.monitoring.retraining import Verdict
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.stage import StageCheck
from ghstars_assets.sql_tables.checks import DayCheck


def _few_features_drifted(problem: Problem, day: date, rows: pl.DataFrame) -> DayCheck:
    found = drift_on(rows, problem.gates)
    share, most = found.drifted_share or 0.0, problem.gates.drifted_share.value
    listed = f": {', '.join(found.drifted)}" if found.drifted else ""
    listed += f"; of {found.too_early} it is too early to tell" if found.too_early else ""
    return DayCheck(
        FEW_FEATURES_DRIFTED.name,
        day,
        is_passed=share < most,
        description=f"{len(found.drifted)} of {found.features} features have drifted{listed}",
        is_warning=True,
        figures={"share": share, "threshold": most},
    )


def _target_is_steady(problem: Problem, day: date, rows: pl.DataFrame) -> DayCheck:
    target = rows.filter(pl.col("kind") == "target")
    reasons = target["reason"].to_list()
    return DayCheck(
        TARGET_IS_STEADY.name,
        day,
        is_passed=not drift_on(rows, problem.gates).is_target_drifted,
        description="; ".join(filter(None, reasons))
        or ("steady" if reasons else "no forecast has come due yet"),
        is_warning=True,
        figures={"rows": int(target["rows"].sum())},
    )


def _no_retraining_due(_problem: Problem, day: date, rows: pl.DataFrame) -> DayCheck:
    row = rows.row(0, named=True)
    request = row["request"]
    return DayCheck(
        NO_RETRAINING_DUE.name,
        day,
        is_passed=not row["is_due"],
        description=f"{row['decision']}: {row['reason']}",
        is_warning=row["decision"] != Verdict.REACTIVE,
        figures={
            "day": str(day),
            "decision": row["decision"],
            "reason": row["reason"],
            **({} if request is None else {"request": request}),
        },
    )


FEW_FEATURES_DRIFTED = StageCheck(
    "few_features_drifted",
    lambda problem: (
        f"under {problem.gates.drifted_share.value:.0%} of the features have drifted: "
        f"{problem.gates.drifted_share.because}"
    ),
    _few_features_drifted,
)
TARGET_IS_STEADY = StageCheck(
    "target_is_steady",
    lambda _problem: "the outcomes that have come due lie as those of the training rows do",
    _target_is_steady,
)
NO_RETRAINING_DUE = StageCheck(
    "no_retraining_due",
    lambda _problem: (
        "Nobody asked for a retraining and the figures ask for none. Where this fails, the sensor "
        "trains a candidate and has it decided on."
    ),
    _no_retraining_due,
)
