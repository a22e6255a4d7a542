"""Fills the table of a SQL file: each batch is one pass of its query over exactly what it may read.

A batch lies within one calendar month. Its rows are streamed in the order of their days, so memory
is bounded by one day and DuckDB's own limit, whatever the length of history.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import duckdb
import polars as pl

from ghstars_assets.days import DayRange
from ghstars_assets.errors import MissingDayError
from ghstars_assets.lake.catalog import Table, problem_of
from ghstars_assets.lake.claim import read_claim
from ghstars_assets.lake.duck import bind_parquet, bind_select, duck_session, frames_by_day
from ghstars_assets.lake.holes import declared_gaps, holes_in, released_days
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import CODE_VERSION, GAP, QUARANTINED, Lake, Written
from ghstars_assets.sqlassets.checks import GATE, DayCheck, evaluate_checks
from ghstars_assets.sqlassets.gate import Verdict, judge, quarantine_table
from ghstars_assets.sqlassets.header import Gate, SqlFile


@dataclass(frozen=True)
class Batch:
    """What one pass left behind."""

    days: DayRange
    outcomes: list[DayOutcome]
    checks: list[DayCheck] = field(default_factory=list)


def fill(lake: Lake, file: SqlFile, tables: Mapping[str, Table], days: DayRange) -> Iterator[Batch]:
    """Fill a range of days, batch by batch; an interrupted fill has whole batches and whole days
    behind it and nothing half-written."""
    for month in days.months():
        yield _Filling(lake, file, tables, month).run()


class _Filling:
    """One batch on its way into the lake."""

    def __init__(
        self, lake: Lake, file: SqlFile, tables: Mapping[str, Table], days: DayRange
    ) -> None:
        self.lake = lake
        self.file = file
        self.tables = tables
        self.days = days
        self.problem = problem_of(file.table.name)
        self.outcomes: dict[date, DayOutcome] = {}

    def run(self) -> Batch:
        self._require_inputs()
        self._settle_holes()
        open_days = [day for day in self.days if day not in self.outcomes]
        if open_days:
            with duck_session(self.lake.settings, self.lake.store) as connection:
                self._fill_days(connection, open_days)
                checks = self._check(connection, open_days)
        else:
            checks = []
        checks += self._gate_checks()
        return Batch(self.days, [self.outcomes[day] for day in self.days], checks)

    # ---- before the pass --------------------------------------------------------------------

    def _require_inputs(self) -> None:
        """A day that should be there and is not is an error, unless it is a declared gap."""
        gaps = declared_gaps(self.lake, self.problem)
        held = read_claim(self.lake)
        first_day = held.first_day if held else None
        for table, window in self.file.reads.items():
            needed = DayRange(
                self.days.first + timedelta(days=window.first_offset),
                self.days.last + timedelta(days=window.last_offset),
            )
            # Before a table begins a lag has nothing to miss; from then on every day counts.
            present = set(self.lake.days(table))
            begins = needed.first
            if window.first_offset < 0:
                begins = first_day or min([self.days.first, *present])
            missing = [
                day for day in needed if day >= begins and day not in present and day not in gaps
            ]
            if missing:
                raise MissingDayError(
                    f"{table} has no {missing[0]}, which {self.file.table.name} needs for "
                    f"{self.days}; fill it with `ghstars backfill {self.problem} "
                    f"--from {missing[0]} --to {missing[-1]}` or declare it with "
                    f"`ghstars gap {self.problem} {missing[0]} --why …`."
                )

    def _settle_holes(self) -> None:
        """Days whose input is a gap become empty and say so; days whose input is quarantined are
        not written at all. Where the outcome of a day fell into a hole there is no label."""
        driver = self.file.driver
        ahead = timedelta(days=self.file.reads[driver].last_offset)
        holes = holes_in(self.lake, driver, DayRange(self.days.first, self.days.last + ahead))
        for day in self.days:
            own, outcome = holes.get(day), holes.get(day + ahead)
            if own and own.is_quarantine:
                self.lake.delete(self.file.table.name, day)
                reason = f"{driver} of {day} is quarantined ({own.reason})"
                self.outcomes[day] = DayOutcome(day, Status.SKIPPED, reason=reason)
            elif own:
                self._write_empty(day, Status.GAP, {GAP: own.reason})
            elif outcome:
                reason = f"{driver} of {day + ahead} is a hole ({outcome.reason})"
                self._write_empty(day, Status.GAP, {GAP: reason})

    # ---- the pass ---------------------------------------------------------------------------

    def _fill_days(self, connection: duckdb.DuckDBPyConnection, open_days: list[date]) -> None:
        rehearsed = self._days_to_rehearse(open_days[0]) if self.file.gate else []
        first_day, last_day = min([*rehearsed, *open_days]), open_days[-1]
        for table, window in self.file.reads.items():
            allowed = DayRange(
                first_day + timedelta(days=window.first_offset),
                last_day + timedelta(days=window.last_offset),
            )
            urls = self.lake.urls(table, allowed)
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
        waiting = deque(open_days)
        gatekeeper = (
            _Gatekeeper(self.lake, self.file.table, self.file.gate, first_day, connection)
            if self.file.gate
            else None
        )
        for day, frame in frames_by_day(connection, query):
            if gatekeeper and day in rehearsed:
                gatekeeper.judge(day, self.file.table.conform(frame))
            while waiting and waiting[0] < day:
                self._settle(waiting.popleft(), self.file.table.empty(), gatekeeper)
            if waiting and waiting[0] == day:
                self._settle(waiting.popleft(), self.file.table.conform(frame), gatekeeper)
        for day in waiting:
            self._settle(day, self.file.table.empty(), gatekeeper)

    def _days_to_rehearse(self, first_day: date) -> list[date]:
        """Earlier days that the gate looks back on and that are not filled yet: they pass it
        without being written, so that the verdict on a day does not hang on what was filled
        first."""
        assert self.file.gate is not None  # noqa: S101 - for the type checker; the caller looked
        window = DayRange(
            first_day - timedelta(days=self.file.gate.looks_back_days),
            first_day - timedelta(days=1),
        )
        known = self.lake.days(self.file.driver, window)
        missing = set(known) - set(self.lake.days(self.file.table.name, window))
        return [day for day in known if missing and day >= min(missing)]

    def _settle(self, day: date, frame: pl.DataFrame, gatekeeper: "_Gatekeeper | None") -> None:
        if gatekeeper is None:
            self._record(self._write(day, frame, {}), Status.WRITTEN)
            return
        verdict = gatekeeper.judge(day, frame)
        quarantine = quarantine_table(self.file.table)
        if verdict.quarantined.height:
            # Rows that share a key have no order of their own.
            kept = verdict.quarantined.sort(pl.all())
            self.lake.write(quarantine.name, day, quarantine.conform(kept))
        else:
            self.lake.delete(quarantine.name, day)
        held_back = verdict.quarantined.height
        if verdict.day_reason:
            self._write_empty(day, Status.QUARANTINED, {QUARANTINED: verdict.day_reason}, held_back)
        else:
            written = self._write(day, verdict.accepted, {})
            self._record(written, Status.WRITTEN, quarantined_rows=held_back)

    def _write(self, day: date, frame: pl.DataFrame, notes: dict[str, str]) -> Written:
        notes = {CODE_VERSION: self.file.code_version, **notes}
        return self.lake.write(self.file.table.name, day, frame, notes=notes)

    def _write_empty(
        self, day: date, status: Status, notes: dict[str, str], quarantined_rows: int = 0
    ) -> None:
        written = self._write(day, self.file.table.empty(), notes)
        reason = notes.get(GAP) or notes.get(QUARANTINED) or ""
        self._record(written, status, reason, quarantined_rows)

    def _record(
        self, written: Written, status: Status, reason: str = "", quarantined_rows: int = 0
    ) -> None:
        self.outcomes[written.day] = DayOutcome(
            written.day, status, written.rows, written.size_bytes, quarantined_rows, reason
        )

    # ---- after the pass ---------------------------------------------------------------------

    def _check(
        self, connection: duckdb.DuckDBPyConnection, open_days: list[date]
    ) -> list[DayCheck]:
        name = self.file.table.name
        urls = self.lake.urls(name, DayRange(open_days[0], open_days[-1]))
        bind_parquet(connection, name, urls, self.file.table.empty_sql())
        bind_select(connection, "main.this", f"select * from {name}")  # noqa: S608 - a table's
        written = [day for day in open_days if self.outcomes[day].status is Status.WRITTEN]
        before = _latest_rows_before(self.lake, name, open_days[0], look_back_days=31)
        return list(evaluate_checks(connection, self.file, written, before))

    def _gate_checks(self) -> list[DayCheck]:
        if self.file.gate is None:
            return []
        return [
            DayCheck(
                GATE,
                outcome.day,
                is_passed=not outcome.quarantined_rows and outcome.status is not Status.QUARANTINED,
                description=outcome.reason
                or f"{outcome.quarantined_rows} rows are in quarantine, {outcome.rows} accepted",
                is_warning=outcome.status is not Status.QUARANTINED,
                figures={"rows": outcome.rows, "quarantined_rows": outcome.quarantined_rows},
            )
            for outcome in self.outcomes.values()
        ]


class _Gatekeeper:
    """Holds what was accepted lately while the days of a batch pass the gate in order."""

    def __init__(
        self,
        lake: Lake,
        table: Table,
        gate: Gate,
        first_day: date,
        connection: duckdb.DuckDBPyConnection,
    ) -> None:
        self.table = table
        self.gate = gate
        # The batch is still streaming through the connection itself.
        self.connection = connection.cursor()
        self.released = released_days(lake, problem_of(table.name))
        self.previous = self.latest = table.empty()
        window = DayRange(
            first_day - timedelta(days=gate.looks_back_days), first_day - timedelta(days=1)
        )
        for day in lake.days(table.name, window):
            self._accept(table.conform(lake.read(table.name, day)))

    def judge(self, day: date, candidate: pl.DataFrame) -> Verdict:
        earliest = day - timedelta(days=self.gate.looks_back_days)
        self.previous = self.previous.filter(pl.col("day") >= earliest)
        self.latest = self.latest.filter(pl.col("day") >= earliest)
        gate = Gate() if day in self.released else self.gate
        verdict = judge(self.connection, gate, self.table, candidate, self.previous, self.latest)
        self._accept(verdict.accepted)
        return verdict

    def _accept(self, rows: pl.DataFrame) -> None:
        if rows.is_empty():
            return
        self.previous = rows
        elsewhere = self.latest.join(rows, on=list(self.table.key), how="anti", nulls_equal=True)
        self.latest = pl.concat([rows, elsewhere])


def _latest_rows_before(
    lake: Lake, table: str, day: date, look_back_days: int
) -> tuple[date, int] | None:
    window = DayRange(day - timedelta(days=look_back_days), day - timedelta(days=1))
    for partition in reversed(lake.partitions(table, window)):
        rows = lake.row_count(partition)
        if rows:
            return partition.day, rows
    return None
