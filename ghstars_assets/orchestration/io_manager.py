"""Hands lake tables to assets as lazy frames, and takes frames back into their daily partitions."""

from collections.abc import Iterable
from datetime import date

import polars as pl
from dagster import ConfigurableIOManager, InputContext, OutputContext

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError, MissingDayError
from ghstars_assets.lake.tables import Lake, split_by_day
from ghstars_assets.orchestration.retries import judged_by_cause
from ghstars_assets.settings import current_settings


class LakeIOManager(ConfigurableIOManager):
    """Reads and writes `problem.table` for the asset `problem/table`.

    An output is a frame with a `day` column: a frame, a lazy frame, or an iterable of frames for
    ranges that should not be held in memory at once. Days without a row become empty partitions.
    """

    def handle_output(
        self, context: OutputContext, obj: pl.DataFrame | pl.LazyFrame | Iterable[pl.DataFrame]
    ) -> None:
        with judged_by_cause(context):
            self._write(context, obj)

    def load_input(self, context: InputContext) -> pl.LazyFrame:
        with judged_by_cause(context):
            return self._read(context)

    def _write(
        self, context: OutputContext, obj: pl.DataFrame | pl.LazyFrame | Iterable[pl.DataFrame]
    ) -> None:
        lake = Lake(current_settings())
        table = ".".join(context.asset_key.path)
        waiting = set(_days(context.asset_partition_keys))
        rows = size_bytes = 0
        template: pl.DataFrame | None = None
        for frame in _frames(obj):
            template = frame.clear()
            present = frame["day"].unique().sort().to_list()
            for day, part in split_by_day(frame, present).items():
                if day not in waiting:
                    raise MissingDayError(
                        f"{table} returned rows of {day}, which this run was not asked for (or "
                        "which came in two pieces); return each day once."
                    )
                written = lake.write(table, day, part)
                rows, size_bytes = rows + written.rows, size_bytes + written.size_bytes
                waiting.discard(day)
        if template is None:
            raise GhstarsError(
                f"{table} returned not one frame, so its columns are unknown; return an empty one "
                "where no day has a row."
            )
        for day in sorted(waiting):
            lake.write(table, day, template)
        context.add_output_metadata({"run_rows": rows, "size_bytes": size_bytes})

    def _read(self, context: InputContext) -> pl.LazyFrame:
        lake = Lake(current_settings())
        table = ".".join(context.asset_key.path)
        days = _days(context.asset_partition_keys)
        stored = lake.days(table, DayRange(min(days), max(days)))
        missing = sorted(set(days) - set(stored))
        if missing:
            raise MissingDayError(
                f"{table} has no {missing[0]}; fill it with `ghstars backfill "
                f"{table.split('.')[0]} --from {missing[0]} --to {missing[-1]}`."
            )
        return lake.scan(table, DayRange(min(days), max(days)))


def _days(keys: Iterable[str]) -> list[date]:
    return [date.fromisoformat(key) for key in keys]


def _frames(
    given: pl.DataFrame | pl.LazyFrame | Iterable[pl.DataFrame],
) -> Iterable[pl.DataFrame]:
    if isinstance(given, pl.LazyFrame):
        return [given.collect()]
    if isinstance(given, pl.DataFrame):
        return [given]
    return given
