"""Materializations with their metadata, one for each day, and failures that name the days."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TypedDict

import polars as pl
from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    MaterializeResult,
    MetadataValue,
    TableColumn,
    TableColumnLineage,
    TableSchema,
)

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import Cause
from ghstars_assets.lake.catalog import Table, problem_of
from ghstars_assets.lake.marker import SANDBOX_NOTICE, read_marker
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.orchestration.partitions import asset_key
from ghstars_assets.orchestration.retries import failure_of

MOST_DAYS_LISTED = 31
"""In one run. Of more days only those that are out of the ordinary have lines in the log and check
results of their own: an event costs as much as the day's rows."""
LAKE_SECONDS = "lake_seconds"
"""Metadata of a run: the time it took to make its days, without what Dagster spent on recording."""
PREVIEW_ROWS = 5
PREVIEW_COLUMNS = 8


def asked_days(context: AssetExecutionContext) -> DayRange:
    """The range of partitions that a run was asked for."""
    keys = context.partition_key_range
    return DayRange(date.fromisoformat(keys.start), date.fromisoformat(keys.end))


def table_schema(table: Table) -> TableSchema:
    return TableSchema(
        columns=[
            TableColumn(column.name, column.type, description=column.description)
            for column in table.columns
        ]
    )


class TableAttributes(TypedDict):
    """The attributes of every asset that fills a table."""

    key: AssetKey
    description: str
    group_name: str
    metadata: dict[str, TableSchema]


def table_attributes(table: Table) -> TableAttributes:
    return TableAttributes(
        key=asset_key(table.name),
        description=table.description,
        group_name=problem_of(table.name),
        metadata={"dagster/column_schema": table_schema(table)},
    )


class Stopwatch:
    """Counts the seconds in which a generator works, and none of those in which it is used."""

    def __init__(self) -> None:
        self.total = 0.0

    def timed(self, outcomes: Iterable[DayOutcome]) -> Iterator[DayOutcome]:
        started = time.perf_counter()
        for outcome in outcomes:
            self.total += time.perf_counter() - started
            yield outcome
            started = time.perf_counter()
        self.total += time.perf_counter() - started


def outcome_metadata(outcome: DayOutcome) -> dict[str, MetadataValue | str | int | float]:
    metadata: dict[str, MetadataValue | str | int | float] = {
        "dagster/partition_row_count": outcome.rows,
        "status": outcome.status.value,
        "size_bytes": outcome.size_bytes,
    }
    if outcome.quarantined_rows:
        metadata["quarantined_rows"] = outcome.quarantined_rows
    if outcome.reason:
        metadata["reason"] = outcome.reason
    for name, fact in outcome.facts.items():
        metadata[name] = MetadataValue.json(dict(fact)) if isinstance(fact, Mapping) else fact
    return metadata


Metadata = Mapping[str, MetadataValue | TableColumnLineage | str | int | float]


def materialize_days(
    context: AssetExecutionContext,
    lake: Lake,
    table: Table,
    outcomes: Iterable[DayOutcome],
    metadata_of_run: Callable[[], Metadata] = dict,
) -> MaterializeResult:
    """Record every day as it is done. The newest day also carries the metadata of the whole run,
    and no other does: a range may have thousands of days.

    When a day failed, the days that are stored are recorded one by one, and then the run fails
    with the reason of the first. A day of which there is nothing, and which nothing needs, is
    recorded with its reason and no rows: where Dagster fills a range it waits for every partition
    of it, and calls failed what was not recorded.
    """
    done: list[DayOutcome] = []
    is_long = len(asked_days(context)) > MOST_DAYS_LISTED
    lake_seconds = Stopwatch()
    for outcome in lake_seconds.timed(outcomes):
        done.append(outcome)
        if is_long:
            _log_progress(context, table, done)
        else:
            line = f"{table.name} {outcome.day}: {outcome.status.value}, {outcome.rows} rows"
            reason = outcome.reason or outcome.facts.get("reason", "")
            context.log.info(line + (f" ({reason})" if reason else ""))
    failed = [outcome for outcome in done if outcome.status is Status.FAILED]
    skipped = [outcome for outcome in done if outcome.status is Status.SKIPPED]
    stored = [outcome for outcome in done if outcome.is_stored]
    if failed or (skipped and not stored):
        for outcome in stored:
            context.log_event(
                AssetMaterialization(
                    context.asset_key,
                    partition=str(outcome.day),
                    metadata=outcome_metadata(outcome),
                )
            )
        first = (failed or skipped)[0]
        others = len(failed or skipped) - 1
        raise failure_of(
            f"{table.name} {first.day} was not filled: {first.reason}"
            + (f" (and {others} more days)" if others else ""),
            Cause.BAD_DATA,
        )
    of_run = {**summary(lake, table, done), **metadata_of_run()}
    for outcome in done:
        metadata = {**outcome_metadata(outcome), **(of_run if outcome is done[-1] else {})}
        context.add_asset_metadata(metadata, partition_key=str(outcome.day))
    in_common: dict[str, str | int | float] = {
        "run_rows": sum(outcome.rows for outcome in done),
        "run_days": f"{done[0].day} to {done[-1].day}" if done else "",
        LAKE_SECONDS: round(lake_seconds.total, 3),
    }
    marker = read_marker(lake)
    if marker and marker.kind == "sandbox":
        in_common["data"] = SANDBOX_NOTICE
    return MaterializeResult(metadata=in_common)


def _log_progress(context: AssetExecutionContext, table: Table, done: Sequence[DayOutcome]) -> None:
    """The log of a long range has a line for each day out of the ordinary, and for each month."""
    newest = done[-1]
    if newest.status not in (Status.WRITTEN, Status.GAP):
        context.log.info(f"{table.name} {newest.day}: {newest.status.value} ({newest.reason})")
    if len(done) > 1 and done[-2].day.month != newest.day.month:
        rows = sum(outcome.rows for outcome in done)
        context.log.info(f"{table.name}: {len(done)} days to {newest.day}, {rows:,} rows")


def summary(
    lake: Lake, table: Table, outcomes: Iterable[DayOutcome]
) -> dict[str, MetadataValue | str | int | float]:
    """What a run left behind."""
    done = list(outcomes)
    metadata: dict[str, MetadataValue | str | int | float] = {}
    for status in (Status.QUARANTINED, Status.SKIPPED, Status.NOTHING, Status.GAP):
        days = [str(outcome.day) for outcome in done if outcome.status is status]
        if days:
            metadata[f"{status.value}_days"] = ", ".join(days[:20]) + (" …" if days[20:] else "")
    filled = [outcome.day for outcome in done if outcome.rows]
    if filled:
        metadata["preview"] = MetadataValue.md(preview(lake, table, filled[-1]))
    return metadata


def preview(lake: Lake, table: Table, day: date) -> str:
    """A few rows as a table that the UI renders."""
    frame = lake.scan(table.name, DayRange(day, day)).head(PREVIEW_ROWS).collect()
    shown = frame.select(frame.columns[:PREVIEW_COLUMNS])
    header = "| " + " | ".join(shown.columns) + " |"
    ruler = "|" + " --- |" * len(shown.columns)
    return "\n".join([header, ruler, *_preview_rows(shown)])


def _preview_rows(frame: pl.DataFrame) -> Iterator[str]:
    for row in frame.iter_rows():
        cells = (" ".join(str(value).split())[:60].replace("|", "\\|") for value in row)
        yield "| " + " | ".join(cells) + " |"
