"""Overruling: a person puts a version in office or goes back to one, from today on."""

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
    OverrulingError,
    predecessors_of,
    promote,
    rollback,
)
from ghstars_assets.learning.training.candidates_on_record import obtain_candidate
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_fixtures import ListedVersions
from ghstars_assets_tests.support.tides_lake import DAYS, trained_with

MONDAYS = (date(2026, 2, 9), date(2026, 2, 16), date(2026, 2, 23))
TODAY = date(2026, 2, 25)
YESTERDAY = TODAY - timedelta(days=1)


@dataclass(frozen=True)
class Office:
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
def office(tides: Lake, columns: LearningColumns, versions: ListedVersions) -> Office:
    for monday, rounds in zip(MONDAYS, (1, 15, 14), strict=True):
        obtain_candidate(
            tides,
            PROBLEM,
            columns,
            trained_with(rounds=rounds),
            card=model_card,
            as_of=monday,
            dagster_run_id="run",
            progress=lambda _told: None,
        )
        decide(tides, PROBLEM, columns, monday)
    found = Office(tides)
    assert found.log == [(1, "deploy"), (2, "deploy"), (3, "skip")]
    return found


def test_a_promoted_version_serves_from_today_on_and_not_before(office: Office) -> None:
    office.promote(3)
    assert [office.on(day) for day in (YESTERDAY, TODAY, DAYS.last)] == [2, 3, 3]
    said = champions_of(office.lake, PROBLEM, DayRange(TODAY, TODAY)).row(0, named=True)
    assert (said["decision"], said["reason"]) == ("promote", "seen by eye")
    assert said["effective_from"] == TODAY


def test_a_rollback_goes_to_the_one_that_served_before(office: Office) -> None:
    office.roll_back()
    assert [office.on(day) for day in (YESTERDAY, TODAY)] == [2, 1]
    assert office.log[-1] == (1, "rollback")


def test_going_back_twice_goes_back_two_versions(office: Office) -> None:
    office.promote(3)
    office.roll_back()
    assert office.on(TODAY) == 2
    office.roll_back()
    assert office.on(TODAY) == 1
    with pytest.raises(OverrulingError, match=r"^Version 1 of tides is the first that served"):
        office.roll_back()


def test_a_rollback_may_name_any_version_that_served(office: Office) -> None:
    office.promote(3)
    office.roll_back(to=1)
    assert office.on(TODAY) == 1
    office.roll_back(to=3)
    assert office.on(TODAY) == 3


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
    told = pl.DataFrame(log, schema=["model_version", "decision"], orient="row").with_columns(
        effective_from=pl.lit(TODAY)
    )
    assert predecessors_of(told, log[-1][0]) == predecessors


def test_what_cannot_be_is_refused_in_a_sentence_and_leaves_no_trace(office: Office) -> None:
    before = office.log
    with pytest.raises(OverrulingError, match=r"^tides has no version 9; `ghstars models tides`"):
        office.promote(9)
    with pytest.raises(OverrulingError, match=r"^tides has no version 9;"):
        office.roll_back(to=9)
    with pytest.raises(OverrulingError, match=r"^Version 2 of tides serves already, since 2026-02"):
        office.promote(2)
    with pytest.raises(OverrulingError, match=r"^Version 3 of tides never served"):
        office.roll_back(to=3)
    with pytest.raises(OverrulingError, match=r"^Say why"):
        office.promote(3, why="  ")
    assert office.log == before


def _changed(lake: Lake, version: int, **columns: pl.Expr) -> None:
    day = model_row(lake, PROBLEM, version)["day"]
    (partition,) = lake.partitions("tides.model", DayRange(day, day))
    stored = lake.read("tides.model", day).with_columns(**columns)
    lake.write("tides.model", day, stored, part=partition.part)


def test_a_version_that_cannot_forecast_is_refused(office: Office) -> None:
    _changed(office.lake, 1, booster_mean=pl.lit(None, pl.String))
    with pytest.raises(OverrulingError, match=r"^Version 1 of tides was trained by an earlier"):
        office.roll_back()
    without = office.lake.read("tides.features", DAYS.last).drop("week_before_cm")
    office.lake.write("tides.features", DAYS.last, without)
    with pytest.raises(OverrulingError, match=r"^Version 3 of tides forecasts with week_before_cm"):
        office.promote(3)


def test_nobody_is_overruled_while_nobody_serves(tides: Lake, office: Office) -> None:
    for _, key in tides.log_entries("tides.decisions"):
        tides.store.delete(key)
    with pytest.raises(OverrulingError, match=r"^No version of tides serves yet"):
        office.promote(3)


def test_who_when_and_why_are_on_record(office: Office) -> None:
    began = utc_now()
    office.promote(3, why="seen  by\neye")
    office.roll_back()
    audit = office.lake.read_log(AUDIT.name)
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
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_decision, rivals = manual_decisions.log_decision, []

    def log_after_a_rival(*given: object, **named: object) -> bool:
        if not rivals:
            rivals.append("promotes version 3")
            office.promote(3)
        return log_decision(*given, **named)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(manual_decisions, "log_decision", log_after_a_rival)
    # The one before the present is another one by now.
    office.roll_back()
    assert office.log[3:] == [(3, "promote"), (2, "rollback")]


def test_the_next_candidate_is_held_against_the_one_that_was_put_in_office(
    office: Office, columns: LearningColumns
) -> None:
    office.roll_back()
    obtain_candidate(
        office.lake,
        PROBLEM,
        columns,
        PROBLEM.training,
        card=model_card,
        as_of=TODAY,
        dagster_run_id="run",
        progress=lambda _told: None,
    )
    (decision,) = decide(office.lake, PROBLEM, columns, TODAY)
    assert "of version 1" in decision.reason
