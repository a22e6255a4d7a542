"""Candidates as they are obtained: what differs where health asks for one."""

from dataclasses import replace

import pytest

from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.training.candidates_on_record import obtain_candidate
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_fixtures import ListedVersions
from ghstars_assets_tests.support.tides_lake import AS_OF


@pytest.mark.parametrize(("evaluation", "held_out_days"), [("", 8), ("tides:an evaluation", 4)])
def test_a_candidate_that_health_asks_for_learns_from_newer_days(
    tides: Lake,
    columns: LearningColumns,
    versions: ListedVersions,
    evaluation: str,
    held_out_days: int,
) -> None:
    row = obtain_candidate(
        tides,
        PROBLEM,
        columns,
        replace(PROBLEM.training, holdout_days_asked=4),
        card=model_card,
        as_of=AS_OF,
        dagster_run_id="no-run",
        progress=lambda _told: None,
        evaluation=evaluation,
    ).row
    assert versions.fingerprints == [row["fingerprint"]]
    assert (row["holdout_through"] - row["holdout_from"]).days + 1 == held_out_days
    assert (row["holdout_from"] - row["trained_through"]).days == PROBLEM.horizon_days + 1
