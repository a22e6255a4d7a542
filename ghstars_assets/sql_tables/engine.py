"""Fills the table of a SQL file: each batch is one pass of its query over exactly what it may read.

A batch is one calendar month, or several where few rows a day make that cheap. Its rows are
streamed in the order of their days, so memory is bounded by one day and DuckDB's own limit,
whatever the length of history.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta

import duckdb
import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.catalog import Table
from ghstars_assets.lake.duck import (
    bind_parquet,
    bind_select,
    duck_session,
    frames_by_day,
    quoted_file,
)
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import CODE_VERSION, GAP, QUARANTINED, WARNED, Lake, Written
from ghstars_assets.sql_tables.checks import GATE, DayCheck, evaluate_checks
from ghstars_assets.sql_tables.gate import GateResult, quarantine_table
from ghstars_assets.sql_tables.gatekeeper import MOST_DAYS_AT_ONCE, Gatekeeper
from ghstars_assets.sql_tables.header import SqlFile
from ghstars_assets.sql_tables.inputs import Inputs, StoredTables, batches_of
from ghstars_assets.sql_tables.reading_ahead import read_ahead

DayRows = tuple[date, pl.DataFrame]
MOST_ROWS_AT_ONCE = 100_000
"""Days are decided on together until they hold more rows than this."""
MOST_DAYS_WAITING = 8
"""So many days may wait to be checked, and as many to be written; all of them are in memory."""


@dataclass(frozen=True)
class Batch:
    """Says what became of the days of one pass, and what the checks found."""

    days: DayRange
    outcomes: list[DayOutcome]
    checks: list[DayCheck] = field(default_factory=list)


def fill(lake: Lake, file: SqlFile, tables: Mapping[str, Table], days: DayRange) -> Iterator[Batch]:
    """Fill a range of days, batch by batch; an interrupted fill has whole batches and whole days
    behind it and nothing half-written."""
    stored = StoredTables(lake, file)
    for batch in batches_of(stored, days):
        yield _Filling(stored, tables, batch).run()


class _Filling:
    """Takes one batch into the lake."""

    def __init__(self, stored: StoredTables, tables: Mapping[str, Table], days: DayRange) -> None:
        self.lake = stored.lake
        self.file = stored.file
        self.tables = tables
        self.days = days
        self.inputs = Inputs(stored, days)
        self.outcomes: dict[date, DayOutcome] = {}
        self.writes: deque[Future[DayOutcome]] = deque()
        self.nothing = self.file.table.empty()

    def run(self) -> Batch:
        self.inputs.require()
        self._settle_holes()
        open_days = [day for day in self.days if day not in self.outcomes]
        if open_days:
            with duck_session(self.lake.settings, self.lake.store) as connection:
                try:
                    self._fill_days(connection, open_days)
                except duckdb.Error:
                    self.inputs.raise_damage()
                    raise
                checks = self._check(connection, open_days)
        else:
            checks = []
        checks += self._gate_checks()
        return Batch(self.days, [self.outcomes[day] for day in self.days], checks)

    # ---- before the pass --------------------------------------------------------------------

    def _settle_holes(self) -> None:
        """Days whose input is a gap become empty and say so; days whose input is quarantined are
        not written at all. Where the outcome of a day fell into a hole there is no label."""
        driver = self.file.driver
        ahead = timedelta(days=self.file.reads[driver].last_offset)
        holes = self.inputs.holes(DayRange(self.days.first, self.days.last + ahead))
        for day in self.days:
            own, outcome = holes.get(day), holes.get(day + ahead)
            if own and own.is_quarantine:
                self.lake.delete(self.file.table.name, day)
                reason = f"{driver} of {day} is quarantined ({own.reason})"
                self.outcomes[day] = DayOutcome(day, Status.SKIPPED, reason=reason)
            elif own:
                self._write_gap(day, own.reason)
            elif outcome:
                reason = f"{driver} of {day + ahead} is a hole ({outcome.reason})"
                self._write_gap(day, reason)

    # ---- the pass ---------------------------------------------------------------------------

    def _fill_days(self, connection: duckdb.DuckDBPyConnection, open_days: list[date]) -> None:
        rehearsed = self._days_to_rehearse(open_days[0]) if self.file.gate else []
        first_day, last_day = min([*rehearsed, *open_days]), open_days[-1]
        for table, window in self.file.reads.items():
            allowed = DayRange(
                first_day + timedelta(days=window.first_offset),
                last_day + timedelta(days=window.last_offset),
            )
            urls = self.inputs.urls(table, allowed)
            bind_parquet(connection, table, urls, self.tables[table].empty_sql())
        connection.execute(f"set variable first_day = date '{first_day}'")
        connection.execute(f"set variable last_day = date '{last_day}'")
        order = ", ".join(f'"{column}"' for column in self.file.table.order)
        columns = ", ".join(f'"{column}"' for column in self.file.table.column_names)
        query = (
            f"select {columns} from ({self.file.query}) "  # noqa: S608 - the file's own query
            "where day between getvariable('first_day') and getvariable('last_day') "
            f"order by {order}"
        )
        self.quarantined_before = self._days_in_quarantine(open_days)
        gatekeeper = (
            Gatekeeper(self.lake, self.file.table, self.file.gate, first_day, connection)
            if self.file.gate
            else None
        )
        # In the table's order they come by the query itself.
        typed = (
            (day, self.file.table.typed(frame)) for day, frame in frames_by_day(connection, query)
        )
        with (
            ThreadPoolExecutor(max_workers=2) as self.writer,
            read_ahead(typed, MOST_DAYS_WAITING) as frames,
        ):
            wanted = sorted({*rehearsed, *open_days})
            for block in _blocks(_with_empty_days(frames, wanted, self.nothing)):
                self._settle(block, set(open_days), gatekeeper)
            self._collect_written(leave=0)

    def _days_to_rehearse(self, first_day: date) -> list[date]:
        """Earlier days that the gate looks back on and that are not filled yet: they pass it
        without being written, so that the result of a day does not depend on what was filled
        first."""
        assert self.file.gate is not None  # noqa: S101 - for the type checker; the caller looked
        window = DayRange(
            first_day - timedelta(days=self.file.gate.looks_back_days),
            first_day - timedelta(days=1),
        )
        known = self.inputs.supplied(window)
        missing = set(known) - set(self.lake.days(self.file.table.name, window))
        return [day for day in known if missing and day >= min(missing)]

    def _settle(
        self, block: list[DayRows], open_days: set[date], gatekeeper: Gatekeeper | None
    ) -> None:
        """Decide on several days at once and write them while the next ones are checked."""
        results = (
            gatekeeper.check(block)
            if gatekeeper
            else [GateResult(frame, self.nothing) for _, frame in block]
        )
        for (day, _), result in zip(block, results, strict=True):
            if day in open_days:
                self.writes.append(self.writer.submit(self._store, day, result))
        self._collect_written(leave=MOST_DAYS_WAITING)

    def _collect_written(self, leave: int) -> None:
        while len(self.writes) > leave:
            outcome = self.writes.popleft().result()
            self.outcomes[outcome.day] = outcome

    def _store(self, day: date, result: GateResult) -> DayOutcome:
        if self.file.gate:
            self._keep_quarantined(day, result.quarantined)
        held_back = result.quarantined.height
        if result.day_reason:
            why = result.day_reason
            written = self._write(day, self.file.table.empty(), {QUARANTINED: why})
            return _outcome(written, Status.QUARANTINED, why, held_back)
        warned = {WARNED: "; ".join(result.warnings)} if result.warnings else {}
        written = self._write(day, result.accepted, warned)
        return _outcome(written, Status.WRITTEN, "", held_back, result.warnings)

    def _keep_quarantined(self, day: date, rows: pl.DataFrame) -> None:
        quarantine = quarantine_table(self.file.table)
        if rows.height:
            # Rows that share a key have no order of their own.
            self.lake.write(quarantine.name, day, quarantine.conform(rows.sort(pl.all())))
        elif day in self.quarantined_before:
            self.lake.delete(quarantine.name, day)

    def _days_in_quarantine(self, open_days: list[date]) -> frozenset[date]:
        """Days with rows in quarantine are listed once, not once a day to delete nothing."""
        if not self.file.gate:
            return frozenset()
        quarantine = quarantine_table(self.file.table)
        return frozenset(self.lake.days(quarantine.name, DayRange(open_days[0], open_days[-1])))

    def _write(self, day: date, frame: pl.DataFrame, notes: dict[str, str]) -> Written:
        notes = {CODE_VERSION: self.file.code_version, **notes}
        return self.lake.write(self.file.table.name, day, frame, notes=notes)

    def _write_gap(self, day: date, reason: str) -> None:
        written = self._write(day, self.file.table.empty(), {GAP: reason})
        self.outcomes[day] = _outcome(written, Status.GAP, reason)

    # ---- after the pass ---------------------------------------------------------------------

    def _check(
        self, connection: duckdb.DuckDBPyConnection, open_days: list[date]
    ) -> list[DayCheck]:
        name = self.file.table.name
        written = [day for day in open_days if self.outcomes[day].status is Status.WRITTEN]
        urls = [self.lake.url(name, day) for day in written]
        bind_parquet(connection, name, urls, self.file.table.empty_sql(), is_of_one_shape=True)
        bind_select(connection, "main.this", f"select * from {name}")  # noqa: S608 - a table's
        before = (
            _latest_rows_before(self.lake, name, open_days[0], look_back_days=31)
            if self.file.compares_row_counts
            else None
        )
        return list(evaluate_checks(connection, self.file, written, before))

    def _gate_checks(self) -> list[DayCheck]:
        if self.file.gate is None:
            return []
        return [_gate_check(outcome) for outcome in self.outcomes.values()]


def _with_empty_days(
    frames: Iterator[DayRows], wanted: Sequence[date], nothing: pl.DataFrame
) -> Iterator[DayRows]:
    """Give every day that is wanted, in order; one of which no row came is empty."""
    waiting = deque(wanted)
    for day, frame in frames:
        while waiting and waiting[0] < day:
            yield waiting.popleft(), nothing
        if waiting and waiting[0] == day:
            yield waiting.popleft(), frame
    for day in waiting:
        yield day, nothing


def _blocks(days: Iterator[DayRows]) -> Iterator[list[DayRows]]:
    """Put days together that are decided on at once, so few that little waits in memory."""
    block: list[DayRows] = []
    for day, frame in days:
        block.append((day, frame))
        rows = sum(rows.height for _, rows in block)
        if len(block) == MOST_DAYS_AT_ONCE or rows > MOST_ROWS_AT_ONCE:
            yield block
            block = []
    if block:
        yield block


def _outcome(
    written: Written,
    status: Status,
    reason: str,
    quarantined_rows: int = 0,
    warnings: tuple[str, ...] = (),
) -> DayOutcome:
    return DayOutcome(
        written.day, status, written.rows, written.size_bytes, quarantined_rows, reason, warnings
    )


def _gate_check(outcome: DayOutcome) -> DayCheck:
    counted = f"{outcome.quarantined_rows} rows are in quarantine, {outcome.rows} accepted"
    is_held_back = outcome.status is Status.QUARANTINED
    return DayCheck(
        GATE,
        outcome.day,
        is_passed=not (outcome.quarantined_rows or outcome.warnings or is_held_back),
        description="; ".join([outcome.reason or counted, *outcome.warnings]),
        is_warning=not is_held_back,
        figures={"rows": outcome.rows, "quarantined_rows": outcome.quarantined_rows},
    )


def _latest_rows_before(
    lake: Lake, table: str, day: date, look_back_days: int
) -> tuple[date, str] | None:
    """Find the newest day with rows before a day, and a select of them."""
    window = DayRange(day - timedelta(days=look_back_days), day - timedelta(days=1))
    for partition in reversed(lake.partitions(table, window)):
        if lake.row_count(partition):
            file = quoted_file(lake.store.url(partition.key))
            return partition.day, f"select * from read_parquet({file})"  # noqa: S608 - quoted
    return None
