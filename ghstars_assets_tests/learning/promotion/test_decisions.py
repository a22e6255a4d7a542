"""Decisions: which version serves, on which day, and what happens when two decide at once."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange, utc_now
from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.gates import Threshold
from ghstars_assets.learning.problem import LearningColumns, Problem, Training
from ghstars_assets.learning.promotion import decisions
from ghstars_assets.learning.promotion.decisions import Decision, champions_of, decide, model_row
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.learning.training.candidates_on_record import obtain_candidate
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_fixtures import ListedVersions
from ghstars_assets_tests.support.tides_lake import DAYS, LABELLED, rewrite, trained_with

MONDAYS = (date(2026, 2, 9), date(2026, 2, 16), date(2026, 2, 23))
GOOD = PROBLEM.training
BAD = trained_with(rounds=1)
"""One small tree hardly leaves the median."""
REFERENCE = DayRange(date(2026, 1, 8), date(2026, 1, 14))
WITH_REFERENCE = replace(PROBLEM, gates=replace(PROBLEM.gates, reference=REFERENCE))


@pytest.fixture(autouse=True)
def _no_tracking_server(versions: ListedVersions) -> None:
    """Versions are numbered from 1 in the order of training."""


def _train(
    lake: Lake,
    columns: LearningColumns,
    as_of: date,
    training: Training = GOOD,
    problem: Problem = PROBLEM,
) -> int:
    obtained = obtain_candidate(
        lake,
        problem,
        columns,
        training,
        card=model_card,
        as_of=as_of,
        dagster_run_id="run",
        progress=lambda _message: None,
    )
    return int(obtained.row["model_version"])


def _decide(
    lake: Lake, columns: LearningColumns, day: date, problem: Problem = PROBLEM
) -> Decision:
    (decision,) = decide(lake, problem, columns, day)
    return decision


def _figures(decision: Decision, window: str) -> dict[str, float]:
    found = decision.figures[window]
    assert isinstance(found, dict)
    return found


def _decided_again(lake: Lake, columns: LearningColumns, problem: Problem) -> Decision:
    """The last decision, had it been taken by other gates."""
    (*_, (_, last)) = lake.log_entries("tides.decisions")
    day = pl.read_parquet(lake.store.url(last))["effective_from"][0]
    lake.store.delete(last)
    return _decide(lake, columns, day, problem)


def _serving(lake: Lake, days: DayRange = DAYS) -> dict[date, int]:
    return dict(champions_of(lake, PROBLEM, days).select("day", "model_version").iter_rows())


def _log(lake: Lake) -> list[tuple[int, str]]:
    log = lake.read_log("tides.decisions")
    return [] if log is None else list(log.select("model_version", "decision").iter_rows())


def _decide_by_hand(lake: Lake, version: int, from_day: date, decision: str = "rollback") -> None:
    row = {
        "model_version": version,
        "decision": decision,
        "decided_at": utc_now(),
        "effective_from": from_day,
        "reason": "a person decided so",
        "figures": "{}",
        "actor": "somebody",
    }
    lake.append("tides.decisions", loop_tables(PROBLEM)["decisions"].conform(pl.DataFrame([row])))


def test_the_first_version_serves_from_its_day_on(tides: Lake, columns: LearningColumns) -> None:
    _train(tides, columns, MONDAYS[0])
    decision = _decide(tides, columns, MONDAYS[0])
    assert (decision.decision, decision.effective_from) == ("deploy", MONDAYS[0])
    assert _serving(tides) == dict.fromkeys(DayRange(MONDAYS[0], DAYS.last), 1)


def test_nobody_decides_twice_on_a_version(tides: Lake, columns: LearningColumns) -> None:
    _train(tides, columns, MONDAYS[0])
    _decide(tides, columns, MONDAYS[0])
    assert decide(tides, PROBLEM, columns, MONDAYS[0]) == []
    assert decide(tides, PROBLEM, columns, MONDAYS[1]) == []
    assert _log(tides) == [(1, "deploy")]


def test_a_better_version_takes_over_and_a_worse_one_is_rejected(
    tides: Lake, columns: LearningColumns
) -> None:
    for monday, training in zip(MONDAYS, (BAD, GOOD, BAD), strict=True):
        _train(tides, columns, monday, training)
    better = [_decide(tides, columns, monday) for monday in MONDAYS]
    assert [decision.decision for decision in better] == ["deploy", "deploy", "reject"]
    gain, loss = (_figures(decision, "current") for decision in better[1:])
    assert gain["high"] < 0
    assert loss["difference"] > 0.05
    assert loss["low"] > 0
    assert "2026-02-12 to 2026-02-19" in better[2].reason
    assert "of version 2" in better[2].reason
    assert _serving(tides)[MONDAYS[2]] == 2


def test_a_version_of_which_nothing_is_clear_is_skipped(
    tides: Lake, columns: LearningColumns
) -> None:
    for monday in MONDAYS[:2]:
        _train(tides, columns, monday)
    _decide(tides, columns, MONDAYS[0])
    decision = _decide(tides, columns, MONDAYS[1])
    assert decision.decision == "skip"
    assert "no clear gain; version 1 goes on" in decision.reason
    assert _serving(tides)[MONDAYS[1]] == 1


def test_no_worse_is_what_the_gates_say(tides: Lake, columns: LearningColumns) -> None:
    _train(tides, columns, MONDAYS[0])
    _decide(tides, columns, MONDAYS[0])
    _train(tides, columns, MONDAYS[1], BAD)
    anything = replace(PROBLEM.gates, no_worse_than=Threshold(100, "anything goes"))
    lenient = replace(PROBLEM, gates=anything)
    assert _decide(tides, columns, MONDAYS[1], lenient).decision == "skip"


def test_a_champion_that_has_served_long_makes_way_to_one_that_is_no_worse(
    tides: Lake, columns: LearningColumns
) -> None:
    gates = replace(PROBLEM.gates, oldest_champion_days=Threshold(14, "two weeks are long"))
    problem = replace(PROBLEM, gates=gates)
    for monday in MONDAYS:
        _train(tides, columns, monday)
    taken = [_decide(tides, columns, monday, problem) for monday in MONDAYS]
    assert [decision.decision for decision in taken] == ["deploy", "skip", "deploy"]
    assert "version 1 has served for 14 days" in taken[2].reason


def test_what_is_lost_on_the_reference_window_no_gain_outweighs(
    tides: Lake, columns: LearningColumns
) -> None:
    _train(tides, columns, MONDAYS[0], problem=WITH_REFERENCE)
    _decide(tides, columns, MONDAYS[0], WITH_REFERENCE)
    # The world turns upside down, and the next version knows no other.
    since = DayRange(date(2026, 1, 29), LABELLED.last)
    rewrite(tides, "labels", since, level_in_3d_cm=1000 - pl.col("level_in_3d_cm"))
    _train(tides, columns, MONDAYS[2], trained_with(window_days=25), WITH_REFERENCE)
    assert f"comparisons with other versions: {REFERENCE}." in model_row(tides, PROBLEM, 1)["card"]
    decision = _decide(tides, columns, MONDAYS[2], WITH_REFERENCE)
    assert _figures(decision, "current")["high"] < -0.1
    assert _figures(decision, "reference")["low"] > 0.1
    assert decision.decision == "reject"
    assert f"on the reference window, {REFERENCE}" in decision.reason
    without = _decided_again(tides, columns, PROBLEM)
    assert without.decision == "deploy"


def test_a_version_that_may_have_learnt_from_the_reference_window_is_not_judged_on_it(
    tides: Lake, columns: LearningColumns
) -> None:
    _train(tides, columns, MONDAYS[0])
    _decide(tides, columns, MONDAYS[0], WITH_REFERENCE)
    _train(tides, columns, MONDAYS[1], BAD, WITH_REFERENCE)
    decision = _decide(tides, columns, MONDAYS[1], WITH_REFERENCE)
    assert decision.decision == "reject"
    assert "reference" not in decision.figures
    assert f"version 1 may have learnt from {REFERENCE}" in decision.reason


def test_every_day_says_what_was_decided_on_it(tides: Lake, columns: LearningColumns) -> None:
    _train(tides, columns, MONDAYS[0])
    _decide(tides, columns, MONDAYS[0])
    _train(tides, columns, MONDAYS[1], BAD)
    _decide(tides, columns, MONDAYS[1])
    rows = champions_of(tides, PROBLEM, DayRange(MONDAYS[0], MONDAYS[1] + timedelta(days=1)))
    by_day = rows["decision"].to_list()
    assert by_day == ["deploy", *["carry"] * 6, "reject", "carry"]
    assert set(rows["model_version"]) == {1}
    assert set(rows["effective_from"]) == {MONDAYS[0]}


def test_a_day_has_the_champion_it_had_then_whatever_was_decided_since(
    tides: Lake, columns: LearningColumns
) -> None:
    for monday, training in zip(MONDAYS[:2], (BAD, GOOD), strict=True):
        _train(tides, columns, monday, training)
        _decide(tides, columns, monday)
    serving = _serving(tides)
    assert serving[MONDAYS[1] - timedelta(days=1)] == 1
    assert serving[MONDAYS[1]] == 2
    assert min(serving) == MONDAYS[0]


def test_an_older_period_filled_later_does_not_unseat_what_came_after(
    tides: Lake, columns: LearningColumns
) -> None:
    for monday, training in ((MONDAYS[2], GOOD), (MONDAYS[0], BAD), (MONDAYS[1], GOOD)):
        _train(tides, columns, monday, training)
        _decide(tides, columns, monday)
    assert _log(tides) == [(1, "deploy"), (2, "deploy"), (3, "deploy")]
    serving = _serving(tides)
    assert [serving[monday] for monday in MONDAYS] == [2, 3, 1]
    assert serving[DAYS.last] == 1


def test_a_rollback_puts_an_older_version_back_from_its_day_on(
    tides: Lake, columns: LearningColumns
) -> None:
    for monday, training in zip(MONDAYS[:2], (BAD, GOOD), strict=True):
        _train(tides, columns, monday, training)
        _decide(tides, columns, monday)
    back = date(2026, 2, 20)
    _decide_by_hand(tides, 1, back)
    serving = _serving(tides)
    assert serving[back - timedelta(days=1)] == 2
    assert serving[back] == serving[DAYS.last] == 1
    # The next candidate is compared with the version that serves, not with the last deployed.
    _train(tides, columns, MONDAYS[2])
    assert "version 1" in _decide(tides, columns, MONDAYS[2]).reason


def test_of_two_that_decide_at_once_one_wins_and_the_other_sees_it(
    tides: Lake, columns: LearningColumns, monkeypatch: pytest.MonkeyPatch
) -> None:
    for monday, training in zip(MONDAYS[:2], (BAD, GOOD), strict=True):
        _train(tides, columns, monday, training)
    _decide(tides, columns, MONDAYS[0])
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
    assert [version for version, _ in _log(tides)] == [1, 2]
    assert _serving(tides)[MONDAYS[1]] == 2


def test_a_rollback_in_the_middle_of_a_decision_is_decided_upon_anew(
    tides: Lake, columns: LearningColumns, monkeypatch: pytest.MonkeyPatch
) -> None:
    for monday, training in zip(MONDAYS, (BAD, GOOD, GOOD), strict=True):
        _train(tides, columns, monday, training)
    for monday in MONDAYS[:2]:
        _decide(tides, columns, monday)
    judge = decisions._judge
    champions: list[int] = []

    def judge_while_somebody_rolls_back(*given: object) -> Decision:
        champion = given[-1]
        assert isinstance(champion, dict)
        champions.append(champion["model_version"])
        if len(champions) == 1:
            _decide_by_hand(tides, 1, date(2026, 2, 20))
        return judge(*given)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(decisions, "_judge", judge_while_somebody_rolls_back)
    assert "version 1" in _decide(tides, columns, MONDAYS[2]).reason
    assert champions == [2, 1]


def _changed(lake: Lake, version: int, **columns: pl.Expr) -> None:
    row = model_row(lake, PROBLEM, version)
    (partition,) = lake.partitions("tides.model", DayRange(row["day"], row["day"]))
    changed = lake.read("tides.model", row["day"]).with_columns(**columns)
    lake.write("tides.model", row["day"], changed, part=partition.part)


def _champion_learnt_through(lake: Lake, version: int, last: date) -> None:
    """As if the champion had been trained with a shorter holdout."""
    _changed(lake, version, trained_through=pl.lit(last))


def test_versions_are_compared_on_days_that_neither_learnt_from(
    tides: Lake, columns: LearningColumns
) -> None:
    _train(tides, columns, MONDAYS[0])
    _decide(tides, columns, MONDAYS[0])
    _champion_learnt_through(tides, 1, date(2026, 2, 5))
    _train(tides, columns, MONDAYS[1])
    decision = _decide(tides, columns, MONDAYS[1])
    # The candidate was judged from the 5th on; outcomes until the 8th were in the training rows.
    assert "on 2026-02-09 to 2026-02-12" in decision.reason
    assert _figures(decision, "current")["rows"] == 4 * 6


def test_without_a_day_to_compare_on_the_champion_stays(
    tides: Lake, columns: LearningColumns
) -> None:
    _train(tides, columns, MONDAYS[0])
    _decide(tides, columns, MONDAYS[0])
    _champion_learnt_through(tides, 1, date(2026, 2, 20))
    _train(tides, columns, MONDAYS[1])
    assert _decide(tides, columns, MONDAYS[1]).decision == "skip"
    assert _serving(tides)[MONDAYS[1]] == 1


def test_a_champion_that_can_no_longer_forecast_makes_way(
    tides: Lake, columns: LearningColumns
) -> None:
    _train(tides, columns, MONDAYS[0])
    _decide(tides, columns, MONDAYS[0])
    for day in DAYS:
        without = tides.read("tides.features", day).drop("week_before_cm")
        tides.write("tides.features", day, without)
    fewer = replace(columns, features=("day_before_cm", "rise_cm"))
    _train(tides, fewer, MONDAYS[1], BAD)
    decision = _decide(tides, fewer, MONDAYS[1])
    assert decision.decision == "deploy"
    assert "version 1 needs week_before_cm" in decision.reason


def test_a_champion_without_all_heads_makes_way(tides: Lake, columns: LearningColumns) -> None:
    _train(tides, columns, MONDAYS[0])
    _decide(tides, columns, MONDAYS[0])
    _changed(tides, 1, booster_mean=pl.lit(None, pl.String))
    _train(tides, columns, MONDAYS[1], BAD)
    decision = _decide(tides, columns, MONDAYS[1])
    assert (decision.decision, decision.reason) == (
        "deploy",
        "version 1 was trained without mean",
    )


def test_a_champion_whose_drift_cannot_be_measured_makes_way(
    tides: Lake, columns: LearningColumns
) -> None:
    _train(tides, columns, MONDAYS[0])
    _decide(tides, columns, MONDAYS[0])
    _changed(tides, 1, reference=pl.lit(None, pl.String))
    _train(tides, columns, MONDAYS[1], BAD)
    decision = _decide(tides, columns, MONDAYS[1])
    assert decision.decision == "deploy"
    assert "version 1 is of an earlier release" in decision.reason


def test_a_reference_window_whose_features_are_of_another_release_has_no_say(
    tides: Lake, columns: LearningColumns
) -> None:
    _train(tides, columns, MONDAYS[0], problem=WITH_REFERENCE)
    _decide(tides, columns, MONDAYS[0], WITH_REFERENCE)
    for day in REFERENCE:
        tides.write("tides.features", day, tides.read("tides.features", day).drop("rise_cm"))
    _train(tides, columns, MONDAYS[1], problem=WITH_REFERENCE)
    decision = _decide(tides, columns, MONDAYS[1], WITH_REFERENCE)
    assert "lack columns that one of the two needs; fill them again" in decision.reason
    assert list(decision.figures) == ["current", "no_worse_than", "served_days"]


def test_a_champion_with_a_feature_of_its_own_is_compared_fairly(
    tides: Lake, columns: LearningColumns
) -> None:
    _train(tides, columns, MONDAYS[0])
    _decide(tides, columns, MONDAYS[0])
    fewer = replace(columns, features=("day_before_cm",))
    _train(tides, fewer, MONDAYS[1], BAD)
    assert _decide(tides, fewer, MONDAYS[1]).decision == "reject"


def test_decisions_can_be_asked_about_later(tides: Lake, columns: LearningColumns) -> None:
    _train(tides, columns, MONDAYS[0])
    _decide(tides, columns, MONDAYS[0])
    audit = tides.read_log(AUDIT.name)
    assert audit is not None
    assert audit["event"].to_list() == ["train", "deploy"]
    assert audit["subject"].to_list() == ["version 1", f"version 1 from {MONDAYS[0]}"]


def test_asking_for_the_same_candidate_again_trains_nothing(
    tides: Lake, columns: LearningColumns, versions: ListedVersions
) -> None:
    assert _train(tides, columns, MONDAYS[0]) == _train(tides, columns, MONDAYS[0]) == 1
    assert _train(tides, columns, MONDAYS[0], BAD) == 2
    assert len(versions.fingerprints) == 2
    assert tides.read("tides.model", MONDAYS[0])["model_version"].sort().to_list() == [1, 2]
