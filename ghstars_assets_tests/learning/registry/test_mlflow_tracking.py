"""MLflow: one run and one version for each candidate, found again, loadable by anybody."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.forecasting.served_model import ServedModel
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.promotion.decisions import decide
from ghstars_assets.learning.registry.mlflow_tracking import CHAMPION_ALIAS, Tracking
from ghstars_assets.learning.training import candidates_on_record
from ghstars_assets.learning.training.candidate import Candidate
from ghstars_assets.learning.training.candidates_on_record import (
    Obtained,
    obtain_candidate,
    point_alias_at_champion,
)
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import AS_OF, DAYS, trained_with


def _obtain(lake: Lake, columns: LearningColumns, rounds: int = 15) -> Obtained:
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


@pytest.fixture
def tracked(tides: Lake, mlflow_home: Path) -> Lake:
    """Tides with an MLflow database of its own, in which nothing is recorded yet."""
    tides.settings.mlflow_home.mkdir(parents=True)
    database = (mlflow_home / "mlflow.db").read_bytes()
    (tides.settings.mlflow_home / "mlflow.db").write_bytes(database)
    return tides


def test_a_candidate_is_one_run_and_one_version_with_all_it_takes_to_judge_it(
    tracked: Lake, columns: LearningColumns, candidate: Candidate
) -> None:
    obtained = _obtain(tracked, columns)
    assert obtained.is_new
    client = Tracking(tracked.settings, "tides").client
    experiment = client.get_experiment_by_name("tides")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    (version,) = client.search_model_versions("name = 'tides'")
    assert run.info.status == "FINISHED"
    assert (int(version.version), version.run_id) == (1, run.info.run_id)
    assert obtained.row["mlflow_run_id"] == run.info.run_id

    assert run.data.params["num_leaves"] == "5"
    assert run.data.params["rounds"] == "15"
    assert run.data.params["trained_from"] == "2026-01-01"
    assert run.data.params["trained_through"] == "2026-02-08"
    assert run.data.params["holdout_through"] == "2026-02-19"
    assert run.data.metrics == pytest.approx(candidate.metrics)
    assert run.data.tags["ghstars.data_version"] == candidate.data_version
    assert run.data.tags["dagster.run_id"] == "the-dagster-run"
    assert version.tags["ghstars.fingerprint"] == candidate.fingerprint

    kept = {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
    assert {"importances.json", "served.json", "card.md", "heads"} <= kept
    importances = json.loads(
        Path(client.download_artifacts(run.info.run_id, "importances.json")).read_text()
    )
    assert set(importances) == set(columns.features)


def test_anybody_can_load_the_version_and_forecast_with_it(
    tracked: Lake, columns: LearningColumns, candidate: Candidate
) -> None:
    obtained = _obtain(tracked, columns)
    from mlflow.artifacts import download_artifacts
    from mlflow.lightgbm import load_model
    from mlflow.models import Model

    uri = "models:/tides/1"
    loaded = load_model(uri)
    assert loaded is not None
    described = Model.load(uri)
    assert described.signature.inputs.input_names() == list(columns.features)
    assert described.saved_input_example_info is not None
    folder = Path(download_artifacts(uri))
    texts = list(folder.rglob("*.lgb"))
    assert [file.read_text().startswith("tree\n") for file in texts] == [True]
    assert not [*folder.rglob("*.pkl"), *folder.rglob("*.joblib")]

    features = tracked.read("tides.features", DAYS.last)
    matrix = features.select(columns.features).to_pandas().astype("float32")
    served = ServedModel.from_row(PROBLEM, obtained.row)
    np.testing.assert_array_equal(loaded.predict(matrix), served.point_values(features))
    assert served == candidate.served


def _versions(settings: Settings) -> list[int]:
    found = Tracking(settings, "tides").client.search_model_versions("name = 'tides'")
    return sorted(int(version.version) for version in found)


def test_asking_twice_gives_the_same_version(tracked: Lake, columns: LearningColumns) -> None:
    first, second = _obtain(tracked, columns), _obtain(tracked, columns)
    assert (first.is_new, second.is_new) == (True, False)
    assert first.row["model_version"] == second.row["model_version"]
    assert _versions(tracked.settings) == [1]
    assert "trained before" in str(second.metadata()["how"])


def test_a_run_killed_before_the_lake_was_written_finds_its_version_again(
    tracked: Lake, columns: LearningColumns, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    def killed(*_given: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(candidates_on_record, "_row", killed)
        with pytest.raises(KilledError):
            _obtain(tracked, columns)
    assert tracked.days("tides.model") == []
    assert _versions(tracked.settings) == [1]
    again = _obtain(tracked, columns)
    assert (again.is_new, again.row["model_version"]) == (True, 1)
    assert _versions(tracked.settings) == [1]


def test_the_alias_names_the_version_that_serves_by_the_log(
    tracked: Lake, columns: LearningColumns
) -> None:
    tracking = Tracking(tracked.settings, "tides")
    point_alias_at_champion(tracked, PROBLEM)  # nobody serves: nothing to point at
    for rounds, serving in ((1, 1), (15, 2), (1, 2)):
        _obtain(tracked, columns, rounds)
        decide(tracked, PROBLEM, columns, AS_OF)
        point_alias_at_champion(tracked, PROBLEM)
        alias = tracking.client.get_model_version_by_alias("tides", CHAMPION_ALIAS)
        assert int(alias.version) == serving
    # The third candidate was the first one again.
    assert _versions(tracked.settings) == [1, 2]


def test_a_homes_address_is_not_left_behind_as_if_it_were_the_users_setting(
    tracked: Lake, columns: LearningColumns
) -> None:
    _obtain(tracked, columns)
    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert [*tracked.settings.mlflow_home.rglob("model.lgb")]


def test_a_run_has_a_page_where_mlflow_has_an_address(tides: Lake, settings: Settings) -> None:
    tracking = Tracking(tides.settings, PROBLEM.name)
    assert tracking.page_of_run("a-run") == ""
    experiment = tracking.client.create_experiment(PROBLEM.name)
    shown = f"/#/experiments/{experiment}/runs/a-run"
    assert tracking.page_of_run("a-run") == f"http://127.0.0.1:5000{shown}"
    remote = {"mlflow_tracking_uri": "https://ann:secret@mlflow.example/base/"}
    tracking.settings = tides.settings.model_copy(update=remote)
    assert tracking.page_of_run("a-run") == f"https://mlflow.example/base{shown}"
    tracking.settings = tides.settings.model_copy(update={"mlflow_tracking_uri": "databricks"})
    assert tracking.page_of_run("a-run") == ""


def test_mlflow_sends_no_telemetry_from_a_command(tides: Lake) -> None:
    Tracking(tides.settings, PROBLEM.name)
    from mlflow.environment_variables import MLFLOW_DISABLE_TELEMETRY

    assert MLFLOW_DISABLE_TELEMETRY.get() is True
