"""The champion as files, for whoever loads it from the lake's folder or bucket without this code.

`models/<problem>/<version>/` holds LightGBM's text of each head, `calibration.json`, `card.md` and
`metadata.json`, which says what the version is and what the other files must hash to.
`models/<problem>/latest.json` names the version that serves today and is written last, so that
whoever reads it finds all that it names.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from ghstars_assets.calendar import DayRange, utc_today
from ghstars_assets.errors import DamagedModelError
from ghstars_assets.lake.marker import read_marker
from ghstars_assets.lake.tables import MODELS_FOLDER, Lake
from ghstars_assets.learning.forecasting.served_model import ServedModel
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.promotion.decisions import champions_of, model_row
from ghstars_assets.learning.tasks.intervals import with_present_names

METADATA = "metadata.json"
_TOLD = (
    "fingerprint", "data_version", "rows", "trained_from", "trained_through", "holdout_from",
    "holdout_through", "cause", "evaluation", "mlflow_run_id",
)  # fmt: skip


def publish_champion(lake: Lake, problem: Problem) -> int | None:
    """Write the version that serves today and point `latest.json` at it; what is there already is
    not written again. Returns the version, None where none serves or where it is damaged: then
    what was published before stays, and whoever fills a day of that version says why it fails."""
    while True:
        serving = _serving_today(lake, problem)
        if serving is None:
            return None
        version = serving["model_version"]
        try:
            hashes = _publish(lake, problem, version)
        except DamagedModelError:
            return None
        latest = {
            "problem": problem.name,
            "version": version,
            "serves_from": serving["effective_from"],
            "folder": _folder(problem, version),
            "files": {f"{_folder(problem, version)}/{name}": h for name, h in hashes.items()},
        }
        _put(lake, latest_key(problem), _json(latest))
        # Whoever decided in the meantime may have published before this did.
        now = _serving_today(lake, problem)
        if now and now["model_version"] == version:
            return version


def latest_key(problem: Problem) -> str:
    return f"{MODELS_FOLDER}/{problem.name}/latest.json"


def files_of(lake: Lake, problem: Problem, version: int) -> dict[str, bytes]:
    """All files of a version, by name, `metadata.json` last. Of one that is damaged there are none,
    so that whoever reads what is published goes on with the last that was whole."""
    row = model_row(lake, problem, version)
    served = ServedModel.from_row(problem, row)
    served.require_whole()
    files = {f"{head}.lgb.txt": text.encode() for head, text in served.texts.items() if text}
    calibration = _newest_calibration(lake, problem, version, row["day"])
    if calibration:
        files["calibration.json"] = _json(calibration)
    files["card.md"] = row["card"].encode()
    hashes = {name: _sha256(content) for name, content in files.items()}
    return {**files, METADATA: _json(_metadata(lake, problem, served, row, hashes))}


def _publish(lake: Lake, problem: Problem, version: int) -> dict[str, str]:
    """The hash of each file, all of them in place."""
    files = files_of(lake, problem, version)
    for name, content in files.items():
        _put(lake, f"{_folder(problem, version)}/{name}", content)
    return {name: _sha256(content) for name, content in files.items()}


def _metadata(
    lake: Lake,
    problem: Problem,
    served: ServedModel,
    row: Mapping[str, Any],
    hashes: Mapping[str, str],
) -> dict[str, Any]:
    marker = read_marker(lake)
    return {
        "problem": problem.name,
        "question": problem.question,
        "data": marker.kind if marker else None,
        "version": row["model_version"],
        "as_of": row["day"],
        **{name: row.get(name) for name in _TOLD},
        "entity": problem.entity,
        "horizon_days": problem.horizon_days,
        **problem.task.metadata(),
        "columns": json.loads(served.served_json())["columns"],
        "metrics": json.loads(row["metrics"]),
        "parameters": json.loads(row["parameters"]),
        "sha256": dict(hashes),
    }


def _newest_calibration(
    lake: Lake, problem: Problem, version: int, trained_as_of: date
) -> list[dict[str, Any]]:
    """The rows of the newest day on which the intervals of this version were measured."""
    since = DayRange(trained_as_of, max(trained_as_of, utc_today()))
    champions = champions_of(lake, problem, since)
    served = set(champions.filter(pl.col("model_version") == version)["day"])
    table = problem.table("calibration")
    for day in reversed(lake.days(table, since)):
        if day in served:
            found = lake.read(table, day).filter(pl.col("model_version") == version)
            if found.height:
                return with_present_names(found).to_dicts()
    return []


def _serving_today(lake: Lake, problem: Problem) -> dict[str, Any] | None:
    today = utc_today()
    serving = champions_of(lake, problem, DayRange(today, today))
    return serving.row(0, named=True) if serving.height else None


def _folder(problem: Problem, version: int) -> str:
    return f"{MODELS_FOLDER}/{problem.name}/{version}"


def _put(lake: Lake, key: str, content: bytes) -> None:
    if lake.store.get(key) != content:
        lake.store.put(key, content)


def _json(value: object) -> bytes:
    return (json.dumps(value, default=str, indent=2, ensure_ascii=False) + "\n").encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
