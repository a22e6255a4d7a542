"""Column lineage: for each column of a SQL file, the columns it is computed from."""

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage

from ghstars_assets.sqlassets.graph import SqlGraph
from ghstars_assets.sqlassets.header import SqlFile

ColumnSource = tuple[str, str]
"""(table, column)"""


def column_sources(file: SqlFile, graph: SqlGraph) -> dict[str, list[ColumnSource]]:
    """Sources by output column; a column whose path sqlglot cannot follow is left out."""
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for table in file.reads:
        problem, name = table.split(".")
        columns = {column.name: column.type for column in graph.tables[table].columns}
        schema.setdefault(problem, {})[name] = columns
    tree = parse_one(file.query, read="duckdb")
    found: dict[str, list[ColumnSource]] = {}
    for column in file.table.column_names:
        try:
            root = lineage(column, tree.copy(), schema=schema, dialect="duckdb")
        except SqlglotError:
            continue
        sources = sorted({source for node in root.walk() if (source := _source(node, file))})
        if sources:
            found[column] = sources
    return found


def _source(node: Node, file: SqlFile) -> ColumnSource | None:
    table = node.source
    if node.downstream or not isinstance(table, exp.Table):
        return None
    name = f"{table.db}.{table.name}"
    return (name, node.name.rsplit(".", 1)[-1].strip('"')) if name in file.reads else None
