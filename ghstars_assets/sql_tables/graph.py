"""All SQL files together with the tables they read, held against each other before anything runs.

Loading fails here, with file and line, when a header names a missing table, when the query reads
what the header does not allow, when columns differ, and when tables read each other in a circle.
"""

import graphlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from ghstars_assets.errors import SqlAssetError
from ghstars_assets.lake.catalog import Table
from ghstars_assets.lake.duck import bind_select, scratch_session
from ghstars_assets.sql_tables.gate import quarantine_table
from ghstars_assets.sql_tables.header import AssertionCheck, SqlFile, read_sql_file

if TYPE_CHECKING:
    from sqlglot import exp


@dataclass(frozen=True)
class SqlGraph:
    files: Mapping[str, SqlFile]
    """In an order in which every table comes after what it reads."""
    tables: Mapping[str, Table]
    """Every table there is: those of the files, their quarantines, and the ones made elsewhere."""


def load_sql_graph(folders: Iterable[Path], made_elsewhere: Iterable[Table]) -> SqlGraph:
    read = [read_sql_file(path) for folder in folders for path in sorted(folder.glob("*.sql"))]
    tables = {table.name: table for table in made_elsewhere}
    for file in read:
        if file.table.name in tables:
            raise SqlAssetError(
                f"{file.at(1)} makes {file.table.name}, which is made elsewhere too; rename it."
            )
        tables[file.table.name] = file.table
        if file.gate:
            quarantine = quarantine_table(file.table)
            tables[quarantine.name] = quarantine
    for file in read:
        _check_reads(file, tables)
    files = _with_days_ahead(_in_order({file.table.name: file for file in read}), tables)
    with scratch_session() as connection:
        for file in files.values():
            _check_types(connection, file)
        for table in tables.values():
            bind_select(connection, table.name, table.empty_sql())
        for file in files.values():
            _check_columns(connection, file)
    with scratch_session() as connection:
        for file in files.values():
            _check_rules(connection, file)
    return SqlGraph(files, tables)


def _parsed(file: SqlFile) -> "exp.Query":
    # It is needed when a graph is loaded, and not by whoever imports this.
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(file.query, read="duckdb")
    except sqlglot.ParseError as error:
        line = int(error.errors[0].get("line") or 1)
        what = error.errors[0].get("description")
        raise SqlAssetError(f"{_in_query(file, line)} is not a query: {what}.") from None
    if not isinstance(tree, exp.Query):
        raise SqlAssetError(f"{_in_query(file, 1)} is not a select; a file is one query.")
    return tree


def _tables_in(file: SqlFile) -> dict[str, int]:
    """The tables that the query names, each with its line in the query. What reads a file by its
    path, or finds a table by other means than its name, would get round the window."""
    from sqlglot import exp

    tree = _parsed(file)
    steps = {step.alias for step in tree.find_all(exp.CTE)}
    found: dict[str, int] = {}
    for table in tree.find_all(exp.Table):
        line = table.this.meta.get("line", 1)
        if table.db:
            found.setdefault(f"{table.db}.{table.name}", line)
        elif table.name not in steps and not isinstance(table.this, exp.GenerateSeries):
            raise SqlAssetError(
                f"{_in_query(file, line)} reads {table.sql('duckdb')}, which is no table of the "
                "lake; write problem.table, and list it under `reads` with the days it needs."
            )
    return found


def _check_reads(file: SqlFile, tables: Mapping[str, Table]) -> None:
    named = _tables_in(file)
    for table in file.follows:
        if table not in tables:
            raise SqlAssetError(
                f"{file.where('follows', table)} follows {table}, which nothing makes; mend the "
                "name."
            )
    for table in file.reads:
        if table not in tables:
            raise SqlAssetError(
                f"{file.where('reads', table)} reads {table}, which no file under sql/ and no "
                "source makes; mend the name or add the table."
            )
        if table not in named:
            raise SqlAssetError(
                f"{file.where('reads', table)} says it reads {table}, but the query does not; "
                "remove the line."
            )
        _check_reach(file, tables[table])
    for table, line in named.items():
        if table not in file.reads:
            raise SqlAssetError(
                f"{_in_query(file, line)} reads {table}, which the header does not list; add it "
                "under `reads` with the days it needs."
            )


def _check_reach(file: SqlFile, read: Table) -> None:
    """Only labels, the table with a target, may look ahead."""
    ahead = file.reads[read.name].last_offset
    if ahead > 0 and not file.table.with_role("target"):
        raise SqlAssetError(
            f"{file.where('reads', read.name)} reads {read.name} {ahead} days ahead, which only "
            "labels may; let its window end at 0."
        )


def require_no_foresight(file: SqlFile, tables: Mapping[str, Table]) -> None:
    """Refuse a table that knows of days after its own through another one, such as labels."""
    for name, window in file.reads.items():
        knows = tables[name].days_ahead
        if window.last_offset + knows > 0:
            raise SqlAssetError(
                f"{file.where('reads', name)} reads {name}, whose rows know of {knows} days after "
                f"theirs; let its window end at {-knows}."
            )


def _with_days_ahead(files: dict[str, SqlFile], tables: dict[str, Table]) -> dict[str, SqlFile]:
    """The files with what their tables know of days to come, by themselves or through others."""
    found: dict[str, SqlFile] = {}
    for name, file in files.items():
        ahead = max(w.last_offset + tables[read].days_ahead for read, w in file.reads.items())
        table = replace(file.table, days_ahead=max(0, ahead))
        found[name] = replace(file, table=table)
        tables[name] = table
    return found


def _in_order(files: dict[str, SqlFile]) -> dict[str, SqlFile]:
    sorter = graphlib.TopologicalSorter(
        {
            name: [table for table in (*file.reads, *file.follows) if table in files]
            for name, file in files.items()
        }
    )
    try:
        return {name: files[name] for name in sorter.static_order()}
    except graphlib.CycleError as error:
        circle = list(reversed(error.args[1]))
        file, table = files[circle[0]], circle[1]
        place = file.where("reads" if table in file.reads else "follows", table)
        raise SqlAssetError(f"{place} closes a circle: {' needs '.join(circle)}.") from None


def _check_types(connection: duckdb.DuckDBPyConnection, file: SqlFile) -> None:
    for column in file.table.columns:
        try:
            connection.execute(f"select null::{column.type}")
        except duckdb.Error:
            place = file.where("columns", column.name)
            raise SqlAssetError(
                f"{place} gives {column.name!r} the type {column.type!r}, which DuckDB does not "
                "know; mend it."
            ) from None


def _check_columns(connection: duckdb.DuckDBPyConnection, file: SqlFile) -> None:
    connection.execute("set variable first_day = date '2000-01-01'")
    connection.execute("set variable last_day = date '2000-01-31'")
    try:
        described = connection.execute(f"describe ({file.query})").fetchall()
    except duckdb.Error as error:
        line = re.search(r"^LINE (\d+):", str(error), re.MULTILINE)
        place = _in_query(file, int(line[1]) if line else 1)
        raise SqlAssetError(f"{place} does not bind: {str(error).splitlines()[0]}") from None
    actual = {name: kind for name, kind, *_ in described}
    declared = {
        name: kind
        for name, kind, *_ in connection.execute(f"describe ({file.table.empty_sql()})").fetchall()
    }
    for name in actual:
        if name not in declared:
            place = _in_query(file, _line_of(file, name))
            raise SqlAssetError(
                f"{place} gives the column {name!r}, which the header does not document; add it "
                "under `columns`."
            )
    for name, kind in declared.items():
        place = file.where("columns", name)
        if name not in actual:
            raise SqlAssetError(f"{place} documents {name!r}, which the query does not give.")
        if actual[name] != kind:
            raise SqlAssetError(
                f"{place} says {name!r} is {kind.lower()}, but the query gives "
                f"{actual[name].lower()}."
            )
    if list(actual) != list(declared):
        raise SqlAssetError(
            f"{file.where('columns')} lists the columns in another order than the query gives them."
        )


Rule = tuple[str, str, set[str]]
"""Where a rule stands, its select, and the columns that this must give."""


def _check_rules(connection: duckdb.DuckDBPyConnection, file: SqlFile) -> None:
    """Assertions and gate rules must at least bind, to what they see when they run."""
    assertions: list[Rule] = [
        (file.where("checks", name, "fails"), check.fails, {"day"})
        for name, check in file.checks.items()
        if isinstance(check, AssertionCheck)
    ]
    _must_bind(connection, file, ("this",), assertions)
    if file.gate:
        rows: list[Rule] = [
            (file.where("gate", "rows", name, "select"), rule.select, set(file.table.key))
            for name, rule in file.gate.rows.items()
        ]
        days: list[Rule] = [
            (file.where("gate", "days", name, "select"), rule.select, set())
            for name, rule in file.gate.days.items()
        ]
        warnings: list[Rule] = [
            (file.where("gate", "warnings", name, "select"), rule.select, set())
            for name, rule in file.gate.warnings.items()
        ]
        views = ("candidate", "previous", "latest")
        _must_bind(connection, file, views, rows + days + warnings)


def _must_bind(
    connection: duckdb.DuckDBPyConnection,
    file: SqlFile,
    views: tuple[str, ...],
    rules: list[Rule],
) -> None:
    for view in views:
        connection.execute(f"create temp view {view} as {file.table.empty_sql()}")
    for place, select, needed in rules:
        try:
            given = {row[0] for row in connection.execute(f"describe ({select})").fetchall()}
        except duckdb.Error as error:
            what = str(error).splitlines()[0]
            raise SqlAssetError(f"{place} does not bind: {what}") from None
        if not needed <= given:
            raise SqlAssetError(f"{place} must select {', '.join(sorted(needed))}.")
    for view in views:
        connection.execute(f"drop view {view}")


def _line_of(file: SqlFile, column: str) -> int:
    """The line of the query that gives the column."""
    from sqlglot import exp

    for select in _parsed(file).selects:
        if select.alias_or_name == column:
            return max(name.meta.get("line", 1) for name in select.find_all(exp.Identifier))
    return 1


def _in_query(file: SqlFile, line: int) -> str:
    return file.at(file.query_line + line - 1)
