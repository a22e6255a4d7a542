"""Manual decisions: a person promotes a version or rolls back to one, from today on."""

import json
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange, utc_now
from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.promotion import manual_decisions
from ghstars_assets.learning.promotion.decisions import champions_of, decide, model_row
from ghstars_assets.learning.promotion.manual_decisions import (
    ManualDecisionError,
    predecessors_of,
    promote,
    rollback,
)
from ghstars_assets.learning.training.candidates_on_record import obtain_candidate
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_decisions import train
from ghstars_assets_tests.support.tides_fixtures import ListedVersions
from ghstars_assets_tests.support.tides_lake import DAYS, trained_with

MONDAYS = (date(2026, 2, 9), date(2026, 2, 16), date(2026, 2, 23))
NOTHING = pl.lit(None, pl.String)
TODAY = date(2026, 2, 25)
YESTERDAY = TODAY - timedelta(days=1)


@dataclass(frozen=True)
class ServedTides:
    """Version 1 is poor, 2 took its place, and 3 was found to be no better."""

    lake: Lake

    def promote(self, version: int, why: str = "seen by eye") -> None:
        promote(self.lake, PROBLEM, version, why, "user ada", lambda: TODAY)

    def roll_back(self, to: int | None = None, why: str = "it is off") -> None:
        rollback(self.lake, PROBLEM, why, "user ada", to, lambda: TODAY)

    def on(self, day: date) -> int:
        return champions_of(self.lake, PROBLEM, DayRange(day, day))["model_version"].item()

    @property
    def log(self) -> list[tuple[int, str]]:
        log = self.lake.read_log("tides.decisions")
        return [] if log is None else list(log.select("model_version", "decision").iter_rows())


@pytest.fixture
def served(tides: Lake, columns: LearningColumns, versions: ListedVersions) -> ServedTides:
    for monday, rounds in zip(MONDAYS, (1, 15, 14), strict=True):
        train(tides, columns, monday, trained_with(rounds=rounds))
        decide(tides, PROBLEM, columns, monday)
    found = ServedTides(tides)
    assert found.log == [(1, "deploy"), (2, "deploy"), (3, "skip")]
    return found


def test_a_promoted_version_serves_from_today_on_and_not_before(served: ServedTides) -> None:
    served.promote(3)
    assert [served.on(day) for day in (YESTERDAY, TODAY, DAYS.last)] == [2, 3, 3]
    row = champions_of(served.lake, PROBLEM, DayRange(TODAY, TODAY)).row(0, named=True)
    assert (row["decision"], row["reason"]) == ("promote", "seen by eye")
    assert row["effective_from"] == TODAY


def test_a_rollback_goes_to_the_one_that_served_before(served: ServedTides) -> None:
    served.roll_back()
    assert [served.on(day) for day in (YESTERDAY, TODAY)] == [2, 1]
    assert served.log[-1] == (1, "rollback")


def test_going_back_twice_goes_back_two_versions(served: ServedTides) -> None:
    served.promote(3)
    served.roll_back()
    assert served.on(TODAY) == 2
    served.roll_back()
    assert served.on(TODAY) == 1
    with pytest.raises(ManualDecisionError, match=r"^Version 1 of tides is the first that served"):
        served.roll_back()


def test_a_rollback_may_name_any_version_that_served(served: ServedTides) -> None:
    served.promote(3)
    served.roll_back(to=1)
    assert served.on(TODAY) == 1
    served.roll_back(to=3)
    assert served.on(TODAY) == 3


@pytest.mark.parametrize(
    ("log", "predecessors"),
    [
        ([(1, "deploy"), (2, "skip"), (3, "deploy")], [1]),
        ([(1, "deploy"), (2, "deploy"), (1, "promote")], [2]),
        ([(1, "deploy"), (2, "deploy"), (3, "promote"), (2, "rollback")], [1]),
        ([(1, "deploy"), (2, "deploy"), (1, "rollback"), (3, "deploy")], [1]),
        ([(1, "deploy")], []),
    ],
)
def test_who_served_before(log: list[tuple[int, str]], predecessors: list[int]) -> None:
    decisions = pl.DataFrame(log, schema=["model_version", "decision"], orient="row").with_columns(
        effective_from=pl.lit(TODAY)
    )
    assert predecessors_of(decisions, log[-1][0]) == predecessors


def test_what_cannot_be_is_refused_in_a_sentence_and_leaves_no_trace(served: ServedTides) -> None:
    before = served.log
    with pytest.raises(
        ManualDecisionError, match=r"^tides has no version 9; `ghstars models tides`"
    ):
        served.promote(9)
    with pytest.raises(ManualDecisionError, match=r"^tides has no version 9;"):
        served.roll_back(to=9)
    with pytest.raises(
        ManualDecisionError, match=r"^Version 2 of tides serves already, since 2026-02"
    ):
        served.promote(2)
    with pytest.raises(ManualDecisionError, match=r"^Version 3 of tides never served"):
        served.roll_back(to=3)
    with pytest.raises(ManualDecisionError, match=r"^Say why"):
        served.promote(3, why="  ")
    assert served.log == before


def _changed(lake: Lake, version: int, **columns: pl.Expr) -> None:
    day = model_row(lake, PROBLEM, version)["day"]
    (partition,) = lake.partitions("tides.model", DayRange(day, day))
    stored = lake.read("tides.model", day).with_columns(**columns)
    lake.write("tides.model", day, stored, part=partition.part)


def test_a_version_that_cannot_forecast_is_refused(served: ServedTides) -> None:
    _changed(served.lake, 1, booster_mean=NOTHING, sha256=NOTHING)
    with pytest.raises(ManualDecisionError, match=r"^Version 1 of tides was trained by an earlier"):
        served.roll_back()
    without = served.lake.read("tides.features", DAYS.last).drop("week_before_cm")
    served.lake.write("tides.features", DAYS.last, without)
    with pytest.raises(
        ManualDecisionError, match=r"^Version 3 of tides forecasts with week_before_cm"
    ):
        served.promote(3)


def test_nothing_is_promoted_by_hand_while_nobody_serves(tides: Lake, served: ServedTides) -> None:
    for _, key in tides.log_entries("tides.decisions"):
        tides.store.delete(key)
    with pytest.raises(ManualDecisionError, match=r"^No version of tides serves yet"):
        served.promote(3)


def test_who_when_and_why_are_on_record(served: ServedTides) -> None:
    began = utc_now()
    served.promote(3, why="seen  by\neye")
    served.roll_back()
    audit = served.lake.read_log(AUDIT.name)
    assert audit is not None
    last = audit.tail(2).to_dicts()
    assert [(row["event"], row["cause"]) for row in last] == [
        ("promote", "seen by eye"),
        ("rollback", "it is off"),
    ]
    assert [row["subject"] for row in last] == [
        "version 3 from 2026-02-25",
        "version 2 from 2026-02-25",
    ]
    assert {row["actor"] for row in last} == {"user ada"}
    assert all(row["at"] >= began for row in last)
    assert json.loads(last[0]["detail"]) == {"instead_of": 2}


def test_a_decision_in_the_middle_of_it_is_seen(
    served: ServedTides, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_decision, rivals = manual_decisions.log_decision, []

    def log_after_a_rival(*given: object, **named: object) -> bool:
        if not rivals:
            rivals.append("promotes version 3")
            served.promote(3)
        return log_decision(*given, **named)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(manual_decisions, "log_decision", log_after_a_rival)
    # The one before the present is another one by now.
    served.roll_back()
    assert served.log[3:] == [(3, "promote"), (2, "rollback")]


def test_the_next_candidate_is_compared_with_the_one_that_was_rolled_back_to(
    served: ServedTides, columns: LearningColumns
) -> None:
    served.roll_back()
    obtain_candidate(
        served.lake,
        PROBLEM,
        columns,
        PROBLEM.training,
        card=model_card,
        as_of=TODAY,
        dagster_run_id="run",
        progress=lambda _message: None,
    )
    (decision,) = decide(served.lake, PROBLEM, columns, TODAY)
    assert "of version 1" in decision.reason
