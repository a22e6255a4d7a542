"""Takes a batch of days through the gate in order, and remembers the rows accepted lately."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.catalog import Table, problem_of
from ghstars_assets.lake.holes import released_days
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sql_tables.gate import GateResult, result_of
from ghstars_assets.sql_tables.gate_question import AtTheGate, GateQuestion
from ghstars_assets.sql_tables.header import Gate

MOST_DAYS_AT_ONCE = 16


@dataclass(frozen=True)
class _Memory:
    """Holds what was accepted: the rows of the last day, and the latest row of each key."""

    previous: pl.DataFrame
    latest: pl.DataFrame

    def since(self, day: date) -> "_Memory":
        is_remembered = pl.col("day") >= day
        return _Memory(self.previous.filter(is_remembered), self.latest.filter(is_remembered))

    def after(self, accepted: pl.DataFrame, key: Sequence[str]) -> "_Memory":
        if accepted.is_empty():
            return self
        rows = accepted.select(self.latest.columns)
        elsewhere = self.latest.join(rows, on=list(key), how="anti", nulls_equal=True)
        return _Memory(rows, pl.concat([rows, elsewhere]))


class Gatekeeper:
    """Checks the days of a batch in their order.

    Most days break no rule, so several are looked at together, each as if those before it were
    accepted whole; at the first that is not, what was seen of the days after it is thrown away.
    """

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
        self.question = GateQuestion(gate, table)
        nothing = table.empty().select(self.question.columns)
        self.memory = _Memory(nothing, nothing)
        self.days_at_once = MOST_DAYS_AT_ONCE
        window = DayRange(
            first_day - timedelta(days=gate.looks_back_days), first_day - timedelta(days=1)
        )
        for _, stored in lake.read_days(table.name, window):
            self.memory = self.memory.after(table.conform(stored), table.key)

    def check(self, days: Sequence[tuple[date, pl.DataFrame]]) -> list[GateResult]:
        """Give the results of days that follow one another."""
        results: list[GateResult] = []
        while len(results) < len(days):
            ahead = days[len(results) :][: self.days_at_once]
            results += self._until_one_is_not_whole(ahead)
        return results

    def _until_one_is_not_whole(
        self, days: Sequence[tuple[date, pl.DataFrame]]
    ) -> Iterator[GateResult]:
        seen = self._if_all_were_whole(days)
        for (day, _), at_the_gate, broken in zip(
            days, seen, self.question.ask(self.connection, seen), strict=True
        ):
            gate, rules = (Gate(), set[str]()) if day in self.released else (self.gate, broken)
            result = result_of(self.connection, gate, self.table, at_the_gate, rules)
            memory = _Memory(at_the_gate.previous, at_the_gate.latest)
            self.memory = memory.after(result.accepted, self.table.key)
            yield result
            if result.quarantined.height:
                # Where one day is bad the next often is, and looking far ahead is for nothing.
                self.days_at_once = 1
                return
        self.days_at_once = min(2 * self.days_at_once, MOST_DAYS_AT_ONCE)

    def _if_all_were_whole(self, days: Sequence[tuple[date, pl.DataFrame]]) -> list[AtTheGate]:
        memory, seen = self.memory, []
        for day, candidate in days:
            memory = memory.since(day - timedelta(days=self.gate.looks_back_days))
            seen.append(AtTheGate(candidate, memory.previous, memory.latest))
            memory = memory.after(candidate, self.table.key)
        return seen
