"""A problem whose sources can be asked at once begins an empty home by itself."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from dagster import DagsterInstance

import ghstars_assets.problems
from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.marker import Marker, mark_lake, read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.dagster_runs import (
    Materializer,
    process_with_home,
    reason_of_failure,
)
from ghstars_assets_tests.support.tides.problem import PROBLEM as TIDES
from ghstars_assets_tests.support.tides_lake import SQL

GAUGES = replace(TIDES.sources[0], kinds=frozenset({"real", "sandbox"}))
PROBLEM = replace(TIDES, sources=(GAUGES,))
DAYS = DayRange(date(2026, 1, 1), date(2026, 1, 3))


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with process_with_home(tmp_path / "home") as found:
        yield found


def test_an_empty_home_is_marked_when_its_first_day_is_taken(settings: Settings) -> None:
    with DagsterInstance.ephemeral() as instance:
        materialize = Materializer(build_defs(settings, [PROBLEM], SQL), instance)
        result = materialize("tides.gauges", DAYS)
    assert result.success, reason_of_failure(result)
    assert read_marker(Lake(settings)) == Marker("real")
    assert Lake(settings).days("tides.gauges") == list(DAYS)


def test_a_problem_whose_sources_must_know_more_first_begins_nothing(lake: Lake) -> None:
    asking = replace(PROBLEM, asks_first="`ghstars track OWNER/NAME`")
    assert asking.begin(lake) is None
    assert asking.how_to_begin == "`ghstars track OWNER/NAME`"
    assert read_marker(lake) is None


def test_a_home_that_is_marked_stays_as_it_is(lake: Lake) -> None:
    marker = mark_lake(lake, Marker("sandbox", date(2026, 1, 1)))
    assert PROBLEM.begin(lake) == marker == read_marker(lake)


def test_a_home_with_tables_and_no_marker_is_not_taken_for_an_empty_one(lake: Lake) -> None:
    lake.write("tides.gauges", DAYS.first, GAUGES.table.empty())
    assert PROBLEM.begin(lake) is None


def test_a_problem_of_the_sandbox_alone_marks_no_real_home(lake: Lake) -> None:
    assert TIDES.begin(lake) is None


def test_a_problems_folder_that_is_no_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wells").mkdir()
    (tmp_path / "wells" / "problem.py").touch()
    paths = [*ghstars_assets.problems.__path__, str(tmp_path)]
    monkeypatch.setattr(ghstars_assets.problems, "__path__", paths)
    with pytest.raises(GhstarsError, match=r"wells/problem\.py .* put an empty __init__\.py"):
        all_problems()
