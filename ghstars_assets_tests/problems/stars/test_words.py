"""What moved a forecast of stars, in words: the story, and the driver that it does not tell."""

from collections.abc import Sequence
from datetime import date
from math import copysign, log1p
from statistics import median, pstdev, quantiles

import polars as pl
import pytest

from ghstars_assets.learning.wiring import wire
from ghstars_assets.problems.stars.problem import PROBLEM
from ghstars_assets.problems.stars.stories import UNKNOWN
from ghstars_assets.problems.stars.words import CLAUSES, describe
from ghstars_assets.settings import SQL_ROOT

DAY = date(2026, 5, 17)
DRIVERS = pl.List(pl.Struct({"feature": pl.String, "effect": pl.Float64}))


def features_of(gains: Sequence[float], **others: float | None) -> pl.DataFrame:
    """A row of features, of the stars gained on each day up to DAY."""

    def over(days: int, until: int = 0) -> float | None:
        part = gains[len(gains) - days - until : len(gains) - until]
        return 7 * sum(part) / days if len(gains) >= days + until else None

    month, week = [7 * gain for gain in gains[-28:]], [7 * gain for gain in gains[-7:]]
    quarters = quantiles(month, method="inclusive") if len(month) > 1 else [None] * 3
    paces = {f"gain_{days}d": over(days) for days in (1, 2, 3, 4, 5, 6, 7, 14, 28, 56, 90)}
    paces |= {
        f"gain_{name}_ago": over(7, days)
        for name, days in (("1_week", 7), ("2_weeks", 14), ("3_weeks", 21))
    }
    paces |= {
        "ewma_30d": over(min(len(gains), 90)) if gains else None,
        "ewma_60d": over(min(len(gains), 90)) if gains else None,
        "median_28d": median(month) if month else None,
        "trimmed_mean_28d": median(month) if month else None,
        "lower_quartile_28d": quarters[0],
        "upper_quartile_28d": quarters[2],
        "max_28d": max(month, default=None),
        "min_7d": min(week, default=None),
        "stddev_28d": pstdev(month) if month else None,
        "forks_gained_7d": 12.0,
        "forks_gained_28d": 10.0,
    }
    base = median(week) if week else None
    slog_base = None if base is None else slog(base)
    row = {
        f"{name}_vs_base": None if pace is None or slog_base is None else slog(pace) - slog_base
        for name, pace in paces.items()
    }
    row |= {"slog_base": slog_base, "stars": 27_000, "log_stars": log1p(27_000)}
    row["slog_base_vs_log_stars"] = None if slog_base is None else slog_base - log1p(27_000)
    row["days_since_peak_28d"] = month[::-1].index(max(month)) if month else None
    row |= {"days_since_push": 403, "weekday": DAY.isoweekday()} | others
    return pl.DataFrame({"day": DAY, **row}, schema_overrides=dict.fromkeys(row, pl.Float64))


def slog(value: float) -> float:
    return copysign(log1p(abs(value)), value)


def driven_by(*features: str, effect: float = 9.0, rows: int = 1) -> pl.DataFrame:
    drivers = [{"feature": feature, "effect": effect} for feature in features]
    return pl.DataFrame({"drivers": [drivers] * rows}, schema={"drivers": DRIVERS})


def _words(gains: Sequence[float], *features: str, **others: float | None) -> str:
    (words,) = describe(features_of(gains, **others), driven_by(*features))
    return words


STORIES = {
    "two quiet weeks after a spike of 4,100 on 3 May": [12] * 75 + [4137] + [12] * 14,
    "a quiet day after a spike of 240 on 16 May": [12] * 88 + [240, 12],
    "three quiet days after a spike of 240 on 14 May": [12] * 86 + [240, 12, 9, 14],
    "down to about 61 a day after a spike of 240 on 7 May": [12] * 79 + [240] + [61] * 10,
    "down to about 54 a day after a spike of 240 on 7 May": [12] * 79 + [240] + [61] * 9 + [12],
    "a spike of 240 on 17 May, usually about 12 a day": [12] * 89 + [240],
    "steady at about 12 a day": [12] * 90,
    "steady at about 7 a week": [1] * 90,
    "the last week's 210 is twice the month's usual 98 a week": [14] * 83 + [30] * 7,
    "the last week's 150 is one and a half times the month's usual 98 a week": [14] * 83 + [21] * 7,
    "the last week's 49 is half the month's usual 98 a week": [14] * 83 + [7] * 7,
    "the last week's 28 is a quarter of the month's usual 98 a week": [14] * 83 + [4] * 7,
    "no star in the last week, against the month's usual 98 a week": [14] * 83 + [0] * 7,
    "speeding up: 480 in the last week, usually 350": [50] * 83 + [68] * 7,
    "slowing down: 250 in the last week, usually 350": [50] * 83 + [36] * 7,
    "14 stars in the last week, usually next to nothing": [0] * 83 + [2] * 7,
    "hardly moves: 3 stars in four weeks": [0] * 75 + [1, 1, 1] + [0] * 12,
    "hardly moves: 1 star in four weeks": [0] * 75 + [1] + [0] * 14,
    "hardly moves: as many stars as four weeks ago": [0] * 90,
    "hardly moves: 2 stars fewer than four weeks ago": [0] * 75 + [-2] + [0] * 14,
    "lost 40 stars in the last week": [0] * 86 + [-10] * 4,
    "lost 40 stars in the last week, usually it gains about 4 a day": [4] * 83
    + [0] * 3
    + [-10] * 4,
    "lost 70 stars in the last week, usually it loses about 3 a day": [-3] * 83 + [-10] * 7,
    "lost 38 stars in four weeks": [0] * 75 + [-40, 1, 1] + [0] * 12,
    "uneven, about 5 a day over four weeks": [5] * 62 + [12] * 7 + [0] * 7 + [4] * 14,
    "only the last day is known, with 1 star": [1],
    "only the last five days are known, with no star": [0] * 5,
    "only the last week is known, with 90 stars": [10, 20] * 3 + [10, 10, 10],
    "only the last two weeks are known, with 140 stars": [10] * 20,
    UNKNOWN: [],
}


@pytest.mark.parametrize(("story", "gains"), list(zip(STORIES, STORIES.values(), strict=True)))
def test_a_story_is_made_of_the_last_weeks(story: str, gains: list[float]) -> None:
    assert _words(gains) == story


def test_many_rows_are_described_as_each_alone_and_in_their_order() -> None:
    features = pl.concat([features_of(gains) for gains in STORIES.values()] * 2)
    words = describe(features, driven_by(rows=features.height))
    assert words.to_list() == [*STORIES, *STORIES]
    assert words.dtype == pl.String


STEADY = [12] * 90


@pytest.mark.parametrize(
    ("driver", "clause"),
    [
        ("days_since_push", "no push for 400 days"),
        ("log_stars", "at 27,000 stars"),
        ("forks_gained_7d_vs_base", "12 forks in the last week"),
        ("forks_gained_28d_vs_base", "40 forks in four weeks"),
        ("weekday", "made on a Sunday"),
    ],
)
def test_the_leading_driver_follows_the_story(driver: str, clause: str) -> None:
    assert _words(STEADY, driver) == f"steady at about 12 a day; {clause}"


@pytest.mark.parametrize(
    ("days", "clause"),
    [
        (-1, "pushed to on the day"),
        (0, "pushed to on the day"),
        (5, "pushed to within the week"),
        (12, "no push for 12 days"),
        (1500, "no push for 4 years"),
    ],
)
def test_a_push_is_described_by_how_long_ago_it_was(days: int, clause: str) -> None:
    assert _words(STEADY, "days_since_push", days_since_push=days).endswith(f"; {clause}")


def test_a_driver_that_the_story_names_is_passed_over_for_the_next() -> None:
    words = _words(STEADY, "gain_7d_vs_base", "slog_base", "days_since_push")
    assert words == "steady at about 12 a day; no push for 400 days"


def test_a_driver_that_says_nothing_new_is_passed_over_for_the_next() -> None:
    words = _words(STEADY, "ewma_60d_vs_base", "days_since_push")
    assert words == "steady at about 12 a day; no push for 400 days"
    slower_once = [2] * 62 + [12] * 28
    words = _words(slower_once, "ewma_60d_vs_base", "days_since_push")
    assert words == "steady at about 12 a day; less in the long run, about 5 a day"


def test_after_a_spike_the_ordinary_days_are_named_where_they_drove() -> None:
    spike = [12] * 75 + [4137] + [12] * 14
    words = _words(spike, "max_28d_vs_base", "median_28d_vs_base")
    assert words == ("two quiet weeks after a spike of 4,100 on 3 May; ordinarily about 12 a day")


def test_a_driver_of_less_than_half_a_star_is_not_worth_a_word() -> None:
    (words,) = describe(features_of(STEADY), driven_by("days_since_push", effect=-0.4))
    assert words == "steady at about 12 a day"


def test_of_what_is_not_known_nothing_is_written_and_nothing_breaks() -> None:
    features = pl.concat([features_of(gains) for gains in STORIES.values()])

    def without(*columns: str) -> pl.DataFrame:
        return features.with_columns(
            pl.lit(None, features.schema[name]).alias(name) for name in columns
        )

    names = [name for name in features.columns if name != "day"]
    less_one = pl.concat([without(name) for name in names])
    assert describe(less_one, driven_by(*CLAUSES, rows=less_one.height)).null_count() == 0
    nothing, forecasts = without(*names), driven_by(*CLAUSES, rows=features.height)
    assert set(describe(nothing, forecasts)) == {UNKNOWN}
    assert describe(features.clear(), forecasts.clear()).to_list() == []


def test_drivers_that_are_not_known_leave_the_story() -> None:
    none = pl.DataFrame({"drivers": [None]}, schema={"drivers": DRIVERS})
    assert describe(features_of(STEADY), none).to_list() == ["steady at about 12 a day"]
    assert _words(STEADY, "a_feature_of_an_earlier_release") == "steady at about 12 a day"


def test_every_feature_that_the_loop_learns_from_has_words() -> None:
    assert set(CLAUSES) == set(wire([PROBLEM], SQL_ROOT).columns["stars"].features)
