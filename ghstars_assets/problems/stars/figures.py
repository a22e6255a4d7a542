"""Numbers as a person says them, in Polars: 4,137 stars are 4,100, 85 a week are about 12 a day."""

from collections.abc import Sequence

import polars as pl

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
PARTS = ("half", "third", "quarter", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def figure(value: pl.Expr) -> pl.Expr:
    """Whole, and two figures from a hundred on. The sign is left to words."""
    size = value.abs()
    rounded = pl.when(size < 99.5).then(size).otherwise(size.round_sig_figs(2)).round()
    whole = rounded.cast(pl.Int64)
    after_comma = (whole % 1000).cast(pl.String).str.zfill(3)
    return (
        pl.when(whole < 1000)
        .then(whole.cast(pl.String))
        .when(whole < 1_000_000)
        .then(pl.format("{},{}", whole // 1000, after_comma))
        .otherwise(pl.format("{} million", rounded / 1_000_000))
    )


def counted(value: pl.Expr, what: str = "star") -> pl.Expr:
    some = pl.when(value.abs() < 1.5).then(pl.lit(f"1 {what}"))
    some = some.otherwise(pl.format(f"{{}} {what}s", figure(value)))
    return _with_sign(value, some, pl.lit(f"no {what}"))


def rate(stars_a_week: pl.Expr) -> pl.Expr:
    """By the day where that is two or more."""
    some = pl.when(stars_a_week.abs() >= 14)
    some = some.then(pl.format("about {} a day", figure(stars_a_week / 7)))
    some = some.otherwise(pl.format("about {} a week", figure(stars_a_week)))
    return _with_sign(stars_a_week, some, pl.lit("next to nothing"))


def listed(place: pl.Expr, words: Sequence[str]) -> pl.Expr:
    """The word at a place counted from 0; null outside the list."""
    return place.cast(pl.Int64).replace_strict(dict(enumerate(words)), default=None)


def day_and_month(day: pl.Expr) -> pl.Expr:
    """3 May."""
    return day.dt.to_string("%-d %B")


def _with_sign(value: pl.Expr, some: pl.Expr, none: pl.Expr) -> pl.Expr:
    return (
        pl.when(value.abs() <= 0.5)
        .then(none)
        .when(value < 0)
        .then(pl.format("a loss of {}", some))
        .otherwise(some)
    )
