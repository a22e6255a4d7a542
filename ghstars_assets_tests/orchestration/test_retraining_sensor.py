"""The sensor, by real ticks: what it asks for when health fails, and what it never asks for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetKey,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    Definitions,
    RepositoryDefinition,
    RunRequest,
    SensorDefinition,
    build_sensor_context,
    job,
    op,
)
from dagster._core.storage.tags import PARTITION_NAME_TAG
from dagster._core.utils import make_new_run_id

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.retraining_requests import request_retraining
from ghstars_assets.learning.monitoring.stage_checks import NO_RETRAINING_DUE
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.orchestration.event_log import KeptSqliteEventLogStorage
from ghstars_assets.orchestration.triggers import retraining_sensor
from ghstars_assets.orchestration.triggers.retraining_sensor import build_retraining_sensor
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.dagster_runs import (
    Materializer,
    evaluations,
    process_with_home,
    reason_of_failure,
)
from ghstars_assets_tests.support.health_rows import write_drift, write_scores
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_fixtures import ListedVersions
from ghstars_assets_tests.support.tides_lake import AS_OF, SQL, copied

TODAY = AS_OF
ONE_DAY = timedelta(days=1)
COOLDOWN = timedelta(days=PROBLEM.gates.cooldown_days.value)
MOST_ATTEMPTS = int(PROBLEM.gates.most_attempts.value)
HEALTH = AssetKey(["tides", "health"])


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


@dataclass
class Daemon:
    """Ticks when the test says so; whether what it asks for is run, and how that ends, too."""

    repository: RepositoryDefinition
    instance: DagsterInstance
    lake: Lake
    today: date = TODAY
    cursor: str | None = None
    said: set[date] = field(default_factory=set)

    @property
    def sensor(self) -> SensorDefinition:
        return build_retraining_sensor(PROBLEM, lambda: self.today)

    def tick(self) -> list[RunRequest]:
        context = build_sensor_context(
            self.instance,
            self.cursor,
            repository_def=self.repository,
            sensor_name=self.sensor.name,
            resources={"lake": self.lake},
        )
        result = self.sensor.evaluate_tick(context)
        self.cursor = result.cursor
        return list(result.run_requests or ())

    def asked(self) -> list[str]:
        """The evaluations that a tick asks for a retraining for."""
        return [request.tags["ghstars/evaluation"] for request in self.tick()]

    def say(self, day: date, decision: str) -> None:
        """Health of a day, as its run leaves it: the row, and the evaluation beside it."""
        table = loop_tables(PROBLEM)["health"]
        row = pl.DataFrame({"day": [day], "decision": [decision]})
        missing = [name for name in table.column_names if name not in row.columns]
        filled = row.with_columns(pl.lit(None).alias(name) for name in missing)
        self.lake.write(table.name, day, table.conform(filled))
        told = AssetCheckEvaluation(
            asset_key=HEALTH,
            check_name=NO_RETRAINING_DUE.name,
            passed=decision in ("wait", "healthy"),
            metadata={"day": str(day), "decision": decision, "reason": f"a test of {decision}"},
            partition=str(day),
        )
        if day not in self.said:
            self.instance.report_runless_asset_event(told)
            self.said.add(day)
            return

        # Reported without a run a day can be evaluated only once.
        @op(out={})
        def evaluate() -> Iterator[AssetCheckEvaluation]:
            yield told

        @job
        def run_of_health() -> None:
            evaluate()

        assert run_of_health.execute_in_process(instance=self.instance).success

    def launch(self, request: RunRequest, status: DagsterRunStatus) -> None:
        """A run that ended like this, or that goes on."""
        self.instance.add_run(
            DagsterRun(
                job_name="train",
                run_id=make_new_run_id(),
                status=status,
                tags={**request.tags, PARTITION_NAME_TAG: str(request.partition_key)},
            )
        )

    def trained(self, request: RunRequest, version: int = 2) -> None:
        """The run succeeded: a version carries the evaluation."""
        self.launch(request, DagsterRunStatus.SUCCESS)
        table = loop_tables(PROBLEM)["model"]
        day = date.fromisoformat(str(request.partition_key))
        row = pl.DataFrame(
            {
                "day": [day],
                "model_version": [version],
                "evaluation": [request.tags["ghstars/evaluation"]],
                "cause": ["a test"],
            }
        )
        missing = [name for name in table.column_names if name not in row.columns]
        filled = row.with_columns(pl.lit(None).alias(name) for name in missing)
        self.lake.write(table.name, day, table.conform(filled), part=f"candidate-{version}")

    def audit(self) -> list[tuple[str, str]]:
        log = self.lake.read_log(AUDIT.name)
        return [] if log is None else log.select("event", "subject").rows()


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


# ---- with the assets themselves -------------------------------------------------------------


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
