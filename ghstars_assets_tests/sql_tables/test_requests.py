"""What a range of days costs on a bucket: a request for each file that is read or written."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.plan import stale_days
from ghstars_assets.learning.stages import stages_of
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.object_stores import S3Server, s3_server
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import DAYS, fill_table, fill_tides, wired_tides

MONTH = DayRange(DAYS.first + timedelta(days=10), DAYS.first + timedelta(days=39))
SQL_STAGES = ("snapshots", "features", "labels")


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
def bucket(server: S3Server, tmp_path: Path) -> Lake:
    server.make_bucket("tides")
    settings = Settings(
        home=tmp_path / "home",
        threads=1,
        memory_gb=1,
        lake="s3://tides",
        s3_endpoint=server.endpoint,
        s3_access_key_id="test",
        s3_secret_access_key=SecretStr("test"),
    )
    fill_tides(Lake(settings), DayRange(DAYS.first, MONTH.last + timedelta(days=5)))
    return Lake(settings)


def test_a_month_on_a_bucket_costs_no_listing_and_no_size_a_day(
    bucket: Lake, server: S3Server
) -> None:
    before = Counter(server.requests)
    for stage in SQL_STAGES:
        fill_table(bucket, stage, MONTH)
    filled = server.requests - before
    written = len(SQL_STAGES) * len(MONTH)
    assert filled["PUT"] == written
    assert filled["HEAD"] == 0
    assert filled["LIST"] <= 12
    # What was read, footers, and what was written once more, for its checks.
    assert filled["GET"] <= 2.5 * written

    stages = {stage.name: stage for stage in stages_of(PROBLEM, wired_tides(), None)}
    before = Counter(server.requests)
    for stage in SQL_STAGES:
        stale_days(bucket, stages[stage], MONTH)
    looked_at = server.requests - before
    assert looked_at["LIST"] <= 7
    assert looked_at["GET"] <= written
    before = Counter(server.requests)
    for stage in SQL_STAGES:
        stale_days(bucket, stages[stage], MONTH)
    assert (server.requests - before)["GET"] == 0
