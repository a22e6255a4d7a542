"""Whatever happens, each day of an asset is asked for once, and every day that is due is."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

import pytest
from dagster import DagsterEventType, DagsterRun

from ghstars_assets.calendar import DayRange
from ghstars_assets.orchestration import commands_at_work
from ghstars_assets.orchestration.commands_at_work import COMMAND_TAG, tags_of_process
from ghstars_assets_tests.support.automation_daemon import (
    AFTER_THE_OUTCOME,
    BEFORE_THE_OUTCOME,
    FILLED,
    HORIZON,
    NEW,
    OF_A_DAY,
    OF_AN_OUTCOME,
    Daemon,
)

FORECASTS = (*BEFORE_THE_OUTCOME, "labels", "calibration", "predictions")
SCORES_FIRST = (*FORECASTS, "scores", "drift", "health")
SCORES_LAST = (*FORECASTS, "drift", "health", "scores")
LABELLED = DayRange(FILLED.first, FILLED.last - HORIZON)
Asked = Counter[tuple[str, date]]


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that ended is over."""
    monkeypatch.setattr(commands_at_work, "BETWEEN_TWO_RUNS", 0 * HORIZON)


in_any_order = pytest.mark.parametrize("order", [SCORES_FIRST, SCORES_LAST])
"""Runs of days of their own, as scores are, begin when a place is free for them."""


def _until_nothing_is_asked(daemon: Daemon, order: Sequence[str]) -> Asked:
    """Carry out what is asked for, a stage at a time, with a tick after each. Count what was."""
    asked: Asked = Counter()
    begun: list[tuple[str, DagsterRun, list[date]]] = []
    for _ in range(40):
        new = daemon.tick()
        asked.update((stage, day) for stage, days in new.items() for day in days)
        for stage, days in new.items():
            run = daemon.begin_run({stage: sorted(days)})
            begun.append((stage, run, sorted(days)))
        if not begun:
            return asked
        begun.sort(key=lambda one: order.index(one[0]))
        stage, run, days = begun.pop(0)
        daemon.record(run, stage, days)
        daemon.end(run)
    raise AssertionError(f"it never ends: {asked.most_common(5)}")


def _days_of(asked: Asked, stage: str) -> set[date]:
    return {day for of_stage, day in asked if of_stage == stage}


def _command(daemon: Daemon, stage: str) -> DagsterRun:
    days = list(LABELLED if stage in OF_AN_OUTCOME else FILLED)
    tags = {COMMAND_TAG: "backfill", **tags_of_process()}
    return daemon.begin_run({stage: days}, tags)


def _end_command(daemon: Daemon, stage: str, run: DagsterRun) -> None:
    daemon.record(run, stage, list(LABELLED if stage in OF_AN_OUTCOME else FILLED))
    daemon.end(run)


@in_any_order
def test_a_new_day_is_made_once_though_an_outcome_becomes_known_by_it(
    daemon: Daemon, order: Sequence[str]
) -> None:
    daemon.fill("gauges", NEW)
    asked = _until_nothing_is_asked(daemon, order)
    assert set(asked.values()) == {1}
    expected = {(stage, NEW) for stage in OF_A_DAY}
    expected |= {(stage, NEW - HORIZON) for stage in OF_AN_OUTCOME}
    assert set(asked) == expected


@pytest.mark.parametrize("is_seen", [True, False])
@in_any_order
def test_after_a_backfill_at_the_prompt_what_it_left_out_is_made_once(
    daemon: Daemon, order: Sequence[str], *, is_seen: bool
) -> None:
    """Whether it ran through many ticks or between two."""
    first = _command(daemon, "features")
    daemon.record(first, "features", list(FILLED))
    # The command goes on with the next table.
    second = _command(daemon, "labels")
    daemon.end(first)
    assert not is_seen or daemon.tick() == {}
    _end_command(daemon, "labels", second)
    for stage in ("predictions", "scores"):
        run = _command(daemon, stage)
        assert not is_seen or daemon.tick() == {}
        _end_command(daemon, stage, run)
    asked = _until_nothing_is_asked(daemon, order)
    assert set(asked.values()) == {1}, [one for one in asked.items() if one[1] > 1]
    # Calibration looks at labels of three days before and earlier.
    known = {day + HORIZON for day in LABELLED}
    assert _days_of(asked, "calibration") == _days_of(asked, "predictions") == known
    assert _days_of(asked, "scores") == known & set(LABELLED)
    assert _days_of(asked, "drift") == _days_of(asked, "health") == set(FILLED)


@in_any_order
def test_days_whose_snapshots_are_made_anew_are_made_once_more_and_no_more(
    daemon: Daemon, order: Sequence[str]
) -> None:
    daemon.fill("snapshots", *LABELLED)
    asked = _until_nothing_is_asked(daemon, order)
    assert set(asked.values()) == {1}, [one for one in asked.items() if one[1] > 1]
    assert _days_of(asked, "predictions") >= set(LABELLED)
    assert _days_of(asked, "drift") >= set(LABELLED)


def test_a_command_that_was_killed_holds_nothing_up(daemon: Daemon) -> None:
    killed = tags_of_process() | {COMMAND_TAG: "backfill", commands_at_work.PID_TAG: "999999999"}
    daemon.begin_run({"scores": [LABELLED.first]}, killed)
    daemon.fill("gauges", NEW)
    assert daemon.tick()["snapshots"] == {NEW}


def test_a_forecast_waits_for_no_outcome_that_cannot_be_had(daemon: Daemon) -> None:
    daemon.fill("gauges", NEW)
    daemon.tick()
    for stage in BEFORE_THE_OUTCOME:
        daemon.fill(stage, NEW)
    daemon.tick()
    run = daemon.begin_run({"labels": [NEW - HORIZON]})
    assert daemon.tick() == {}
    daemon.end(run, DagsterEventType.RUN_FAILURE)
    assert daemon.tick() == {stage: {NEW} for stage in AFTER_THE_OUTCOME}
