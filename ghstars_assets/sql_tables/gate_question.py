"""All rules of a gate asked of several days at once: most break none, and asking costs more than
answering."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import polars as pl

from ghstars_assets.lake.catalog import Table
from ghstars_assets.sql_tables.header import Gate

VIEWS = ("candidate", "previous", "latest")
"""A rule selects from these."""


@dataclass(frozen=True)
class AtTheGate:
    """Holds what a rule sees of one day."""

    candidate: pl.DataFrame
    previous: pl.DataFrame
    latest: pl.DataFrame


class GateQuestion:
    """Asks which rules each of several days breaks."""

    def __init__(self, gate: Gate, table: Table) -> None:
        self.columns = gate_columns(gate, table)
        rules = {**gate.rows, **gate.days, **gate.warnings}
        self.names = list(rules)
        asked = ", ".join(f"exists({of_one_day(rule.select)})" for rule in rules.values())
        self._sql = f"select {asked} from range(?) as asked(place) order by place"  # noqa: S608

    def ask(
        self, connection: duckdb.DuckDBPyConnection, days: Sequence[AtTheGate]
    ) -> list[set[str]]:
        if not self.names:
            return [set() for _ in days]
        for view in VIEWS:
            frames: list[pl.DataFrame] = [getattr(day, view) for day in days]
            numbered = [
                frame.select(*self.columns, pl.lit(place, pl.Int64).alias("place"))
                for place, frame in enumerate(frames)
            ]
            connection.register(f"gate_{view}", pl.concat(numbered))
        answers = connection.execute(self._sql, [len(days)]).fetchall()
        return [
            {name for name, is_broken in zip(self.names, row, strict=True) if is_broken}
            for row in answers
        ]


def gate_columns(gate: Gate, table: Table) -> list[str]:
    """The columns that the gate's rules may look at: its memory of earlier days holds no others."""
    rules = (*gate.rows.values(), *gate.days.values(), *gate.warnings.values())
    words = set(re.findall(r"\w+", " ".join(rule.select for rule in rules)))
    return [name for name in table.column_names if name in words or name in ("day", *table.key)]


def of_one_day(select: str) -> str:
    """Narrow the views of a rule's select to the day `asked.place`."""
    # It is needed when a day is at the gate, and not by whoever imports this.
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(select, read="duckdb")
    for table in list(tree.find_all(exp.Table)):
        if table.db or table.name not in VIEWS:
            continue
        narrowed = sqlglot.parse_one(
            f"select * exclude (place) from gate_{table.name} where place = asked.place",  # noqa: S608
            read="duckdb",
        )
        alias = exp.TableAlias(this=exp.to_identifier(table.alias_or_name))
        table.replace(exp.Subquery(this=narrowed, alias=alias, joins=table.args.get("joins")))
    return tree.sql("duckdb")
