"""What moved a forecast of stars, in words a maintainer understands: the story of the last weeks,
and the leading driver that the story leaves out.

Gains are read back from the features, which hold them compared with the repository's base, so that
nothing but the day's own rows is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from ghstars_assets.problems.stars.figures import (
    NUMBERS,
    WEEKDAYS,
    counted,
    day_and_month,
    figure,
    listed,
    rate,
)
from ghstars_assets.problems.stars.stories import (
    STORIES,
    quiet_days,
    story_name,
    story_pace,
    usual_week,
)

FEWEST_STARS_TOLD = 0.5
"""A driver that moved the forecast by less is not worth a word."""

FAST_FOR_ITS_SIZE, SLOW_FOR_ITS_SIZE = -5.8, -7.8
"""Of slog_base_vs_log_stars: of 3,448 repositories a fifth lies above the one, a fifth below the
other."""

_KEPT = ("day", "stars", "slog_base_vs_log_stars")
_KEPT_DAYS = ("days_since_peak_28d", "days_since_push", "weekday")
_COMPARED = (
    *(f"gain_{days}d" for days in (1, 2, 3, 4, 5, 6, 7, 14, 28, 56, 90)),
    *("gain_1_week_ago", "gain_2_weeks_ago", "gain_3_weeks_ago", "ewma_30d", "ewma_60d"),
    *("median_28d", "trimmed_mean_28d", "lower_quartile_28d", "upper_quartile_28d", "max_28d"),
    *("min_7d", "stddev_28d", "forks_gained_7d", "forks_gained_28d"),
)


def describe(features: pl.DataFrame, forecasts: pl.DataFrame) -> pl.Series:
    """One fragment of a sentence a row; both frames have the same rows in the same order."""
    rows = _read_back(features).with_columns(story=story_name()).with_row_index("row")
    rows = rows.with_columns(story_pace=story_pace())
    stories = _each(
        rows.with_columns(place="row"), "story", {story.name: story.words for story in STORIES}
    )
    both = stories.join(_clauses(rows, forecasts), on="row", how="left", suffix="_after")
    return both.sort("row").select(
        in_words=pl.concat_str("words", "words_after", separator="; ", ignore_nulls=True)
    )["in_words"]


def _read_back(features: pl.DataFrame) -> pl.DataFrame:
    """Gains in stars a week again, and what the stories compare them with."""
    paces = features.select(
        *_KEPT,
        *_KEPT_DAYS,
        *(
            _slog_inverse(pl.col(f"{name}_vs_base") + pl.col("slog_base")).alias(name)
            for name in _COMPARED
        ),
    )
    peaked = pl.col("day") - pl.duration(days="days_since_peak_28d")
    return paces.with_columns(
        usual_week=usual_week(),
        quiet_days=quiet_days(),
        peak=pl.col("max_28d") / 7,
        peak_day=day_and_month(peaked),
    )


def _slog_inverse(value: pl.Expr) -> pl.Expr:
    # The last digits hang on the batch that the row was made in, and words must not.
    return (value.sign() * (value.abs().exp() - 1)).round(6)


# ---- what a driver says -------------------------------------------------------------------------


@dataclass(frozen=True)
class Clause:
    group: str
    """A story covers whole groups."""
    words: pl.Expr
    """Null where the feature says nothing of note."""


def _is_other(pace: pl.Expr) -> pl.Expr:
    """Whether a pace is off by a third of what the story has, and by two stars a week."""
    apart = (pace - pl.col("story_pace")).abs()
    return apart >= pl.max_horizontal(2, pl.col("story_pace").abs() / 3)


def _pace(name: str, when: str) -> pl.Expr:
    pace = pl.col(name)
    more_or_less = (
        pl.when(pace > pl.col("story_pace")).then(pl.lit("more")).otherwise(pl.lit("less"))
    )
    words = pl.format(f"{{}} {when}, {{}}", more_or_less, rate(pace))
    return pl.when(_is_other(pace)).then(words)


def _day(name: str, which: str) -> pl.Expr:
    """Days differ: one is worth a word where it is far off in stars too."""
    pace = pl.col(name)
    is_far = (pace - pl.col("story_pace")).abs() >= 7 * 3
    words = pl.format(f"{{}} on {which}", counted(pace / 7))
    return pl.when(_is_other(pace) & is_far).then(words)


def _week_to(name: str, weeks_ago: int) -> pl.Expr:
    ended = day_and_month(pl.col("day") - pl.duration(days=7 * weeks_ago))
    words = pl.format("{} in the week to {}", counted(pl.col(name)), ended)
    return pl.when(_is_other(pl.col(name))).then(words)


def _best_day() -> pl.Expr:
    is_high = (pl.col("peak") >= 3) & (pl.col("max_28d") >= 2 * pl.col("story_pace"))
    words = pl.format("{} on its best day, {}", counted(pl.col("peak")), "peak_day")
    return pl.when(is_high).then(words)


def _ordinary() -> pl.Expr:
    """A spike hides what is usual, so that always stands beside it."""
    usual = pl.col("median_28d")
    spiked = pl.col("story") == "spike"
    otherwise = _pace("median_28d", "on ordinary days")
    return pl.when(spiked).then(pl.format("ordinarily {}", rate(usual))).otherwise(otherwise)


def _push() -> pl.Expr:
    days = pl.col("days_since_push")
    years = days // 365
    return (
        pl.when(days < 1)
        .then(pl.lit("pushed to on the day"))
        .when(days < 8)
        .then(pl.lit("pushed to within the week"))
        .when(years < 2)
        .then(pl.format("no push for {} days", figure(days)))
        .otherwise(pl.format("no push for {} years", figure(years)))
    )


def _size() -> pl.Expr:
    share, size = pl.col("slog_base_vs_log_stars"), counted(pl.col("stars"))
    return (
        pl.when(share >= FAST_FOR_ITS_SIZE)
        .then(pl.format("fast for its {}", size))
        .when(share <= SLOW_FOR_ITS_SIZE)
        .then(pl.format("slow for its {}", size))
    )


def _forks(name: str, weeks: int, when: str) -> pl.Expr:
    return pl.format(f"{{}} in {when}", counted(weeks * pl.col(name), "fork"))


_NOTHING = pl.lit(None, pl.String)
_ORDINARY = Clause("ordinary", _ordinary())
_LONG_RUN = "in the long run"
_IS_WILD = pl.col("stddev_28d") > pl.max_horizontal(14, pl.col("story_pace").abs())

CLAUSES = {
    "gain_1d_vs_base": Clause("days", _day("gain_1d", "the last day")),
    **{
        f"gain_{days}d_vs_base": Clause(
            "days", _pace(f"gain_{days}d", f"in the last {NUMBERS[days]} days")
        )
        for days in range(2, 7)
    },
    "gain_7d_vs_base": Clause("week", _pace("gain_7d", "in the last week")),
    "gain_14d_vs_base": Clause("month", _pace("gain_14d", "over two weeks")),
    "gain_28d_vs_base": Clause("month", _pace("gain_28d", "over four weeks")),
    "gain_56d_vs_base": Clause("quarter", _pace("gain_56d", "over eight weeks")),
    "gain_90d_vs_base": Clause("quarter", _pace("gain_90d", "over three months")),
    "gain_1_week_ago_vs_base": Clause("month", _week_to("gain_1_week_ago", 1)),
    "gain_2_weeks_ago_vs_base": Clause("month", _week_to("gain_2_weeks_ago", 2)),
    "gain_3_weeks_ago_vs_base": Clause("month", _week_to("gain_3_weeks_ago", 3)),
    "ewma_30d_vs_base": Clause("quarter", _pace("ewma_30d", _LONG_RUN)),
    "ewma_60d_vs_base": Clause("quarter", _pace("ewma_60d", _LONG_RUN)),
    "median_28d_vs_base": _ORDINARY,
    "trimmed_mean_28d_vs_base": _ORDINARY,
    "lower_quartile_28d_vs_base": Clause("low", _day("lower_quartile_28d", "slow days")),
    "upper_quartile_28d_vs_base": Clause("peak", _day("upper_quartile_28d", "good days")),
    "max_28d_vs_base": Clause("peak", _best_day()),
    "min_7d_vs_base": Clause("low", _day("min_7d", "the slowest day of the week")),
    "stddev_28d_vs_base": Clause("peak", pl.when(_IS_WILD).then(pl.lit("no two days alike"))),
    "forks_gained_7d_vs_base": Clause("forks", _forks("forks_gained_7d", 1, "the last week")),
    "forks_gained_28d_vs_base": Clause("forks", _forks("forks_gained_28d", 4, "four weeks")),
    "slog_base": Clause("base", _NOTHING),
    "slog_base_vs_log_stars": Clause("size", _size()),
    "log_stars": Clause("size", pl.format("at {}", counted(pl.col("stars")))),
    "days_since_peak_28d": Clause("peak", _best_day()),
    "days_since_push": Clause("push", _push()),
    "weekday": Clause(
        "weekday", pl.format("made on a {}", listed(pl.col("weekday") - 1, WEEKDAYS))
    ),
}
"""By feature."""

_COVERED = {
    f"{story.name}: {feature}"
    for story in STORIES
    for feature, clause in CLAUSES.items()
    if clause.group in story.covers
}


def _clauses(rows: pl.DataFrame, forecasts: pl.DataFrame) -> pl.DataFrame:
    """Of each row the first driver that moved the forecast, that the story does not cover and
    that says something of note."""
    drivers = (
        rows.select("row", "story", forecasts["drivers"])
        .explode("drivers", empty_as_null=False, keep_nulls=False)
        .unnest("drivers")
        .filter(
            (pl.col("effect").abs() >= FEWEST_STARS_TOLD)
            & ~pl.format("{}: {}", "story", "feature").is_in(_COVERED)
        )
        .select("row", "feature")
        .with_row_index("place")
    )
    drivers = drivers.hstack(rows.drop("row")[drivers["row"]])
    clauses = _each(drivers, "feature", {name: clause.words for name, clause in CLAUSES.items()})
    return clauses.drop_nulls().sort("place").unique("row", keep="first").drop("place")


def _each(rows: pl.DataFrame, by: str, words: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """Every expression over its own rows alone: over all rows they take five times as long."""
    parts = [
        part.select("place", "row", words=words[name])
        for (name,), part in rows.partition_by(by, as_dict=True).items()
        if name in words
    ]
    none = pl.DataFrame(schema={"place": pl.UInt32, "row": pl.UInt32, "words": pl.String})
    return pl.concat([none, *parts])
