"""Counts: what a candidate is known by, and how a forecast reads."""

import polars as pl
import pytest

from ghstars_assets.learning.tasks.count import Count
from ghstars_assets.learning.tasks.target_forms import AsItIs, RelativeToBase
from ghstars_assets.learning.tasks.task import Task


@pytest.mark.parametrize(
    ("task", "text"),
    [
        (
            Count(RelativeToBase(), sparse_share=0.2),
            "RelativeToBase(is_relative=True, mean_objective='poisson')",
        ),
        (
            Count(AsItIs(), sparse_share=0.4),
            "AsItIs(is_relative=False, mean_objective='regression')",
        ),
    ],
)
def test_the_text_in_a_fingerprint_is_that_of_the_releases_before(task: Task, text: str) -> None:
    """Homes have candidates on record whose fingerprints were made of it."""
    assert task.fingerprint_text == text


def test_a_table_shows_whole_numbers_and_intervals_rounded_outward() -> None:
    forecast = {"typical": 3.6, "mean": 4.4, "low_80": 1.9, "high_80": 6.1, "naive": 2.5}
    row = pl.DataFrame([{**forecast, "low_95": -0.5, "high_95": 9.0}])
    shown = row.select(Count(AsItIs(), 0.2).table_columns()).row(0, named=True)
    assert shown == {"typical": 4, "mean": 4, "80 %": "1 to 7", "95 %": "-1 to 9", "naive": 2}
