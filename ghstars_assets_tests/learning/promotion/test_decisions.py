"""Decisions: which version serves, on which day, and what happens when two decide at once."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.gates import Threshold
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.promotion import decisions
from ghstars_assets.learning.promotion.decisions import Decision, champions_of, decide, model_row
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_decisions import (
    BAD,
    GOOD,
    MONDAYS,
    REFERENCE,
    WITH_REFERENCE,
    champion_by_day,
    decide_by_hand,
    decide_on,
    decided_again,
    decision_log,
    figures_of,
    train,
)
from ghstars_assets_tests.support.tides_fixtures import ListedVersions
from ghstars_assets_tests.support.tides_lake import DAYS, LABELLED, rewrite, trained_with


@pytest.fixture(autouse=True)
def _no_tracking_server(versions: ListedVersions) -> None:
    """Versions are numbered from 1 in the order of training."""


def test_the_first_version_serves_from_its_day_on(tides: Lake, columns: LearningColumns) -> None:
    train(tides, columns, MONDAYS[0])
    decision = decide_on(tides, columns, MONDAYS[0])
    assert (decision.decision, decision.effective_from) == ("deploy", MONDAYS[0])
    assert champion_by_day(tides) == dict.fromkeys(DayRange(MONDAYS[0], DAYS.last), 1)


def test_nobody_decides_twice_on_a_version(tides: Lake, columns: LearningColumns) -> None:
    train(tides, columns, MONDAYS[0])
    decide_on(tides, columns, MONDAYS[0])
    assert decide(tides, PROBLEM, columns, MONDAYS[0]) == []
    assert decide(tides, PROBLEM, columns, MONDAYS[1]) == []
    assert decision_log(tides) == [(1, "deploy")]


def test_a_better_version_takes_over_and_a_worse_one_is_rejected(
    tides: Lake, columns: LearningColumns
) -> None:
    for monday, training in zip(MONDAYS, (BAD, GOOD, BAD), strict=True):
        train(tides, columns, monday, training)
    better = [decide_on(tides, columns, monday) for monday in MONDAYS]
    assert [decision.decision for decision in better] == ["deploy", "deploy", "reject"]
    gain, loss = (figures_of(decision, "current") for decision in better[1:])
    assert gain["high"] < 0
    assert loss["difference"] > 0.05
    assert loss["low"] > 0
    assert "2026-02-12 to 2026-02-19" in better[2].reason
    assert "of version 2" in better[2].reason
    assert champion_by_day(tides)[MONDAYS[2]] == 2


def test_a_version_of_which_nothing_is_clear_is_skipped(
    tides: Lake, columns: LearningColumns
) -> None:
    for monday in MONDAYS[:2]:
        train(tides, columns, monday)
    decide_on(tides, columns, MONDAYS[0])
    decision = decide_on(tides, columns, MONDAYS[1])
    assert decision.decision == "skip"
    assert "no clear gain; version 1 goes on" in decision.reason
    assert champion_by_day(tides)[MONDAYS[1]] == 1


def test_no_worse_is_what_the_gates_say(tides: Lake, columns: LearningColumns) -> None:
    train(tides, columns, MONDAYS[0])
    decide_on(tides, columns, MONDAYS[0])
    train(tides, columns, MONDAYS[1], BAD)
    anything = replace(PROBLEM.gates, no_worse_than=Threshold(100, "anything goes"))
    lenient = replace(PROBLEM, gates=anything)
    assert decide_on(tides, columns, MONDAYS[1], lenient).decision == "skip"


def test_a_champion_that_has_served_long_makes_way_to_one_that_is_no_worse(
    tides: Lake, columns: LearningColumns
) -> None:
    gates = replace(PROBLEM.gates, oldest_champion_days=Threshold(14, "two weeks are long"))
    problem = replace(PROBLEM, gates=gates)
    for monday in MONDAYS:
        train(tides, columns, monday)
    taken = [decide_on(tides, columns, monday, problem) for monday in MONDAYS]
    assert [decision.decision for decision in taken] == ["deploy", "skip", "deploy"]
    assert "version 1 has served for 14 days" in taken[2].reason


def test_what_is_lost_on_the_reference_window_no_gain_outweighs(
    tides: Lake, columns: LearningColumns
) -> None:
    train(tides, columns, MONDAYS[0], problem=WITH_REFERENCE)
    decide_on(tides, columns, MONDAYS[0], WITH_REFERENCE)
    # The world turns upside down, and the next version knows no other.
    since = DayRange(date(2026, 1, 29), LABELLED.last)
    rewrite(tides, "labels", since, level_in_3d_cm=1000 - pl.col("level_in_3d_cm"))
    train(tides, columns, MONDAYS[2], trained_with(window_days=25), WITH_REFERENCE)
    assert f"comparisons with other versions: {REFERENCE}." in model_row(tides, PROBLEM, 1)["card"]
    decision = decide_on(tides, columns, MONDAYS[2], WITH_REFERENCE)
    assert figures_of(decision, "current")["high"] < -0.1
    assert figures_of(decision, "reference")["low"] > 0.1
    assert decision.decision == "reject"
    assert f"on the reference window, {REFERENCE}" in decision.reason
    without = decided_again(tides, columns, PROBLEM)
    assert without.decision == "deploy"


def test_a_version_that_may_have_learnt_from_the_reference_window_is_not_judged_on_it(
    tides: Lake, columns: LearningColumns
) -> None:
    train(tides, columns, MONDAYS[0])
    decide_on(tides, columns, MONDAYS[0], WITH_REFERENCE)
    train(tides, columns, MONDAYS[1], BAD, WITH_REFERENCE)
    decision = decide_on(tides, columns, MONDAYS[1], WITH_REFERENCE)
    assert decision.decision == "reject"
    assert "reference" not in decision.figures
    assert f"version 1 may have learnt from {REFERENCE}" in decision.reason


def test_every_day_says_what_was_decided_on_it(tides: Lake, columns: LearningColumns) -> None:
    train(tides, columns, MONDAYS[0])
    decide_on(tides, columns, MONDAYS[0])
    train(tides, columns, MONDAYS[1], BAD)
    decide_on(tides, columns, MONDAYS[1])
    rows = champions_of(tides, PROBLEM, DayRange(MONDAYS[0], MONDAYS[1] + timedelta(days=1)))
    by_day = rows["decision"].to_list()
    assert by_day == ["deploy", *["carry"] * 6, "reject", "carry"]
    assert set(rows["model_version"]) == {1}
    assert set(rows["effective_from"]) == {MONDAYS[0]}


def test_a_day_has_the_champion_it_had_then_whatever_was_decided_since(
    tides: Lake, columns: LearningColumns
) -> None:
    for monday, training in zip(MONDAYS[:2], (BAD, GOOD), strict=True):
        train(tides, columns, monday, training)
        decide_on(tides, columns, monday)
    serving = champion_by_day(tides)
    assert serving[MONDAYS[1] - timedelta(days=1)] == 1
    assert serving[MONDAYS[1]] == 2
    assert min(serving) == MONDAYS[0]


def test_an_older_period_filled_later_does_not_unseat_what_came_after(
    tides: Lake, columns: LearningColumns
) -> None:
    for monday, training in ((MONDAYS[2], GOOD), (MONDAYS[0], BAD), (MONDAYS[1], GOOD)):
        train(tides, columns, monday, training)
        decide_on(tides, columns, monday)
    assert decision_log(tides) == [(1, "deploy"), (2, "deploy"), (3, "deploy")]
    serving = champion_by_day(tides)
    assert [serving[monday] for monday in MONDAYS] == [2, 3, 1]
    assert serving[DAYS.last] == 1


def test_a_rollback_puts_an_older_version_back_from_its_day_on(
    tides: Lake, columns: LearningColumns
) -> None:
    for monday, training in zip(MONDAYS[:2], (BAD, GOOD), strict=True):
        train(tides, columns, monday, training)
        decide_on(tides, columns, monday)
    back = date(2026, 2, 20)
    decide_by_hand(tides, 1, back)
    serving = champion_by_day(tides)
    assert serving[back - timedelta(days=1)] == 2
    assert serving[back] == serving[DAYS.last] == 1
    # The next candidate is compared with the version that serves, not with the last deployed.
    train(tides, columns, MONDAYS[2])
    assert "version 1" in decide_on(tides, columns, MONDAYS[2]).reason


def test_of_two_that_decide_at_once_one_wins_and_the_other_sees_it(
    tides: Lake, columns: LearningColumns, monkeypatch: pytest.MonkeyPatch
) -> None:
    for monday, training in zip(MONDAYS[:2], (BAD, GOOD), strict=True):
        train(tides, columns, monday, training)
    decide_on(tides, columns, MONDAYS[0])
    judge = decisions._judge
    rivals: list[list[Decision]] = []

    def judge_while_a_rival_decides(*given: object) -> Decision:
        verdict = judge(*given)  # pyright: ignore[reportArgumentType]
        if not rivals:
            rivals.append([])
            rivals[0] = decide(tides, PROBLEM, columns, MONDAYS[1])
        return verdict

    monkeypatch.setattr(decisions, "_judge", judge_while_a_rival_decides)
    assert decide(tides, PROBLEM, columns, MONDAYS[1]) == []
    assert [decision.model_version for decision in rivals[0]] == [2]
    assert [version for version, _ in decision_log(tides)] == [1, 2]
    assert champion_by_day(tides)[MONDAYS[1]] == 2


def test_a_rollback_in_the_middle_of_a_decision_is_decided_upon_anew(
    tides: Lake, columns: LearningColumns, monkeypatch: pytest.MonkeyPatch
) -> None:
    for monday, training in zip(MONDAYS, (BAD, GOOD, GOOD), strict=True):
        train(tides, columns, monday, training)
    for monday in MONDAYS[:2]:
        decide_on(tides, columns, monday)
    judge = decisions._judge
    champions: list[int] = []

    def judge_while_somebody_rolls_back(*given: object) -> Decision:
        champion = given[-1]
        assert isinstance(champion, dict)
        champions.append(champion["model_version"])
        if len(champions) == 1:
            decide_by_hand(tides, 1, date(2026, 2, 20))
        return judge(*given)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(decisions, "_judge", judge_while_somebody_rolls_back)
    assert "version 1" in decide_on(tides, columns, MONDAYS[2]).reason
    assert champions == [2, 1]


def test_decisions_can_be_asked_about_later(tides: Lake, columns: LearningColumns) -> None:
    train(tides, columns, MONDAYS[0])
    decide_on(tides, columns, MONDAYS[0])
    audit = tides.read_log(AUDIT.name)
    assert audit is not None
    assert audit["event"].to_list() == ["train", "deploy"]
    assert audit["subject"].to_list() == ["version 1", f"version 1 from {MONDAYS[0]}"]


def test_asking_for_the_same_candidate_again_trains_nothing(
    tides: Lake, columns: LearningColumns, versions: ListedVersions
) -> None:
    assert train(tides, columns, MONDAYS[0]) == train(tides, columns, MONDAYS[0]) == 1
    assert train(tides, columns, MONDAYS[0], BAD) == 2
    assert len(versions.fingerprints) == 2
    assert tides.read("tides.model", MONDAYS[0])["model_version"].sort().to_list() == [1, 2]
