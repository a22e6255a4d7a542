"""`ghstars drift` on a small lake: what is stored, and any two windows."""

import json
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.drift_between_windows import (
    as_rows,
    held_against,
    sketches_of,
)
from ghstars_assets.learning.monitoring.drift_profile import drift_profile_json
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.learning.wiring import wire
from ghstars_assets.problems.stars.problem import PROBLEM
from ghstars_assets.settings import SQL_ROOT
from ghstars_assets_tests.support.filled_home import settings_of
from ghstars_assets_tests.support.ghstars_command import Ghstars, code_of

DAYS = DayRange(date(2026, 7, 1), date(2026, 8, 14))
WEEK = DayRange(DAYS.last - timedelta(days=6), DAYS.last)
BEFORE = DayRange(DAYS.first, date(2026, 7, 31))
ROWS = 200
TABLES = loop_tables(PROBLEM)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Six weeks of features, in the last of which the sizes of all repositories rise."""
    lake = Lake(settings_of(tmp_path / "home"))
    table = wire([PROBLEM], SQL_ROOT).graph.tables["stars.features"]
    ids = pl.int_range(ROWS, eager=True)
    for day in DAYS:
        rows = pl.DataFrame({"repo_id": ids}).with_columns(
            day=pl.lit(day),
            full_name=pl.format("owner/name-{}", "repo_id"),
            weekday=pl.lit(day.isoweekday()),
            log_stars=pl.col("repo_id") / ROWS + (5 if day in WEEK else 0),
            days_since_push=pl.col("repo_id") % 40,
        )
        known = pl.concat([table.empty(), rows], how="diagonal_relaxed")
        lake.write("stars.features", day, table.conform(known))
    return lake.settings.home


def _store_drift(home: Path) -> None:
    """Two days of it, against a version 3 that learnt from July."""
    lake = Lake(settings_of(home))
    wired = wire([PROBLEM], SQL_ROOT)
    then = sketches_of(lake, PROBLEM, BEFORE, wired.columns["stars"].features)
    for day in (DAYS.last - timedelta(days=1), DAYS.last):
        window = DayRange(day - timedelta(days=6), day)
        found = held_against(lake, PROBLEM, wired.graph.tables["stars.features"], then, window)
        rows = as_rows(found).with_columns(day=pl.lit(day), model_version=pl.lit(3))
        lake.write("stars.drift", day, TABLES["drift"].conform(rows))
    kept = {
        "day": DAYS.first,
        "model_version": 3,
        "reference": drift_profile_json({"feature": then}),
    }
    version = pl.concat([TABLES["model"].empty(), pl.DataFrame([kept])], how="diagonal_relaxed")
    lake.write("stars.model", DAYS.first, TABLES["model"].conform(version))


def test_the_newest_day_is_a_table_with_what_has_drifted_on_top(
    ghstars: Ghstars, home: Path
) -> None:
    _store_drift(home)
    ran = ghstars(home, "drift", "stars")
    assert (ran.code, ran.err) == (0, "")
    lines = [line.split() for line in ran.out.splitlines() if line.strip()]
    titled = lines.index(f"stars, {WEEK} against what version 3 learnt from".split())
    assert lines[titled + 3][:3] == ["log_stars", "feature", "yes"]
    assert "standard deviations" in ran.out
    assert "days_since_push" in ran.out
    assert [str(DAYS.last), "3", "1", "31", "0.032", "log_stars"] in lines


def test_a_window_has_a_line_a_day_and_its_rows_as_csv_and_json(
    ghstars: Ghstars, home: Path
) -> None:
    _store_drift(home)
    first = str(DAYS.last - timedelta(days=1))
    table = ghstars(home, "drift", "stars", "--from", first).out
    assert [line.split()[0] for line in table.splitlines() if line.startswith("2026")] == [
        first,
        str(DAYS.last),
    ]
    rows = json.loads(ghstars(home, "drift", "stars", "--from", first, "--json").out)
    assert {row["day"] for row in rows} == {first, str(DAYS.last)}
    assert len(rows) == 2 * 31
    csv = ghstars(home, "drift", "stars", "--csv").out.splitlines()
    assert csv[0].startswith("day,feature,kind,is_category,model_version,rows,")
    assert len(csv) == 1 + 31


def test_any_two_windows_are_compared_without_anything_stored(ghstars: Ghstars, home: Path) -> None:
    window = f"{BEFORE.first}..{BEFORE.last}"
    ran = ghstars(home, "drift", "stars", "--against", window, "--json")
    rows = {row["feature"]: row for row in json.loads(ran.out)}
    assert len(rows) == 31
    assert next(iter(rows)) == "log_stars"
    assert [name for name, row in rows.items() if row["is_drifted"]] == ["log_stars"]
    assert rows["log_stars"]["rows"] == 7 * ROWS
    assert rows["log_stars"]["reference_rows"] == len(BEFORE) * ROWS
    assert rows["log_stars"]["share_outside"] == 1.0
    assert rows["weekday"]["jensen_shannon"] < 0.05
    steady = ghstars(
        home, "drift", "stars", "--from", "2026-07-15", "--to", "2026-07-28", "--against", window
    )
    assert "stars, 2026-07-15 to 2026-07-28 against 2026-07-01 to 2026-07-31" in steady.out
    assert "yes" not in steady.out.split()


def test_of_a_long_window_entities_are_sampled_and_say_nearly_the_same(
    ghstars: Ghstars, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ghstars_assets.learning.monitoring import drift_between_windows

    asked = ("drift", "stars", "--against", f"{BEFORE.first}..{BEFORE.last}", "--json")
    whole = {row["feature"]: row for row in json.loads(ghstars(home, *asked).out)}
    monkeypatch.setattr(drift_between_windows, "MOST_ROWS", 3000)
    thinned = {row["feature"]: row for row in json.loads(ghstars(home, *asked).out)}
    assert thinned["log_stars"]["reference_rows"] < 4000 < whole["log_stars"]["reference_rows"]
    assert thinned["log_stars"]["wasserstein"] == pytest.approx(
        whole["log_stars"]["wasserstein"], rel=0.2
    )


@pytest.mark.parametrize("is_stored", [True, False])
def test_the_page_shows_every_feature_then_and_now(
    ghstars: Ghstars, home: Path, tmp_path: Path, is_stored: bool
) -> None:
    page = tmp_path / "drift.html"
    if is_stored:
        _store_drift(home)
        ran = ghstars(home, "drift", "stars", "--html", str(page))
    else:
        window = f"{BEFORE.first}..{BEFORE.last}"
        ran = ghstars(home, "drift", "stars", "--against", window, "--html", str(page))
    assert ran.err.startswith("drawn in")
    drawn = page.read_text(encoding="utf-8")
    assert drawn.count("<svg") == 31
    assert "1 of 31 features have drifted" in drawn
    assert "ln(1 + stars)" in drawn
    assert str(WEEK) in drawn
    assert ("what version 3 learnt from" if is_stored else str(BEFORE)) in drawn


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--against", "2026-07-01"), "'2026-07-01' is no window of days; write it as DAY..DAY"),
        (("--against", "2026-07-01.."), "is no window of days"),
        (("--against", "July..August"), "'July' is not a day"),
        (("--against", "2026-07-31..2026-07-01"), "ends before it starts"),
        (("--against", "2020-01-01..2020-02-01"), "it holds 2026-07-01 to 2026-08-14"),
        (
            ("--against", "2026-07-01..2026-07-31", "--from", "2027-01-01", "--to", "2027-01-07"),
            "stars.features holds no row of 2027-01-01 to 2027-01-07",
        ),
        (("--from", "2026-08-01", "--to", "2026-07-01"), "ends before it starts"),
        (("--from", "2026-08-01"), "stars.drift holds no row of 2026-08-01; fill it with"),
        ((), "stars.drift holds no row; fill it with `ghstars backfill stars`"),
        (("--html", "/no/such/folder/drift.html"), "There is no folder /no/such/folder"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(
    ghstars: Ghstars, home: Path, arguments: tuple[str, ...], message: str
) -> None:
    ran = ghstars(home, "drift", "stars", *arguments)
    assert (ran.code, ran.out) == (code_of(ran.err), "")
    assert message in ran.err
    assert ran.err.count("\n") == 1
