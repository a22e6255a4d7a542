"""Automation: what is asked for when a day arrives, arrives late or fails."""

from datetime import UTC, date, datetime, timedelta

from dagster import (
    AutomationConditionSensorDefinition,
    DagsterInstance,
    RunRequest,
    build_sensor_context,
)

from ghstars_assets.calendar import DayRange
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.automation_daemon import (
    AFTER_THE_OUTCOME,
    BEFORE_THE_OUTCOME,
    FILLED,
    HORIZON,
    NEW,
    OF_A_DAY,
    OF_AN_OUTCOME,
    ONE_DAY,
    Daemon,
    serve_from,
)
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import SQL


def _fill_day(daemon: Daemon, day: date) -> None:
    for stage in ("gauges", *OF_A_DAY):
        daemon.fill(stage, day)


def test_a_new_day_leads_to_its_forecasts_though_no_model_was_trained_on_it(
    daemon: Daemon,
) -> None:
    origin = NEW - HORIZON
    daemon.fill("gauges", NEW)
    assert daemon.tick() == {stage: {NEW} for stage in BEFORE_THE_OUTCOME}
    for stage in BEFORE_THE_OUTCOME:
        daemon.fill(stage, NEW)
    # Calibration and drift of the day look at what has just become known of an earlier one.
    assert daemon.tick() == {stage: {origin} for stage in OF_AN_OUTCOME}
    for stage in OF_AN_OUTCOME:
        daemon.fill(stage, origin)
    assert daemon.tick() == {stage: {NEW} for stage in AFTER_THE_OUTCOME}
    for stage in AFTER_THE_OUTCOME:
        daemon.fill(stage, NEW)
    assert [daemon.tick() for _ in range(3)] == [{}] * 3


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
    serve_from(settings, FILLED.first)
    late = FILLED.first + timedelta(days=5)
    daemon = Daemon(build_defs(settings, [PROBLEM], SQL), instance)
    for stage in ("gauges", *OF_A_DAY):
        daemon.fill(stage, *(day for day in FILLED if day != late))
    daemon.tick()
    daemon.fill("gauges", late)
    assert daemon.tick() == {stage: {late} for stage in BEFORE_THE_OUTCOME}
    for stage in BEFORE_THE_OUTCOME:
        daemon.fill(stage, late)
    assert daemon.tick()["labels"] >= {late - HORIZON}
    daemon.fill("labels", late - HORIZON)
    asked = daemon.tick()
    assert asked["calibration"] == asked["predictions"] == {late}


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
    for stage in OF_AN_OUTCOME:
        daemon.fill(stage, NEW - HORIZON)
    daemon.tick()
    daemon.fill("model", NEW)
    follows = ("champion", "calibration", "predictions", "drift", "health")
    assert daemon.tick() == {stage: {NEW} for stage in follows}


def test_drift_and_health_of_a_day_are_looked_at_again_when_an_outcome_comes_due(
    daemon: Daemon,
) -> None:
    _fill_day(daemon, NEW)
    daemon.tick()
    for stage in OF_AN_OUTCOME:
        daemon.fill(stage, NEW - HORIZON)
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
    daemon.fill("labels", *DayRange(FILLED.first, FILLED.last - HORIZON))
    daemon.tick()
    daemon.fill("model", first)
    # Nobody has decided on it yet, so of the other days it cannot be known whether it will serve.
    asked = daemon.tick()
    assert asked["champion"] == asked["predictions"] == {first}
    serve_from(settings, first)
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
    serve_from(settings, first)
    daemon = Daemon(build_defs(settings, [PROBLEM], SQL), instance)
    daemon.tick()
    for stage in ("gauges", "snapshots", "features"):
        daemon.fill(stage, *FILLED)
    assert daemon.tick()["champion"] == set(DayRange(first, FILLED.last))
    # It is made to serve earlier after all.
    serve_from(settings, FILLED.first)
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
    assert {key.path[-1] for key in request.asset_selection or ()} == set(BEFORE_THE_OUTCOME)
