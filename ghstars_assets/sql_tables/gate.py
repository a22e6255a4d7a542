"""The gate before a table: bad rows and bad days go to quarantine, each with its reason.

Days pass in order, each compared with the last one that was accepted, so that a range in one batch
has exactly the results of its days one by one.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

import duckdb
import polars as pl

from ghstars_assets.lake.catalog import Column, Table
from ghstars_assets.sql_tables.gate_question import AtTheGate, GateQuestion
from ghstars_assets.sql_tables.header import Gate, GateRule


@dataclass(frozen=True)
class GateResult:
    """Says what becomes of one day at the gate."""

    accepted: pl.DataFrame
    quarantined: pl.DataFrame
    day_reason: str = ""
    """Set when the whole day is bad."""
    warnings: tuple[str, ...] = ()
    """What is out of the ordinary on a day that is kept."""


def quarantine_table(table: Table) -> Table:
    """Describe the table of what a gate holds back: the same columns, the rule and the reason."""
    return Table(
        name=f"{table.name}_quarantine",
        description=f"What the gate held back from {table.name}, each row with its reason.",
        columns=(
            *table.columns,
            Column("rule", "varchar", "the rule of the gate that it broke"),
            Column("reason", "varchar", "why the rule is there"),
        ),
        key=table.key,
    )


def check_day(
    connection: duckdb.DuckDBPyConnection,
    gate: Gate,
    table: Table,
    candidate: pl.DataFrame,
    previous: pl.DataFrame,
    latest: pl.DataFrame | None = None,
) -> GateResult:
    """Pass one day through the gate. `latest` holds more than `previous` where a row was missing
    or held back on the previous day."""
    seen = AtTheGate(candidate, previous, previous if latest is None else latest)
    (broken,) = GateQuestion(gate, table).ask(connection, [seen])
    return result_of(connection, gate, table, seen, broken)


def result_of(
    connection: duckdb.DuckDBPyConnection,
    gate: Gate,
    table: Table,
    seen: AtTheGate,
    broken: AbstractSet[str],
) -> GateResult:
    """Decide what becomes of a day that breaks these rules of the gate."""
    accepted, bad_rows = seen.candidate, []
    if not broken.isdisjoint(gate.rows):
        accepted, bad_rows = _without_bad_rows(connection, gate, table, seen)
        # Of what is left the rules for days may have another answer.
        (broken,) = GateQuestion(gate, table).ask(connection, [replace(seen, candidate=accepted)])
    for name, rule in gate.days.items():
        if name in broken:
            held_back = _marked(accepted, name, rule)
            day_reason = f"{name}: {rule.because}"
            return GateResult(accepted.clear(), pl.concat([*bad_rows, held_back]), day_reason)
    warnings = tuple(
        f"{name}: {rule.because}" for name, rule in gate.warnings.items() if name in broken
    )
    nothing = quarantine_table(table).empty()
    return GateResult(accepted, pl.concat([nothing, *bad_rows]), warnings=warnings)


def _without_bad_rows(
    connection: duckdb.DuckDBPyConnection, gate: Gate, table: Table, seen: AtTheGate
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Part the rows that break no rule from those that do, each with the first it breaks."""
    candidate, bad_rows = seen.candidate, []
    connection.register("previous", seen.previous)
    connection.register("latest", seen.latest)
    for name, rule in gate.rows.items():
        connection.register("candidate", candidate)
        keys = connection.sql(rule.select).pl().select(table.key).unique()
        if keys.is_empty():
            continue
        bad = candidate.join(keys, on=list(table.key), how="semi", nulls_equal=True)
        bad_rows.append(_marked(bad, name, rule))
        candidate = candidate.join(keys, on=list(table.key), how="anti", nulls_equal=True)
    return candidate, bad_rows


def _marked(rows: pl.DataFrame, rule_name: str, rule: GateRule) -> pl.DataFrame:
    return rows.with_columns(rule=pl.lit(rule_name), reason=pl.lit(rule.because))
