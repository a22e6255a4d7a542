"""The stages of a problem, declared once.

The assets, `backfill`, `status`, `release`, the simulation and the table of stages in the docs all
read this list.
"""

from collections.abc import Sequence

from ghstars_assets.errors import WrongArgumentError
from ghstars_assets.lake.marker import Marker
from ghstars_assets.learning.evaluation.scores import fill_scores
from ghstars_assets.learning.forecasting.calibration import CALIBRATION_DAYS, fill_calibration
from ghstars_assets.learning.forecasting.predictions import fill_predictions
from ghstars_assets.learning.monitoring.drift import fill_drift, why_profile_is_missing
from ghstars_assets.learning.monitoring.health import fill_health
from ghstars_assets.learning.monitoring.stage_checks import (
    FEW_FEATURES_DRIFTED,
    NO_RETRAINING_DUE,
    TARGET_IS_STEADY,
)
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.promotion.champion import decide_on_candidates, fill_champion
from ghstars_assets.learning.registry.champion_files import publish_champion
from ghstars_assets.learning.stage import SAME_DAY, Partitions, Stage, why_heads_are_missing
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.learning.wiring import Wired
from ghstars_assets.sql_tables.header import SqlFile, Window

MODEL, CHAMPION = "model", "champion"
NONE_DUE = "in its first days no forecast of a version has come due"


def loop_stages(problem: Problem) -> tuple[Stage, ...]:
    """The stages of the learning loop, each after what it is made from."""
    horizon, gates = problem.horizon_days, problem.gates
    table, made = problem.table, loop_tables(problem)
    known = Window(-problem.label_lag_days, -problem.label_lag_days)
    # An archive's home may have no outcome of a week ago; the latest ones that are known serve.
    due = Window(-horizon - CALIBRATION_DAYS, -horizon, optional="nobody knew it a week ago")
    scored = Window(-horizon - gates.skill_days + 1, -horizon, optional=NONE_DUE)
    seen = Window(1 - gates.drift_days, 0)
    return (
        Stage(
            MODEL,
            made["model"],
            {table("features"): known, table("labels"): known},
            partitions=Partitions(on="training days"),
            kinds=("lightgbm", "mlflow"),
        ),
        Stage(
            CHAMPION,
            made["champion"],
            {},
            fill_champion,
            # It reads no features of its day, but a day without them needs no champion.
            follows=(table("model"), table("features")),
            prepare=decide_on_candidates,
            finish=publish_champion,
            kinds=("mlflow",),
        ),
        Stage(
            "calibration",
            made["calibration"],
            {table("champion"): SAME_DAY, table("features"): due, table("labels"): due},
            fill_calibration,
            requires_champion=True,
            without_arrow=(table("features"),),
            fits=why_heads_are_missing,
            finish=publish_champion,
        ),
        Stage(
            "predictions",
            made["predictions"],
            {
                table("features"): SAME_DAY,
                table("champion"): SAME_DAY,
                table("calibration"): SAME_DAY,
            },
            fill_predictions,
            requires_champion=True,
            fits=why_heads_are_missing,
            kinds=("lightgbm", "parquet"),
        ),
        Stage(
            "scores",
            made["scores"],
            {table("predictions"): SAME_DAY, table("labels"): SAME_DAY},
            fill_scores,
            partitions=Partitions(looks_ahead_days=horizon),
        ),
        Stage(
            "drift",
            made["drift"],
            {
                table("features"): seen,
                table("champion"): SAME_DAY,
                table("predictions"): seen,
                table("scores"): scored,
            },
            fill_drift,
            requires_champion=True,
            fits=why_profile_is_missing,
            checks=(FEW_FEATURES_DRIFTED, TARGET_IS_STEADY),
            kinds=("scipy", "parquet"),
        ),
        Stage(
            "health",
            made["health"],
            {table("drift"): SAME_DAY, table("champion"): SAME_DAY, table("scores"): scored},
            fill_health,
            requires_champion=True,
            checks=(NO_RETRAINING_DUE,),
        ),
    )


def stages_of(problem: Problem, wired: Wired, marker: Marker | None) -> list[Stage]:
    """All stages of a problem, each after what it is made from: the sources whose data the lake
    takes, the SQL files, the loop, and the problem's own."""
    loop = (*loop_stages(problem), *problem.own_stages)
    made_by_loop = {stage.table.name for stage in loop}
    files = [
        file for name, file in wired.graph.files.items() if name.startswith(f"{problem.name}.")
    ]
    early = [file for file in files if not _depends_on(file, made_by_loop, wired)]
    late = [file for file in files if file not in early]
    sources = [
        Stage(
            source.table.name.split(".")[1],
            source.table,
            dict.fromkeys(source.reads, SAME_DAY),
            source=source,
        )
        for source in problem.sources
        if marker is None or marker.kind in source.kinds
    ]
    return [*sources, *map(_sql_stage, early), *loop, *map(_sql_stage, late)]


def daily_stages(problem: Problem) -> list[Stage]:
    """The loop's stages of a day that has just passed, in order: all but the model, which is
    trained when somebody asks, and what is known of a day only later."""
    return [
        stage
        for stage in loop_stages(problem)
        if not stage.is_of_training_days and not stage.looks_ahead_days
    ]


def due_stages(problem: Problem) -> list[Stage]:
    """The loop's stages of a day whose outcomes have just become known."""
    return [stage for stage in loop_stages(problem) if stage.looks_ahead_days]


def loop_stage(problem: Problem, name: str) -> Stage:
    return next(stage for stage in loop_stages(problem) if stage.name == name)


def chosen_stages(stages: Sequence[Stage], names: Sequence[str]) -> list[Stage]:
    """Those that were named, in their own order."""
    known = {stage.name: stage for stage in stages}
    for name in names:
        if name not in known:
            raise WrongArgumentError(f"There is no stage {name!r}; choose from {', '.join(known)}.")
    return [stage for stage in stages if not names or stage.name in names]


def _sql_stage(file: SqlFile) -> Stage:
    return Stage(
        file.path.stem,
        file.table,
        dict(file.reads),
        partitions=Partitions(looks_ahead_days=file.table.days_ahead),
        follows=tuple(file.follows),
        code_version=file.code_version,
        same_rows_as=file.same_rows_as,
    )


def _depends_on(file: SqlFile, tables: set[str], wired: Wired) -> bool:
    return any(
        table in tables
        or (table in wired.graph.files and _depends_on(wired.graph.files[table], tables, wired))
        for table in file.reads
    )
