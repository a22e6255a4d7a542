"""Drift in sum: which features of a day have drifted, and which of them most."""

from dataclasses import replace

import polars as pl

from ghstars_assets.learning.gates import Threshold
from ghstars_assets.learning.monitoring.drift_summary import drift_on, most_drifted_first
from ghstars_assets_tests.support.tides.problem import PROBLEM


def _rows(**stability: float | None) -> pl.DataFrame:
    """Features of which only the population stability is known."""
    return pl.DataFrame(
        {
            "feature": list(stability),
            "kind": "feature",
            "population_stability": list(stability.values()),
            "wasserstein": None,
            "jensen_shannon": None,
            "share_missing": 0.0,
            "share_missing_reference": 0.0,
            "share_outside": 0.0,
        },
        schema_overrides={"population_stability": pl.Float64},
    ).with_columns(is_drifted=pl.col("population_stability").fill_null(0) > 0.2)


def test_the_farthest_beyond_its_threshold_comes_first() -> None:
    rows = _rows(steady=0.1, little=0.3, much=0.9, unknown=None)
    found = drift_on(rows, PROBLEM.gates)
    assert (found.drifted, found.features, found.drifted_share) == (("much", "little"), 4, 0.5)
    ordered = most_drifted_first(rows, PROBLEM.gates)["feature"].to_list()
    assert ordered == ["much", "little", "steady", "unknown"]


def test_what_does_not_pass_a_threshold_of_nothing_is_not_taken_for_the_farthest() -> None:
    nothing = Threshold(0.0, "any change is one too many")
    strict = replace(PROBLEM.gates, share_outside=nothing, share_missing=nothing)
    rows = _rows(unmoved=None, moved=0.1)
    assert most_drifted_first(rows, strict)["feature"].to_list() == ["moved", "unmoved"]
    beyond = rows.with_columns(
        share_outside=pl.when(pl.col("feature") == "unmoved").then(0.01).otherwise(0.0)
    )
    assert most_drifted_first(beyond, strict)["feature"].to_list() == ["unmoved", "moved"]
