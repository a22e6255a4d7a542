"""The event log that keeps its connections open, against Dagster's own."""

import multiprocessing
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import (
    AssetKey,
    AssetMaterialization,
    DagsterEventType,
    DagsterInstance,
    OpExecutionContext,
    job,
    op,
)
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage

from ghstars_assets.orchestration import event_log
from ghstars_assets.orchestration.event_log import KeptSqliteEventLogStorage

DAYS = [f"2026-01-{day:02d}" for day in range(1, 11)]
KEPT = """
telemetry: {enabled: false}
event_log_storage:
  module: ghstars_assets.orchestration.event_log
  class: KeptSqliteEventLogStorage
  config:
    home: {env: DAGSTER_HOME}
"""


@op
def fill_ten_days(context: OpExecutionContext) -> None:
    for day in DAYS:
        context.log_event(AssetMaterialization("table", partition=day))


@job
def fill() -> None:
    fill_ten_days()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dagster.yaml").write_text(KEPT)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def instance(home: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.from_config(str(home)) as opened:
        assert isinstance(opened.event_log_storage, KeptSqliteEventLogStorage)
        yield opened


def _filled_days(instance: DagsterInstance) -> set[str]:
    return instance.get_materialized_partitions(AssetKey("table"))


def _fill_in_another_process(home: str, failures: "multiprocessing.Queue[str]") -> None:
    try:
        with DagsterInstance.from_config(home) as instance:
            fill.execute_in_process(instance=instance)
    except Exception as error:
        failures.put(repr(error))
        raise


def test_the_stock_storage_reads_what_the_kept_one_wrote(
    home: Path, instance: DagsterInstance
) -> None:
    run_id = fill.execute_in_process(instance=instance).run_id
    instance.report_runless_asset_event(AssetMaterialization("table", partition="2026-02-01"))

    (home / "dagster.yaml").write_text("telemetry: {enabled: false}")
    with DagsterInstance.from_config(str(home)) as stock:
        assert type(stock.event_log_storage) is SqliteEventLogStorage
        assert _filled_days(stock) == {*DAYS, "2026-02-01"}
        logged = stock.all_logs(run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION)
        assert len(logged) == len(DAYS)


def test_a_watcher_hears_of_a_run_before_its_connection_closes(instance: DagsterInstance) -> None:
    run = instance.create_run_for_job(fill)
    instance.report_engine_event("the run begins, which makes its file", run)
    heard = threading.Event()
    instance.watch_event_logs(run.run_id, None, lambda _event, _cursor: heard.set())
    instance.report_engine_event("the run goes on", run)
    assert heard.wait(timeout=20)


def test_old_runs_do_not_hold_their_files_open(
    instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "MAX_OPEN_DATABASES", 2)
    runs = [fill.execute_in_process(instance=instance).run_id for _ in range(3)]
    storage = instance.event_log_storage
    assert isinstance(storage, KeptSqliteEventLogStorage)
    assert len(storage._engines) == 2
    for run_id in runs:
        assert len(instance.all_logs(run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION)) == 10


def test_a_batch_of_events_is_stored_whole_or_not_at_all(
    instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = instance.event_log_storage
    assert isinstance(storage, KeptSqliteEventLogStorage)
    run_id = fill.execute_in_process(instance=instance).run_id
    told = instance.all_logs(run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION)
    storage.wipe()
    storage.store_event_batch(told)
    assert _filled_days(instance) == set(DAYS)
    assert len(instance.all_logs(run_id)) == len(told)

    storage.wipe()
    store, stored = SqliteEventLogStorage.store_event, []

    def break_at_the_fifth(self: SqliteEventLogStorage, event: EventLogEntry) -> None:
        stored.append(event)
        if len(stored) == 5:
            raise OSError("the disk is full")
        store(self, event)

    monkeypatch.setattr(SqliteEventLogStorage, "store_event", break_at_the_fifth)
    with pytest.raises(OSError, match="the disk is full"):
        storage.store_event_batch(told)
    assert _filled_days(instance) == set()
    assert instance.all_logs(run_id) == []
    monkeypatch.undo()
    storage.store_event_batch(told)
    assert _filled_days(instance) == set(DAYS)


def test_a_wiped_log_starts_again(instance: DagsterInstance) -> None:
    fill.execute_in_process(instance=instance)
    instance.event_log_storage.wipe()
    assert _filled_days(instance) == set()
    fill.execute_in_process(instance=instance)
    assert _filled_days(instance) == set(DAYS)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_opens_connections_of_its_own(instance: DagsterInstance) -> None:
    fill.execute_in_process(instance=instance)
    storage = instance.event_log_storage
    assert isinstance(storage, KeptSqliteEventLogStorage)
    inherited = set(map(id, storage._engines.values()))
    forked = multiprocessing.get_context("fork")
    answer = forked.SimpleQueue()

    def ask() -> None:
        days = _filled_days(instance)
        answer.put((days, any(id(engine) in inherited for engine in storage._engines.values())))

    child = forked.Process(target=ask)
    child.start()
    child.join(timeout=30)
    assert child.exitcode == 0
    assert answer.get() == (set(DAYS), False)
    assert _filled_days(instance) == set(DAYS)


def test_four_processes_write_at_once_and_none_finds_the_log_locked(
    home: Path, instance: DagsterInstance
) -> None:
    spawned = multiprocessing.get_context("spawn")
    failures = spawned.Queue()
    writers = [
        spawned.Process(target=_fill_in_another_process, args=(str(home), failures))
        for _ in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=120)
    assert failures.empty()
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert instance.get_runs_count() == 4
    records = instance.fetch_materializations(AssetKey("table"), limit=100).records
    assert len(records) == 4 * len(DAYS)
