"""What a lake table is: its name, its documented columns and its key, wherever it is declared."""

from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.duck import scratch_session


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    """A DuckDB type, in lower case."""
    description: str
    role: str = ""
    """What the learning loop takes the column for: feature, base, scale, naive, name, target."""
    is_required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table as others may rely on it; `name` is both its SQL name and, with `/`, its folder."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    days_ahead: int = 0
    """How many days after its own a row knows of: labels and scores know an outcome."""

    @property
    def folder(self) -> str:
        return folder_of(self.name)

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def order(self) -> list[str]:
        """The order of rows in a partition: stable, so that equal rows are equal bytes."""
        return [name for name in ("day", *self.key) if name in self.column_names]

    def with_role(self, role: str) -> list[str]:
        return [column.name for column in self.columns if column.role == role]

    def the_column(self, role: str) -> str:
        """The single column of a role; a table that has none or several is misdeclared."""
        names = self.with_role(role)
        if len(names) != 1:
            raise GhstarsError(
                f"{self.name} needs exactly one column with `role: {role}`, but it has "
                f"{len(names)}; mend the header of its SQL file."
            )
        return names[0]

    def empty(self) -> pl.DataFrame:
        return _empty_frame(tuple((column.name, column.type) for column in self.columns))

    def empty_sql(self) -> str:
        """A select with this table's columns and no row."""
        nulls = ", ".join(f'null::{column.type} as "{column.name}"' for column in self.columns)
        return f"select {nulls} where false"

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with exactly the declared columns, types and row order."""
        typed = self.typed(frame)
        return typed.sort(self.order, maintain_order=True) if self.order else typed

    def typed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with exactly the declared columns and types, its rows as they come."""
        missing = [name for name in self.column_names if name not in frame.columns]
        if missing:
            raise GhstarsError(f"Rows for {self.name} lack the columns {', '.join(missing)}.")
        schema = self.empty().schema
        return frame if frame.schema == schema else frame.select(self.column_names).cast(schema)


def folder_of(table: str) -> str:
    return table.replace(".", "/")


def problem_of(table: str) -> str:
    return table.partition(".")[0]


@lru_cache(maxsize=256)
def _empty_frame(columns: tuple[tuple[str, str], ...]) -> pl.DataFrame:
    """DuckDB itself translates its types into Polars', so that the two can never disagree."""
    nulls = ", ".join(f'null::{kind} as "{name}"' for name, kind in columns)
    with scratch_session() as connection:
        return connection.sql(f"select {nulls} where false").pl()
