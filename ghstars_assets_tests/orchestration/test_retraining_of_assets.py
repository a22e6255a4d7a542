"""From a failed check of health to a new version, with the assets themselves."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from dagster import (
    DagsterInstance,
    RunRequest,
)

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.retraining_requests import request_retraining
from ghstars_assets.learning.monitoring.stage_checks import NO_RETRAINING_DUE
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets_tests.support.dagster_runs import (
    Materializer,
    evaluations,
    process_with_home,
    reason_of_failure,
)
from ghstars_assets_tests.support.health_rows import write_drift, write_scores
from ghstars_assets_tests.support.retraining_daemon import (
    HEALTH,
    ONE_DAY,
    TODAY,
    Daemon,
)
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_fixtures import ListedVersions
from ghstars_assets_tests.support.tides_lake import SQL, copied


@pytest.fixture
def tides_daemon(
    tides_home: Path, tmp_path: Path, versions: ListedVersions
) -> Iterator[tuple[Daemon, Materializer]]:
    """A home of tides with a champion of a fortnight ago, whose forecasts miss."""
    with (
        process_with_home(copied(tides_home, tmp_path / "tides")) as settings,
        DagsterInstance.ephemeral() as opened,
    ):
        defs = build_defs(settings, [PROBLEM], SQL)
        lake, materialize = Lake(settings), Materializer(defs, opened)
        first = TODAY - timedelta(days=14)
        trained = materialize(["tides.model", "tides.champion"], DayRange(first, first))
        assert trained.success, reason_of_failure(trained)
        assert materialize("tides.champion", DayRange(first, TODAY)).success
        write_scores(lake, DayRange(first, TODAY - timedelta(days=3)), error=20.0)
        write_drift(lake, DayRange(first, TODAY))
        yield Daemon(defs.get_repository_def(), opened, lake), materialize


def _run(daemon: Daemon, materialize: Materializer, request: RunRequest) -> None:
    """What the daemon does with a request."""
    keys = list(request.asset_selection or ())
    job_def = materialize.defs.resolve_implicit_job_def_def_for_assets(keys)
    assert job_def is not None
    result = job_def.execute_in_process(
        run_config=dict(request.run_config),
        instance=daemon.instance,
        asset_selection=keys,
        partition_key=request.partition_key,
        tags=dict(request.tags),
        raise_on_error=False,
    )
    assert result.success, reason_of_failure(result)


def _versions(lake: Lake) -> list[tuple[int, str]]:
    rows = lake.read("tides.model", TODAY)
    return rows.select("model_version", "evaluation").sort("model_version").rows()


def test_from_a_failed_check_to_a_decision_and_back_to_rest(
    tides_daemon: tuple[Daemon, Materializer], columns: LearningColumns
) -> None:
    daemon, materialize = tides_daemon
    result = materialize("tides.health", DayRange(TODAY - 2 * ONE_DAY, TODAY))
    assert result.success, reason_of_failure(result)
    found = evaluations(result, "tides.health", NO_RETRAINING_DUE.name)
    days = DayRange(TODAY - 2 * ONE_DAY, TODAY)
    assert found == {**{str(day): False for day in days}, None: False}

    (request,) = daemon.tick()
    _run(daemon, materialize, request)
    evaluation = request.tags["ghstars/evaluation"]
    assert evaluation.startswith(f"tides:{TODAY}:reactive:")
    assert _versions(daemon.lake) == [(2, evaluation)]
    model = daemon.lake.read("tides.model", TODAY)
    assert "is critical" in model["cause"][0]
    log = daemon.lake.read_log("tides.decisions")
    assert log is not None
    assert log["model_version"].to_list() == [1, 2]

    # Drift is taken anew against whichever version serves now, and so is health.
    serving = daemon.lake.read("tides.champion", TODAY)["model_version"][0]
    write_drift(daemon.lake, [TODAY], version=serving)
    assert materialize("tides.health", DayRange(TODAY, TODAY)).success
    assert daemon.tick() == []
    events = [event for event, _ in daemon.audit()]
    assert events[-1] == "retraining_held_back"
    assert events.count("retraining_asked") == events.count("train") - 1 == 1


def test_of_two_ticks_at_once_the_second_trains_nothing(
    tides_daemon: tuple[Daemon, Materializer], versions: ListedVersions
) -> None:
    daemon, materialize = tides_daemon
    assert materialize("tides.health", DayRange(TODAY, TODAY)).success
    rival = Daemon(daemon.repository, daemon.instance, daemon.lake)
    (first,), (second,) = daemon.tick(), rival.tick()
    assert first.run_key == second.run_key
    _run(daemon, materialize, first)
    # News in between would make another candidate of the same day.
    late = daemon.lake.read("tides.features", TODAY - 10 * ONE_DAY)
    daemon.lake.write("tides.features", TODAY - 10 * ONE_DAY, late.head(5))
    _run(rival, materialize, second)
    assert len(versions.fingerprints) == 2
    assert _versions(daemon.lake) == [(2, first.run_key)]
    assert [event for event, _ in daemon.audit()].count("retraining_asked") == 1


def test_a_request_on_data_that_were_learnt_from_before_is_answered_by_that_version(
    tides_daemon: tuple[Daemon, Materializer],
) -> None:
    daemon, materialize = tides_daemon
    assert materialize(["tides.model", "tides.champion"], DayRange(TODAY, TODAY)).success
    request_retraining(daemon.lake, PROBLEM, "to see", "anna", TODAY)
    serving = daemon.lake.read("tides.champion", TODAY)["model_version"][0]
    write_drift(daemon.lake, [TODAY], version=serving)
    assert materialize("tides.health", DayRange(TODAY, TODAY)).success
    assert daemon.lake.read("tides.health", TODAY)["decision"][0] == "force"
    (request,) = daemon.tick()
    _run(daemon, materialize, request)
    assert _versions(daemon.lake) == [(2, "")]
    assert materialize("tides.health", DayRange(TODAY, TODAY)).success
    assert daemon.lake.read("tides.health", TODAY)["decision"][0] == "reactive"


def test_the_job_that_forces_leads_to_a_version(
    tides_daemon: tuple[Daemon, Materializer],
) -> None:
    daemon, materialize = tides_daemon
    force = daemon.repository.get_job("force_retraining_of_tides")
    config = {"ops": {"request_retraining_of_tides": {"config": {"why": "a new harbour wall"}}}}
    for day in (TODAY, TODAY):  # the second request while the first is open
        result = force.execute_in_process(run_config=config, instance=daemon.instance)
        assert result.success, day
    assert daemon.instance.get_materialized_partitions(HEALTH) == {str(TODAY)}
    (request,) = daemon.tick()
    assert request.tags["ghstars/evaluation"].startswith(f"tides:{TODAY}:force:")
    _run(daemon, materialize, request)
    (model,) = daemon.lake.read("tides.model", TODAY).iter_rows(named=True)
    assert "a new harbour wall" in model["cause"]
    write_drift(
        daemon.lake, [TODAY], version=daemon.lake.read("tides.champion", TODAY)["model_version"][0]
    )
    assert materialize("tides.health", DayRange(TODAY, TODAY)).success
    assert daemon.lake.read("tides.health", TODAY)["decision"][0] == "reactive"


def test_a_day_that_cannot_be_judged_keeps_no_other_from_being_heard(
    tides_daemon: tuple[Daemon, Materializer],
) -> None:
    daemon, materialize = tides_daemon
    daemon.lake.delete("tides.drift", TODAY - ONE_DAY)
    result = materialize("tides.health", DayRange(TODAY - 2 * ONE_DAY, TODAY))
    assert not result.success
    assert f"tides.drift has no {TODAY - ONE_DAY}" in reason_of_failure(result)
    assert materialize.recorded("tides.health") == {str(TODAY - 2 * ONE_DAY), str(TODAY)}
    assert len(daemon.tick()) == 1


def test_a_long_range_tells_apart_the_days_that_fail_and_the_newest(
    tides_daemon: tuple[Daemon, Materializer], monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon, materialize = tides_daemon
    monkeypatch.setattr("ghstars_assets.orchestration.assets.check_events.MOST_DAYS_LISTED", 5)
    days = DayRange(TODAY - timedelta(days=14), TODAY)
    recovered = DayRange(TODAY - timedelta(days=11), TODAY - timedelta(days=3))
    write_scores(daemon.lake, recovered, error=2.0)
    result = materialize("tides.health", days)
    decisions = dict(
        daemon.lake.scan("tides.health").collect().select("day", "decision").iter_rows()
    )
    assert decisions[TODAY] == "healthy"
    failing = {str(day): False for day, decision in decisions.items() if decision == "reactive"}
    assert failing
    assert evaluations(result, "tides.health", NO_RETRAINING_DUE.name) == {
        **failing,
        str(TODAY): True,
        None: False,
    }
    assert daemon.tick() == []
