"""Dagster's records in a home: whole after a kill, under any path, and in stock Dagster's form."""

from collections.abc import Callable
from pathlib import Path

import pytest
from dagster import AssetKey, AssetMaterialization, DagsterInstance
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage

from ghstars_assets.home.databases import State
from ghstars_assets.orchestration.storage import MAKERS, HomeStorage, databases_of
from ghstars_assets.settings import PROJECT_ROOT

MODULES = {
    "history/runs.db": sqlite_run_storage,
    "history/runs/index.db": sqlite_event_log,
    "schedules/schedules.db": sqlite_schedule_storage,
}


class KilledError(BaseException):
    pass


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "100%41 of? it*"
    home.mkdir()
    (home / "dagster.yaml").write_bytes((PROJECT_ROOT / "dagster.yaml").read_bytes())
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    return home


@pytest.fixture
def killed_before_the_stamp(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Of one database the tables are made, and then the process ends."""

    def kill(*_given: object, **_named: object) -> None:
        raise KilledError

    def prepare(name: str) -> None:
        monkeypatch.setattr(MODULES[name], "stamp_alembic_rev", kill)

    return prepare


def _works(home: Path) -> bool:
    with DagsterInstance.from_config(str(home)) as instance:
        instance.report_runless_asset_event(AssetMaterialization("table", partition="2026-02-01"))
        assert instance.get_runs_count() == 0
        assert instance.all_instigator_state() == []
        return instance.get_materialized_partitions(AssetKey("table")) == {"2026-02-01"}


def test_a_kill_while_one_is_made_leaves_none_and_the_next_command_makes_it(
    home: Path,
    killed_before_the_stamp: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "history/runs.db"
    killed_before_the_stamp(name)
    with pytest.raises(KilledError):
        HomeStorage(str(home))
    assert databases_of(home)[name].state() is State.ABSENT
    monkeypatch.undo()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    assert _works(home)


@pytest.mark.parametrize("name", MAKERS)
def test_one_that_an_earlier_release_left_half_made_is_set_aside(
    tmp_path: Path,
    name: str,
    killed_before_the_stamp: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = tmp_path / "home"
    database = databases_of(home)[name]
    database.path.parent.mkdir(parents=True)
    killed_before_the_stamp(name)
    with pytest.raises(KilledError):
        MAKERS[name](database.path)
    assert database.state() is State.HALF_MADE
    monkeypatch.undo()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    (home / "dagster.yaml").write_bytes((PROJECT_ROOT / "dagster.yaml").read_bytes())
    assert _works(home)
    assert len(database.earlier_ones()) == 1


def test_stock_dagster_goes_on_where_this_one_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_bytes((PROJECT_ROOT / "dagster.yaml").read_bytes())
    assert _works(tmp_path)
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}")
    assert _works(tmp_path)
    assert [state for d in databases_of(tmp_path).values() if (state := d.state()) != "whole"] == []
