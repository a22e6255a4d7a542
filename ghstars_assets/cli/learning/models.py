"""`ghstars models`: the versions with their record, or the files of one."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click
import polars as pl

from ghstars_assets.calendar import DayRange, utc_today
from ghstars_assets.cli.console import ROWS_ON_A_TERMINAL, print_line, say_if_sandbox, show_frame
from ghstars_assets.cli.parameters import form_options, pass_settings, problem_argument
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.promotion.decisions import SERVING_DECISIONS, champions_of
from ghstars_assets.learning.promotion.manual_decisions import require_known
from ghstars_assets.learning.registry.champion_files import files_of, publish_champion
from ghstars_assets.learning.training.mended_candidates import mend_candidate
from ghstars_assets.learning.wiring import wire
from ghstars_assets.problems.platform import Form
from ghstars_assets.settings import SQL_ROOT, Settings

_SCHEMA = {
    "version": pl.Int64, "as_of": pl.Date, "decision": pl.String, "serves": pl.Boolean,
    "since": pl.Date, "skill_trained": pl.Float64, "skill_served": pl.Float64,
    "forecasts": pl.Int64, "on_reference": pl.Float64, "on_current": pl.Float64,
    "cause": pl.String, "reason": pl.String, "actor": pl.String, "evaluation": pl.String,
    "trained_from": pl.Date, "trained_through": pl.Date, "mae": pl.Float64, "figures": pl.String,
}  # fmt: skip
_SHOWN = (
    "version", "as_of", "decision", "since", "skill_trained", "skill_served",
    "on_reference", "on_current", "cause",
)  # fmt: skip
_READ = (
    "model_version", "day", "skill_vs_naive", "mae", "trained_from", "trained_through", "cause",
    "evaluation",
)  # fmt: skip


@click.command()
@problem_argument
@form_options
@click.option(
    "--download",
    "version",
    type=click.IntRange(min=1),
    metavar="VERSION",
    help="write its files instead",
)
@click.option(
    "--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="the folder for them"
)
@click.option("--mend", "damaged", type=int, metavar="VERSION", help="make a damaged one again")
@pass_settings
def models(
    settings: Settings,
    problem: Problem,
    form: Form,
    version: int | None,
    folder: Path | None,
    damaged: int | None,
) -> None:
    """List the versions of PROBLEM with their record, write the files of one, or make one again
    whose stored text is damaged.

    \b
    ghstars models stars
    ghstars models stars --download 12 --to stars-12
    ghstars models stars --mend 12
    """
    if (version is None) != (folder is None):
        raise click.UsageError("--download VERSION and --to FOLDER go together.")
    lake = Lake(settings)
    if damaged is not None:
        if version is not None:
            raise click.UsageError("--mend and --download do not go together.")
        _mend(lake, problem, damaged)
    elif version is not None and folder is not None:
        _download(lake, problem, version, folder)
    else:
        _show_versions(lake, problem, form)


def _versions_of(lake: Lake, problem: Problem) -> pl.DataFrame:
    """List every version with its record, the newest first."""
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
        for row in _rows_of(lake, table, day):
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


def _show_versions(lake: Lake, problem: Problem, form: Form) -> None:
    found = _versions_of(lake, problem)
    say_if_sandbox(lake)
    if form != "table":
        show_frame(found, form)
        return
    title = (
        f"{problem.name}: {problem.question}\n"
        "skill against the naive forecast when trained and since it serves; error against the "
        "champion's\non the reference window and on the latest days, below nothing where it is less"
    )
    decided = pl.when("serves").then(pl.col("decision") + ", serves").otherwise("decision")
    shown = found.with_columns(decided.alias("decision")).select(_SHOWN)
    show_frame(shown, form, title, prose="cause", most=ROWS_ON_A_TERMINAL)


def _download(lake: Lake, problem: Problem, version: int, folder: Path) -> None:
    """Write the files of a version, as they are published for the champion."""
    require_known(lake, problem, version)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files_of(lake, problem, version).items():
            (folder / name).write_bytes(content)
            print_line(str(folder / name), soft_wrap=True)
    except OSError as error:
        raise GhstarsError(
            f"{folder} cannot be written ({error.strerror}); name a folder of yours."
        ) from None


def _mend(lake: Lake, problem: Problem, version: int) -> None:
    """Train a damaged version again, and publish it if it serves."""
    columns = wire([problem], SQL_ROOT).columns[problem.name]
    if not mend_candidate(lake, problem, columns, version, print_line):
        print_line(f"Version {version} of {problem.name} is whole; nothing is to be mended.")
        return
    publish_champion(lake, problem)
    print_line(f"Version {version} of {problem.name} is what its training made, as before.")


def _rows_of(lake: Lake, table: str, day: date) -> Iterator[dict[str, Any]]:
    """Read the versions as of a day, without the megabytes that they forecast with."""
    stored = lake.scan(table, DayRange(day, day))
    known = [name for name in _READ if name in stored.collect_schema().names()]
    yield from stored.select(known).collect().iter_rows(named=True)


def _by_version(log: pl.DataFrame | None) -> dict[int, list[dict[str, Any]]]:
    """Group the decisions by version, in order."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in log.iter_rows(named=True) if log is not None else ():
        found.setdefault(row["model_version"], []).append(row)
    return found


def _since(decisions: list[dict[str, Any]]) -> date | None:
    """Return the day from which it last served."""
    served_from = [
        row["effective_from"] for row in decisions if row["decision"] in SERVING_DECISIONS
    ]
    return max(served_from, default=None)


def _compared(decisions: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how it did against the champion of its day, when it was a candidate."""
    figures = [json.loads(row["figures"]) for row in decisions]
    compared = [found for found in figures if "current" in found or "reference" in found]
    if not compared:
        return {}
    differences = {
        f"on_{window}": compared[0].get(window, {}).get("difference")
        for window in ("reference", "current")
    }
    return {**differences, "figures": json.dumps(compared[0])}


def _served_skill(lake: Lake, problem: Problem) -> dict[int, dict[str, float | int | None]]:
    """Measure the forecasts that each version made as champion and that have come due."""
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
    """Sum the errors, a month of days at a time."""
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
