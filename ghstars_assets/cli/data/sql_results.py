"""Runs statements of SQL, one after another, and hands back what they give as frames."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import polars as pl

from ghstars_assets.cli.data.lake_views import known_tables
from ghstars_assets.errors import GhstarsError
from ghstars_assets.interrupts import is_interrupted

ROWS_AT_ONCE = 10_000
_IN_DUCKDBS_WORDS = re.compile(
    r"\b(INTERVAL|UNION\(|U?HUGEINT|BLOB|BIT|BIGNUM|VARIANT|GEOMETRY|TIME WITH TIME ZONE)"
)
"""Types that a frame cannot hold, or not to the last digit."""
_SHOW_TABLES = re.compile(r"\s*show\s+tables\s*;?\s*", re.IGNORECASE)
_EVERY_TABLE = """
select schema_name || '.' || view_name as name
from duckdb_views() where not internal
union all
select schema_name || '.' || table_name from duckdb_tables() where not internal
order by name
"""
"""`show tables` of DuckDB lists those of one schema, and every problem has its own."""
_NO_RESULT = (["Success"], ["Count"])
"""The columns of what a statement gives that has nothing to show."""
_DAYS_OF_PYTHON = (-719_162, 2_932_896)
"""From 0001-01-01 to 9999-12-31, counted from 1970-01-01."""
_PER_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


class QueryError(GhstarsError):
    """A query that DuckDB refuses."""


@dataclass(frozen=True)
class Result:
    """What one statement gives."""

    frame: pl.DataFrame
    rows_left_out: int = 0
    is_plan: bool = False
    """A plan of execution, which DuckDB has drawn already."""


def results_of(
    connection: duckdb.DuckDBPyConnection, text: str, most: int | None = None
) -> Iterator[Result]:
    """Run the statements of a text in order; of each that gives rows, hand back the first so many
    and count the rest."""
    try:
        for statement in connection.extract_statements(text):
            if _SHOW_TABLES.fullmatch(statement.query):
                yield Result(_tables_of(connection))
                continue
            relation = connection.sql(statement.query)
            kind = str(statement.type).rpartition(".")[2]
            if relation is None or kind == "CREATE":
                continue
            result = _result(relation, most, is_plan=kind == "EXPLAIN")
            if result.frame.height or result.frame.columns not in _NO_RESULT:
                yield result
    except Exception as error:
        # DuckDB, Arrow and Polars each have an error of their own for a query that was cancelled.
        if is_interrupted():
            raise KeyboardInterrupt from None
        if isinstance(error, duckdb.Error):
            raise QueryError(str(error).strip()) from error
        raise


def _tables_of(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """List the tables with what they hold."""
    holds = {table.name: table.description for table in known_tables()}
    names = connection.sql(_EVERY_TABLE).pl()
    described = [holds.get(name, "") for name in names["name"]]
    return names.with_columns(pl.Series("description", described, pl.String))


def _result(relation: duckdb.DuckDBPyRelation, most: int | None, *, is_plan: bool) -> Result:
    kinds = {str(place): str(kind) for place, kind in enumerate(relation.types)}
    as_text = {place for place, kind in kinds.items() if _IN_DUCKDBS_WORDS.search(kind)}
    frame, left_out = _fetched(relation, as_text, most)
    far = {str(place) for place, values in enumerate(frame) if _is_beyond_python(values)}
    if far:
        frame, left_out = _fetched(relation, as_text | far, most)
    # Sums are huge integers, and numbers all the same.
    huge = [frame.columns[int(place)] for place, kind in kinds.items() if kind == "HUGEINT"]
    return Result(frame.with_columns(pl.col(huge).cast(pl.Int128)), left_out, is_plan)


def _fetched(
    relation: duckdb.DuckDBPyRelation, as_text: set[str], most: int | None
) -> tuple[pl.DataFrame, int]:
    lower = [name.lower() for name in relation.columns]
    if as_text or len(set(lower)) < len(lower):
        relation = _with_text(relation, as_text)
    if most is None:
        return relation.pl(), 0
    kept: list[pl.DataFrame] = []
    rows = 0
    for batch in relation.to_arrow_reader(ROWS_AT_ONCE):
        frame = pl.DataFrame(batch)
        if rows < most or not kept:
            kept.append(frame.head(max(0, most - rows)))
        rows += frame.height
    return (pl.concat(kept), max(0, rows - most)) if kept else (relation.limit(0).pl(), 0)


def _with_text(relation: duckdb.DuckDBPyRelation, as_text: set[str]) -> duckdb.DuckDBPyRelation:
    """Write some columns as DuckDB does. By place, for two may have one name, and a frame would
    refuse them."""
    places = [str(place) for place in range(len(relation.columns))]
    before: Counter[str] = Counter()
    names: list[str] = []
    for name in relation.columns:
        again = before[name.lower()]
        names.append(f"{name}_{again}" if again else name)
        before[name.lower()] += 1
    shown = ", ".join(
        f"c{place}{'::varchar' if place in as_text else ''} as {_identifier(name)}"
        for place, name in zip(places, names, strict=True)
    )
    listed = ", ".join(f"c{place}" for place in places)
    query = f"select {shown} from ghstars_result as r({listed})"  # noqa: S608 - its own columns
    written = relation.query("ghstars_result", query)
    return relation if written is None else written


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _is_beyond_python(values: pl.Series) -> bool:
    """Whether a column holds an infinite day, or one of a year that Python does not know."""
    if values.dtype == pl.Date:
        per_day = 1
    elif isinstance(values.dtype, pl.Datetime):
        per_day = _PER_DAY[values.dtype.time_unit]
    else:
        return False
    days = values.to_physical().drop_nulls() // per_day
    first, last = _DAYS_OF_PYTHON
    return bool(((days < first) | (days > last)).any())
