"""Dagster's SQLite event log with its connections kept open.

The stock storage opens and closes a connection for every statement. Closing a database's last
connection checkpoints and deletes its write-ahead log, and at `synchronous=full` every commit and
every checkpoint waits for the disk: four fifths of the cost of an event. A backfill writes an
event for every partition of every table, so here connections stay open and commits do not wait.

The price: after a power cut or a crash of the operating system (not of a process) the last
seconds of the event log may be missing; what is left is consistent, SQLite guarantees that. The
lake does not hang on it: a partition whose event was lost counts as missing and is filled again.

`orchestration/storage.py` makes it a part of the home's storage.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

from dagster import StringSource
from dagster._config.config_schema import UserConfigSchema
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, NullPool, Pool, StaticPool, create_engine
from sqlalchemy.event import listen

from ghstars_assets.settings import sqlite_address

# The index and the latest runs, three file handles each; an older run's file is opened again.
MAX_OPEN_DATABASES = 16


class KeptSqliteEventLogStorage(SqliteEventLogStorage):
    """By itself it is set up in dagster.yaml with `home`, which is Dagster's home."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._engines_pid = os.getpid()
        self._batch: _Batch | None = None
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return {"home": StringSource}

    @classmethod
    def from_config_value(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, str]
    ) -> "KeptSqliteEventLogStorage":
        return cls(str(Path(config_value["home"], "history", "runs")), inst_data)

    def conn_string_for_shard(self, shard_name: str) -> str:
        return sqlite_address(Path(self.path_for_shard(shard_name)))

    def get_all_run_ids(self) -> Sequence[str]:
        """The stock way reads the folder's own name as a pattern."""
        databases = (path for path in Path(self._base_dir).iterdir() if path.suffix == ".db")
        return [path.stem for path in databases if path.stem != INDEX_SHARD_NAME]

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        if self._batch and self._batch.thread == threading.get_ident():
            if shard not in self._batch.connections:
                begun = self._batch.until_commit.enter_context(self._ready_engine(shard).begin())
                self._batch.connections[shard] = begun
            yield self._batch.connections[shard]
            return
        with self._db_lock, self._ready_engine(shard).begin() as connection:
            yield connection

    def _ready_engine(self, shard: str) -> Engine:
        if shard not in self._initialized_dbs:
            # Setting up asks for a second connection while it holds one.
            self._initdb(self._new_engine(shard, NullPool))
            self._initialized_dbs.add(shard)
        return self._kept_engine(shard)

    def _kept_engine(self, shard: str) -> Engine:
        if self._engines_pid != os.getpid():
            # After a fork: SQLite forbids the child to use, or to close, what the parent opened.
            for engine in self._engines.values():
                engine.dispose(close=False)
            self._engines.clear()
            self._engines_pid = os.getpid()
        if shard not in self._engines:
            # One connection is enough: `_db_lock` lets in one thread at a time.
            self._engines[shard] = self._new_engine(shard, StaticPool)
        self._engines.move_to_end(shard)
        if len(self._engines) > MAX_OPEN_DATABASES:
            self._engines.popitem(last=False)[1].dispose()
        return self._engines[shard]

    def _new_engine(self, shard: str, poolclass: type[Pool]) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=poolclass,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        listen(engine, "connect", _commit_without_waiting)
        return engine

    def store_event(self, event: EventLogEntry) -> None:
        super().store_event(event)
        # The UI follows a run by watching its file, which an open connection seldom touches.
        os.utime(self.path_for_shard(event.run_id))

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """All of them or none, in one commit to each database. Where this fails Dagster stores
        them one by one."""
        with self._db_lock, ExitStack() as until_commit:
            self._batch = _Batch(threading.get_ident(), until_commit)
            try:
                for event in events:
                    super().store_event(event)
            finally:
                self._batch = None
        for run_id in {event.run_id for event in events}:
            os.utime(self.path_for_shard(run_id))

    def wipe(self) -> None:
        self._close_engines()
        super().wipe()

    def dispose(self) -> None:
        self._close_engines()
        super().dispose()

    def _close_engines(self) -> None:
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()


@dataclass(frozen=True)
class _Batch:
    """Events on their way in together."""

    thread: int
    until_commit: ExitStack
    connections: dict[str, Connection] = field(default_factory=dict)


def _commit_without_waiting(connection: SqliteConnection, _record: object) -> None:
    connection.execute("pragma synchronous=normal")
