"""Model cards: what a version learnt from, how it did on days it never saw, where it is weak."""

from dataclasses import replace
from pathlib import Path

import pytest

from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.training.candidate import Candidate
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import AS_OF, settings_of

SEGMENTED = replace(PROBLEM, segments={"coast": "'west|north'"})


@pytest.fixture
def card(tides_home: Path, candidate: Candidate) -> str:
    return model_card(Lake(settings_of(tides_home)), SEGMENTED, candidate)


def test_a_card_says_what_was_learnt_from_and_how_it_was_judged(
    card: str, candidate: Candidate
) -> None:
    assert card.startswith(f"# tides as of {AS_OF}\n\n{PROBLEM.question}")
    titles = [line.removeprefix("## ") for line in card.splitlines() if line.startswith("## ")]
    assert titles == [
        "Data",
        "Protocol",
        "Skill on the held-out days",
        "Skill by coast",
        "Calibration",
        "What it looks at",
        "Known weaknesses",
    ]
    assert f"Trained on {candidate.rows:,} rows" in card
    assert f"Mean absolute error {candidate.metrics['mae']:.3g} where" in card


def test_a_pipe_in_the_name_of_a_segment_ends_no_cell(card: str) -> None:
    (row,) = [line for line in card.splitlines() if line.startswith("| west")]
    assert row.startswith(r"| west\|north | ")
    assert row.replace(r"\|", "").count("|") == 6


def test_what_it_looks_at_is_in_the_order_of_its_gain(card: str, candidate: Candidate) -> None:
    shown = card.partition("| feature | share of gain |\n| --- | ---: |\n")[2].partition("\n\n")[0]
    names = [line.split(" | ")[0].removeprefix("| ") for line in shown.splitlines()]
    assert names == list(candidate.importances)[: len(names)]
    assert names
