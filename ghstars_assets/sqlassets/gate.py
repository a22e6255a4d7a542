"""The gate before a table: bad rows and bad days go to quarantine, each with its reason.

Days pass one by one and in order, each against the last one that was accepted, so that a range in
one batch is judged exactly as its days one by one.
"""

import re
from dataclasses import dataclass

import duckdb
import polars as pl

from ghstars_assets.lake.catalog import Column, Table
from ghstars_assets.sqlassets.header import Gate, GateRule


@dataclass(frozen=True)
class Verdict:
    accepted: pl.DataFrame
    quarantined: pl.DataFrame
    day_reason: str = ""
    """Set when the whole day is bad."""
    warnings: tuple[str, ...] = ()
    """What is to be told of a day that is kept."""


def quarantine_table(table: Table) -> Table:
    """Where what a gate holds back is kept: the table's own columns, the rule and the reason."""
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


def gate_columns(gate: Gate, table: Table) -> list[str]:
    """The columns that the gate's rules may look at: its memory of earlier days holds no others."""
    rules = (*gate.rows.values(), *gate.days.values(), *gate.warnings.values())
    words = set(re.findall(r"\w+", " ".join(rule.select for rule in rules)))
    return [name for name in table.column_names if name in words or name in ("day", *table.key)]


def judge(
    connection: duckdb.DuckDBPyConnection,
    gate: Gate,
    table: Table,
    candidate: pl.DataFrame,
    previous: pl.DataFrame,
    latest: pl.DataFrame | None = None,
) -> Verdict:
    """Pass one day through the gate. `latest` holds more than `previous` where a row was missing
    or held back on the previous day."""
    connection.register("previous", previous)
    connection.register("latest", previous if latest is None else latest)
    connection.register("candidate", candidate.select(gate_columns(gate, table)))
    broken = _broken_rules(connection, gate)
    if broken.isdisjoint(gate.rows):
        # No row is bad, so what the rules for days saw is what they should see.
        accepted, bad_rows = candidate, []
    else:
        accepted, bad_rows = _without_bad_rows(connection, gate, table, candidate)
        broken = _broken_rules(connection, gate)
    nothing = _marked(candidate.clear(), "", GateRule(select="", because=""))
    for name, rule in gate.days.items():
        if name in broken:
            condemned = _marked(accepted, name, rule)
            day_reason = f"{name}: {rule.because}"
            return Verdict(accepted.clear(), pl.concat([*bad_rows, condemned]), day_reason)
    warnings = tuple(
        f"{name}: {rule.because}" for name, rule in gate.warnings.items() if name in broken
    )
    return Verdict(accepted, pl.concat([nothing, *bad_rows]), warnings=warnings)


def _broken_rules(connection: duckdb.DuckDBPyConnection, gate: Gate) -> set[str]:
    """All rules in one question, for most days break none."""
    rules = {**gate.rows, **gate.days, **gate.warnings}
    if not rules:
        return set()
    asked = ", ".join(f"exists({rule.select})" for rule in rules.values())
    (answers,) = connection.sql(f"select {asked}").fetchall()
    return {name for name, is_broken in zip(rules, answers, strict=True) if is_broken}


def _without_bad_rows(
    connection: duckdb.DuckDBPyConnection, gate: Gate, table: Table, candidate: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Leaves the good rows bound to `candidate`, where the rules for days find them."""
    bad_rows: list[pl.DataFrame] = []
    for name, rule in gate.rows.items():
        keys = connection.sql(rule.select).pl().select(table.key).unique()
        if keys.is_empty():
            continue
        bad = candidate.join(keys, on=list(table.key), how="semi", nulls_equal=True)
        bad_rows.append(_marked(bad, name, rule))
        candidate = candidate.join(keys, on=list(table.key), how="anti", nulls_equal=True)
        connection.register("candidate", candidate.select(gate_columns(gate, table)))
    return candidate, bad_rows


def _marked(rows: pl.DataFrame, rule_name: str, rule: GateRule) -> pl.DataFrame:
    return rows.with_columns(rule=pl.lit(rule_name), reason=pl.lit(rule.because))
