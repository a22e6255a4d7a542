"""What a gate remembers: the rows it accepted lately, while a batch passes it day by day."""

from datetime import date, timedelta

import duckdb
import polars as pl

from ghstars_assets.days import DayRange
from ghstars_assets.lake.catalog import Table, problem_of
from ghstars_assets.lake.holes import released_days
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sqlassets.gate import Verdict, gate_columns, judge
from ghstars_assets.sqlassets.header import Gate


class Gatekeeper:
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
        self.columns = gate_columns(gate, table)
        self.previous = self.latest = table.empty().select(self.columns)
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
        self.previous = rows = rows.select(self.columns)
        elsewhere = self.latest.join(rows, on=list(self.table.key), how="anti", nulls_equal=True)
        self.latest = pl.concat([rows, elsewhere])
