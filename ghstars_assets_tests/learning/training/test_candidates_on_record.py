"""Candidates as they are obtained: what differs where health asks for one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.training.candidates_on_record import is_on_record, obtain_candidate
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets_tests.support.counted_requests import count_requests
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_fixtures import ListedVersions
from ghstars_assets_tests.support.tides_lake import AS_OF, fill_table, rewrite


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
        progress=lambda _message: None,
        evaluation=evaluation,
    ).row
    assert versions.fingerprints == [row["fingerprint"]]
    assert (row["holdout_through"] - row["holdout_from"]).days + 1 == held_out_days
    assert (row["holdout_from"] - row["trained_through"]).days == PROBLEM.horizon_days + 1


def train(lake: Lake, columns: LearningColumns) -> None:
    obtain_candidate(
        lake,
        PROBLEM,
        columns,
        PROBLEM.training,
        as_of=AS_OF,
        dagster_run_id="no-run",
        card=model_card,
        progress=lambda _message: None,
    )


def as_an_earlier_release_wrote_it(lake: Lake) -> None:
    """The same candidate without the note of what was listed."""
    (part,) = lake.partitions("tides.model")
    lake.write("tides.model", AS_OF, lake.read("tides.model", AS_OF), part=part.part)


@pytest.mark.parametrize("has_note", [True, False])
def test_a_candidate_is_found_on_record_without_downloading_its_data(
    tides: Lake, columns: LearningColumns, versions: ListedVersions, has_note: bool
) -> None:
    train(tides, columns)
    if not has_note:
        as_an_earlier_release_wrote_it(tides)
    counted = count_requests(tides)
    assert is_on_record(tides, PROBLEM, columns, PROBLEM.training, AS_OF)
    assert counted.counted("get", "tides/features") == 0
    assert counted.counted("get", "tides/labels") == 0
    assert counted.counted("list") <= 12


@pytest.mark.parametrize("has_note", [True, False])
def test_data_written_again_as_they_were_are_downloaded_once_and_are_the_same(
    tides: Lake, columns: LearningColumns, versions: ListedVersions, has_note: bool
) -> None:
    train(tides, columns)
    if not has_note:
        as_an_earlier_release_wrote_it(tides)
    day = AS_OF - timedelta(days=20)
    fill_table(tides, "features", DayRange(day, day))
    counted = count_requests(tides)
    assert is_on_record(tides, PROBLEM, columns, PROBLEM.training, AS_OF)
    assert counted.counted("get", "tides/features") > 20


@pytest.mark.parametrize("has_note", [True, False])
def test_a_candidate_of_other_data_or_parameters_is_not_on_record(
    tides: Lake, columns: LearningColumns, versions: ListedVersions, has_note: bool
) -> None:
    assert not is_on_record(tides, PROBLEM, columns, PROBLEM.training, AS_OF)
    train(tides, columns)
    if not has_note:
        as_an_earlier_release_wrote_it(tides)
    other = replace(PROBLEM.training, rounds=16)
    assert not is_on_record(tides, PROBLEM, columns, other, AS_OF)
    day = AS_OF - timedelta(days=20)
    rewrite(tides, "features", [day], **{columns.naive: None})
    assert not is_on_record(tides, PROBLEM, columns, PROBLEM.training, AS_OF)


def test_a_day_that_is_gone_is_another_set_of_data(
    tides: Lake, columns: LearningColumns, versions: ListedVersions
) -> None:
    train(tides, columns)
    tides.delete("tides.features", AS_OF - timedelta(days=20))
    assert not is_on_record(tides, PROBLEM, columns, PROBLEM.training, AS_OF)
