"""What every file under sql/stars must hold, on a small world with gaps, renames and absences."""

import random
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import GAP, Lake
from ghstars_assets.settings import SQL_ROOT
from ghstars_assets.sql_tables.graph import SqlGraph
from ghstars_assets_tests.support.small_world import (
    copy_of,
    days_after_first,
    file_contents,
    fill_days,
)

FILES = sorted(path.stem for path in (SQL_ROOT / "stars").glob("*.sql"))
# Sums of floats depend on where a batch was cut; all else is equal byte for byte.
TOLERANCE = 1e-9
# An example costs a fill or two, so a failing one is shown as it was found and not shrunk.
FEW_EXAMPLES = settings(
    max_examples=4,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

every_file = pytest.mark.parametrize("table", [f"stars.{name}" for name in FILES])


def assert_same_rows(found: pl.DataFrame, expected: pl.DataFrame) -> None:
    assert_frame_equal(found, expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def has_floats(graph: SqlGraph, table: str) -> bool:
    return any(dtype.is_float() for dtype in graph.tables[table].empty().dtypes)


# ---- no row knows what lies outside its window --------------------------------------------------

BATCH = DayRange(days_after_first(125), days_after_first(142))
"""Within one month, and so one pass; features of its days read back to the world's first days."""


def disturb(lake: Lake, table: str, days: list[date], dice: random.Random) -> None:
    """Make each day another: other counts, fewer rows, other names, or nothing at all."""
    for day in days:
        frame = lake.read(table, day)
        if dice.random() < 0.15:
            lake.write(table, day, frame.clear(), notes={GAP: "taken away by the test"})
            continue
        keeps = [dice.random() < 0.8 for _ in range(frame.height)]
        factor = dice.choice([0.3, 0.9, 1.7])
        other = frame.filter(pl.Series(keeps, dtype=pl.Boolean)).with_columns(
            stars=(pl.col("stars") * factor).cast(pl.Int64) + dice.randrange(50),
            forks=pl.col("forks") + dice.randrange(1000),
            full_name=pl.col("full_name") + "-disturbed",
            pushed_at=pl.col("pushed_at") - timedelta(days=dice.randrange(30)),
        )
        lake.write(table, day, other)


@every_file
@FEW_EXAMPLES
@given(place=st.integers(4, 13), seed=st.integers(0, 2**16))
def test_no_day_outside_its_window_moves_a_row(
    world_lake: Lake,
    stars_graph: SqlGraph,
    tmp_path_factory: pytest.TempPathFactory,
    table: str,
    place: int,
    seed: int,
) -> None:
    """The batch reads the windows of eighteen days, so a query could look; it must not."""
    day = BATCH.first + timedelta(days=place)
    file = stars_graph.files[table]
    window = file.reads[file.driver]
    first, last = (day + timedelta(days=n) for n in (window.first_offset, window.last_offset))
    batch = DayRange(BATCH.first, BATCH.last - timedelta(days=window.last_offset))
    if day not in batch:
        return
    lake = copy_of(world_lake, tmp_path_factory.mktemp("disturbed"))
    fill_days(lake, stars_graph, table, batch)
    before = lake.read(table, day)
    assert before.height > 50

    outside = [other for other in lake.days(file.driver) if not first <= other <= last]
    if file.gate:  # it judges a day against the accepted ones before it
        outside = [other for other in outside if other > last]
    assert any(other > last for other in outside)
    disturb(lake, file.driver, outside, random.Random(seed))
    fill_days(lake, stars_graph, table, batch)
    assert_same_rows(lake.read(table, day), before)


@every_file
def test_a_day_within_its_window_does_move_it(
    world_lake: Lake, stars_graph: SqlGraph, table: str
) -> None:
    """The test above would notice."""
    day = BATCH.first
    file = stars_graph.files[table]
    fill_days(world_lake, stars_graph, table, DayRange(day, day))
    before = world_lake.read(table, day)
    last = day + timedelta(days=file.reads[file.driver].last_offset)
    disturb(world_lake, file.driver, [last], random.Random(3))
    fill_days(world_lake, stars_graph, table, DayRange(day, day))
    assert not world_lake.read(table, day).equals(before)


# ---- a range in one pass is its days one by one -------------------------------------------------

RANGE = DayRange(date(2026, 4, 26), date(2026, 5, 3))
"""Over a month's end and a declared gap."""
INNER_DAYS = list(RANGE)[1:]


@every_file
@settings(FEW_EXAMPLES, max_examples=2)
@given(cuts=st.sets(st.sampled_from(INNER_DAYS), max_size=3))
@example(cuts=set(INNER_DAYS))
def test_a_range_in_one_pass_equals_its_pieces(
    world_lake: Lake,
    stars_graph: SqlGraph,
    tmp_path_factory: pytest.TempPathFactory,
    table: str,
    cuts: set[date],
) -> None:
    """The example is the finest cut: day by day."""
    whole, pieces = world_lake, copy_of(world_lake, tmp_path_factory.mktemp("pieces"))
    if whole.days(table, RANGE) != list(RANGE):
        fill_days(whole, stars_graph, table, RANGE)
    for day in RANGE:
        pieces.delete(table, day)
    starts = sorted({RANGE.first, *cuts})
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        end = following - timedelta(days=1) if following else RANGE.last
        fill_days(pieces, stars_graph, table, DayRange(start, end))
    assert whole.days(table, RANGE) == pieces.days(table, RANGE) == list(RANGE)
    for day in RANGE:
        assert_same_rows(pieces.read(table, day), whole.read(table, day))
    if not has_floats(stars_graph, table):
        assert file_contents(pieces, table, RANGE) == file_contents(whole, table, RANGE)


# ---- writing twice is writing once --------------------------------------------------------------


@every_file
def test_filling_twice_is_filling_once(world_lake: Lake, stars_graph: SqlGraph, table: str) -> None:
    fill_days(world_lake, stars_graph, table, RANGE)
    before = file_contents(world_lake, table, RANGE)
    fill_days(world_lake, stars_graph, table, RANGE)
    assert file_contents(world_lake, table, RANGE) == before


# ---- gaps ---------------------------------------------------------------------------------------


@every_file
def test_a_declared_gap_is_an_empty_day_that_says_so(
    world_lake: Lake, stars_graph: SqlGraph, table: str
) -> None:
    fill_days(world_lake, stars_graph, table, RANGE)
    gap = date(2026, 4, 28)
    (partition,) = world_lake.partitions(table, DayRange(gap, gap))
    assert world_lake.row_count(partition) == 0
    assert world_lake.notes(partition)[GAP] == "the capture was down"


@every_file
def test_the_sql_gives_every_check_of_its_header_a_pass(
    world_lake: Lake, stars_graph: SqlGraph, table: str, tmp_path: Path
) -> None:
    from ghstars_assets.sql_tables.engine import fill

    days = DayRange(RANGE.first, RANGE.last - timedelta(days=1))
    batches = fill(world_lake, stars_graph.files[table], stars_graph.tables, days)
    checks = [check for batch in batches for check in batch.checks]
    assert checks
    assert [check for check in checks if not check.is_passed] == []
