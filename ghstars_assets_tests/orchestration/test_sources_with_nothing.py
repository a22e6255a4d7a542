"""A range of the whole group, in a home of which some source has nothing.

The UI launches it as one run of many assets and days (*Materialize all*).
"""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from dagster import AssetRecordsFilter, DagsterInstance

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.orchestration.partitions import asset_key
from ghstars_assets.problems.stars.problem import PROBLEM
from ghstars_assets.sandbox.world.world import World, WorldSpec
from ghstars_assets_tests.support.dagster_runs import (
    Materializer,
    process_with_home,
    reason_of_failure,
)
from ghstars_assets_tests.support.world_rows import RANKING, TABLE, as_github, as_ranking

DAYS = DayRange(date(2026, 6, 1), date(2026, 6, 4))
WITH_GITHUB = DayRange(DAYS.first, date(2026, 6, 2))
HISTORIES = ("stars.github_ranking", "stars.gharchive", "stars.gharchive_capture")
MADE_OF_THEM = ("stars.snapshots", "stars.source_conflicts", "stars.features")


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    """GitHub was asked on some days, and no archive was imported."""
    with process_with_home(tmp_path / "home") as settings:
        found = Lake(settings)
        mark_lake(found, Marker("real", DAYS.first))
        for day, frame in World(WorldSpec(3, 20, DAYS.first)).snapshots(*_ends(WITH_GITHUB)):
            found.write(TABLE.name, day, as_github(frame))
        yield found


@pytest.fixture
def materialize(lake: Lake) -> Iterator[Materializer]:
    with DagsterInstance.ephemeral() as instance:
        yield Materializer(build_defs(lake.settings, [PROBLEM]), instance)


def _ends(days: DayRange) -> tuple[date, date]:
    return days.first, days.last


def _import_archive(lake: Lake, days: DayRange) -> None:
    for day, frame in World(WorldSpec(3, 20, DAYS.first)).snapshots(*_ends(days)):
        lake.write(RANKING.name, day, as_ranking(frame))


def _status(materialize: Materializer, table: str, day: date) -> object:
    """The status that Dagster's latest record of a day has."""
    of_day = AssetRecordsFilter(asset_key(table), asset_partitions=[str(day)])
    (record,) = materialize.instance.fetch_materializations(of_day, limit=1).records
    assert record.asset_materialization
    return record.asset_materialization.metadata["status"].value


def test_an_archive_that_nobody_imported_fails_no_run_and_what_comes_after_is_made(
    lake: Lake, materialize: Materializer
) -> None:
    result = materialize([*HISTORIES, "stars.github", *MADE_OF_THEM], WITH_GITHUB)
    assert result.success, reason_of_failure(result)
    assert lake.days("stars.snapshots") == lake.days("stars.features") == list(WITH_GITHUB)
    assert lake.days(RANKING.name) == []
    assert _status(materialize, RANKING.name, WITH_GITHUB.last) == "nothing"


def test_a_later_import_fills_the_same_days_for_real(lake: Lake, materialize: Materializer) -> None:
    assert materialize(RANKING.name, WITH_GITHUB).success
    _import_archive(lake, WITH_GITHUB)
    assert materialize(RANKING.name, WITH_GITHUB).success
    assert _status(materialize, RANKING.name, WITH_GITHUB.last) == "written"


def test_days_that_only_an_archive_knows_are_made_of_it(
    lake: Lake, materialize: Materializer
) -> None:
    _import_archive(lake, DAYS)
    result = materialize([*HISTORIES, *MADE_OF_THEM], DAYS)
    assert result.success, reason_of_failure(result)
    assert lake.days("stars.snapshots") == list(DAYS)
    assert lake.days("stars.source_conflicts") == list(WITH_GITHUB)
    assert _status(materialize, "stars.source_conflicts", DAYS.last) == "nothing"


def test_a_day_that_no_source_has_fails_where_it_is_needed_and_by_name(
    materialize: Materializer,
) -> None:
    after = WITH_GITHUB.last + timedelta(days=1)
    result = materialize([*HISTORIES, "stars.snapshots"], DayRange(after, after))
    assert not result.success
    assert f"stars.github has no {after}" in reason_of_failure(result)
