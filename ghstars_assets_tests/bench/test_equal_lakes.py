from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from bench_support.equal_lakes import differences
from ghstars_assets.lake.tables import Lake
from ghstars_assets_tests.support.filled_home import DAYS, settings_of

DAY = date(2026, 7, 20)


@pytest.fixture
def changed(filled_home_copy: Path) -> Lake:
    """A lake that a test may change."""
    return Lake(settings_of(filled_home_copy))


def test_a_copy_of_a_lake_is_equal(filled_lake: Lake, changed: Lake) -> None:
    assert list(differences(filled_lake, changed, DAYS)) == []


def test_whatever_differs_is_seen_and_named(filled_lake: Lake, changed: Lake) -> None:
    labels = changed.read("stars.labels", DAY)
    changed.write("stars.labels", DAY, labels.with_columns(pl.col("stars_gained_next_7d") + 1))
    features = changed.read("stars.features", DAY)
    changed.write("stars.features", DAY, features.with_columns(pl.col("base") + 1e-6))
    changed.delete("stars.predictions", DAY)
    champions = changed.read("stars.champion", DAY)
    changed.write("stars.champion", DAY, champions.with_columns(decision=pl.lit("another")))
    found = list(differences(filled_lake, changed, DAYS))
    assert [text.split()[0] for text in found] == [
        f"stars/labels/date={DAY}/data.parquet",
        "stars.features:",
        "stars.predictions:",
        "stars.champion:",
    ]
    assert '"base"' in found[1]


def test_sums_that_were_added_in_another_order_are_equal(filled_lake: Lake, changed: Lake) -> None:
    features = changed.read("stars.features", DAY)
    nudged = features.with_columns(pl.col(pl.Float64) * (1 + 1e-12))
    changed.write("stars.features", DAY, nudged)
    assert list(differences(filled_lake, changed, DAYS)) == []


def test_a_number_inside_a_list_that_differs_is_seen(filled_lake: Lake, changed: Lake) -> None:
    predictions = changed.read("stars.predictions", DAY)
    nudged = pl.element().struct.with_fields(pl.field("effect") + 1e-6)
    changed.write(
        "stars.predictions", DAY, predictions.with_columns(pl.col("drivers").list.eval(nudged))
    )
    (found,) = differences(filled_lake, changed, DAYS)
    assert found.startswith("stars.predictions:")
    assert '"drivers"' in found


def test_rows_of_a_source_that_came_in_a_second_later_are_equal(
    filled_lake: Lake, changed: Lake
) -> None:
    rows = changed.read("stars.github", DAY)
    later = rows.with_columns(pl.col("ingested_at") + timedelta(seconds=1))
    changed.write("stars.github", DAY, later)
    assert list(differences(filled_lake, changed, DAYS)) == []
    changed.write("stars.github", DAY, later.with_columns(pl.col("stars") + 1))
    assert len(list(differences(filled_lake, changed, DAYS))) == 1
