"""Whether two lakes that were filled over the same days are equal, as the design defines equal.

Bytes are compared where a row is copied or counted, numbers to 1e-9 where sums are floating (they
depend on how a range was cut into batches, and a killed backfill cuts it anew). A version of a
model is named by the day that it is of, because versions are numbered as they come. When a row was
taken in is no part of what it says: on a busy machine that is a second later.
"""

import io
from collections.abc import Collection, Iterator
from datetime import timedelta

import polars as pl
from polars.testing import assert_frame_equal

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.problems.stars.problem import PROBLEM

SAME_BYTES = ("discovered", "github", "repositories", "snapshots", "snapshots_quarantine", "labels")
TAKEN_IN_AT = "ingested_at"
"""The moment at which an answer came in, by our clock."""
SAME_NUMBERS = ("features", "predictions", "scores")
SAME_MODELS = {
    "model": ("day", "trained_from", "trained_through", "holdout_through", "rows"),
    "champion": ("day", "model_version", "decision", "effective_from"),
}
"""The columns by which models and champions are compared."""
NEED_OUTCOMES = ("labels", "scores")
ALL_STAGES = (*SAME_BYTES, *SAME_NUMBERS, *SAME_MODELS)
TOLERANCE = 1e-9


def differences(
    expected: Lake, found: Lake, days: DayRange, stages: Collection[str] = ALL_STAGES
) -> Iterator[str]:
    """Each file or table that is not the same, with the first thing in which it differs."""
    for stage in stages:
        compare = _byte_differences if stage in SAME_BYTES else _number_differences
        yield from compare(expected, found, stage, _days_of(stage, days))


def _byte_differences(expected: Lake, found: Lake, stage: str, days: DayRange) -> Iterator[str]:
    left, right = (_contents(lake, stage, days) for lake in (expected, found))
    for key in sorted(left.keys() | right.keys()):
        if not _is_same(left.get(key), right.get(key)):
            yield f"{key} is not the same byte for byte"


def _is_same(left: bytes | None, right: bytes | None) -> bool:
    """Whether the bytes are equal, or all that differs is when the rows were taken in."""
    if left == right or left is None or right is None:
        return left == right
    frames = [pl.read_parquet(io.BytesIO(content)) for content in (left, right)]
    is_of_a_source = all(TAKEN_IN_AT in frame.columns for frame in frames)
    return is_of_a_source and frames[0].drop(TAKEN_IN_AT).equals(frames[1].drop(TAKEN_IN_AT))


def _number_differences(expected: Lake, found: Lake, stage: str, days: DayRange) -> Iterator[str]:
    left, right = (_comparable(lake, stage, days) for lake in (expected, found))
    try:
        assert_frame_equal(left, right, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    except AssertionError as difference:
        yield f"{PROBLEM.table(stage)}: {difference}"


def _days_of(stage: str, days: DayRange) -> DayRange:
    ahead = PROBLEM.horizon_days if stage in NEED_OUTCOMES else 0
    return DayRange(days.first, days.last - timedelta(days=ahead))


def _contents(lake: Lake, stage: str, days: DayRange) -> dict[str, bytes | None]:
    files = lake.partitions(PROBLEM.table(stage), days)
    return {file.key: lake.store.get(file.key) for file in files}


def _comparable(lake: Lake, stage: str, days: DayRange) -> pl.DataFrame:
    rows = lake.scan(PROBLEM.table(stage), days)
    if stage in SAME_MODELS:
        rows = rows.select(SAME_MODELS[stage]).sort("day")
    frame = rows.collect()
    if "model_version" not in frame.columns:
        return frame
    models = lake.scan(PROBLEM.table("model")).select("model_version", "day").collect()
    return frame.with_columns(
        pl.col("model_version").replace_strict(dict(models.iter_rows()), return_dtype=pl.Date)
    )
