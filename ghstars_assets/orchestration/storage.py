"""Dagster's SQLite storage in a home: made whole, under any path, with its connections kept open.

The stock storage makes each database step by step in its place, where a killed process leaves it
half-made, and addresses it by its bare path, in which SQLAlchemy reads `%` and `?`. Files, schema
and folders are Dagster's own: without the block in dagster.yaml the stock storage goes on where
this one stopped.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from dagster import StringSource
from dagster._config.config_schema import UserConfigSchema
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData

from ghstars_assets.home.databases import Database
from ghstars_assets.orchestration.event_log import KeptSqliteEventLogStorage
from ghstars_assets.settings import sqlite_address

IS_COMPLETE = (
    "select exists (select 1 from alembic_version) and exists (select 1 from secondary_indexes)"
)
"""Dagster writes the revision when all tables are there, and marks after it."""

MAKERS: Mapping[str, Callable[[Path], object]] = {
    "history/runs.db": lambda made: SqliteRunStorage.from_local(str(made.parent)),
    "history/runs/index.db": lambda made: SqliteEventLogStorage(str(made.parent)).dispose(),
    "schedules/schedules.db": lambda made: SqliteScheduleStorage.from_local(str(made.parent)),
}
ROWS_OF_USE: Mapping[str, tuple[str, ...]] = {
    "history/runs.db": ("runs", "bulk_actions"),
    "history/runs/index.db": ("event_logs", "asset_keys"),
    "schedules/schedules.db": ("job_ticks", "instigators"),
}


def databases_of(dagster_home: Path) -> dict[str, Database]:
    """Those of the instance itself. Each run has one besides, which Dagster completes."""
    return {name: Database(dagster_home / name, ROWS_OF_USE[name], IS_COMPLETE) for name in MAKERS}


class HomeStorage(DagsterSqliteStorage):
    """Set up in dagster.yaml with `home`, which is Dagster's home."""

    def __init__(self, home: str, inst_data: ConfigurableClassData | None = None) -> None:
        # The stock constructor would open the stock storages.
        folder = Path(home).absolute()
        for name, database in databases_of(folder).items():
            database.ensure_whole(MAKERS[name])
        self.base_dir = str(folder)
        self._run_storage = SqliteRunStorage(sqlite_address(folder / "history" / "runs.db"))
        self._event_log_storage = KeptSqliteEventLogStorage(str(folder / "history" / "runs"))
        schedules = sqlite_address(folder / "schedules" / "schedules.db")
        self._schedule_storage = SqliteScheduleStorage(schedules)
        self._inst_data = inst_data

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return {"home": StringSource}

    @classmethod
    def from_config_value(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, str]
    ) -> "HomeStorage":
        return cls(config_value["home"], inst_data)
