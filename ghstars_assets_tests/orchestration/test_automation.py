"""Automation: what is asked for when a day arrives, arrives late or fails, and by the clock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from dagster import (
    AssetMaterialization,
    AutomationConditionSensorDefinition,
    DagsterInstance,
    Definitions,
    RunRequest,
    ScheduleDefinition,
    build_schedule_context,
    build_sensor_context,
    evaluate_automation_conditions,
    validate_run_config,
)
from dagster._core.definitions.asset_daemon_cursor import AssetDaemonCursor

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.orchestration.partitions import asset_key
from ghstars_assets.orchestration.triggers.schedules import LOOKS_BACK_DAYS
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.dagster_runs import process_with_home
from ghstars_assets_tests.support.tides.gauges import GAUGES
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import DAYS, SQL

HORIZON = timedelta(days=PROBLEM.horizon_days)
ONE_DAY = timedelta(days=1)
FILLED = DayRange(DAYS.first, date(2026, 1, 12))
"""Every stage holds these days when the story begins, in the morning of the day after."""
NEW = FILLED.last + ONE_DAY
MORNING = datetime(2026, 1, 14, 6, tzinfo=UTC)
NOTHING_SAID = {
    "model_version": 1, "reason": "the first", "figures": "{}", "actor": "champion",
}  # fmt: skip
OF_A_DAY = (
    "snapshots", "features", "champion", "calibration", "predictions", "drift", "health",
)  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with process_with_home(tmp_path / "home") as found:
        mark_lake(Lake(found), Marker("sandbox", DAYS.first))
        yield found


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as opened:
        yield opened


@dataclass
class Daemon:
    """Asks every half minute what is to be run; whether it runs, and how it ends, the test says."""

    defs: Definitions
    instance: DagsterInstance
    now: datetime = MORNING
    cursor: AssetDaemonCursor | None = None

    def tick(self) -> dict[str, set[date]]:
        """The days asked for, by stage."""
        self.now += timedelta(seconds=30)
        result = evaluate_automation_conditions(
            self.defs, self.instance, cursor=self.cursor, evaluation_time=self.now
        )
        self.cursor = result.cursor
        keys = [found.key for found in result.results if found.key.path[0] == PROBLEM.name]
        asked = {key.path[-1]: result.get_requested_partitions(key) for key in keys}
        return {
            stage: {date.fromisoformat(str(day)) for day in days}
            for stage, days in asked.items()
            if days
        }

    def fill(self, stage: str, *days: date) -> None:
        for day in days:
            key = asset_key(PROBLEM.table(stage))
            self.instance.report_runless_asset_event(AssetMaterialization(key, partition=str(day)))


def _serve_from(settings: Settings, first: date) -> None:
    """A model was trained as of that day, and deployed."""
    lake, tables = Lake(settings), loop_tables(PROBLEM)
    lake.write(PROBLEM.table("model"), first, tables["model"].empty())
    decided = {"decision": "deploy", "effective_from": first, "decided_at": MORNING}
    log = tables["decisions"].conform(pl.DataFrame([{**NOTHING_SAID, **decided}]))
    lake.append(PROBLEM.table("decisions"), log)


@pytest.fixture
def daemon(settings: Settings, instance: DagsterInstance) -> Daemon:
    _serve_from(settings, FILLED.first)
    found = Daemon(build_defs(settings, [PROBLEM], SQL), instance)
    for stage in ("gauges", *OF_A_DAY):
        found.fill(stage, *FILLED)
    for stage in ("labels", "scores"):
        found.fill(stage, *DayRange(FILLED.first, FILLED.last - HORIZON))
    assert found.tick() == {}
    return found


def _fill_day(daemon: Daemon, day: date) -> None:
    for stage in ("gauges", *OF_A_DAY):
        daemon.fill(stage, day)


def test_a_new_day_leads_to_its_forecasts_though_no_model_was_trained_on_it(
    daemon: Daemon,
) -> None:
    daemon.fill("gauges", NEW)
    assert daemon.tick() == {stage: {NEW} for stage in OF_A_DAY}
    _fill_day(daemon, NEW)
    assert not {"model", *OF_A_DAY} & daemon.tick().keys()


def test_labels_are_asked_for_when_their_outcome_arrives_and_not_before(daemon: Daemon) -> None:
    origin = NEW - HORIZON
    daemon.fill("gauges", NEW)
    assert "labels" not in daemon.tick()
    daemon.fill("snapshots", NEW)
    asked = daemon.tick()
    assert asked["labels"] == asked["scores"] == {origin}
    daemon.fill("labels", origin)
    daemon.fill("scores", origin)
    assert "labels" not in daemon.tick()


def test_days_pass_and_nothing_is_asked_for_until_something_arrives(daemon: Daemon) -> None:
    for _ in range(3):
        daemon.now += ONE_DAY
        assert daemon.tick() == {}


def test_a_day_that_arrives_late_is_caught_up_whichever_day_it_is(
    settings: Settings, instance: DagsterInstance
) -> None:
    _serve_from(settings, FILLED.first)
    late = FILLED.first + timedelta(days=5)
    daemon = Daemon(build_defs(settings, [PROBLEM], SQL), instance)
    for stage in ("gauges", *OF_A_DAY):
        daemon.fill(stage, *(day for day in FILLED if day != late))
    daemon.tick()
    daemon.fill("gauges", late)
    assert daemon.tick() == {stage: {late} for stage in OF_A_DAY}
    daemon.fill("snapshots", late)
    assert daemon.tick()["labels"] >= {late - HORIZON}


def test_a_day_that_failed_is_not_asked_for_again_and_again(daemon: Daemon) -> None:
    daemon.fill("gauges", NEW)
    assert daemon.tick()["snapshots"] == {NEW}
    # The run failed: nothing was materialized, and nothing else happens, for a week.
    assert [daemon.tick() for _ in range(5)] == [{}] * 5
    daemon.now += timedelta(days=7)
    assert daemon.tick() == {}
    # The source's day was taken again, so there is something new to try.
    daemon.fill("gauges", NEW)
    assert daemon.tick()["snapshots"] == {NEW}


def test_days_that_failed_for_want_of_an_earlier_one_are_asked_for_when_it_arrives(
    daemon: Daemon,
) -> None:
    late, after = NEW, NEW + ONE_DAY
    daemon.now += ONE_DAY
    daemon.fill("gauges", after)
    daemon.tick()
    daemon.fill("snapshots", after)
    daemon.tick()
    # Features of `after` read the seven days before, and one is missing: they failed.
    assert [daemon.tick() for _ in range(3)] == [{}] * 3

    daemon.fill("gauges", late)
    daemon.tick()
    daemon.fill("snapshots", late)
    asked = daemon.tick()
    assert asked["features"] == {late, after}
    assert asked["labels"] == {late - HORIZON, after - HORIZON}
    assert [daemon.tick() for _ in range(3)] == [{}] * 3


def test_news_between_a_request_and_its_failure_is_not_lost(daemon: Daemon) -> None:
    late, after = NEW, NEW + ONE_DAY
    daemon.now += ONE_DAY
    for day in (after, late):
        daemon.fill("gauges", day)
    daemon.tick()
    daemon.fill("snapshots", after)
    assert after in daemon.tick()["features"]
    daemon.fill("snapshots", late)
    assert after in daemon.tick()["features"]


def test_what_is_there_is_not_made_again_because_an_earlier_day_came_late(daemon: Daemon) -> None:
    late, after = NEW, NEW + ONE_DAY
    daemon.now += ONE_DAY
    _fill_day(daemon, after)
    daemon.tick()
    daemon.fill("snapshots", late)
    assert daemon.tick()["features"] == {late}


def test_a_champion_decided_late_leads_to_new_forecasts_of_its_day(daemon: Daemon) -> None:
    _fill_day(daemon, NEW)
    daemon.tick()
    daemon.fill("model", NEW)
    follows = ("champion", "calibration", "predictions", "drift", "health")
    assert daemon.tick() == {stage: {NEW} for stage in follows}


def test_drift_and_health_of_a_day_are_looked_at_again_when_an_outcome_comes_due(
    daemon: Daemon,
) -> None:
    _fill_day(daemon, NEW)
    daemon.tick()
    daemon.fill("scores", NEW - HORIZON)
    asked = daemon.tick()
    assert asked["drift"] == asked["health"] == {NEW}


def test_an_archive_asks_for_no_forecast_of_days_before_any_model(
    settings: Settings, instance: DagsterInstance
) -> None:
    daemon = Daemon(build_defs(settings, [PROBLEM], SQL), instance)
    daemon.tick()
    for stage in ("gauges", "snapshots", "features"):
        daemon.fill(stage, *FILLED)
    for _ in range(3):
        assert not {"champion", "calibration", "predictions"} & daemon.tick().keys()


def test_the_first_model_leads_to_the_forecasts_of_its_day_and_then_of_the_days_after(
    settings: Settings, instance: DagsterInstance
) -> None:
    first = FILLED.first + timedelta(days=7)
    since = DayRange(first + ONE_DAY, FILLED.last)
    daemon = Daemon(build_defs(settings, [PROBLEM], SQL), instance)
    daemon.tick()
    for stage in ("gauges", "snapshots", "features"):
        daemon.fill(stage, *FILLED)
    daemon.tick()
    daemon.fill("model", first)
    # Nobody has decided on it yet, so of the other days it cannot be known whether it will serve.
    asked = daemon.tick()
    assert asked["champion"] == asked["predictions"] == {first}
    _serve_from(settings, first)
    daemon.fill("champion", first)
    asked = daemon.tick()
    assert asked["champion"] == set(since)
    assert asked["predictions"] >= set(since)
    daemon.fill("champion", *since)
    assert "champion" not in daemon.tick()


def test_days_before_the_first_model_wait_though_another_day_is_served(
    settings: Settings, instance: DagsterInstance
) -> None:
    first = FILLED.first + timedelta(days=7)
    _serve_from(settings, first)
    daemon = Daemon(build_defs(settings, [PROBLEM], SQL), instance)
    daemon.tick()
    for stage in ("gauges", "snapshots", "features"):
        daemon.fill(stage, *FILLED)
    assert daemon.tick()["champion"] == set(DayRange(first, FILLED.last))
    # It is made to serve earlier after all.
    _serve_from(settings, FILLED.first)
    assert set(DayRange(FILLED.first, first - ONE_DAY)) <= daemon.tick()["champion"]


def test_no_data_makes_a_model_be_trained(daemon: Daemon) -> None:
    for day in DayRange(NEW, NEW + timedelta(days=8)):
        daemon.now += ONE_DAY
        _fill_day(daemon, day)
        daemon.fill("labels", day - HORIZON)
        assert "model" not in daemon.tick()


def test_the_sensor_of_the_code_location_asks_for_the_same(daemon: Daemon) -> None:
    """The daemon leaves the evaluation to it, for it alone knows our own condition."""
    repository = daemon.defs.get_repository_def()
    sensor = repository.get_sensor_def("follow_the_data")
    assert isinstance(sensor, AutomationConditionSensorDefinition)
    today = datetime.now(UTC).date() - ONE_DAY
    cursor = None
    asked: list[RunRequest] = []
    for _ in range(2):
        context = build_sensor_context(daemon.instance, cursor, repository_def=repository)
        tick = sensor.evaluate_tick(context)
        cursor, asked = tick.cursor, list(tick.run_requests or ())
        daemon.fill("gauges", today)
    (request,) = (found for found in asked if found.partition_key)
    assert request.partition_key == str(today)
    assert {key.path[-1] for key in request.asset_selection or ()} == set(OF_A_DAY)


# ---- schedules --------------------------------------------------------------------------------


def _schedule(daemon: Daemon, name: str) -> ScheduleDefinition:
    found = daemon.defs.get_repository_def().get_schedule_def(name)
    assert isinstance(found, ScheduleDefinition)
    return found


def _requested(daemon: Daemon, name: str, at: datetime) -> tuple[list[RunRequest], str | None]:
    context = build_schedule_context(
        daemon.instance,
        scheduled_execution_time=at,
        repository_def=daemon.defs.get_repository_def(),
        resources=dict(daemon.defs.resources or {}),
    )
    tick = _schedule(daemon, name).evaluate_tick(context)
    return list(tick.run_requests or ()), tick.skip_message


def _days_requested(daemon: Daemon, at: datetime) -> list[str | None]:
    requests, _ = _requested(daemon, "tides_daily", at)
    return [request.partition_key for request in requests]


def _take(settings: Settings, days: Mapping[date, int] | DayRange) -> None:
    lake = Lake(settings)
    for day in days:
        lake.write(GAUGES.table.name, day, GAUGES.table.empty())


def test_the_daily_schedule_takes_the_newest_day_that_is_over(
    daemon: Daemon, settings: Settings
) -> None:
    _take(settings, FILLED)
    assert _days_requested(daemon, MORNING) == [str(NEW)]


def test_it_takes_recent_days_that_were_missed_too(daemon: Daemon, settings: Settings) -> None:
    _take(settings, DayRange(FILLED.first, FILLED.last - timedelta(days=2)))
    missed = [str(FILLED.last - ONE_DAY), str(FILLED.last), str(NEW)]
    assert _days_requested(daemon, MORNING) == missed
    much_later = MORNING + timedelta(days=100)
    asked = _days_requested(daemon, much_later)
    assert len(asked) == LOOKS_BACK_DAYS + 1
    assert asked[-1] == str(much_later.date() - ONE_DAY)


def test_it_takes_no_day_before_the_lake_begins(daemon: Daemon) -> None:
    second_morning = datetime(2026, 1, 3, 6, tzinfo=UTC)
    assert _days_requested(daemon, second_morning) == ["2026-01-01", "2026-01-02"]


def test_it_rests_when_every_day_is_there(daemon: Daemon, settings: Settings) -> None:
    _take(settings, DayRange(FILLED.first, NEW))
    requests, reason = _requested(daemon, "tides_daily", MORNING)
    assert (requests, reason) == ([], "The sources of tides hold every day they can give.")


def test_it_asks_again_the_next_day_for_a_day_that_could_not_be_taken(
    daemon: Daemon, settings: Settings
) -> None:
    _take(settings, FILLED)
    assert str(NEW) in _days_requested(daemon, MORNING)
    assert str(NEW) in _days_requested(daemon, MORNING + ONE_DAY)


def test_a_lake_of_another_kind_takes_nothing_from_it(daemon: Daemon, tmp_path: Path) -> None:
    with process_with_home(tmp_path / "real") as real:
        mark_lake(Lake(real), Marker("real"))
        other = Daemon(build_defs(real, [PROBLEM], SQL), daemon.instance)
        requests, reason = _requested(other, "tides_daily", MORNING)
    assert (requests, reason) == ([], "The sources of tides hold every day they can give.")


def test_the_weekly_schedule_trains_a_candidate_as_of_its_monday(daemon: Daemon) -> None:
    monday = datetime(2026, 1, 12, 7, tzinfo=UTC)
    schedule = _schedule(daemon, "tides_weekly_candidate")
    assert schedule.cron_schedule == "0 7 * * 1"
    (request,), _ = _requested(daemon, "tides_weekly_candidate", monday)
    assert request.partition_key == "2026-01-12"
    assert request.run_config == {
        "ops": {"tides__model": {"config": {"cause": "the weekly candidate"}}}
    }
    job = daemon.defs.resolve_job_def("train_tides")
    assert validate_run_config(job, request.run_config)
    assert {key.path[-1] for key in job.asset_layer.selected_asset_keys} == {"model", "champion"}


def test_schedules_run_when_the_settings_say(settings: Settings) -> None:
    changed = settings.model_copy(update={"daily_cron": "30 4 * * *", "weekly_cron": "0 2 * * 3"})
    repository = build_defs(changed, [replace(PROBLEM)], SQL).get_repository_def()
    crons = {schedule.name: schedule.cron_schedule for schedule in repository.schedule_defs}
    assert crons == {"tides_daily": "30 4 * * *", "tides_weekly_candidate": "0 2 * * 3"}
