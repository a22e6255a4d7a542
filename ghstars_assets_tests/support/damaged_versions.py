"""Versions whose row in the `model` table is damaged, for a test to see what becomes of it."""

from collections.abc import Callable

import polars as pl

from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.promotion.decisions import model_row
from ghstars_assets.learning.training.candidates_on_record import part_of


def with_custom_objective(text: str) -> str:
    """LightGBM loads it and forecasts something else."""
    return text.replace("objective=regression_l1", "objective=custom", 1)


def with_a_digit_changed(text: str) -> str:
    """LightGBM loads it, and nothing but its hash shows what happened."""
    before, leaf_values, after = text.partition("leaf_value=")
    return before + leaf_values + after.replace("1", "2", 1)


def damage_version(
    lake: Lake,
    problem: Problem,
    version: int,
    change: Callable[[str], str] = with_a_digit_changed,
    column: str = "booster_typical",
    *,
    of_earlier_release: bool = False,
) -> None:
    """Change a column of its row; one of an earlier release recorded no hashes."""
    row = model_row(lake, problem, version)
    changed = change(row[column])
    assert changed != row[column]
    frame = pl.DataFrame([{**row, column: changed}])
    if of_earlier_release:
        frame = frame.drop("sha256")
    lake.write(problem.table("model"), row["day"], frame, part=part_of(row["fingerprint"]))
