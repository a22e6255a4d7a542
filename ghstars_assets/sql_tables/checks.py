"""Evaluates the checks of a SQL file's header for each day of a batch, in a few passes over it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import duckdb

from ghstars_assets.lake.catalog import Column
from ghstars_assets.sql_tables.header import AssertionCheck, RowCountCheck, SqlFile

NOT_NULL = "not_null"
UNIQUE_KEY = "unique_key"
WITHIN_RANGE = "within_range"
ACCEPTED_VALUES = "accepted_values"
GATE = "gate"


@dataclass(frozen=True)
class DayCheck:
    """Says what one check found on one day."""

    name: str
    day: date
    is_passed: bool
    description: str
    is_warning: bool = False
    figures: Mapping[str, float | int | str] = field(default_factory=dict)


def check_descriptions(file: SqlFile) -> dict[str, str]:
    """Describe every check of the file, by name."""
    columns = file.table.columns
    built_in = {
        NOT_NULL: ("is never null", [c for c in columns if c.is_required]),
        WITHIN_RANGE: ("lies within its range", [c for c in columns if _has_range(c)]),
        ACCEPTED_VALUES: ("has an accepted value", [c for c in columns if c.accepted]),
    }
    found = {
        name: f"{', '.join(column.name for column in checked)} {meaning}"
        for name, (meaning, checked) in built_in.items()
        if checked
    }
    if file.table.key:
        found[UNIQUE_KEY] = f"{', '.join(file.table.key)} is unique within a day"
    if file.gate:
        found[GATE] = "the day and its rows pass the gate"
    return found | {name: check.is_ for name, check in file.checks.items()}


def evaluate_checks(
    connection: duckdb.DuckDBPyConnection,
    file: SqlFile,
    days: Sequence[date],
    before: tuple[date, str] | None,
) -> Iterator[DayCheck]:
    """Evaluate all but the gate over the view `this`, which holds just `days`.

    `before` is the latest earlier day with rows and a select of them, for the first comparison.
    """
    yield from _column_checks(connection, file, days)
    for name, check in file.checks.items():
        if isinstance(check, RowCountCheck):
            yield from _row_count_check(connection, name, check, days, before)
        else:
            yield from _assertion_check(connection, name, check, days)


def _column_checks(
    connection: duckdb.DuckDBPyConnection, file: SqlFile, days: Sequence[date]
) -> Iterator[DayCheck]:
    """Evaluate all column checks in one pass: it counts the offending rows by column and day."""
    offences = [(name, label, sql) for name, label, sql in _offences(file)]
    if not offences:
        return
    counts = ", ".join(sql for _, _, sql in offences)
    query = f"select day, {counts} from this group by day"  # noqa: S608 - names from the header
    by_day = {row[0]: row[1:] for row in connection.sql(query).fetchall()}
    for name in dict.fromkeys(name for name, _, _ in offences):
        for day in days:
            counted = by_day.get(day, (0,) * len(offences))
            bad = {
                label: int(count)
                for (check, label, _), count in zip(offences, counted, strict=True)
                if check == name and count
            }
            listed = ", ".join(f"{label} in {count} rows" for label, count in bad.items())
            yield DayCheck(name, day, not bad, f"offends: {listed}" if bad else "holds", False, bad)


def _offences(file: SqlFile) -> Iterator[tuple[str, str, str]]:
    """(check, column, SQL that counts offending rows in a group)."""
    for column in file.table.columns:
        if column.is_required:
            yield NOT_NULL, column.name, f'count_if("{column.name}" is null)'
        if _has_range(column):
            yield WITHIN_RANGE, column.name, f"count_if({_outside(column)})"
        if column.accepted:
            values = ", ".join("'" + value.replace("'", "''") + "'" for value in column.accepted)
            yield ACCEPTED_VALUES, column.name, f'count_if("{column.name}" not in ({values}))'
    if file.table.key:
        key = ", ".join(f'"{name}"' for name in file.table.key)
        yield UNIQUE_KEY, ", ".join(file.table.key), f"count(*) - count(distinct ({key}))"


def _has_range(column: Column) -> bool:
    return column.minimum is not None or column.maximum is not None


def _outside(column: Column) -> str:
    bounds = []
    if column.minimum is not None:
        bounds.append(f'"{column.name}" < {column.minimum!r}')
    if column.maximum is not None:
        bounds.append(f'"{column.name}" > {column.maximum!r}')
    return " or ".join(bounds)


def _row_count_check(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    check: RowCountCheck,
    days: Sequence[date],
    before: tuple[date, str] | None,
) -> Iterator[DayCheck]:
    """Compare each count with the last one of its kind, at most a month old."""
    counted = _counts(connection, check.by, "this")
    latest: dict[str, tuple[date, int]] = {}
    if before:
        for (_, kind), rows in _counts(connection, check.by, f"({before[1]})").items():
            latest[kind] = (before[0], rows)
    by_day: dict[date, dict[str, int]] = {}
    for (day, kind), rows in counted.items():
        by_day.setdefault(day, {})[kind] = rows
    for day in days:
        kinds = by_day.get(day, {})
        compared, is_steady = [], True
        figures: dict[str, float | int | str] = {"rows": sum(kinds.values())}
        for kind, rows in sorted(kinds.items()):
            known = latest.get(kind)
            if known and known[0] >= day - timedelta(days=31):
                change = rows / known[1] - 1
                is_steady &= -check.max_drop <= change <= check.max_rise
                compared.append(f"{rows} rows{kind and f' of {kind}'}, {change:+.1%} on {known[0]}")
                figures[f"change_{kind}" if kind else "change"] = change
            latest[kind] = (day, rows)
        description = "; ".join(compared) or "nothing to compare with"
        yield DayCheck(name, day, is_steady, description, figures=figures)


def _counts(
    connection: duckdb.DuckDBPyConnection, by: str, rows: str
) -> dict[tuple[date, str], int]:
    kind = f'"{by}"' if by else "''"
    query = f"select day, {kind}, count(*) from {rows} group by all"  # noqa: S608 - the header's
    return {(day, str(kind)): count for day, kind, count in connection.sql(query).fetchall()}


def _assertion_check(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    check: AssertionCheck,
    days: Sequence[date],
) -> Iterator[DayCheck]:
    query = f"select day, count(*) from ({check.fails}) group by day"  # noqa: S608 - the header's
    failing = dict(connection.sql(query).fetchall())
    for day in days:
        rows = failing.get(day, 0)
        description = f"{rows} rows break it: {check.is_}" if rows else "holds"
        yield DayCheck(name, day, not rows, description, figures={"failing_rows": rows})
