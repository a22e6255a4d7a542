"""Schedules: what the clock asks for, the day's data and the weekly candidate."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from dagster import RunRequest, ScheduleDefinition, build_schedule_context, validate_run_config

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.orchestration.triggers.schedules import LOOKS_BACK_DAYS
from ghstars_assets.orchestration.triggers.weekly_check import WEEKLY_CHECK_CRON
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.automation_daemon import (
    FILLED,
    MORNING,
    NEW,
    ONE_DAY,
    Daemon,
)
from ghstars_assets_tests.support.dagster_runs import process_with_home
from ghstars_assets_tests.support.tides.gauges import GAUGES
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import SQL


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
    assert crons == {
        "tides_daily": "30 4 * * *",
        "tides_weekly_candidate": "0 2 * * 3",
        "tides_weekly_check": WEEKLY_CHECK_CRON,
    }
