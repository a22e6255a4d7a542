"""Finds the columns that each column of a SQL file is computed from."""

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage

from ghstars_assets.sql_tables.graph import SqlGraph
from ghstars_assets.sql_tables.header import SqlFile

ColumnSource = tuple[str, str]
"""(table, column)"""


def column_sources(file: SqlFile, graph: SqlGraph) -> dict[str, list[ColumnSource]]:
    """Sources by output column; none at all for a query that sqlglot cannot follow."""
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for table in file.reads:
        problem, name = table.split(".")
        columns = {column.name: column.type for column in graph.tables[table].columns}
        schema.setdefault(problem, {})[name] = columns
    try:
        roots = lineage(None, file.query, schema=schema, dialect="duckdb", trim_selects=False)
    except SqlglotError:
        return {}
    found = {
        column: sorted({source for node in root.walk() if (source := _source(node, file))})
        for column, root in roots.items()
    }
    return {column: sources for column, sources in found.items() if sources}


def _source(node: Node, file: SqlFile) -> ColumnSource | None:
    table = node.source
    if node.downstream or not isinstance(table, exp.Table):
        return None
    name = f"{table.db}.{table.name}"
    return (name, node.name.rsplit(".", 1)[-1].strip('"')) if name in file.reads else None
