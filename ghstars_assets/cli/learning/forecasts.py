"""Tables of forecasts and of their record, which `predict`, `explain` and `demo` show."""

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.cli.console import print_line, show_frame
from ghstars_assets.errors import MissingDayError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.evaluation import metrics
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.tasks.intervals import INTERVALS
from ghstars_assets.learning.wiring import Wired, wire
from ghstars_assets.problems.platform import Form
from ghstars_assets.settings import SQL_ROOT

RECORD_DAYS = 28
DRIVERS_SHOWN = 2
HOW_TO_READ = (
    "How to read this: typical is as often too low as too high, mean is the average to expect, "
    "naive is last week again. skill is the share of naive's error that the forecast avoids: 0.1 "
    "is 10 % less, 0 no better, below 0 worse. The record counts what the intervals held as they "
    "were computed; the forecasts show their ends rounded outward to whole numbers, which holds "
    "more, above all of small counts: hence about 0.8 in the one place and nearer 90 % in the "
    "other."
)


def forecasts_of(lake: Lake, problem: Problem, day: date | None, top: int | None) -> pl.DataFrame:
    """Return a day's forecasts, or those of the newest day, highest mean first."""
    table = problem.table("predictions")
    days = lake.days(table)
    chosen = day or (days[-1] if days else None)
    if chosen is None or chosen not in days:
        wanted = f" for {chosen}" if chosen else ""
        known = f" (it holds {days[0]} to {days[-1]})" if days else ""
        if chosen and days and not days[0] <= chosen <= days[-1]:
            raise MissingDayError(
                f"{table} holds no forecasts{wanted}{known}; choose one of those days, or fill "
                f"what is due by now with `ghstars backfill {problem.name}`."
            )
        raise MissingDayError(
            f"{table} holds no forecasts{wanted}{known}; make them with "
            f"`ghstars backfill {problem.name}"
            + (f" --from {chosen} --to {chosen}`." if chosen else "`.")
        )
    frame = lake.read(table, chosen).sort(
        ["mean", problem.entity], descending=[True, False], nulls_last=True
    )
    return frame.head(top) if top else frame


def show_forecasts(lake: Lake, problem: Problem, frame: pl.DataFrame, form: Form) -> None:
    if form != "table":
        show_frame(frame, form)
        return
    name = problem.entity_name or problem.entity
    shown = frame.select(
        pl.int_range(1, pl.len() + 1).alias("#"),
        pl.col(name),
        *problem.task.table_columns(),
        _why(problem, frame),
    )
    day = frame["day"][0] if frame.height else None
    version = frame["model_version"][0] if frame.height else None
    title = f"{problem.question}\nMade on {day} by version {version}"
    show_frame(shown, form, title, prose=shown.columns[-1])
    if day and (coverage := interval_coverage(lake, problem, day)):
        print_line(coverage)


def record_against_naive(lake: Lake, problem: Problem) -> pl.DataFrame | None:
    """Measure error and interval coverage on the scored days, week by week, for the model and for
    naive."""
    task, table = problem.task, problem.table("scores")
    days = lake.days(table)
    if not days:
        return None
    window = DayRange(days[-1] - timedelta(days=RECORD_DAYS - 1), days[-1])
    known = lake.scan(table, window).filter(pl.col("naive").is_not_null())
    measures = [
        pl.len().alias("forecasts"),
        task.row_error(task.point).mean().alias("error"),
        task.row_error(metrics.NAIVE).mean().alias("naive error"),
        *(metrics.interval_held(share).mean().alias(f"within {share} %") for share in INTERVALS),
    ]
    weekly = known.group_by(pl.col("day").dt.truncate("1w").cast(pl.String).alias("week of"))
    by_week = weekly.agg(measures).sort("week of").collect()
    overall = known.select(pl.lit(f"{window}").alias("week of"), *measures).collect()
    return pl.concat([by_week, overall.head(1)]).with_columns(
        metrics.skill_of_columns("error", "naive error").alias("skill")
    )


def show_record(lake: Lake, problem: Problem) -> None:
    record = record_against_naive(lake, problem)
    if record is None or record.is_empty():
        print_line(f"{problem.table('scores')} holds nothing yet: no forecast has come due.")
    else:
        title = "The record: mean absolute error against the naive forecast (last week again)"
        show_frame(record, "table", title)


def _interval(share: str) -> pl.Expr:
    """Format the bounds as whole numbers, rounded outward, which hold more than the bounds do."""
    low, high = pl.col(f"low_{share}").floor(), pl.col(f"high_{share}").ceil()
    whole = (end.cast(pl.Int64) for end in (low, high))
    return pl.format("{} to {}", *whole).alias(f"{share} %")


def interval_coverage(lake: Lake, problem: Problem, day: date) -> str:
    """Describe how many outcomes the intervals as they are shown have lately held; empty for a day
    that is not calibrated."""
    table = problem.table("calibration")
    if not lake.days(table, DayRange(day, day)):
        return ""
    calibration = lake.read(table, day)
    weight = pl.col("rows") / pl.col("rows").sum()
    covered = {
        share: calibration.select((pl.col(f"shown_{share}") * weight).sum()).item()
        for share in INTERVALS
    }
    shares = [f"the {share} % interval held {shown:.0%}" for share, shown in covered.items()]
    return (
        f"As whole numbers {' and '.join(shares)} of the outcomes of "
        f"{calibration['calibrated_from'][0]} to {calibration['calibrated_through'][0]}."
    )


def _why(problem: Problem, frame: pl.DataFrame) -> pl.Expr:
    """Show words where the problem has any; forecasts made by an earlier release have none."""
    if "in_words" in frame.columns and frame["in_words"].is_not_null().all() and frame.height:
        return pl.col("in_words").alias("in words")
    drivers = _drivers(feature_descriptions(problem, wire([problem], SQL_ROOT)))
    if "in_words" in frame.columns and frame["in_words"].is_not_null().any():
        return pl.coalesce("in_words", drivers).alias("in words")
    return drivers


def feature_descriptions(problem: Problem, wired: Wired) -> dict[str, str]:
    """Return what each column of the features is, in words."""
    columns = wired.graph.tables[problem.table("features")].columns
    return {column.name: column.description for column in columns}


def _drivers(described: Mapping[str, str]) -> pl.Expr:
    """Show the leading features, in words, with what each adds to the typical value."""
    driver = pl.format(
        "{}: {}",
        pl.element().struct.field("feature").replace(dict(described)),
        pl.element().struct.field("effect").round().cast(pl.Int64),
    )
    shown = pl.col("drivers").list.head(DRIVERS_SHOWN)
    return shown.list.eval(driver).list.join("; ").alias("drivers")
