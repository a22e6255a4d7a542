"""The sensor, by real ticks: what it asks for when health fails, and what it never asks for."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from dagster import (
    AssetCheckEvaluation,
    DagsterInstance,
    DagsterRunStatus,
    Definitions,
)

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.stage_checks import NO_RETRAINING_DUE
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.orchestration.event_log import KeptSqliteEventLogStorage
from ghstars_assets.orchestration.triggers import retraining_sensor
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.dagster_runs import (
    process_with_home,
)
from ghstars_assets_tests.support.retraining_daemon import (
    COOLDOWN,
    HEALTH,
    MOST_ATTEMPTS,
    ONE_DAY,
    TODAY,
    Daemon,
)
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import SQL


@pytest.fixture(scope="module")
def defs(tmp_path_factory: pytest.TempPathFactory) -> Definitions:
    home = tmp_path_factory.mktemp("definitions")
    with process_with_home(home) as settings:
        mark_lake(Lake(settings), Marker("sandbox", date(2026, 1, 1)))
        return build_defs(settings, [PROBLEM], SQL)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with process_with_home(tmp_path / "home") as found:
        yield found


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def kept_instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DagsterInstance]:
    """With the storage that a home has."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text(
        "telemetry: {enabled: false}\n"
        "event_log_storage:\n"
        "  module: ghstars_assets.orchestration.event_log\n"
        "  class: KeptSqliteEventLogStorage\n"
        "  config: {home: {env: DAGSTER_HOME}}\n"
    )
    with DagsterInstance.from_config(str(tmp_path)) as opened:
        assert isinstance(opened.event_log_storage, KeptSqliteEventLogStorage)
        yield opened


@pytest.fixture
def daemon(defs: Definitions, instance: DagsterInstance, settings: Settings) -> Daemon:
    return Daemon(defs.get_repository_def(), instance, Lake(settings))


def test_a_failure_asks_for_todays_model_and_champion(daemon: Daemon) -> None:
    assert daemon.tick() == []
    daemon.say(TODAY, "reactive")
    (request,) = daemon.tick()
    evaluation = f"tides:{TODAY}:reactive:1"
    assert request.run_key == request.tags["ghstars/evaluation"] == evaluation
    assert request.tags["ghstars/retraining"] == "tides"
    assert request.partition_key == str(TODAY)
    assert {key.path[-1] for key in request.asset_selection or ()} == {"model", "champion"}
    config = {"cause": "a test of reactive", "evaluation": evaluation}
    assert request.run_config["ops"] == {"tides__model": {"config": config}}
    assert daemon.audit() == [("retraining_asked", evaluation)]
    assert daemon.tick() == []


def test_yesterday_is_current_where_a_source_tells_a_day_when_it_is_over(daemon: Daemon) -> None:
    daemon.say(TODAY - ONE_DAY, "proactive")
    (request,) = daemon.tick()
    assert request.partition_key == str(TODAY)


@pytest.mark.parametrize("decision", ["healthy", "wait"])
def test_what_passes_asks_for_nothing_and_is_no_event(daemon: Daemon, decision: str) -> None:
    daemon.say(TODAY, decision)
    assert daemon.tick() == []
    assert daemon.audit() == []


def test_a_new_failure_asks_again_when_the_cooldown_is_over(daemon: Daemon) -> None:
    daemon.say(TODAY, "reactive")
    (request,) = daemon.tick()
    daemon.trained(request)
    daemon.today += ONE_DAY
    daemon.say(daemon.today, "reactive")
    assert daemon.asked() == []
    daemon.today = TODAY + COOLDOWN
    daemon.say(daemon.today, "reactive")
    assert daemon.asked() == [f"tides:{daemon.today}:reactive:3"]
    assert [event for event, _ in daemon.audit()] == [
        "retraining_asked",
        "retraining_held_back",
        "retraining_asked",
    ]


def test_the_same_day_evaluated_again_asks_again_if_the_first_came_to_nothing(
    daemon: Daemon,
) -> None:
    daemon.say(TODAY, "reactive")
    (request,) = daemon.tick()
    daemon.launch(request, DagsterRunStatus.FAILURE)
    daemon.say(TODAY, "reactive")
    assert daemon.asked() == [f"tides:{TODAY}:reactive:2"]


def test_a_batch_with_a_failure_in_the_middle_asks_for_nothing_if_the_newest_day_passes(
    daemon: Daemon,
) -> None:
    failing = TODAY - ONE_DAY
    for day in DayRange(TODAY - 9 * ONE_DAY, TODAY):
        daemon.say(day, "reactive" if day == failing else "healthy")
    assert daemon.tick() == []
    assert daemon.audit() == [("retraining_held_back", f"tides:{failing}:reactive:9")]


def test_a_batch_whose_newest_day_fails_asks_once_in_whatever_order_it_was_filled(
    daemon: Daemon,
) -> None:
    for day in (TODAY, TODAY - 2 * ONE_DAY, TODAY - ONE_DAY):
        daemon.say(day, "reactive")
    assert daemon.asked() == [f"tides:{TODAY}:reactive:1"]
    assert len(daemon.audit()) == 3


def test_an_old_day_that_is_filled_in_later_is_logged_and_not_acted_on(daemon: Daemon) -> None:
    daemon.say(TODAY, "healthy")
    assert daemon.tick() == []
    for day in (TODAY - ONE_DAY, date(2026, 1, 20)):
        daemon.say(day, "reactive")
        assert daemon.tick() == []
    assert [event for event, _ in daemon.audit()] == ["retraining_held_back"] * 2


def test_a_home_that_is_behind_retrains_for_no_past_day(daemon: Daemon) -> None:
    daemon.say(TODAY - 2 * ONE_DAY, "reactive")
    assert daemon.tick() == []
    log = daemon.lake.read_log(AUDIT.name)
    assert log is not None
    assert "is a past day" in log["cause"][0]


def test_nothing_is_read_twice_after_a_restart(daemon: Daemon) -> None:
    daemon.say(TODAY, "reactive")
    assert len(daemon.tick()) == 1
    again = Daemon(daemon.repository, daemon.instance, daemon.lake, cursor=daemon.cursor)
    assert again.tick() == []
    assert len(daemon.audit()) == 1


@pytest.mark.parametrize(
    "cursor",
    [None, "", "nonsense", "17", "[]", '{"version": 2, "after": 9}', '{"version": 1}', '{"after"'],
)
def test_with_a_cursor_that_is_lost_or_unreadable_nothing_is_asked_for_twice(
    daemon: Daemon, cursor: str | None
) -> None:
    daemon.say(TODAY - ONE_DAY, "reactive")
    daemon.say(TODAY, "reactive")
    (request,) = daemon.tick()
    daemon.launch(request, DagsterRunStatus.STARTED)
    told = daemon.audit()
    daemon.cursor = cursor
    assert daemon.tick() == []
    assert daemon.audit() == told
    assert daemon.cursor == '{"version": 1, "after": 2}'


def test_with_its_runs_deleted_too_the_version_tells_that_it_was_asked_for(daemon: Daemon) -> None:
    daemon.say(TODAY, "force")
    (request,) = daemon.tick()
    daemon.trained(request)
    for run in daemon.instance.get_runs():
        if "ghstars/retraining" in run.tags:
            daemon.instance.delete_run(run.run_id)
    daemon.cursor = None
    assert daemon.tick() == []


def test_records_that_were_wiped_are_read_from_the_first_again(daemon: Daemon) -> None:
    daemon.cursor = '{"version": 1, "after": 400}'
    daemon.say(TODAY, "reactive")
    assert daemon.asked() == [f"tides:{TODAY}:reactive:1"]


def test_a_home_keeps_its_records_so_that_the_sensor_reads_them_alike(
    daemon: Daemon, kept_instance: DagsterInstance
) -> None:
    daemon.instance = kept_instance
    daemon.say(TODAY - ONE_DAY, "reactive")
    daemon.say(TODAY, "healthy")
    assert daemon.tick() == []
    daemon.say(TODAY, "reactive")
    assert daemon.asked() == [f"tides:{TODAY}:reactive:3"]
    assert daemon.tick() == []
    assert daemon.cursor == '{"version": 1, "after": 3}'


def test_more_records_than_a_page_holds_are_all_read(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retraining_sensor, "RECORDS_AT_ONCE", 3)
    days = list(DayRange(TODAY - 9 * ONE_DAY, TODAY))
    for day in days:
        daemon.say(day, "reactive")
    assert len(daemon.tick()) == 1
    assert len(daemon.audit()) == len(days)
    daemon.say(TODAY, "reactive")
    assert len(daemon.tick()) == 1
    assert len(daemon.audit()) == len(days) + 1


def test_force_knows_no_cooldown(daemon: Daemon) -> None:
    daemon.say(TODAY, "reactive")
    (request,) = daemon.tick()
    daemon.trained(request)
    daemon.say(TODAY, "force")
    (forced,) = daemon.tick()
    daemon.trained(forced, version=3)
    daemon.say(TODAY, "force")
    assert len(daemon.tick()) == 1


@pytest.mark.parametrize("decision", ["reactive", "force"])
def test_a_retraining_that_keeps_failing_does_not_storm(daemon: Daemon, decision: str) -> None:
    asked = 0
    for number in range(40):
        # Health fails several times a day, and every run that is asked for fails.
        daemon.today = TODAY + (number // 8) * ONE_DAY
        daemon.say(daemon.today, decision)
        for request in daemon.tick():
            asked += 1
            daemon.launch(request, DagsterRunStatus.FAILURE)
    assert asked == MOST_ATTEMPTS
    daemon.today = TODAY + COOLDOWN
    daemon.say(daemon.today, decision)
    assert len(daemon.tick()) == 1


def test_while_a_retraining_is_under_way_none_is_asked_for(daemon: Daemon) -> None:
    daemon.say(TODAY, "reactive")
    (request,) = daemon.tick()
    daemon.launch(request, DagsterRunStatus.STARTED)
    daemon.say(TODAY, "reactive")
    assert daemon.tick() == []


def test_a_tick_that_fails_leaves_the_cursor_and_the_next_asks(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.say(TODAY, "healthy")
    daemon.tick()
    before = daemon.cursor
    daemon.say(TODAY, "reactive")
    with monkeypatch.context() as broken:
        broken.setattr(retraining_sensor, "record_answers", _fail)
        with pytest.raises(OSError, match="the lake is away"):
            daemon.tick()
    assert daemon.cursor == before
    assert daemon.asked() == [f"tides:{TODAY}:reactive:2"]
    # And one that failed after it had recorded what it asks for records it once.
    daemon.cursor = before
    assert len(daemon.tick()) == 1
    assert len(daemon.audit()) == 1


def _fail(*_given: object, **_named: object) -> None:
    raise OSError("the lake is away")


def test_what_somebody_reports_by_hand_without_a_decision_is_left_alone(daemon: Daemon) -> None:
    daemon.instance.report_runless_asset_event(
        AssetCheckEvaluation(
            asset_key=HEALTH,
            check_name=NO_RETRAINING_DUE.name,
            passed=False,
            partition=str(TODAY),
            metadata={},
        )
    )
    assert daemon.tick() == []
