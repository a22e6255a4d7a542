"""What was fetched for a day and is not a partition yet: one small file an answer, in the lake.

Whoever is killed loses nothing that was answered, and whoever goes on asks for none of it again.
"""

import io
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import uuid4

import polars as pl

from ghstars_assets.lake.catalog import Table
from ghstars_assets.lake.parquet import UNREADABLE
from ghstars_assets.lake.tables import Lake

_ROOT = "_intake"


class Intake:
    def __init__(self, lake: Lake, table: Table, day: date) -> None:
        self._store = lake.store
        self._table = table
        self._day = day
        self._prefix = f"{_ROOT}/{table.folder}/date={day}/"
        self._schema = dict(table.empty().schema)

    @staticmethod
    def days(lake: Lake, table: Table) -> list[date]:
        """Days with something that waits to be made a partition."""
        folders = lake.store.folders(f"{_ROOT}/{table.folder}")
        return sorted(date.fromisoformat(name.removeprefix("date=")) for name in folders)

    def keep(self, rows: Sequence[dict[str, Any]]) -> None:
        """Store one answer. A row may leave out what it does not know."""
        columns = {name: [row.get(name) for row in rows] for name in self._schema if name != "day"}
        columns["day"] = [self._day] * len(rows)
        frame = pl.DataFrame(columns, schema_overrides=self._schema, strict=False)
        buffer = io.BytesIO()
        frame.select(list(self._schema)).write_parquet(buffer, compression="lz4", statistics=False)
        self._store.put(f"{self._prefix}{uuid4().hex}.parquet", buffer.getvalue())

    def rows(self) -> pl.DataFrame:
        frames = [self._read(file.key) for file in list(self._store.files(self._prefix))]
        return pl.concat([self._table.empty(), *frames])

    def _read(self, key: str) -> pl.DataFrame:
        """One answer. What cannot be read is set aside, and asked for again."""
        content = self._store.get(key)
        if content is None:  # another run has made a partition of it
            return self._table.empty()
        try:
            return pl.read_parquet(io.BytesIO(content))
        except UNREADABLE:
            self._store.set_aside(key)
            return self._table.empty()

    def clear(self) -> None:
        for file in list(self._store.files(self._prefix)):
            self._store.delete(file.key)
