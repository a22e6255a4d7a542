"""The star history: what GitHub answers today about the past, stored under today."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.duck import bind_parquet, duck_session
from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sandbox.http.child import running_sandbox
from ghstars_assets.sandbox.world.world import WorldSpec
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.daily.capture import take_github_days
from ghstars_assets.sources.github.daily.discovery import take_discovered_days
from ghstars_assets.sources.github.daily.star_history import take_star_history_days
from ghstars_assets.sources.github.tables import tables_of
from ghstars_assets.sources.github.tracking.tracking_rules import parse_tracking_rule, record

TABLES = tables_of("stars")
FIRST = date(2026, 6, 1)
TODAY = FIRST + timedelta(days=20)


def _ignore(_message: str) -> None:
    pass


class Home:
    def __init__(self, lake: Lake, marker: Marker, url: str) -> None:
        self.lake = lake
        self.marker = marker
        self.url = url

    def show(self, day: date) -> None:
        httpx.put(f"{self.url}/sandbox/clock", json={"day": str(day)}).raise_for_status()

    def capture(self, day: date) -> None:
        self.show(day)
        for source in (take_discovered_days, take_github_days):
            list(source(self.lake, self.marker, TABLES, DayRange(day, day), _ignore))

    def read(self, day: date) -> DayOutcome:
        days = DayRange(day, day)
        (found,) = take_star_history_days(self.lake, self.marker, TABLES, days, _ignore)
        return found

    def rows(self, day: date) -> pl.DataFrame:
        return self.lake.read(TABLES.star_history.name, day)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with running_sandbox(WorldSpec(5, 40, FIRST)) as sandbox:
        settings = Settings.model_validate(
            {
                "home": tmp_path,
                "github_api": sandbox.url,
                "github_token": sandbox.token,
                "star_history_per_day": 15,
            }
        )
        lake = Lake(settings)
        marker = mark_lake(lake, Marker("sandbox", FIRST))
        everything = [(parse_tracking_rule("stars", "0.."), None)]
        record(lake, TABLES, "track", everything, "a test", datetime(2026, 6, 1, tzinfo=UTC))
        yield Home(lake, marker, sandbox.url)


def test_an_answer_about_the_past_is_stored_under_the_day_it_was_given(home: Home) -> None:
    home.capture(TODAY)
    outcome = home.read(TODAY)
    assert outcome.reason == "15 repositories read, 30 weeks of each"
    rows = home.rows(TODAY)
    assert set(rows["day"]) == {TODAY}
    assert set(rows["observed_at"].dt.date()) == {TODAY}
    assert rows["repo_id"].n_unique() == 15
    assert rows["gained_on"].max() == TODAY
    oldest = rows["gained_on"].min()
    assert isinstance(oldest, date)
    assert TODAY - timedelta(days=210) <= oldest <= TODAY - timedelta(days=200)


def test_the_days_of_the_week_that_are_still_to_come_are_left_out(home: Home) -> None:
    assert TODAY.weekday() != 5
    home.capture(TODAY)
    home.read(TODAY)
    assert home.rows(TODAY).filter(pl.col("gained_on") > TODAY).is_empty()


def test_each_is_read_in_its_turn_before_one_is_read_again(home: Home) -> None:
    read: list[int] = []
    for number in range(3):
        day = TODAY + timedelta(days=number)
        home.capture(day)
        home.read(day)
        read += home.rows(day)["repo_id"].unique().to_list()
    assert len(read) == len(set(read)) >= 40


def test_a_later_word_about_the_past_changes_no_earlier_one(home: Home) -> None:
    """A feature of an earlier day that reads this table sees what was known then, no more."""
    tomorrow = TODAY + timedelta(days=1)
    home.capture(TODAY)
    home.read(TODAY)
    before = home.rows(TODAY)
    home.capture(tomorrow)
    home.read(tomorrow)
    assert home.rows(TODAY).equals(before)
    # As the engine binds a window of -30..0 for a row of TODAY: partitions up to that day.
    with duck_session(home.lake.settings, home.lake.store) as connection:
        window = DayRange(TODAY - timedelta(days=30), TODAY)
        urls = home.lake.urls(TABLES.star_history.name, window)
        bind_parquet(connection, "stars.star_history", urls, TABLES.star_history.empty_sql())
        found = connection.execute("select max(observed_at), count(*) from stars.star_history")
        newest, count = found.fetchone() or (None, 0)
    assert newest is not None
    assert newest.astimezone(UTC).date() == TODAY
    assert count == before.height


def test_a_past_day_is_not_asked(home: Home) -> None:
    home.capture(TODAY)
    outcome = home.read(TODAY - timedelta(days=3))
    assert outcome.status is Status.SKIPPED
    assert "GitHub knows only what is so today" in outcome.reason


def test_a_repository_that_went_away_meanwhile_is_left_out(home: Home) -> None:
    home.capture(TODAY)
    asked = home.lake.read(TABLES.github.name, TODAY)
    for repo_id in asked["repo_id"].to_list()[:30]:
        httpx.post(f"{home.url}/sandbox/happenings", json={"delete": repo_id}).raise_for_status()
    outcome = home.read(TODAY)
    assert "had no history" in outcome.reason
