"""The card of a version: what it learnt from, how it did on days it never saw, where it is weak.

Everything on it is measured on the held-out days. What was measured on all later days, of this
version and of others, is in `scores` and `backtest`.
"""

from collections.abc import Iterator

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.duck import bind_parquet, duck_session
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.evaluation import metrics
from ghstars_assets.learning.problem import Problem, Training
from ghstars_assets.learning.tasks.intervals import INTERVALS
from ghstars_assets.learning.training.candidate import Candidate
from ghstars_assets.reporting.markdown import table_of_figures

FEATURES_SHOWN = 12
VALUES_SHOWN = 10
LEVELS_SHOWN = 10


def model_card(lake: Lake, problem: Problem, candidate: Candidate) -> str:
    """Markdown."""
    judged = candidate.judged.drop_nulls("actual")
    by_segment = _by_segment(lake, problem, candidate, judged)
    sections = [
        [f"# {problem.name} as of {candidate.as_of}", problem.question],
        ["## Data", *_data(candidate)],
        ["## Protocol", *_protocol(problem, candidate)],
        ["## Skill on the held-out days", *_skill(candidate)],
        *(
            [f"## Skill by {name}", table_of_figures(("", "rows", "MAE", "naive", "skill"), rows)]
            for name, rows in by_segment.items()
        ),
        ["## Calibration", *_calibration(judged)],
        ["## What it looks at", *_importances(candidate)],
        ["## Known weaknesses", *_weaknesses(judged, by_segment)],
    ]
    return "\n\n".join("\n\n".join(section) for section in sections) + "\n"


def _data(candidate: Candidate) -> Iterator[str]:
    plan, training = candidate.plan, candidate.training
    yield (
        f"Trained on {candidate.rows:,} rows of {len(plan.training_days)} days from "
        f"{plan.training_days[0]} to {plan.training_days[-1]} (of {_window(training)} "
        f"every {_ordinal(training.every_nth_day)}), all of whose outcomes were known before "
        f"{candidate.as_of}."
    )
    yield f"Data {candidate.data_version}, model {candidate.fingerprint}."


def _protocol(problem: Problem, candidate: Candidate) -> Iterator[str]:
    plan = candidate.plan
    yield (
        f"Judged on {len(plan.holdout_days)} later days, {plan.holdout_days[0]} to "
        f"{plan.holdout_days[-1]}. No outcome it learnt from overlaps one that it is judged on: "
        f"{problem.horizon_days} days lie between."
    )
    if plan.held_out:
        windows = " and ".join(map(str, plan.held_out))
        yield f"Left out of training, for comparisons with other versions: {windows}."


def _window(training: Training) -> str:
    return "all days" if training.window_days is None else f"{training.window_days} days"


def _skill(candidate: Candidate) -> Iterator[str]:
    found = candidate.metrics
    if "mae" not in found:
        yield "No held-out row has a naive forecast to be compared with."
        return
    yield (
        f"Mean absolute error {found['mae']:.3g} where the naive forecast has "
        f"{found['mae_naive']:.3g}: skill {found['skill_vs_naive']:.1%} on "
        f"{found['rows']:,.0f} rows."
    )
    if "mean_total_ratio" in found:
        yield f"The means add up to {found['mean_total_ratio']:.1%} of what happened in all."


def _calibration(judged: pl.DataFrame) -> Iterator[str]:
    known = judged.drop_nulls([f"low_{share}" for share in INTERVALS])
    if known.is_empty():
        yield "Too few held-out days to calibrate on some and to judge on others."
        return
    yield (
        "Calibrated on the first half of the held-out days, judged on the second; in service "
        "intervals are calibrated anew each day."
    )
    place = pl.col("typical").rank("ordinal") * LEVELS_SHOWN // (pl.len() + 1)
    rows = (
        known.with_columns(place=place)
        .group_by("place")
        .agg(
            pl.col("typical").max().alias("upper_bound"),
            pl.len().alias("rows"),
            *(metrics.interval_held(share).mean().alias(share) for share in INTERVALS),
        )
        .sort("place")
    )
    cells = [
        (
            f"{row['upper_bound']:,.1f}",
            f"{row['rows']:,}",
            *(f"{row[share]:.1%}" for share in INTERVALS),
        )
        for row in rows.iter_rows(named=True)
    ]
    header = ("forecasts up to", "rows", *(f"within {share} %" for share in INTERVALS))
    yield table_of_figures(header, cells)


def _importances(candidate: Candidate) -> Iterator[str]:
    total = sum(candidate.importances.values()) or 1.0
    leading = list(candidate.importances.items())[:FEATURES_SHOWN]
    yield table_of_figures(
        ("feature", "share of gain"), [(name, f"{gain / total:.1%}") for name, gain in leading]
    )


def _weaknesses(
    judged: pl.DataFrame, by_segment: dict[str, list[tuple[str, ...]]]
) -> Iterator[str]:
    errors = judged.select(error=metrics.absolute_error("typical"))["error"].sort(descending=True)
    top = max(1, len(errors) // 100)
    total = float(errors.sum())
    if total:
        share = float(errors.head(top).sum()) / total
        yield f"- The worst hundredth of its forecasts carries {share:.0%} of its whole error."
    known = judged.drop_nulls("high_95")
    above = known.filter(pl.col("actual") > pl.col("high_95")).height
    if known.height:
        yield (
            f"- {above:,} of {known.height:,} outcomes lay above the 95 % interval: what breaks "
            "out does so without notice."
        )
    for name, rows in by_segment.items():
        worse = [row[0] for row in rows if row[-1].startswith("-")]
        if worse:
            yield f"- No better than the naive forecast by {name}: {', '.join(worse)}."


def _by_segment(
    lake: Lake, problem: Problem, candidate: Candidate, judged: pl.DataFrame
) -> dict[str, list[tuple[str, ...]]]:
    if not problem.segments or judged.is_empty():
        return {}
    held_out = candidate.plan.holdout_days
    with duck_session(lake.settings, lake.store) as connection:
        urls = lake.urls(problem.table("snapshots"), DayRange(held_out[0], held_out[-1]))
        bind_parquet(connection, "lake.snapshots", urls, "")
        values = ", ".join(
            f'({expression})::varchar as "{name}"' for name, expression in problem.segments.items()
        )
        connection.register("judged", judged.select("day", problem.entity))
        query = (
            f'select day, "{problem.entity}", {values} '  # noqa: S608 - the problem's own words
            f'from lake.snapshots semi join judged using (day, "{problem.entity}")'
        )
        values_by_row = connection.sql(query).pl()
    both = judged.join(values_by_row, on=["day", problem.entity])
    return {name: list(_values(problem, both, name)) for name in problem.segments}


def _values(problem: Problem, judged: pl.DataFrame, segment: str) -> Iterator[tuple[str, ...]]:
    counted = judged[segment].value_counts(sort=True).head(VALUES_SHOWN)[segment].to_list()
    for value in sorted(counted, key=lambda one: _first_number(str(one))):
        measured = problem.task.held_out_metrics(judged.filter(pl.col(segment) == value))
        if "mae" in measured:
            yield (
                str(value),
                f"{measured['rows']:,.0f}",
                f"{measured['mae']:,.3g}",
                f"{measured['mae_naive']:,.3g}",
                f"{measured['skill_vs_naive']:.1%}",
            )


def _first_number(text: str) -> tuple[int, str]:
    """Sizes in their order, names after the alphabet."""
    if text.startswith("under"):
        return (0, text)
    digits = text.split(maxsplit=1)[0].replace(",", "")
    return (int(digits), text) if digits.isdecimal() else (0, text)


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number if number < 20 else number % 10, "th")
    return f"{number}{ending}"
