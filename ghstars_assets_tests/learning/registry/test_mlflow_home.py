"""MLflow's database in a home: whole after a kill, restored after a loss, at home where it lies."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ghstars_assets.home.databases import State
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.registry import mlflow_home as module
from ghstars_assets.learning.registry.mlflow_home import (
    count_records,
    mlflow_database,
    prepare_mlflow,
    was_moved,
)
from ghstars_assets.learning.registry.mlflow_tracking import CHAMPION_ALIAS, Tracking
from ghstars_assets.learning.registry.restoring import known_versions, restore_versions
from ghstars_assets.learning.training.candidates_on_record import Obtained, obtain_candidate
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import AS_OF, DAYS, copied, settings_of, trained_with


class KilledError(BaseException):
    pass


@pytest.fixture
def quickly_made(mlflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Making one takes seconds, copying it does not."""

    def copy(made: Path, settings: Settings) -> None:
        shutil.copyfile(mlflow_home / "mlflow.db", made)

    monkeypatch.setattr(module, "_make", copy)


def _train(lake: Lake, columns: LearningColumns, rounds: int) -> Obtained:
    return obtain_candidate(
        lake,
        PROBLEM,
        columns,
        trained_with(rounds=rounds),
        card=model_card,
        as_of=AS_OF,
        dagster_run_id="the-dagster-run",
        progress=lambda _message: None,
    )


def _contents(home: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(home)): file.read_bytes()
        for file in sorted(home.rglob("*"))
        if file.is_file()
    }


def _forecasts(lake: Lake, columns: LearningColumns, version: int) -> list[float]:
    """As anybody makes them who asks MLflow for the model."""
    from mlflow.lightgbm import load_model

    Tracking(lake.settings, "tides")  # MLflow is asked at the address that was set last
    features = lake.read("tides.features", DAYS.last)
    matrix = features.select(columns.features).to_pandas().astype("float32")
    model = load_model(f"models:/tides/{version}")
    assert model is not None
    return np.asarray(model.predict(matrix)).tolist()


def test_a_copy_of_a_home_trains_for_itself_and_leaves_the_original_as_it_is(
    tides: Lake, columns: LearningColumns, quickly_made: None, tmp_path: Path
) -> None:
    assert _train(tides, columns, 15).row["model_version"] == 1
    forecasts = _forecasts(tides, columns, 1)
    before = _contents(tides.settings.home_path)

    copy = Lake(settings_of(copied(tides.settings.home_path, tmp_path / "100% a copy?")))
    assert was_moved(copy.settings)
    assert _train(copy, columns, 1).row["model_version"] == 2
    assert not was_moved(copy.settings)
    assert _contents(tides.settings.home_path) == before

    # Without the original the copy is as good: it reads nothing from there.
    shutil.rmtree(tides.settings.home_path)
    assert _forecasts(copy, columns, 1) == forecasts
    assert count_records(copy.settings) == module.Records(2, 2, 0)


def test_a_version_that_mlflow_lost_has_its_number_alias_and_model_again(
    tides: Lake, columns: LearningColumns, quickly_made: None, tmp_path: Path
) -> None:
    assert _train(tides, columns, 15).row["model_version"] == 1
    forecasts = _forecasts(tides, columns, 1)
    # This process holds the database open, so it is lost from a copy.
    tides = Lake(settings_of(copied(tides.settings.home_path, tmp_path / "copy")))
    tides.settings.mlflow_database.unlink()

    assert _train(tides, columns, 1).row["model_version"] == 2
    tracking = Tracking(tides.settings, "tides")
    tracking.set_champion(1)
    alias = tracking.client.get_model_version_by_alias("tides", CHAMPION_ALIAS)
    assert int(alias.version) == 1
    assert str(alias.description).startswith("# tides as of ")
    assert _forecasts(tides, columns, 1) == forecasts
    again = known_versions(tides, PROBLEM)
    assert tracking.registered(again[1].fingerprint) is not None
    assert restore_versions(tracking, again) == range(3, 3)


def test_a_half_made_database_is_set_aside(settings: Settings, quickly_made: None) -> None:
    path = settings.mlflow_database
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table experiments (experiment_id, artifact_location)")
    database = mlflow_database(settings)
    assert database.state() is State.HALF_MADE
    prepare_mlflow(settings)
    assert database.state() is State.WHOLE
    assert len(database.earlier_ones()) == 1


def test_a_kill_while_it_is_made_leaves_none(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the first of MLflow's many steps, each of which is committed by itself."""
    from mlflow.store.db import utils

    def killed(_engine: object) -> None:
        raise KilledError

    monkeypatch.setattr(utils, "_upgrade_db", killed)
    with pytest.raises(KilledError):
        prepare_mlflow(settings)
    assert mlflow_database(settings).state() is State.ABSENT
    assert [file.name for file in settings.mlflow_home.iterdir()] == [".mlflow.db.lock"]


def test_what_a_user_keeps_elsewhere_stays_where_it_is(
    settings: Settings, quickly_made: None
) -> None:
    prepare_mlflow(settings)
    client = Tracking(settings, "tides").client
    client.create_experiment("mine", artifact_location="s3://bucket/mlflow")
    prepare_mlflow(settings)
    mine = client.get_experiment_by_name("mine")
    assert mine is not None
    assert mine.artifact_location == "s3://bucket/mlflow"
