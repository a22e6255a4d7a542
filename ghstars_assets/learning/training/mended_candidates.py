"""A version that is damaged, made again: training is deterministic, so the same data, parameters
and recipe make the same texts. Its number, its decisions and its run in MLflow stay.
"""

import json
from collections.abc import Callable

import polars as pl

from ghstars_assets.errors import DamagedModelError
from ghstars_assets.lake.audit import record_event
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.forecasting.served_model import SERVED, damage_of
from ghstars_assets.learning.problem import LearningColumns, Problem, Training
from ghstars_assets.learning.promotion.manual_decisions import require_known
from ghstars_assets.learning.tables import booster_column, loop_tables
from ghstars_assets.learning.training.candidate import plan_candidate, train_candidate
from ghstars_assets.learning.training.candidates_on_record import LISTED_VERSION, part_of


def mend_candidate(
    lake: Lake,
    problem: Problem,
    columns: LearningColumns,
    version: int,
    progress: Callable[[str], None],
) -> bool:
    """Train a damaged version again as of its day and store it; False where it is whole."""
    row = require_known(lake, problem, version)
    damage = damage_of(problem, row)
    if not damage:
        return False
    name, day = f"version {version} of {problem.name}", row["day"]
    instead = f"let another one serve with `ghstars rollback {problem.name} --why …`"
    try:
        training = Training(**json.loads(row["parameters"]))
        recorded = json.loads(row.get("sha256") or "{}")
    except (ValueError, TypeError):
        raise DamagedModelError(
            f"How {name} was trained cannot be read, so it cannot be made again; {instead}."
        ) from None
    planned = plan_candidate(lake, problem, columns, training, day)
    if planned.fingerprint != row["fingerprint"]:
        raise DamagedModelError(
            f"The data, the columns or the recipe that {name} was trained with as of {day} are "
            f"others by now, so it cannot be made again; {instead}."
        )
    progress(f"training {name} again, as of {day}")
    served = train_candidate(lake, problem, columns, planned).served
    hashes = served.hashes()
    if others := [head for head in recorded if hashes.get(head) != recorded[head]]:
        raise DamagedModelError(
            f"Trained again, {name} has another {', '.join(others)} than its training recorded, "
            f"which another release of LightGBM can cause; {instead}."
        )
    texts = {booster_column(head): text for head, text in served.texts.items()}
    table = loop_tables(problem)["model"]
    # An earlier release had fewer columns.
    known = {**dict.fromkeys(table.column_names), **row}
    whole = {**known, SERVED: served.served_json(), **texts, "sha256": json.dumps(hashes)}
    lake.write(
        table.name,
        day,
        table.conform(pl.DataFrame([whole])),
        part=part_of(row["fingerprint"]),
        notes={LISTED_VERSION: planned.listed_version},
    )
    record_event(
        lake, problem=problem.name, event="mend", cause=damage, subject=f"version {version}"
    )
    return True
