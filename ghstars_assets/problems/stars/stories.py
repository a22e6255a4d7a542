"""The story of a repository's last weeks: the first of STORIES that fits its row.

What a story calls usual withstands one wild week: of the three weeks before the last the middle
one, of the days of the month the median.
"""

from dataclasses import dataclass

import polars as pl

from ghstars_assets.problems.stars.figures import NUMBERS, PARTS, counted, figure, listed, rate

UNKNOWN = "not known for long enough to say why"

SPIKE_STARS, SPIKE_TIMES = 20, 4
"""A day is a spike with so many stars, and so many times those of a usual day. Of 3,448
repositories 150 had one in July 2025."""

FEWEST_A_WEEK = 3.5
"""Of fewer, twice or half as many is nothing."""

PACES = frozenset({"base", "days", "week", "month", "ordinary", "low"})
"""The groups of drivers that are about recent gains."""

EARLIER_WEEKS = (
    pl.col("gain_1_week_ago"),
    pl.col("gain_2_weeks_ago"),
    pl.col("gain_3_weeks_ago"),
)

_WEEK, _MONTH = pl.col("gain_7d"), pl.col("gain_28d")
_USUAL, _USUAL_DAYS = pl.col("usual_week"), pl.col("median_28d")
_SPIKE, _SINCE, _QUIET = pl.col("peak"), pl.col("days_since_peak_28d"), pl.col("quiet_days")


@dataclass(frozen=True)
class Story:
    name: str
    fits: pl.Expr
    words: pl.Expr
    covers: frozenset[str]
    """The groups of drivers that it covers already."""
    pace: pl.Expr = _MONTH
    """The stars a week that it is about; a driver is worth a word where it is about others."""


def story_name() -> pl.Expr:
    return pl.coalesce(pl.when(story.fits).then(pl.lit(story.name)) for story in STORIES)


def story_pace() -> pl.Expr:
    return pl.coalesce(
        *(pl.when(pl.col("story") == story.name).then(story.pace) for story in STORIES), _MONTH
    )


def usual_week() -> pl.Expr:
    """The middle one of the three weeks before the last."""
    whole = pl.sum_horizontal(EARLIER_WEEKS, ignore_nulls=False)
    return whole - pl.max_horizontal(EARLIER_WEEKS) - pl.min_horizontal(EARLIER_WEEKS)


def quiet_days() -> pl.Expr:
    """The longest last stretch since the peak that was like usual days; null where none was."""
    quiet = 1.5 * _USUAL_DAYS.clip(0) + 7

    def lasted(days: int, *paces: pl.Expr) -> pl.Expr:
        was_quiet = pl.all_horizontal(pace <= quiet for pace in paces)
        return pl.when((days <= _SINCE) & was_quiet).then(pl.lit(days))

    weeks = (_WEEK, *EARLIER_WEEKS)
    return pl.coalesce(
        lasted(21, *weeks[:3]),
        lasted(14, *weeks[:2]),
        *(lasted(days, pl.col(f"gain_{days}d")) for days in range(7, 0, -1)),
    )


def _is_spike() -> pl.Expr:
    return (_SPIKE >= SPIKE_STARS) & (7 * _SPIKE >= SPIKE_TIMES * _USUAL_DAYS)


def _after_a_spike() -> pl.Expr:
    quiet = (
        pl.when(_QUIET == 1)
        .then(pl.lit("a quiet day"))
        .when(_QUIET < 7)
        .then(pl.format("{} quiet days", listed(_QUIET, NUMBERS)))
        .when(_QUIET == 7)
        .then(pl.lit("a quiet week"))
        .otherwise(pl.format("{} quiet weeks", listed(_QUIET // 7, NUMBERS)))
    )
    # A quiet day long after a spike is not what became of it.
    is_quiet = (_QUIET >= 7) | (2 * _QUIET >= _SINCE)
    now = (
        pl.when(_SINCE == 1)
        .then(pl.col("gain_1d"))
        .when(_SINCE == 2)
        .then(pl.col("gain_2d"))
        .when(_SINCE < 7)
        .then(pl.col("gain_3d"))
        .otherwise(_WEEK)
    )
    down = pl.format("down to {} after {}", rate(now), _A_SPIKE)
    return pl.when(is_quiet).then(pl.format("{} after {}", quiet, _A_SPIKE)).otherwise(down)


def _lost() -> pl.Expr:
    lost = pl.format("lost {} in the last week", counted(-_WEEK))
    return (
        pl.when(_USUAL >= 5)
        .then(pl.format("{}, usually it gains {}", lost, rate(_USUAL)))
        .when(_USUAL <= -3)
        .then(pl.format("{}, usually it loses {}", lost, rate(-_USUAL)))
        .otherwise(lost)
    )


def _is_another_week() -> pl.Expr:
    """Further from the usual than chance takes a count: two and a half times its root."""
    larger = pl.max_horizontal(_WEEK.abs(), _USUAL.abs())
    return (_WEEK - _USUAL).abs() >= 2.5 * larger.sqrt()


def _faster() -> pl.Expr:
    times = (_WEEK / _USUAL).round()
    words = (
        pl.when(_WEEK < 1.75 * _USUAL)
        .then(pl.lit("one and a half times"))
        .when(times == 2)
        .then(pl.lit("twice"))
        .when(times <= 10)
        .then(pl.format("{} times", listed(times, NUMBERS)))
        .otherwise(pl.format("{} times", figure(times)))
    )
    return pl.format("the last week's {} is {} {}", figure(_WEEK), words, _MONTHS_USUAL)


def _slower() -> pl.Expr:
    parts = (_USUAL / _WEEK).round()
    words = (
        pl.when(_WEEK > 0.58 * _USUAL)
        .then(pl.lit("two thirds of"))
        .when(parts == 2)
        .then(pl.lit("half"))
        .when(parts <= 10)
        .then(pl.format("a {} of", listed(parts - 2, PARTS)))
        .otherwise(pl.lit("a small part of"))
    )
    some = pl.format("the last week's {} is {} {}", figure(_WEEK), words, _MONTHS_USUAL)
    none = pl.format("{} in the last week, against {}", counted(_WEEK), _MONTHS_USUAL)
    return pl.when(_WEEK < 0.5).then(none).otherwise(some)


def _hardly_moves() -> pl.Expr:
    words = (
        pl.when(_STARS_28D.abs() < 0.5)
        .then(pl.lit("as many stars as four weeks ago"))
        .when(_STARS_28D < 0)
        .then(pl.format("{} fewer than four weeks ago", counted(-_STARS_28D)))
        .otherwise(pl.format("{} in four weeks", counted(_STARS_28D)))
    )
    return pl.format("hardly moves: {}", words)


def _is_steady() -> pl.Expr:
    weeks = (_WEEK, *EARLIER_WEEKS)
    width = pl.max_horizontal(weeks) - pl.min_horizontal(weeks)
    return width <= 2.5 * _MONTH.abs().sqrt() + 0.3 * _MONTH.abs()


def _only_days() -> pl.Expr:
    known = [(days, pl.col(f"gain_{days}d")) for days in range(6, 0, -1)]
    days = pl.coalesce(pl.when(pace.is_not_null()).then(pl.lit(days)) for days, pace in known)
    gained = pl.coalesce(pace * days / 7 for days, pace in known)
    words = (
        pl.when(days == 1)
        .then(pl.lit("day is"))
        .otherwise(pl.format("{} days are", listed(days, NUMBERS)))
    )
    return pl.format("only the last {} known, with {}", words, counted(gained))


_STARS_28D = 4 * _MONTH
_A_SPIKE = pl.format("a spike of {} on {}", figure(_SPIKE), "peak_day")
_MONTHS_USUAL = pl.format("the month's usual {} a week", figure(_USUAL))
_ALL = PACES | {"quarter", "peak", "forks", "size", "push", "weekday"}
_UNUSUAL = PACES - {"ordinary"}

STORIES = (
    Story("first day", pl.col("gain_1d").is_null(), pl.lit(UNKNOWN), _ALL),
    Story("only days", _WEEK.is_null(), _only_days(), PACES | {"quarter", "peak"}),
    Story("lost", _WEEK <= -2.5, _lost(), PACES, pace=_WEEK),
    Story(
        "spike today",
        _is_spike() & (_SINCE == 0),
        pl.format("{}, usually {}", _A_SPIKE, rate(_USUAL_DAYS)),
        PACES | {"peak"},
        pace=_USUAL_DAYS,
    ),
    Story("spike", _is_spike(), _after_a_spike(), _UNUSUAL | {"peak"}, pace=_USUAL_DAYS),
    Story(
        "one week",
        pl.col("gain_14d").is_null(),
        pl.format("only the last week is known, with {}", counted(_WEEK)),
        PACES | {"quarter"},
        pace=_WEEK,
    ),
    Story(
        "two weeks",
        _MONTH.is_null(),
        pl.format("only the last two weeks are known, with {}", counted(2 * pl.col("gain_14d"))),
        PACES | {"quarter"},
        pace=pl.col("gain_14d"),
    ),
    Story(
        "lost earlier",
        _STARS_28D <= -7.5,
        pl.format("lost {} in four weeks", counted(-_STARS_28D)),
        _UNUSUAL,
    ),
    Story("hardly moves", (_STARS_28D.abs() < 4.5) & (_WEEK < 3.5), _hardly_moves(), PACES),
    Story(
        "wakes up",
        (_USUAL < FEWEST_A_WEEK) & (_WEEK >= 7.5) & _is_another_week(),
        pl.format("{} in the last week, usually {}", counted(_WEEK), rate(_USUAL)),
        PACES,
        pace=_USUAL,
    ),
    Story(
        "faster",
        (_USUAL >= FEWEST_A_WEEK) & (_WEEK >= 1.5 * _USUAL) & _is_another_week(),
        _faster(),
        PACES,
        pace=_USUAL,
    ),
    Story(
        "slower",
        (_USUAL >= FEWEST_A_WEEK) & (_WEEK <= 0.67 * _USUAL) & _is_another_week(),
        _slower(),
        PACES,
        pace=_USUAL,
    ),
    Story(
        "a little faster",
        (_USUAL >= FEWEST_A_WEEK) & (_WEEK >= 1.2 * _USUAL) & _is_another_week(),
        pl.format("speeding up: {} in the last week, usually {}", figure(_WEEK), figure(_USUAL)),
        PACES,
        pace=_USUAL,
    ),
    Story(
        "a little slower",
        (_USUAL >= FEWEST_A_WEEK) & (_WEEK <= 0.83 * _USUAL) & _is_another_week(),
        pl.format("slowing down: {} in the last week, usually {}", figure(_WEEK), figure(_USUAL)),
        PACES,
        pace=_USUAL,
    ),
    Story("steady", _is_steady(), pl.format("steady at {}", rate(_MONTH)), PACES),
    Story(
        "uneven",
        pl.lit(value=True),
        pl.format("uneven, {} over four weeks", rate(_MONTH)),
        frozenset({"base"}),
    ),
)
