"""`ghstars drift`: what has drifted, as it is stored, or between any two windows of days."""

from datetime import date, timedelta
from pathlib import Path

import click
import polars as pl

from ghstars_assets.calendar import DayRange, parse_day
from ghstars_assets.cli.console import ROWS_ON_A_TERMINAL, say, say_if_sandbox, show_frame
from ghstars_assets.cli.parameters import (
    DAY,
    OUTPUT_FILE,
    form_options,
    pass_settings,
    problem_argument,
)
from ghstars_assets.errors import MissingDayError, WrongArgumentError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.drift_between_windows import (
    Compared,
    as_rows,
    held_against,
    sketches_of,
)
from ghstars_assets.learning.monitoring.drift_profile import FEATURE, drift_profile_from_json
from ghstars_assets.learning.monitoring.drift_summary import drift_on
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.promotion.decisions import model_row
from ghstars_assets.learning.wiring import wire
from ghstars_assets.problems.platform import Form
from ghstars_assets.reporting.drift_page import drift_page
from ghstars_assets.reporting.drift_report import most_drifted_first
from ghstars_assets.settings import SQL_ROOT, Settings


@click.command()
@problem_argument
@click.option(
    "--from", "first", type=DAY, metavar="DAY", help="the first day to show or to compare"
)
@click.option("--to", "last", type=DAY, metavar="DAY", help="the last day [the newest]")
@click.option("--against", metavar="DAY..DAY", help="compare the features with those of these days")
@click.option(
    "--html",
    "page",
    type=OUTPUT_FILE,
    metavar="FILE",
    help="draw each feature then and now, on a page that stands alone",
)
@form_options
@pass_settings
def drift(
    settings: Settings,
    problem: Problem,
    first: date | None,
    last: date | None,
    against: str | None,
    page: Path | None,
    form: Form,
) -> None:
    """Show what has drifted from the rows that the champion of PROBLEM learnt from.

    With --against, the features of one window of days beside those of another; without --from it is
    the last week.

    \b
    ghstars drift stars --html drift.html
    ghstars drift stars --from 2026-02-14 --to 2026-02-20 --against 2026-01-01..2026-01-31
    """
    earlier = _parse_window(against) if against else None
    lake = Lake(settings)
    say_if_sandbox(lake)
    if earlier:
        window = _window(lake, problem, first, last)
        features = _windows_compared(lake, problem, window, earlier)
        rows, then, now = as_rows(features), str(earlier), str(window)
    else:
        rows = _stored_drift(lake, problem, first, last)
        window, version = _seen_on(problem, rows["day"][-1]), int(rows["model_version"][-1])
        then, now = f"what version {version} learnt from", str(window)
        features = _against_reference(lake, problem, window, version) if page else []
    if form != "table":
        show_frame(rows, form)
    else:
        if not earlier:
            _show_days(problem, rows)
        _show_features(rows, f"{problem.name}, {now} against {then}")
    if page:
        title = f"Drift of {problem.name}, {now} against {then}"
        page.write_text(drift_page(title, then, now, features, problem.gates), encoding="utf-8")
        say(f"drawn in {page}")


def _parse_window(text: str) -> DayRange:
    first, _, last = text.partition("..")
    if not (first and last):
        raise WrongArgumentError(
            f"{text!r} is no window of days; write it as DAY..DAY, e.g. 2026-01-01..2026-01-31."
        )
    return DayRange(parse_day(first), parse_day(last))


# ---- what is stored -----------------------------------------------------------------------------


def _stored_drift(
    lake: Lake, problem: Problem, first: date | None, last: date | None
) -> pl.DataFrame:
    """Read the rows of a window, the newest day last; of that day alone where no first is named."""
    table = problem.table("drift")
    days = lake.days(table)
    ends = [day for day in (last, *days[-1:], first) if day]
    until = ends[0] if ends else None
    if first and until and not last:
        until = max(first, until)
    wanted = DayRange(first or until, until) if until else None
    frames = [lake.read(table, day) for day in days if wanted and day in wanted]
    filled = [frame for frame in frames if frame.height]
    if not filled:
        known = f" (it holds {days[0]} to {days[-1]})" if days else ""
        raise MissingDayError(
            f"{table} holds no row{f' of {wanted}' if wanted else ''}{known}; fill it with "
            f"`ghstars backfill {problem.name}"
            + (f" --from {wanted.first} --to {wanted.last}`." if wanted else "`.")
        )
    return pl.concat(most_drifted_first(frame, problem.gates) for frame in filled)


def _seen_on(problem: Problem, day: date) -> DayRange:
    return DayRange(day - timedelta(days=problem.gates.drift_days - 1), day)


def _against_reference(
    lake: Lake, problem: Problem, window: DayRange, version: int
) -> list[Compared]:
    then = drift_profile_from_json(model_row(lake, problem, version)["reference"])[FEATURE]
    features = wire([problem], SQL_ROOT).graph.tables[problem.table("features")]
    return held_against(lake, problem, features, then, window)


# ---- any two windows ----------------------------------------------------------------------------


def _windows_compared(
    lake: Lake, problem: Problem, window: DayRange, against: DayRange
) -> list[Compared]:
    wired = wire([problem], SQL_ROOT)
    then = sketches_of(lake, problem, against, wired.columns[problem.name].features)
    features = wired.graph.tables[problem.table("features")]
    return held_against(lake, problem, features, then, window)


def _window(lake: Lake, problem: Problem, first: date | None, last: date | None) -> DayRange:
    """Choose the newest days, as many as the gates look at together, where no first is named."""
    table = problem.table("features")
    until = last or next(iter(lake.days(table)[-1:]), None)
    if until is None:
        raise MissingDayError(
            f"{table} holds nothing; fill it with `ghstars backfill {problem.name}`."
        )
    return DayRange(first, until) if first else _seen_on(problem, until)


# ---- what is shown ------------------------------------------------------------------------------


def _show_days(problem: Problem, rows: pl.DataFrame) -> None:
    lines = []
    for frame in rows.partition_by("day", maintain_order=True):
        found = drift_on(frame, problem.gates)
        lines.append(
            {
                "day": frame["day"][0],
                "version": frame["model_version"][0],
                "drifted": len(found.drifted),
                "of": found.features,
                "share": found.drifted_share,
                "target": "drifted" if found.is_target_drifted else "",
                "most of all": ", ".join(found.drifted[:3]),
            }
        )
    show_frame(pl.DataFrame(lines), "table", prose="most of all", most=ROWS_ON_A_TERMINAL)


def _show_features(rows: pl.DataFrame, title: str) -> None:
    """Show the newest day, where there are several."""
    newest = rows.filter(pl.col("day") == pl.col("day").last()) if "day" in rows.columns else rows
    shown = newest.select(
        pl.col("feature").alias("column"),
        "kind",
        pl.when("is_drifted").then(pl.lit("yes")).otherwise(pl.lit("")).alias("drifted"),
        pl.col("population_stability").alias("PSI"),
        "wasserstein",
        pl.col("jensen_shannon").alias("JS"),
        pl.col("share_missing").alias("missing"),
        pl.col("share_missing_reference").alias("was"),
        pl.col("share_outside").alias("outside"),
        pl.col("reason").alias("why"),
    )
    show_frame(shown, "table", title, prose="why")
