"""Skill, computed slowly and obviously, for the queries to be compared with."""

import math
from typing import Any

import numpy as np
import polars as pl


def plain_points(rows: pl.DataFrame, forecast: str) -> dict[str, float]:
    predicted, actual, naive = (rows[name].to_numpy() for name in (forecast, "actual", "naive"))
    error = np.abs(predicted - actual)
    logs = [
        math.log(1 + max(one, 0)) - math.log(1 + max(other, 0))
        for one, other in zip(predicted, actual, strict=True)
    ]
    return {
        "n": len(error),
        "mae": error.mean(),
        "wape": error.sum() / np.abs(actual).sum(),
        "r2": 1 - (error**2).sum() / ((actual - actual.mean()) ** 2).sum(),
        "median_ae": float(np.median(error)),
        "rmsle": math.sqrt(sum(log**2 for log in logs) / len(logs)),
        "skill_vs_naive": 1 - error.mean() / np.abs(naive - actual).mean(),
        "bias": predicted.sum() / actual.sum(),
    }


def plain_intervals(rows: pl.DataFrame) -> dict[str, float]:
    actual = rows["actual"].to_numpy()
    found = {"mean_bias": rows["mean"].to_numpy().sum() / actual.sum()}
    for share, alpha in (("80", 0.2), ("95", 0.05)):
        low, high = rows[f"low_{share}"].to_numpy(), rows[f"high_{share}"].to_numpy()
        short = np.where(actual < low, low - actual, np.where(actual > high, actual - high, 0))
        found |= {
            f"coverage_{share}": ((low <= actual) & (actual <= high)).mean(),
            f"width_{share}": (high - low).mean(),
            f"winkler_{share}": (high - low + 2 / alpha * short).mean(),
        }
    return found


def plain_ranking(rows: pl.DataFrame, ranks_by: str) -> dict[str, float]:
    precisions: list[float] = []
    gains: list[float] = []
    for day in rows["day"].unique():
        of_day = rows.filter(day=day).to_dicts()
        best = min(50, len(of_day) // 2)
        ranked = sorted(of_day, key=lambda row: (-row[ranks_by], row["station"]))[:best]
        ideal = sorted(of_day, key=lambda row: (-row["actual"], row["station"]))[:best]
        precisions.append(sum(row in ideal for row in ranked) / best)
        gains.append(discounted(ranked) / discounted(ideal))
    return {
        "precision_at_50": sum(precisions) / len(precisions),
        "ndcg_at_50": sum(gains) / len(gains),
    }


def discounted(rows: list[dict[str, Any]]) -> float:
    return sum(max(row["actual"], 0) / math.log2(n + 2) for n, row in enumerate(rows))


def plain_model(rows: pl.DataFrame) -> dict[str, float]:
    return {
        **plain_points(rows, "typical"),
        **plain_intervals(rows),
        **plain_ranking(rows, "mean"),
    }


def plain_baseline(rows: pl.DataFrame, name: str) -> dict[str, float]:
    rows = rows.drop_nulls(name)
    return {**plain_points(rows, name), **plain_ranking(rows, name)}
