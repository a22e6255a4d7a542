"""`ghstars doctor`: what is wrong is found and named."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ghstars_assets.home import disk
from ghstars_assets.lake.marker import Marker, mark_lake
from ghstars_assets.lake.tables import Lake
from ghstars_assets_tests.support.filled_home import MODEL_DAYS, settings_of
from ghstars_assets_tests.support.ghstars_command import Ghstars
from ghstars_assets_tests.support.ports import free_port


def test_what_is_wrong_is_named_and_seen_in_the_exit_code(
    ghstars: Ghstars, tmp_path: Path, taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHSTARS_MLFLOW_PORT", str(taken_port))
    monkeypatch.setenv("GHSTARS_WEB_PORT", str(free_port()))
    ran = ghstars(tmp_path / "home", "doctor")
    assert ran.code == 3
    (bad,) = [line for line in ran.out.splitlines() if line.startswith("BAD")]
    assert f"Port {taken_port}, which MLflow needs, is taken" in bad
    assert "GHSTARS_MLFLOW_PORT" in bad


@pytest.fixture
def free_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHSTARS_MLFLOW_PORT", str(free_port()))
    monkeypatch.setenv("GHSTARS_WEB_PORT", str(free_port()))


def _line(out: str, subject: str) -> str:
    (line,) = [line for line in out.splitlines() if line[5:].startswith(f"{subject} ")]
    return line


def test_a_home_that_lives_on_an_archive_needs_no_github(
    ghstars: Ghstars, tmp_path: Path, free_ports: None
) -> None:
    mark_lake(Lake(settings_of(tmp_path)), Marker("real"))
    ran = ghstars(tmp_path, "doctor")
    assert ran.code == 0, ran.out
    assert "nothing tracked: this home lives on what was imported" in _line(ran.out, "GitHub")
    assert "made when the first model is trained" in _line(ran.out, "MLflow")


def test_a_lost_database_of_mlflow_is_made_again_with_every_version_of_the_lake(
    ghstars: Ghstars, filled_home_copy: Path, free_ports: None
) -> None:
    home = filled_home_copy
    assert "3 versions and 3 runs; it lay elsewhere before" in _line(
        ghstars(home, "doctor").out, "MLflow"
    )
    with closing(sqlite3.connect(home / "mlflow" / "mlflow.db")) as connection, connection:
        # As if it were lost: this process holds the file open and cannot do without it.
        for table in ("registered_model_aliases", "model_version_tags", "model_versions"):
            connection.execute(f"delete from {table}")
    mended = _line(ghstars(home, "doctor").out, "MLflow")
    assert mended.startswith("ok")
    assert "3 versions and 3 runs" in mended
    assert "entered again from the lake: stars 1, stars 2, stars 3" in mended
    assert len(MODEL_DAYS) == 3
    assert "entered again" not in _line(ghstars(home, "doctor").out, "MLflow")


def test_lost_records_of_dagster_are_told_from_a_new_home(
    ghstars: Ghstars, filled_home_copy: Path, free_ports: None
) -> None:
    shutil.rmtree(filled_home_copy / "dagster", ignore_errors=True)
    assert "the records of its runs are gone, and `ghstars backfill`" in _line(
        ghstars(filled_home_copy, "doctor").out, "Dagster"
    )


def test_a_half_made_database_is_mended_and_what_was_set_aside_is_named(
    ghstars: Ghstars, tmp_path: Path, free_ports: None
) -> None:
    half_made = tmp_path / "dagster" / "schedules" / "schedules.db"
    half_made.parent.mkdir(parents=True)
    half_made.touch()
    ran = ghstars(tmp_path, "doctor")
    assert ran.code == 0, ran.out
    (aside,) = half_made.parent.glob("schedules.db.set-aside-*")
    line = _line(ran.out, "Dagster")
    assert f"one was unusable and is made anew ({aside.name})" in line
    assert f"{aside} was set aside and may be deleted" in line


def test_little_space_is_said_before_a_run_meets_it(
    ghstars: Ghstars, tmp_path: Path, free_ports: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_free_bytes", lambda _settings: 300_000_000)
    ran = ghstars(tmp_path, "doctor")
    assert ran.code == 3
    assert f"{tmp_path} has 0.3 GB left of the 2 GB it needs" in _line(ran.out, "home")
    assert "has 0.3 GB left of the 2 GB" in ghstars(tmp_path, "status").err.replace("\n", " ")
