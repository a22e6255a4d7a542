"""`ghstars start`: an empty home's first evening, and the days after it."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.marker import Marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.problems.stars.commands.start import _place
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.tables import tables_of
from ghstars_assets_tests.support.filled_home import settings_of
from ghstars_assets_tests.support.ghstars_command import Ghstars

TABLES = tables_of("stars")


@pytest.fixture
def small_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHSTARS_SANDBOX_REPOSITORIES", "150")
    monkeypatch.setenv("GHSTARS_SANDBOX_DAYS", "75")


def test_an_empty_home_has_forecasts_for_its_own_repositories_the_same_evening(
    ghstars: Ghstars, tmp_path: Path, small_world: None
) -> None:
    ran = ghstars(tmp_path, "start", "--sandbox", "--stars", "60..140", "--days", "70")
    assert ran.code == 0, ran.err
    lake = Lake(settings_of(tmp_path))
    (evening,) = lake.days(TABLES.github.name)
    own = set(lake.read(TABLES.github.name, evening)["repo_id"])
    archive = lake.days("stars.github_ranking")
    assert len(archive) > 60

    predictions = lake.read("stars.predictions", evening)
    assert own <= set(predictions["repo_id"])
    assert predictions.filter(pl.col("repo_id").is_in(list(own)))["typical"].null_count() == 0
    assert "Short history: the tracked repositories have 1 day of their own snapshots" in ran.out
    assert set(lake.days("stars.features")) >= set(archive)
    # The archive's lists hold the largest; those followed have no snapshot but tonight's.
    features = lake.read("stars.features", evening).filter(pl.col("repo_id").is_in(list(own)))
    assert features["gain_28d_vs_base"].null_count() < features.height

    status = ghstars(tmp_path, "status")
    assert status.code == 0, status.out
    assert "Short history: " in status.out

    counted = {table: len(lake.partitions(table)) for table in lake.tables()}
    again = ghstars(tmp_path, "start", "--sandbox", "--stars", "60..140", "--days", "70")
    assert again.code == 0, again.err
    assert {table: len(lake.partitions(table)) for table in lake.tables()} == counted


def test_somebody_to_follow_must_be_named(ghstars: Ghstars, tmp_path: Path) -> None:
    ran = ghstars(tmp_path, "start")
    assert ran.code == 1
    assert "No repositories were named" in ran.err
    assert "ghstars start --sandbox" in ran.err


def test_without_a_token_the_message_names_what_is_needed(
    ghstars: Ghstars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GHSTARS_GITHUB_TOKEN", raising=False)
    ran = ghstars(tmp_path, "start", "octo/cat")
    assert ran.code == 1
    assert "GHSTARS_GITHUB_TOKEN" in ran.err
    assert Lake(settings_of(tmp_path)).tables() == []


def test_a_home_that_holds_an_archive_alone_ends_where_the_archive_ends(
    ghstars: Ghstars, tmp_path: Path
) -> None:
    from ghstars_assets_tests.support.invented_rankings import DAY, day_file, days_from

    days = days_from(DAY, 12)
    for day in days:
        day_file(tmp_path / "archive", day, cat=1000 + day.day, dog=2000 + day.day)
    home = tmp_path / "home"
    assert ghstars(home, "import", "stars", str(tmp_path / "archive")).code == 0
    filled = ghstars(home, "backfill", "stars", "--stages", "snapshots,features,labels")
    assert filled.code == 0, filled.err
    lake = Lake(settings_of(home))
    assert lake.days("stars.features") == days
    assert lake.days("stars.labels") == list(DayRange(days[0], date(2024, 3, 9)))
    status = ghstars(home, "status")
    assert "archive: 12 days from" in status.out


def test_a_home_of_a_served_sandbox_finds_the_archive_beside_its_github(tmp_path: Path) -> None:
    served = Settings(home=tmp_path, github_api="http://127.0.0.1:8400/")
    with _place(Lake(served), Marker("sandbox"), "", date(2026, 6, 1)) as place:
        assert place == "http://127.0.0.1:8400/github-ranking"


def test_where_no_sandbox_is_named_the_message_says_how_its_archive_is(tmp_path: Path) -> None:
    lake = Lake(Settings(home=tmp_path, github_api=""))
    with (
        pytest.raises(GhstarsError, match=r"`--archive` and its address followed by /github-ranki"),
        _place(lake, Marker("sandbox"), "", date(2026, 6, 1)),
    ):
        pass
