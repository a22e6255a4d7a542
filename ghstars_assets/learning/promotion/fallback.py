"""What serves today when the champion is damaged: the last version before it that is whole.

It is a rollback like one by hand, in the log and in the audit, and holds from today on. Past days
stay those of the version that served then, so they wait until it is made again.
"""

from collections.abc import Callable
from datetime import date

from ghstars_assets.calendar import utc_today
from ghstars_assets.errors import GhstarsError, NoChampionError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.forecasting.served_model import damage_of
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.promotion.decisions import (
    Decision,
    champion_on,
    log_decision,
    model_row,
)
from ghstars_assets.learning.promotion.manual_decisions import predecessors_of, require_fit


def fall_back_from_damage(
    lake: Lake, problem: Problem, today: Callable[[], date] = utc_today
) -> Decision | None:
    """Go back if the version that serves today is damaged and an earlier one is whole. The
    decision, None where none was taken."""
    day, table = today(), problem.table("decisions")
    while True:
        entries = lake.log_entries(table)
        log = lake.read_log(table)
        champion = champion_on(log, day) if log is not None else None
        if log is None or champion is None:
            return None
        serving = int(str(champion["model_version"]))
        damage = _damage_of(lake, problem, serving)
        if not damage:
            return None
        whole = [v for v in reversed(predecessors_of(log, serving)) if _is_fit(lake, problem, v)]
        if not whole:
            return None
        reason = (
            f"{damage} Until then version {whole[0]} serves; afterwards let the other serve again "
            f"with `ghstars promote {problem.name} {serving} --why …`"
        )
        figures = {"instead_of": serving}
        decision = Decision(whole[0], "rollback", day, reason, figures)
        if log_decision(lake, problem, decision, after=entries[-1][0] if entries else 0):
            return decision


def _damage_of(lake: Lake, problem: Problem, version: int) -> str:
    try:
        return damage_of(problem, model_row(lake, problem, version))
    except NoChampionError as error:
        return str(error)


def _is_fit(lake: Lake, problem: Problem, version: int) -> bool:
    try:
        require_fit(lake, problem, version)
    except GhstarsError:
        return False
    return True
