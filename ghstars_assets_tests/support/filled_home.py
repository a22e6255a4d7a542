"""A filled home that tests share: 120 invented repositories over 75 days, through every stage.

It is built once in a test run, by the library's own functions and without Dagster, on days that
are fixed, so that nothing depends on the clock. `filled_lake` is for reading alone; a test that
writes takes `filled_home_copy`. The world has faults on purpose, on days that are named below.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange, utc_now
from ghstars_assets.lake.holes import declare_gaps
from ghstars_assets.lake.marker import Marker, SandboxWorld, mark_lake, require_kind
from ghstars_assets.lake.outcomes import DayOutcome
from ghstars_assets.lake.tables import GAP, Lake
from ghstars_assets.learning.promotion.decisions import decide
from ghstars_assets.learning.training.candidates_on_record import obtain_candidate
from ghstars_assets.learning.wiring import Wired, wire
from ghstars_assets.problems.stars.problem import PROBLEM
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets.sandbox.world.world import World, WorldSpec
from ghstars_assets.settings import SQL_ROOT, Settings
from ghstars_assets.sources.github.tables import tables_of
from ghstars_assets.sources.github.tracking.tracking_rules import parse_tracking_rule, record
from ghstars_assets.sql_tables.engine import Batch, fill
from ghstars_assets_tests.support.stage_runs import fill_stage
from ghstars_assets_tests.support.world_rows import TABLE, as_github

SEED = 22
"""A world in which two repositories are renamed, one goes away, and later models are better."""
REPOSITORIES = 120
DAYS = DayRange(date(2026, 6, 1), date(2026, 8, 14))
GAP_DAY = date(2026, 6, 11)
"""Declared a gap: no source has it."""
QUARANTINED_DAY = date(2026, 6, 24)
"""The day before, captured again: the gate holds the whole day back."""
JUMP_DAY = date(2026, 7, 2)
"""The largest repository has ten times its stars: the gate holds that row back."""
MODEL_DAYS = (date(2026, 7, 13), date(2026, 7, 20), date(2026, 8, 10))
PREDICTED_DAYS = DayRange(MODEL_DAYS[0], DAYS.last)
SCORED_DAYS = DayRange(MODEL_DAYS[0], DAYS.last - timedelta(days=PROBLEM.horizon_days))


def settings_of(home: Path) -> Settings:
    return Settings(home=home, threads=1, memory_gb=1)


def mark_world(lake: Lake, first_day: date) -> None:
    """Mark the lake as a sandbox whose world and partitions begin on the same day, and track all
    of it."""
    mark_lake(lake, Marker("sandbox", first_day, SandboxWorld(SEED, REPOSITORIES, first_day)))
    everything = [(parse_tracking_rule("stars", "0.."), None)]
    record(
        lake, tables_of("stars"), "track", everything, "a test", datetime(2026, 6, 1, tzinfo=UTC)
    )


def fill_table(lake: Lake, wired: Wired, stage: str, days: DayRange) -> list[Batch]:
    """Fill the table of one SQL file."""
    return list(fill(lake, wired.graph.files[PROBLEM.table(stage)], wired.graph.tables, days))


def fill_sql_stages(lake: Lake, wired: Wired, days: DayRange) -> None:
    """Snapshots, features, and the labels whose future has happened."""
    fill_table(lake, wired, "snapshots", days)
    fill_table(lake, wired, "features", days)
    labelled = DayRange(days.first, days.last - timedelta(days=PROBLEM.horizon_days))
    fill_table(lake, wired, "labels", labelled)


def train_and_decide(lake: Lake, wired: Wired, as_of: date) -> int:
    """A candidate as of a day, decided on. Returns its version."""
    columns = wired.columns[PROBLEM.name]
    obtained = obtain_candidate(
        lake,
        PROBLEM,
        columns,
        PROBLEM.training,
        card=model_card,
        as_of=as_of,
        dagster_run_id="no-run",
        progress=lambda _message: None,
    )
    decide(lake, PROBLEM, columns, as_of)
    return int(obtained.row["model_version"])


def fill_loop_stage(lake: Lake, wired: Wired, stage: str, days: DayRange) -> list[DayOutcome]:
    """Fill the table of one stage of the learning loop."""
    return list(fill_stage(lake, PROBLEM, wired.columns[PROBLEM.name], stage, days))


def predict(lake: Lake, wired: Wired, days: DayRange) -> list[DayOutcome]:
    """Write the champion of each day, its calibration and its forecasts."""
    fill_loop_stage(lake, wired, "champion", days)
    fill_loop_stage(lake, wired, "calibration", days)
    return fill_loop_stage(lake, wired, "predictions", days)


def score(lake: Lake, wired: Wired, days: DayRange) -> list[DayOutcome]:
    return fill_loop_stage(lake, wired, "scores", days)


def build_filled_home(home: Path) -> None:
    lake = Lake(settings_of(home))
    wired = wire([PROBLEM], SQL_ROOT)
    begin_world(lake)
    take_sources(lake, DAYS)
    fill_sql_stages(lake, wired, DAYS)
    for as_of in MODEL_DAYS:
        train_and_decide(lake, wired, as_of)
    predict(lake, wired, PREDICTED_DAYS)
    score(lake, wired, SCORED_DAYS)


def begin_world(lake: Lake) -> None:
    """Mark an empty lake as this world's and put the faults in. A source's table is append-only,
    so they stay when the other days are taken."""
    mark_world(lake, DAYS.first)
    the_day_before = QUARANTINED_DAY - timedelta(days=1)
    world = World(WorldSpec(SEED, REPOSITORIES, DAYS.first))
    captured = dict(world.snapshots(the_day_before, JUMP_DAY))
    stars = pl.col("stars")
    again = captured[the_day_before].with_columns(
        pl.lit(QUARANTINED_DAY).alias("day"),
        pl.col("observed_at", "ingested_at") + timedelta(days=1),
    )
    jumped = captured[JUMP_DAY].with_columns(
        pl.when(stars == stars.max()).then(stars * 10).otherwise(stars)
    )
    for day, frame in ((QUARANTINED_DAY, again), (JUMP_DAY, jumped)):
        lake.write(TABLE.name, day, as_github(frame))
    reason = "the capture was down"
    declare_gaps(lake, PROBLEM.name, DayRange(GAP_DAY, GAP_DAY), reason)
    lake.write(TABLE.name, GAP_DAY, TABLE.empty(), notes={GAP: reason})


def take_sources(lake: Lake, days: DayRange) -> None:
    """Every source, over HTTP, from a sandbox of its own."""
    marker = require_kind(lake, "sandbox")
    for source in PROBLEM.sources:
        known = source.known_days(lake, marker, utc_now())
        if not known:  # a history that nobody imported
            continue
        first, last = max(days.first, known[0]), min(days.last, known[-1])
        if first <= last:
            list(source.take(lake, marker, DayRange(first, last), lambda _message: None))


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def filled_home(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Read it, change nothing. The workers of pytest-xdist share one."""
    root = tmp_path_factory.getbasetemp()
    root = root if worker_id == "master" else root.parent
    # MLflow writes down where artifacts lie, so a home is built in its own place.
    home, done = root / "filled-home", root / "filled-home-is-done"
    with _locked(root / "filled-home.lock"):
        if not done.exists():
            shutil.rmtree(home, ignore_errors=True)
            build_filled_home(home)
            done.touch()
    return home


@pytest.fixture
def filled_lake(filled_home: Path) -> Lake:
    """The lake of `filled_home`: read it, change nothing."""
    return Lake(settings_of(filled_home))


@pytest.fixture
def filled_home_copy(filled_home: Path, tmp_path: Path) -> Path:
    """A copy that a test may change. Files keep their times, so nothing in it looks stale."""
    return Path(shutil.copytree(filled_home, tmp_path / "filled"))
