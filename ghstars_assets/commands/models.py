"""`ghstars models`, `promote` and `rollback`: the versions with their record, and who serves."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ghstars_assets.calendar import DayRange, utc_today
from ghstars_assets.commands.backfill import backfill
from ghstars_assets.commands.console import Form, out, say, say_if_sandbox, show_frame
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.audit import this_user
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.promotion.decisions import PUTS_IN_OFFICE, Decision, champions_of
from ghstars_assets.learning.promotion.manual_decisions import promote, require_known, rollback
from ghstars_assets.learning.registry.champion_files import files_of, publish_champion
from ghstars_assets.learning.training.candidates_on_record import point_alias_at_champion
from ghstars_assets.settings import Settings

_SCHEMA = {
    "version": pl.Int64, "as_of": pl.Date, "decision": pl.String, "serves": pl.Boolean,
    "since": pl.Date, "skill_trained": pl.Float64, "skill_served": pl.Float64,
    "forecasts": pl.Int64, "on_reference": pl.Float64, "on_current": pl.Float64,
    "cause": pl.String, "reason": pl.String, "actor": pl.String, "evaluation": pl.String,
    "trained_from": pl.Date, "trained_through": pl.Date, "mae": pl.Float64, "figures": pl.String,
}  # fmt: skip
_SHOWN = (
    "version", "as_of", "decision", "serves", "since", "skill_trained", "skill_served",
    "on_reference", "on_current", "cause",
)  # fmt: skip
_TOLD = (
    "model_version", "day", "skill_vs_naive", "mae", "trained_from", "trained_through", "cause",
    "evaluation",
)  # fmt: skip


def versions_of(lake: Lake, problem: Problem) -> pl.DataFrame:
    """Every version with its record, the newest first."""
    table = problem.table("model")
    if not lake.days(table):
        raise GhstarsError(
            f"{problem.name} has no version yet; train one with `ghstars backfill {problem.name} "
            "--stages model,champion`."
        )
    log = lake.read_log(problem.table("decisions"))
    decided = _by_version(log)
    today = utc_today()
    serving = champions_of(lake, problem, DayRange(today, today))["model_version"].to_list()
    served = _served_skill(lake, problem)
    rows = []
    for day in lake.days(table):
        for row in _told(lake, table, day):
            version = row["model_version"]
            latest = decided.get(version, [{}])[-1]
            rows.append(
                {
                    "version": version,
                    "as_of": row["day"],
                    "decision": latest.get("decision", "undecided"),
                    "serves": version in serving,
                    "since": _since(decided.get(version, [])),
                    "skill_trained": row["skill_vs_naive"],
                    "cause": row.get("cause"),
                    "evaluation": row.get("evaluation") or None,
                    **served.get(version, {}),
                    **_compared(decided.get(version, [])),
                    **{name: latest.get(name) for name in ("reason", "actor")},
                    **{name: row[name] for name in ("trained_from", "trained_through", "mae")},
                }
            )
    return pl.DataFrame(rows, schema=_SCHEMA).sort("version", descending=True)


def show_versions(lake: Lake, problem: Problem, form: Form) -> None:
    found = versions_of(lake, problem)
    say_if_sandbox(lake)
    if form != "table":
        show_frame(found, form)
        return
    title = (
        f"{problem.name}: {problem.question}\n"
        "skill against the naive forecast when trained and since it serves; error against the "
        "champion's\non the reference window and on the latest days, below nothing where it is less"
    )
    show_frame(found.select(_SHOWN), form, title)


def download(lake: Lake, problem: Problem, version: int, folder: Path) -> None:
    """The files of a version, as they are published for the champion."""
    require_known(lake, problem, version)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files_of(lake, problem, version).items():
            (folder / name).write_bytes(content)
            out().print(str(folder / name), highlight=False, soft_wrap=True)
    except OSError as error:
        raise GhstarsError(
            f"{folder} cannot be written ({error.strerror}); name a folder of yours."
        ) from None


def promote_version(settings: Settings, problem: Problem, version: int, why: str) -> None:
    lake = Lake(settings)
    _carry_out(lake, problem, promote(lake, problem, version, why, this_user()))


def roll_back(settings: Settings, problem: Problem, to: int | None, why: str) -> None:
    lake = Lake(settings)
    _carry_out(lake, problem, rollback(lake, problem, why, this_user(), to))


def _carry_out(lake: Lake, problem: Problem, decision: Decision) -> None:
    """What follows from a decision that stands already: files, alias, and the forecasts of its
    first day where there are features to make them of."""
    version, day = decision.model_version, decision.effective_from
    instead = decision.figures["instead_of"]
    out().print(
        f"Version {version} serves {problem.name} from {day} on, in place of version {instead}.",
        highlight=False,
    )
    point_alias_at_champion(lake, problem)
    one_day = DayRange(day, day)
    # Its files are published by the asset.
    reports = backfill(lake.settings, problem, one_day, ("champion",), force=True)
    if lake.days(problem.table("features"), one_day):
        reports += backfill(lake.settings, problem, one_day, ("calibration", "predictions"))
    publish_champion(lake, problem)
    for report in reports:
        say(str(report))
    out().print(_told_of_forecasts(lake, problem, version, day), highlight=False)


def _told_of_forecasts(lake: Lake, problem: Problem, version: int, day: date) -> str:
    table = problem.table("predictions")
    newest = lake.days(table)[-1:]
    if newest == [day]:
        return f"The forecasts of {day} are by version {version}."
    told = f"{table} ends on {newest[0]}; those forecasts stay" if newest else f"{table} is empty"
    return f"{told}. The next, of {day} or later, will be by version {version}."


def _told(lake: Lake, table: str, day: date) -> Iterator[dict[str, Any]]:
    """Versions as of a day, without the megabytes that they forecast with."""
    stored = lake.scan(table, DayRange(day, day))
    known = [name for name in _TOLD if name in stored.collect_schema().names()]
    yield from stored.select(known).collect().iter_rows(named=True)


def _by_version(log: pl.DataFrame | None) -> dict[int, list[dict[str, Any]]]:
    """The decisions on each, in order."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in log.iter_rows(named=True) if log is not None else ():
        found.setdefault(row["model_version"], []).append(row)
    return found


def _since(decisions: list[dict[str, Any]]) -> date | None:
    """The day on which it last took office."""
    took = [row["effective_from"] for row in decisions if row["decision"] in PUTS_IN_OFFICE]
    return max(took, default=None)


def _compared(decisions: list[dict[str, Any]]) -> dict[str, Any]:
    """How it did against the champion of its day, when it was a candidate."""
    figures = [json.loads(row["figures"]) for row in decisions]
    told = [found for found in figures if "current" in found or "reference" in found]
    if not told:
        return {}
    differences = {
        f"on_{window}": told[0].get(window, {}).get("difference")
        for window in ("reference", "current")
    }
    return {**differences, "figures": json.dumps(told[0])}


def _served_skill(lake: Lake, problem: Problem) -> dict[int, dict[str, float | int | None]]:
    """Of the forecasts that each made in office and that have come due."""
    sums = pl.DataFrame(schema={"model_version": pl.Int64})
    parts = list(_errors_by_version(lake, problem))
    if parts:
        sums = pl.concat(parts).group_by("model_version").sum()
    return {
        row["model_version"]: {
            "forecasts": row["forecasts"],
            "skill_served": 1 - row["error"] / row["naive"] if row["naive"] else None,
        }
        for row in sums.iter_rows(named=True)
    }


def _errors_by_version(lake: Lake, problem: Problem) -> Iterator[pl.DataFrame]:
    """Sums, a month of days at a time."""
    table = problem.table("scores")
    days = lake.days(table)
    for month in DayRange(days[0], days[-1]).months() if days else ():
        if lake.days(table, month):
            actual = pl.col("actual")
            yield (
                lake.scan(table, month)
                .filter(pl.col("naive").is_not_null(), actual.is_not_null())
                .group_by("model_version")
                .agg(
                    pl.len().cast(pl.Int64).alias("forecasts"),
                    (actual - pl.col("typical")).abs().sum().alias("error"),
                    (actual - pl.col("naive")).abs().sum().alias("naive"),
                )
                .collect()
            )
