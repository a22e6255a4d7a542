"""Numbers as a person says them."""

from datetime import date

import polars as pl
import pytest

from ghstars_assets.problems.stars.figures import counted, day_and_month, figure, rate


def _text(expression: pl.Expr) -> str:
    return pl.select(expression).item()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (11.6, "12"),
        (99, "99"),
        (99.7, "100"),
        (214, "210"),
        (999, "1,000"),
        (4137, "4,100"),
        (-4137, "4,100"),
        (1_049_000, "1.0 million"),
    ],
)
def test_a_figure_is_rounded_as_a_person_would(value: float, text: str) -> None:
    assert _text(figure(pl.lit(float(value)))) == text


def test_no_figure_from_a_hundred_on_has_a_third_digit() -> None:
    rounded = pl.select(figure(pl.int_range(100, 200_000).cast(pl.Float64))).to_series()
    digits = rounded.str.replace(",", "").str.strip_chars_end("0")
    assert digits.str.len_chars().max() == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "no star"),
        (1.0, "1 star"),
        (2.0, "2 stars"),
        (-1.0, "a loss of 1 star"),
        (-400.0, "a loss of 400 stars"),
    ],
)
def test_a_count_agrees_with_its_noun(value: float, text: str) -> None:
    assert _text(counted(pl.lit(value))) == text


@pytest.mark.parametrize(
    ("stars_a_week", "text"),
    [
        (0.3, "next to nothing"),
        (13.0, "about 13 a week"),
        (84.0, "about 12 a day"),
        (-84.0, "a loss of about 12 a day"),
    ],
)
def test_a_rate_is_by_the_day_where_that_is_two_or_more(stars_a_week: float, text: str) -> None:
    assert _text(rate(pl.lit(stars_a_week))) == text


def test_a_day_has_no_leading_zero() -> None:
    assert _text(day_and_month(pl.lit(date(2026, 5, 3)))) == "3 May"
