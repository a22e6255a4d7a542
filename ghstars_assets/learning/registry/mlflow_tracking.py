"""MLflow: one run and one registered version for each candidate, and the champion's alias.

Everything that touches MLflow is here. It is slow to import, so it is imported where it is used.
"""

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ghstars_assets.errors import GhstarsError
from ghstars_assets.home.disk import sentence_of_disk
from ghstars_assets.home.layout import prepare_home
from ghstars_assets.learning.evaluation.skill import SkillReport
from ghstars_assets.learning.registry.mlflow_home import artifacts_address, prepare_mlflow
from ghstars_assets.learning.registry.restoring import KnownVersion, logged_models
from ghstars_assets.learning.training.candidate import Candidate
from ghstars_assets.settings import Settings, export_mlflow, forget_mlflow_address

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

CHAMPION_ALIAS = "champion"
FINGERPRINT_TAG = "ghstars.fingerprint"


@dataclass(frozen=True)
class Registration:
    version: int
    run_id: str


class Tracking:
    """One problem's experiment and registered model, both named after the problem."""

    def __init__(self, settings: Settings, problem_name: str) -> None:
        self.settings = settings
        self.name = problem_name
        self.client = _client(settings)

    def registered(self, fingerprint: str) -> Registration | None:
        """The version that was registered for the same data and parameters, if there is one."""
        found = self.client.search_model_versions(
            f"name = '{self.name}' and tag.`{FINGERPRINT_TAG}` = '{fingerprint}'"
        )
        versions = sorted((int(found_one.version), found_one.run_id or "") for found_one in found)
        return Registration(*versions[0]) if versions else None

    def register(self, candidate: Candidate, card: str, dagster_run_id: str) -> Registration:
        """Record the run and register its model; the version carries the fingerprint from its
        first moment, so that a run killed half-way is found again."""
        import mlflow
        from mlflow.lightgbm import log_model
        from mlflow.models import ModelSignature, infer_signature

        served = candidate.served
        example = candidate.example.to_pandas()
        typical = served.head("typical")
        signature: ModelSignature = infer_signature(example, typical.predict(example))
        tags = {
            FINGERPRINT_TAG: candidate.fingerprint,
            "ghstars.data_version": candidate.data_version,
            "ghstars.as_of": str(candidate.as_of),
            "dagster.run_id": dagster_run_id,
        }
        with mlflow.start_run(
            experiment_id=self._experiment(),
            run_name=f"{self.name} as of {candidate.as_of}",
            tags=tags,
        ) as run:
            mlflow.log_params(_parameters(candidate))
            mlflow.log_metrics(candidate.metrics)
            mlflow.log_dict(candidate.importances, "importances.json")
            mlflow.log_text(card, "card.md")
            mlflow.log_dict(json.loads(served.served_json()), "served.json")
            for head, text in served.texts.items():
                mlflow.log_text(text, f"heads/{head}.lgb.txt")
            logged = log_model(
                typical,
                name="model",
                signature=signature,
                input_example=example,
                pip_requirements=["lightgbm", "numpy"],
            )
            self._ensure_registered_model()
            version = self.client.create_model_version(
                self.name,
                logged.model_uri,
                run_id=run.info.run_id,
                tags=tags,
                model_id=logged.model_id,
                description=card,
            )
        return Registration(int(version.version), run.info.run_id)

    def record_backtest(self, report: SkillReport, files: Mapping[str, str]) -> str:
        """Record one run with all figures of a backtest, and these files by their names."""
        import mlflow

        with mlflow.start_run(
            experiment_id=self._experiment(),
            run_name=f"{self.name} backtest {report.days}, retrained {report.mode}",
            tags={"ghstars.backtest": report.mode},
        ) as run:
            mlflow.log_params({"mode": report.mode, "days": str(report.days)})
            mlflow.log_metrics(_numbers(report.overall))
            for name, measures in report.baselines.items():
                mlflow.log_metrics(
                    {f"{name}_{key}": value for key, value in _numbers(measures).items()}
                )
            for step, month in enumerate(report.by_month):
                monthly = {f"month_{key}": value for key, value in _numbers(month).items()}
                mlflow.log_metrics(monthly, step=step)
            mlflow.log_dict(report.as_dict(), "backtest.json")
            for name, text in files.items():
                mlflow.log_text(text, name)
        return run.info.run_id

    def page_of_run(self, run_id: str) -> str:
        """Where MLflow's UI shows a run; empty where it has no UI whose address we know."""
        found = self.client.get_experiment_by_name(self.name)
        root = _address_of_ui(self.settings)
        return f"{root}/#/experiments/{found.experiment_id}/runs/{run_id}" if found and root else ""

    def newest_version(self) -> int:
        """Its number; 0 where there is none."""
        found = self.client.search_model_versions(f"name = '{self.name}'")
        return max((int(version.version) for version in found), default=0)

    def enter_again(self, number: int, version: KnownVersion | None) -> None:
        """A version that was lost, with what the lake knows of it. Its run is gone; the model that
        it logged may lie there still."""
        self._ensure_registered_model()
        folder = self._logged_models.get(version.run_id) if version else None
        self.client.create_model_version(
            self.name,
            folder.as_uri() if folder else f"ghstars:/{self.name}/{number}",
            tags={FINGERPRINT_TAG: version.fingerprint} if version else {},
            description=version.card if version else "The lake holds no such version.",
        )

    @cached_property
    def _logged_models(self) -> dict[str, Path]:
        is_here = not self.settings.mlflow_tracking_uri
        return logged_models(self.settings.mlflow_home / "artifacts") if is_here else {}

    def set_champion(self, version: int) -> None:
        self.client.set_registered_model_alias(self.name, CHAMPION_ALIAS, str(version))

    def _experiment(self) -> str:
        from mlflow.exceptions import MlflowException

        found = self.client.get_experiment_by_name(self.name)
        if found is not None:
            return found.experiment_id
        try:
            return self.client.create_experiment(self.name, artifact_location=self._artifacts())
        except MlflowException:
            # Another run made it between the two calls.
            found = self.client.get_experiment_by_name(self.name)
            if found is None:
                raise
            return found.experiment_id

    def _artifacts(self) -> str | None:
        """Beside the database of the home; a tracking server has its own place."""
        if self.settings.mlflow_tracking_uri:
            return None
        return artifacts_address(self.settings)

    def _ensure_registered_model(self) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self.client.create_registered_model(self.name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise


def _numbers(measures: Mapping[str, object]) -> dict[str, float]:
    return {
        name: float(value) for name, value in measures.items() if isinstance(value, int | float)
    }


def _parameters(candidate: Candidate) -> dict[str, object]:
    plan = candidate.plan
    training = asdict(candidate.training)
    return {
        **training.pop("parameters"),
        **training,
        "rows": candidate.rows,
        "trained_from": plan.training_days[0],
        "trained_through": plan.training_days[-1],
        "holdout_from": plan.holdout_days[0],
        "holdout_through": plan.holdout_days[-1],
        "features": len(candidate.served.columns.features),
    }


def _client(settings: Settings) -> "MlflowClient":
    export_mlflow(settings)
    import mlflow
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    for chatty in ("mlflow", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    prepare_home(settings)
    if not settings.mlflow_tracking_uri:
        prepare_mlflow(settings)
    mlflow.set_tracking_uri(settings.mlflow_uri)
    mlflow.set_registry_uri(settings.mlflow_uri)
    if not settings.mlflow_tracking_uri:
        forget_mlflow_address()
    try:
        client = MlflowClient(settings.mlflow_uri, settings.mlflow_uri)
        client.search_registered_models(max_results=1)
    except MlflowException as error:
        if sentence_of_disk(error, settings):
            raise
        raise GhstarsError(_describe_refusal(settings, error)) from None
    return client


def _describe_refusal(settings: Settings, error: "MlflowException") -> str:
    if settings.mlflow_tracking_uri:
        return (
            f"MLflow at {_without_credentials(settings.mlflow_uri)} does not answer "
            f"({error.error_code}); check MLFLOW_TRACKING_URI."
        )
    if "out-of-date database schema" in str(error):
        return (
            f"{settings.mlflow_database} was made by another version of MLflow; bring it up to "
            f"date with `mlflow db upgrade '{settings.mlflow_uri}'`."
        )
    return (
        f"MLflow cannot use its database {settings.mlflow_database} ({error.error_code}); move it "
        "away and run the same again: a new one is made, and the lake keeps every version."
    )


def _address_of_ui(settings: Settings) -> str:
    if not settings.mlflow_tracking_uri:
        return f"http://127.0.0.1:{settings.mlflow_port}"
    uri = _without_credentials(settings.mlflow_tracking_uri).rstrip("/")
    return uri if uri.startswith(("http://", "https://")) else ""


def _without_credentials(uri: str) -> str:
    return re.sub(r"//[^@/]*@", "//", uri)


def check_reachable(settings: Settings) -> str:
    """Where MLflow is; an error says that it does not answer."""
    _client(settings)
    return f"{_without_credentials(settings.mlflow_uri)} answers"
