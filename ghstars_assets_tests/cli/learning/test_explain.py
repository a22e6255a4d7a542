"""`ghstars explain`, and the words of `ghstars predict`, on a lake of four forecasts."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.cli.learning import outcome
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.learning.wiring import wire
from ghstars_assets.problems.stars.problem import PROBLEM
from ghstars_assets.settings import SQL_ROOT
from ghstars_assets.sources.github.tables import tables_of
from ghstars_assets_tests.support.filled_home import settings_of
from ghstars_assets_tests.support.ghstars_command import Ghstars

DAY = date(2026, 8, 14)
NAMES = ("duckdb/duckdb", "pola-rs/polars", "dagster-io/dagster", "Polars-fans/polars")
WORDS = "steady at about 12 a day; no push for 400 days"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Four forecasts, and the features of their day and of the week before."""
    lake = Lake(settings_of(tmp_path / "home"))
    table = wire([PROBLEM], SQL_ROOT).graph.tables["stars.features"]
    known = pl.DataFrame({"repo_id": range(4), "full_name": NAMES})
    for weeks_ago, gained in ((0, 84), (1, 77)):
        day = DAY - timedelta(days=7 * weeks_ago)
        features = known.with_columns(
            day=pl.lit(day), stars_gained_7d=pl.lit(gained), days_since_push=pl.lit(403)
        )
        lake.write(
            "stars.features",
            day,
            table.conform(pl.concat([table.empty(), features], how="diagonal_relaxed")),
        )
    driver = {"feature": "days_since_push", "effect": -3.26}
    forecasts = known.with_columns(
        *(
            pl.lit(80.0).alias(name)
            for name in ("typical", "mean", "low_80", "high_80", "low_95", "high_95", "naive")
        ),
        day=pl.lit(DAY),
        model_version=pl.lit(7),
        drivers=pl.Series([[driver]] * 4),
        in_words=pl.lit(WORDS),
    )
    lake.write("stars.predictions", DAY, loop_tables(PROBLEM)["predictions"].conform(forecasts))
    return lake.settings.home


def _forget_words(home: Path) -> None:
    """As an earlier release wrote it."""
    lake = Lake(settings_of(home))
    lake.write("stars.predictions", DAY, lake.read("stars.predictions", DAY).drop("in_words"))


def test_a_forecast_is_explained_by_words_drivers_and_the_past(
    ghstars: Ghstars, home: Path
) -> None:
    ran = ghstars(home, "explain", "stars", "dagster-io/dagster")
    assert (ran.code, ran.err) == (0, "")
    shown = " ".join(ran.out.split())
    assert f"dagster-io/dagster on {DAY}, by version 7." in shown
    assert f"In words: {WORDS}." in shown
    assert "days since the last push to the repository -3.3 403" in shown
    assert "days_since_push" not in shown
    assert "2026-08-14 84 2026-08-07 77 2026-07-31" in shown
    for figure in ("typical 80", "mean 80", "80 % interval 80 to 80", "95 % interval", "naive 80"):
        assert figure in shown


@pytest.mark.parametrize("name", ["DuckDB/duckdb", "0"])
def test_a_name_is_known_in_any_case_and_by_its_key(
    ghstars: Ghstars, home: Path, name: str
) -> None:
    assert "duckdb/duckdb on" in ghstars(home, "explain", "stars", name, "--day", str(DAY)).out


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("duckbd/duckdb", "duckdb/duckdb"),
        ("dagstr", "dagster-io/dagster"),
        ("somebody-else-altogether/duckdb", "duckdb/duckdb"),
    ],
)
def test_a_name_that_is_not_there_is_answered_with_the_nearest(
    ghstars: Ghstars, home: Path, name: str, nearest: str
) -> None:
    ran = ghstars(home, "explain", "stars", name)
    assert (ran.code, ran.out) == (1, "")
    assert f"has no '{name}' on {DAY}; did you mean {nearest}" in ran.err
    assert "`ghstars predict stars --csv` lists all" in ran.err


def test_a_name_like_no_other_is_answered_without_a_guess(ghstars: Ghstars, home: Path) -> None:
    ran = ghstars(home, "explain", "stars", "zzzzzz")
    assert "did you mean" not in ran.err
    assert "`ghstars predict stars --csv` lists all" in ran.err


def test_forecasts_are_shown_with_words_and_given_away_with_everything(
    ghstars: Ghstars, home: Path
) -> None:
    shown = ghstars(home, "predict", "stars").out
    assert WORDS in shown
    assert "days_since_push" not in shown
    (row, *_) = json.loads(ghstars(home, "predict", "stars", "--json").out)
    assert row["in_words"] == WORDS
    assert row["drivers"] == [{"feature": "days_since_push", "effect": -3.26}]


def test_forecasts_of_an_earlier_release_are_shown_with_their_drivers(
    ghstars: Ghstars, home: Path
) -> None:
    _forget_words(home)
    shown = ghstars(home, "predict", "stars").out
    assert "days since the last push to the repository: -3" in shown
    assert "days_since_push" not in shown
    explained = ghstars(home, "explain", "stars", "duckdb/duckdb")
    assert (explained.code, "In words" in explained.out) == (0, False)
    assert "days since the last push" in explained.out


def _come_true(home: Path, actual: float | None) -> None:
    lake = Lake(settings_of(home))
    forecasts = lake.read("stars.predictions", DAY)
    scores = forecasts.with_columns(actual=pl.lit(actual, pl.Float64), low_80=pl.lit(81.0))
    table = loop_tables(PROBLEM)["scores"]
    both = pl.concat([table.empty(), scores], how="diagonal_relaxed")
    lake.write("stars.scores", DAY, table.conform(both))


def test_the_explanation_of_a_past_day_says_what_happened(ghstars: Ghstars, home: Path) -> None:
    _come_true(home, 80.0)
    shown = " ".join(ghstars(home, "explain", "stars", "duckdb/duckdb").out.split())
    assert "What happened by 2026-08-21: 80; the typical value was right" in shown
    assert "The 80 % interval missed it and the 95 % interval held it." in shown


def test_an_outcome_that_nobody_measured_is_not_invented(ghstars: Ghstars, home: Path) -> None:
    _come_true(home, None)
    shown = ghstars(home, "explain", "stars", "duckdb/duckdb").out
    assert "What happened is not known: nothing was measured of it on 2026-08-21." in shown


def test_an_outcome_that_is_not_filled_in_comes_with_the_command_that_does_it(
    ghstars: Ghstars, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome, "utc_today", lambda: DAY + timedelta(days=8))
    shown = " ".join(ghstars(home, "explain", "stars", "duckdb/duckdb").out.split())
    assert (
        f"`ghstars backfill stars --from {DAY} --to {DAY} --stages labels,scores` fills it" in shown
    )
    monkeypatch.setattr(outcome, "utc_today", lambda: DAY + timedelta(days=7))
    shown = ghstars(home, "explain", "stars", "duckdb/duckdb").out
    assert "What happens is known once 2026-08-21 is over." in shown


def test_forecasts_can_be_asked_for_by_name(ghstars: Ghstars, home: Path) -> None:
    asked = ("pola-rs/polars", "DuckDB/duckdb", "duckdb/duckdb")
    rows = json.loads(ghstars(home, "predict", "stars", *asked, "--json").out)
    assert [row["full_name"] for row in rows] == ["pola-rs/polars", "duckdb/duckdb"]
    ran = ghstars(home, "predict", "stars", "duckbd/duckdb")
    assert (ran.code, ran.out) == (1, "")
    assert "did you mean duckdb/duckdb" in ran.err
    assert ghstars(home, "predict", "stars", "--mine", "duckdb/duckdb").code == 2


def _track(home: Path, rules: Mapping[int, str]) -> None:
    """Have each repository tracked by a rule, as `stars.repositories` knows it."""
    lake, table = Lake(settings_of(home)), tables_of("stars").repositories
    rows = pl.DataFrame(
        {
            "repo_id": rules.keys(),
            "tracked_because": rules.values(),
            "is_tracked": [True] * len(rules),
        }
    ).with_columns(day=pl.lit(DAY))
    both = pl.concat([table.empty(), rows], how="diagonal_relaxed")
    lake.write(table.name, DAY, table.conform(both))


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({0: "repository duckdb/duckdb", 1: "stars 100..", 2: "owner dagster-io"}, {0, 2}),
        ({0: "stars 100..", 1: "topic sql"}, {0, 1}),
    ],
)
def test_mine_are_those_that_were_named_or_else_all_that_are_tracked(
    ghstars: Ghstars, home: Path, rules: Mapping[int, str], expected: set[int]
) -> None:
    _track(home, rules)
    rows = json.loads(ghstars(home, "predict", "stars", "--mine", "--json").out)
    assert {row["repo_id"] for row in rows} == expected


def test_mine_without_any_is_an_error_that_says_how_to_begin(ghstars: Ghstars, home: Path) -> None:
    ran = ghstars(home, "predict", "stars", "--mine")
    assert (ran.code, ran.out) == (1, "")
    assert "`ghstars track OWNER/NAME`" in ran.err
    _track(home, {99: "repository someone/else"})
    ran = ghstars(home, "predict", "stars", "--mine")
    assert f"None of the 1 that you follow was forecast on {DAY}" in ran.err
