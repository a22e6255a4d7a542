"""What a person decides about who serves: promoting a version, or going back to one.

Both hold from today on: forecasts of days gone by stay those of the version that served then.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl

from ghstars_assets.calendar import DayRange, utc_today
from ghstars_assets.errors import GhstarsError, NoChampionError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.forecasting.served_model import ServedModel
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.promotion.decisions import (
    SERVING_DECISIONS,
    Decision,
    champion_on,
    log_decision,
    model_row,
)


class ManualDecisionError(GhstarsError):
    """A version cannot be promoted or gone back to."""


class ServesAlreadyError(ManualDecisionError):
    """A version was chosen that serves; `since` is the day from which it does."""

    def __init__(self, message: str, since: date) -> None:
        super().__init__(message)
        self.since = since


def promote(
    lake: Lake,
    problem: Problem,
    version: int,
    why: str,
    actor: str,
    today: Callable[[], date] = utc_today,
) -> Decision:
    """Promote a version, whatever was decided on it."""
    require_fit(lake, problem, version)
    return _decide_by_hand(
        lake, problem, "promote", lambda _log, _serving: version, why, actor, today()
    )


def rollback(
    lake: Lake,
    problem: Problem,
    why: str,
    actor: str,
    to: int | None = None,
    today: Callable[[], date] = utc_today,
) -> Decision:
    """Go back to a version that served, or to the one before the present."""

    def chosen(log: pl.DataFrame, serving: int) -> int:
        predecessors = predecessors_of(log, serving)
        if to is None and not predecessors:
            raise ManualDecisionError(
                f"Version {serving} of {problem.name} is the first that served, so there is none "
                f"to go back to; choose one with `ghstars promote {problem.name} VERSION --why …`."
            )
        version = predecessors[-1] if to is None else to
        require_fit(lake, problem, version)
        if version not in _served(log):
            raise ManualDecisionError(
                f"Version {version} of {problem.name} never served, so nobody can go back to it; "
                f"promote it with `ghstars promote {problem.name} {version} --why …`."
            )
        return version

    return _decide_by_hand(lake, problem, "rollback", chosen, why, actor, today())


def predecessors_of(log: pl.DataFrame, serving: int) -> list[int]:
    """Who served before, the latest last. A rollback undoes what came after the version it went
    back to, so that going back twice goes back two versions and not to and fro."""
    stack: list[int] = []
    in_office = log.filter(pl.col("decision").is_in(SERVING_DECISIONS))
    for version, decision in (
        in_office.sort("effective_from", maintain_order=True)
        .select("model_version", "decision")
        .iter_rows()
    ):
        if decision == "rollback" and version in stack:
            del stack[stack.index(version) :]
        stack = [*(earlier for earlier in stack if earlier != version), version]
    return [version for version in stack if version != serving]


def require_known(lake: Lake, problem: Problem, version: int) -> dict[str, Any]:
    """The version's row in the `model` table."""
    try:
        return model_row(lake, problem, version)
    except NoChampionError:
        raise ManualDecisionError(
            f"{problem.name} has no version {version}; `ghstars models {problem.name}` lists those "
            "there are."
        ) from None


def require_fit(lake: Lake, problem: Problem, version: int) -> None:
    """Refuse a version that could not forecast."""
    served = ServedModel.from_row(problem, require_known(lake, problem, version))
    if missing := served.missing_heads:
        raise ManualDecisionError(
            f"Version {version} of {problem.name} was trained by an earlier release and has no "
            f"{', '.join(missing)}; choose a later one of `ghstars models {problem.name}`."
        )
    served.require_whole()
    features = problem.table("features")
    for newest in lake.days(features)[-1:]:
        stored = lake.scan(features, DayRange(newest, newest))
        if lacking := served.lacking(stored.collect_schema().names()):
            raise ManualDecisionError(
                f"Version {version} of {problem.name} forecasts with {', '.join(lacking)}, which "
                f"{features} of {newest} does not have; bring the columns back, or choose a later "
                "version."
            )


def _decide_by_hand(
    lake: Lake,
    problem: Problem,
    event: str,
    choose: Callable[[pl.DataFrame, int], int],
    why: str,
    actor: str,
    day: date,
) -> Decision:
    """Like every decision, logged only if the log is still as it was read."""
    why = " ".join(why.split())
    if not why:
        raise ManualDecisionError(f"Say why, for whoever reads the log of {problem.name} later.")
    table = problem.table("decisions")
    while True:
        entries = lake.log_entries(table)
        log = lake.read_log(table)
        champion = champion_on(log, day) if log is not None else None
        if log is None or champion is None:
            raise ManualDecisionError(
                f"No version of {problem.name} serves yet; the first takes office by itself with "
                f"`ghstars backfill {problem.name} --stages model,champion`."
            )
        serving = int(str(champion["model_version"]))
        version = choose(log, serving)
        if version == serving:
            since = date.fromisoformat(str(champion["effective_from"]))
            raise ServesAlreadyError(
                f"Version {version} of {problem.name} serves already, since {since}.", since
            )
        decision = Decision(version, event, day, why, {"instead_of": serving}, actor)
        if log_decision(lake, problem, decision, after=entries[-1][0] if entries else 0):
            return decision


def _served(log: pl.DataFrame) -> set[int]:
    return set(log.filter(pl.col("decision").is_in(SERVING_DECISIONS))["model_version"])
