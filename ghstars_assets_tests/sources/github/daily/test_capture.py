"""A day of `stars/github`: what is stored stays, a past day is not guessed, none is asked twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from ghstars_assets.calendar import DayRange, utc_today
from ghstars_assets.errors import SettingsError
from ghstars_assets.lake.marker import Marker, SandboxWorld, mark_lake
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sandbox.http.child import running_sandbox
from ghstars_assets.sandbox.world.world import WorldSpec
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.api.client import GitHub, GraphReply
from ghstars_assets.sources.github.daily.capture import known_days, take_github_days
from ghstars_assets.sources.github.daily.discovery import take_discovered_days
from ghstars_assets.sources.github.daily.intake import Intake
from ghstars_assets.sources.github.tables import tables_of
from ghstars_assets.sources.github.tracking.registry import take_repositories_days
from ghstars_assets.sources.github.tracking.tracking_rules import parse_tracking_rule, record

TABLES = tables_of("stars")
FIRST = date(2026, 6, 1)
WORLD = WorldSpec(5, 60, FIRST)


def _day(number: int) -> date:
    return FIRST + timedelta(days=number)


@dataclass
class Home:
    """A lake beside a GitHub that runs for the length of the test and stands on a day."""

    lake: Lake
    marker: Marker
    url: str

    def show(self, day: date) -> None:
        httpx.put(f"{self.url}/sandbox/clock", json={"day": str(day)}).raise_for_status()

    def happen(self, **event: object) -> None:
        httpx.post(f"{self.url}/sandbox/happenings", json=event).raise_for_status()

    def fault(self, name: str, times: int = 1) -> None:
        asked = {"name": name, "times": times}
        httpx.post(f"{self.url}/sandbox/faults", json=asked).raise_for_status()

    def served(self, day: date) -> dict[str, int]:
        served = httpx.get(f"{self.url}/sandbox/served").json()
        return served["repositories"].get(str(day), {})

    def take(self, first: date, last: date | None = None) -> list[DayOutcome]:
        days = DayRange(first, last or first)
        found: list[DayOutcome] = []
        for source in (take_discovered_days, take_github_days):
            found = list(source(self.lake, self.marker, TABLES, days, _ignore))
        return found

    def rows(self, day: date) -> pl.DataFrame:
        return self.lake.read(TABLES.github.name, day)


def _ignore(_message: str) -> None:
    pass


@contextmanager
def _home(tmp_path: Path, **settings: object) -> Iterator[Home]:
    with running_sandbox(WORLD) as sandbox:
        known = {"github_api": sandbox.url, "github_token": sandbox.token, **settings}
        lake = Lake(Settings.model_validate({"home": tmp_path / "home", "threads": 1, **known}))
        marker = mark_lake(lake, Marker("sandbox", FIRST))
        record(
            lake,
            TABLES,
            "track",
            [(parse_tracking_rule("stars", "0.."), None)],
            "a test",
            datetime(2026, 6, 1, tzinfo=UTC),
        )
        yield Home(lake, marker, sandbox.url)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with _home(tmp_path) as found:
        yield found


def test_today_is_taken_once_and_then_kept_whatever_github_says_later(home: Home) -> None:
    (outcome,) = home.take(FIRST)
    assert outcome.status is Status.WRITTEN
    assert outcome.rows == home.rows(FIRST).height >= 60
    before = home.rows(FIRST)
    home.happen(delete=before["repo_id"][0])
    (again,) = home.take(FIRST)
    assert again.reason == "taken before and kept as it was"
    assert home.rows(FIRST).equals(before)
    assert set(home.served(FIRST).values()) == {1}


def test_a_past_day_is_never_stamped_with_todays_count(home: Home) -> None:
    home.take(FIRST)
    before = home.rows(FIRST)
    home.show(_day(3))
    past, missed = home.take(FIRST, _day(1))
    assert past.reason == "taken before and kept as it was"
    assert home.rows(FIRST).equals(before)
    assert missed.status is Status.SKIPPED
    assert "GitHub knows only what is so today" in missed.reason
    assert f"ghstars gap stars {_day(1)}" in missed.reason
    assert home.lake.days(TABLES.github.name) == [FIRST]
    assert home.served(_day(3)) == {}


def test_a_day_that_has_not_begun_is_not_taken_either(home: Home) -> None:
    (outcome,) = home.take(_day(9))
    assert outcome.status is Status.SKIPPED


def test_a_past_day_of_a_real_home_needs_no_token_to_be_refused(tmp_path: Path) -> None:
    lake = Lake(Settings(home=tmp_path))
    marker = mark_lake(lake, Marker("real"))
    long_ago = DayRange(date(2026, 1, 1), date(2026, 1, 2))
    found = list(take_github_days(lake, marker, TABLES, long_ago, _ignore))
    assert [outcome.status for outcome in found] == [Status.SKIPPED, Status.SKIPPED]
    today = DayRange(utc_today(), utc_today())
    with pytest.raises(SettingsError, match="No GitHub token is set"):
        list(take_github_days(lake, marker, TABLES, today, _ignore))


def test_what_a_killed_run_had_fetched_is_not_asked_for_again(home: Home) -> None:
    home.take(FIRST)
    whole = home.rows(FIRST)
    home.lake.delete(TABLES.github.name, FIRST)
    intake = Intake(home.lake, TABLES.github, FIRST)
    had = whole.head(25)
    intake.keep(had.to_dicts())
    (outcome,) = home.take(FIRST)
    assert "25 had been fetched before" in outcome.reason
    assert home.rows(FIRST).equals(whole)
    served = home.served(FIRST)
    assert {served[str(repo_id)] for repo_id in had["repo_id"]} == {1}
    assert intake.rows().is_empty()


def test_a_day_that_was_begun_and_never_ended_is_made_of_what_there_is(home: Home) -> None:
    home.take(FIRST)
    whole = home.rows(FIRST)
    home.lake.delete(TABLES.github.name, FIRST)
    Intake(home.lake, TABLES.github, FIRST).keep(whole.head(25).to_dicts())
    home.show(_day(1))
    assert FIRST in known_days(home.lake, home.marker, TABLES, datetime(2026, 6, 2, tzinfo=UTC))
    (outcome,) = home.take(FIRST)
    assert (outcome.status, outcome.rows) == (Status.WRITTEN, 25)
    assert "before the day ended" in outcome.reason
    assert home.rows(FIRST).equals(whole.head(25))


def test_midnight_ends_a_day_and_what_came_after_it_belongs_to_the_next(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = GitHub.graphql
    asked = 0

    async def graphql(github: GitHub, *given: Any, **named: Any) -> GraphReply:
        nonlocal asked
        asked += 1
        number = asked
        reply = await ask(github, *given, **named)
        # Only the first answer came in time.
        return (
            reply if number == 1 else replace(reply, observed_at=reply.observed_at + timedelta(1))
        )

    monkeypatch.setattr(GitHub, "graphql", graphql)
    (outcome,) = home.take(FIRST)
    assert "before the day ended" in outcome.reason
    assert 0 < home.rows(FIRST).height < 60
    tomorrow = Intake(home.lake, TABLES.github, _day(1)).rows()
    assert tomorrow.height + home.rows(FIRST).height >= 60
    assert set(tomorrow["day"]) == {_day(1)}


def test_a_repository_once_tracked_stays_when_search_finds_it_no_more(home: Home) -> None:
    home.take(FIRST)
    gone = int(home.rows(FIRST)["repo_id"][7])
    home.show(_day(1))
    home.happen(delete=gone)
    home.take(_day(1))
    row = home.rows(_day(1)).row(by_predicate=pl.col("repo_id") == gone, named=True)
    assert (row["status"], row["stars"]) == ("not_found", None)


def test_names_in_the_registry_follow_a_rename(home: Home) -> None:
    home.take(FIRST)
    renamed = home.rows(FIRST).row(3, named=True)
    home.show(_day(1))
    home.happen(rename=renamed["repo_id"], to="elsewhere/anew")
    home.take(_day(1))
    list(take_repositories_days(home.lake, home.marker, TABLES, DayRange(FIRST, _day(1)), _ignore))
    registry = home.lake.read(TABLES.repositories.name, _day(1))
    row = registry.row(by_predicate=pl.col("repo_id") == renamed["repo_id"], named=True)
    assert (row["full_name"], row["previous_name"]) == ("elsewhere/anew", renamed["full_name"])
    assert row["change"] == "transferred"


def test_two_repositories_asked_for_in_two_ways_are_one_row(home: Home) -> None:
    home.take(FIRST)
    name = home.rows(FIRST)["full_name"][0]
    home.lake.delete(TABLES.github.name, FIRST)
    rules = [(parse_tracking_rule("repository", name), None)]
    record(home.lake, TABLES, "track", rules, "a test", datetime(2026, 6, 1, tzinfo=UTC))
    home.take(FIRST)
    rows = home.rows(FIRST)
    assert rows["repo_id"].is_unique().all()


def test_a_sandbox_home_of_its_own_shows_every_day_of_its_past(tmp_path: Path) -> None:
    lake = Lake(Settings(home=tmp_path))
    world = SandboxWorld(WORLD.seed, WORLD.repositories, FIRST)
    marker = mark_lake(lake, Marker("sandbox", FIRST, world))
    everything = [(parse_tracking_rule("stars", "0.."), None)]
    record(lake, TABLES, "track", everything, "a test", datetime(2026, 6, 1, tzinfo=UTC))
    days = DayRange(FIRST, _day(3))
    list(take_discovered_days(lake, marker, TABLES, days, _ignore))
    outcomes = list(take_github_days(lake, marker, TABLES, days, _ignore))
    assert [outcome.status for outcome in outcomes] == [Status.WRITTEN] * 4
    for day in days:
        rows = lake.read(TABLES.github.name, day)
        assert set(rows["observed_at"].dt.date()) == {day}
        assert rows["stars"].sum() > 0
