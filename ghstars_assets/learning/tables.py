"""The tables that the learning loop makes for every problem, declared once."""

from dataclasses import replace

from ghstars_assets.lake.catalog import Column, Table
from ghstars_assets.learning.problem import LearningColumns, Problem


def booster_column(head: str) -> str:
    return f"booster_{head}"


def loop_tables(problem: Problem) -> dict[str, Table]:
    """By stage."""
    return {
        "model": _model_table(problem),
        "decisions": _decisions_table(problem),
        "champion": _champion_table(problem),
        "calibration": _calibration_table(problem),
        "predictions": _predictions_table(problem),
        "scores": _scores_table(problem),
        "drift": _drift_table(problem),
        "health": _health_table(problem),
        "retrain_requests": _retrain_requests_table(problem),
    }


def _model_table(problem: Problem) -> Table:
    return Table(
        problem.table("model"),
        "Candidates: one row a trained version, with all it takes to forecast with it.",
        (
            Column("day", "date", "the day it was trained as of"),
            Column("model_version", "bigint", "its version in MLflow's registry"),
            Column("fingerprint", "varchar", "hash of data, parameters and recipe: what makes it"),
            Column("data_version", "varchar", "hash of the partitions it was trained on"),
            Column("trained_from", "date", "the first day of its training rows"),
            Column("trained_through", "date", "the last day of its training rows"),
            Column("held_out", "varchar", "JSON: the reference windows that its training left out"),
            Column("holdout_from", "date", "the first day it was judged on"),
            Column("holdout_through", "date", "the last day it was judged on"),
            Column("rows", "bigint", "rows it was trained on"),
            Column("mae", "double", "mean absolute error on the held-out days"),
            Column("mae_naive", "double", "the naive forecast's, on the same rows"),
            Column("skill_vs_naive", "double", "1 − mae ÷ mae_naive"),
            Column("parameters", "varchar", "JSON: how it was trained"),
            Column("metrics", "varchar", "JSON: all that was measured on the held-out days"),
            Column("importances", "varchar", "JSON: gain by feature"),
            Column("card", "varchar", "its model card, in Markdown"),
            Column("served", "varchar", "JSON: the columns it forecasts with"),
            Column(
                "reference",
                "varchar",
                "JSON: its drift profile, for drift to be measured against",
            ),
            *(
                Column(
                    booster_column(head),
                    "varchar",
                    f"LightGBM's text: the head for {problem.task.describe_head(head)}",
                )
                for head in problem.task.heads
            ),
            Column(
                "sha256",
                "varchar",
                "JSON: what `served` and the text of each head hash to; null for versions of "
                "earlier releases",
            ),
            Column("mlflow_run_id", "varchar", "its run in MLflow"),
            Column("dagster_run_id", "varchar", "the Dagster run that trained it"),
            Column("cause", "varchar", "why it was trained"),
            Column(
                "evaluation", "varchar", "the evaluation of `health` that asked for it, if one did"
            ),
            Column("request", "bigint", "the number of the request to retrain that it answers"),
        ),
        key=("model_version",),
    )


def _decisions_table(problem: Problem) -> Table:
    return Table(
        problem.table("decisions"),
        "Every decision on which version serves, in order, never rewritten.",
        (
            Column("model_version", "bigint", "the version that was decided on"),
            Column("decision", "varchar", "deploy, skip, reject, promote or rollback"),
            Column("decided_at", "timestamptz", "when"),
            Column("effective_from", "date", "the first day it holds for"),
            Column("reason", "varchar", "why"),
            Column("figures", "varchar", "JSON: what was compared"),
            Column("actor", "varchar", "the user or the stage that decided"),
        ),
    )


def _champion_table(problem: Problem) -> Table:
    return Table(
        problem.table("champion"),
        "The version that serves on each day; no row while there is none.",
        (
            Column("day", "date", "the day it serves"),
            Column("model_version", "bigint", "the version"),
            Column(
                "decision",
                "varchar",
                "deploy, skip, reject, promote, rollback, or carry: none today",
            ),
            Column("decided_at", "timestamptz", "when the day's decision was taken"),
            Column("effective_from", "date", "since when the version serves"),
            Column("reason", "varchar", "why"),
            Column("figures", "varchar", "JSON: what was compared"),
        ),
    )


def _calibration_table(problem: Problem) -> Table:
    return Table(
        problem.table("calibration"),
        "How far the ends of the day's intervals are moved, by what was missed lately: one row for "
        "each group of forecasts of one height.",
        (
            Column("day", "date", "the day whose forecasts it is for"),
            Column("model_version", "bigint", "the version that forecasts on it"),
            *problem.task.calibration_columns(),
            Column("calibrated_from", "date", "the first day of the forecasts it was measured on"),
            Column("calibrated_through", "date", "the last day of them"),
        ),
        key=problem.task.calibration_key,
    )


def _forecast_columns(problem: Problem) -> list[Column]:
    columns = [
        Column("day", "date", "the day of the forecast: what was known at its end"),
        Column(problem.entity, problem.entity_type, "what is forecast"),
    ]
    if problem.entity_name:
        columns.append(Column(problem.entity_name, "varchar", "its name on that day"))
    return [
        *columns,
        *problem.task.forecast_columns(problem.horizon_days),
        Column("naive", "double", "the naive forecast: what happened last time"),
        Column("model_version", "bigint", "the version that made it"),
        Column(
            "drivers",
            "struct(feature varchar, effect double)[]",
            "the features that moved the typical value most, with their effect on it",
        ),
    ]


def _predictions_table(problem: Problem) -> Table:
    return Table(
        problem.table("predictions"),
        f"Forecasts by the champion of the day. {problem.question}",
        (
            *_forecast_columns(problem),
            Column("in_words", "varchar", "what moved it, in words"),
        ),
        key=(problem.entity,),
    )


def backtest_table(problem: Problem, columns: LearningColumns) -> Table:
    """One part a cadence of retraining beside each other in a day's partition."""
    return Table(
        problem.table("backtest"),
        "Forecasts as they would have been made on each day of the past, beside what happened.",
        (
            *(
                replace(column, description="null: it is in no registry; see fingerprint")
                if column.name == "model_version"
                else column
                for column in _forecast_columns(problem)
            ),
            Column("actual", "double", "what happened; null where nobody knows"),
            *(
                Column(name, "double", "a forecast that anybody could make")
                for name in columns.baselines
            ),
            Column("trained_through", "date", "the last day that the model learnt from"),
            Column("calibrated_through", "date", "the last day its intervals were measured on"),
            Column(
                "mode",
                "varchar",
                "how often it was retrained; `-expanding` on all days before",
            ),
            Column("fingerprint", "varchar", "hash of data, parameters and recipe of the model"),
        ),
        key=(problem.entity, "mode"),
    )


def _scores_table(problem: Problem) -> Table:
    return Table(
        problem.table("scores"),
        "Forecasts beside what happened; day is the day the forecast was made.",
        (*_forecast_columns(problem), Column("actual", "double", "what happened")),
        key=(problem.entity,),
        days_ahead=problem.horizon_days,
    )


def _drift_table(problem: Problem) -> Table:
    return Table(
        problem.table("drift"),
        "The latest days against the rows that the champion was trained on: one row for each "
        "feature, and one each for the forecasts, the target and the errors.",
        (
            Column("day", "date", "the last of the days that were looked at"),
            Column("feature", "varchar", "the column"),
            Column("kind", "varchar", "feature, forecast, target or error"),
            Column("is_category", "boolean", "its values are compared as categories"),
            Column("model_version", "bigint", "the champion of the day"),
            Column("rows", "bigint", "rows that were looked at"),
            Column("reference_rows", "bigint", "rows that they are held against"),
            Column("population_stability", "double", "population stability index over deciles"),
            Column("wasserstein", "double", "distance, in standard deviations of the reference"),
            Column("jensen_shannon", "double", "distance of categories, base 2"),
            Column("share_missing", "double", "share of rows without a value"),
            Column("share_missing_reference", "double", "the same in the reference"),
            Column(
                "share_outside", "double", "share beyond the least and greatest of the reference"
            ),
            Column("is_drifted", "boolean", "one of these passes its threshold"),
            Column("reason", "varchar", "which, and by how much"),
        ),
        key=("kind", "feature"),
    )


def _health_table(problem: Problem) -> Table:
    return Table(
        problem.table("health"),
        "One row a day: whether the champion should be trained anew, and why.",
        (
            Column("day", "date", "the day"),
            Column("decision", "varchar", "force, reactive, proactive, wait or healthy"),
            Column("is_due", "boolean", "a retraining is asked for: force, reactive or proactive"),
            Column("reason", "varchar", "in words"),
            Column("model_version", "bigint", "the champion of the day"),
            Column("scored_from", "date", "the first day of origin whose forecasts were judged"),
            Column("scored_through", "date", "the last day of origin"),
            Column("scored_days", "bigint", "days of origin"),
            Column("rows", "bigint", "forecasts whose outcome and naive forecast are known"),
            Column("mae", "double", "mean absolute error"),
            Column("mae_naive", "double", "the naive forecast's, on the same rows"),
            Column("skill_vs_naive", "double", "1 − mae ÷ mae_naive"),
            Column("rmse", "double", "root of the mean squared error"),
            Column("r2", "double", "share of the variance explained"),
            Column("auc", "double", "for a classification: area under the ROC curve"),
            Column("drifted_share", "double", "share of the features that have drifted"),
            Column("drifted_features", "varchar", "which, most first, by comma"),
            Column("is_target_drifted", "boolean", "the outcomes have drifted"),
            Column("request", "bigint", "the number of the request to retrain that stands open"),
            Column("thresholds", "varchar", "JSON: the thresholds it was held against"),
        ),
    )


def _retrain_requests_table(problem: Problem) -> Table:
    return Table(
        problem.table("retrain_requests"),
        "Every time somebody asked for a retraining, in order.",
        (
            Column("day", "date", "the day it was asked for"),
            Column("asked_at", "timestamptz", "when"),
            Column("actor", "varchar", "by whom"),
            Column("reason", "varchar", "why"),
        ),
    )
