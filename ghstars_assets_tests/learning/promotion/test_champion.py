"""The stage `champion`: candidates of the days are decided on, and each day names who serves."""

from datetime import date

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.promotion.champion import decide_on_candidates
from ghstars_assets.learning.promotion.decisions import Decision, log_decision
from ghstars_assets.learning.promotion.manual_decisions import ManualDecisionError, rollback
from ghstars_assets_tests.support.stage_runs import fill_stage
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_decisions import train
from ghstars_assets_tests.support.tides_fixtures import ListedVersions
from ghstars_assets_tests.support.tides_lake import trained_with

MONDAYS = (date(2026, 2, 9), date(2026, 2, 16))
BEFORE, BETWEEN = date(2026, 2, 8), date(2026, 2, 12)


def test_every_candidate_of_the_days_is_decided_on_and_the_alias_follows(
    tides: Lake, columns: LearningColumns, versions: ListedVersions
) -> None:
    for monday, rounds in zip(MONDAYS, (1, 15), strict=True):
        train(tides, columns, monday, trained_with(rounds=rounds))
    first = list(decide_on_candidates(tides, PROBLEM, columns, DayRange(MONDAYS[0], BETWEEN)))
    assert first == ["deploy version 1 from 2026-02-09: the first version there is"]
    assert versions.champion == 1
    (second,) = decide_on_candidates(tides, PROBLEM, columns, DayRange(*MONDAYS))
    assert second.startswith("deploy version 2 from 2026-02-16: on ")
    assert versions.champion == 2
    assert list(decide_on_candidates(tides, PROBLEM, columns, DayRange(*MONDAYS))) == []


@pytest.fixture
def decided(lake: Lake) -> Lake:
    """Version 1 was deployed with nothing to compare, and 2 a week later with figures."""
    for after, (monday, figures) in enumerate(zip(MONDAYS, ({}, {"current": 1}), strict=True)):
        decision = Decision(after + 1, "deploy", monday, f"reason {after + 1}", figures)
        assert log_decision(lake, PROBLEM, decision, after)
    return lake


def test_each_day_names_the_version_that_serves_on_it(
    decided: Lake, columns: LearningColumns
) -> None:
    days = (BEFORE, MONDAYS[0], BETWEEN, MONDAYS[1])
    outcomes = list(fill_stage(decided, PROBLEM, columns, "champion", days))
    served = decided.scan("tides.champion").select("day", "model_version", "decision").collect()
    assert served.rows() == [
        (MONDAYS[0], 1, "deploy"),
        (BETWEEN, 1, "carry"),
        (MONDAYS[1], 2, "deploy"),
    ]
    assert [outcome.rows for outcome in outcomes] == [0, 1, 1, 1]
    facts = [outcome.facts for outcome in outcomes]
    assert facts[0] == {}
    assert facts[1] == {"model_version": 1, "decision": "deploy", "reason": "reason 1"}
    assert facts[3] == {
        "model_version": 2,
        "decision": "deploy",
        "reason": "reason 2",
        "figures": {"current": 1},
    }


def test_nobody_goes_back_on_a_day_before_the_first_version(decided: Lake) -> None:
    with pytest.raises(ManualDecisionError, match=r"^No version of tides serves yet"):
        rollback(decided, PROBLEM, "it is off", "user ada", today=lambda: BEFORE)
    log = decided.read_log("tides.decisions")
    assert isinstance(log, pl.DataFrame)
    assert log.height == len(MONDAYS)
