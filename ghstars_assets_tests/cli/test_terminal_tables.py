"""Frames as tables of text: as wide as the terminal, nothing broken, nothing lost."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from ghstars_assets.cli.terminal_tables import cell_text, lay_out, visible, wrapped

FORECASTS = pl.DataFrame(
    {
        "full_name": ["plinmorvivar-labs/open-patient-nutmeg", "duckdb/duckdb"],
        "model_version": [11, 11],
        "day": [date(2026, 11, 27), date(2026, 11, 26)],
        "mean": [1234.5, 0.00012345],
        "in words": ["speeding up: 7,000 in the last week, usually 5,500", "steady"],
    }
)


def texts(frame: pl.DataFrame, width: int | None, **options: object) -> list[str]:
    return [line.text for line in lay_out(frame, width, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (123.456, "123.456"),
        (0.00012345, "0.00012345"),
        (1e-12, "1e-12"),
        (1e20, "1e+20"),
        (1 / 3, "0.333333"),
        (1_000_000 / 7, "142,857"),
        (1234567.891, "1,234,567.891"),
        (3.0, "3"),
        (float("nan"), "nan"),
        (Decimal("123.450"), "123.450"),
        (2**127 - 1, "170141183460469231731687303715884105727"),
        (None, ""),
        ([1.5, None, "a"], "[1.5, null, a]"),
        ({"feature": "base", "effect": -20.907701123153913}, "{feature: base, effect: -20.9077}"),
        ([date(2026, 1, 2)], "[2026-01-02]"),
        ("list[int]", "list[int]"),
    ],
)
def test_a_value_keeps_every_digit_that_means_something(value: object, shown: str) -> None:
    assert cell_text(value) == shown


def test_our_own_figures_have_as_many_decimals_as_we_say() -> None:
    assert [cell_text(value, 3) for value in (0.0671234, 123.456)] == ["0.067", "123"]


def test_what_would_command_the_terminal_is_written_out() -> None:
    assert visible("a\x1b[31m\u202eb\nc") == "a\\x1b[31m\\x202eb\nc"


def test_lines_are_broken_between_words_and_long_names_between_their_parts() -> None:
    assert wrapped("a few words", 5) == ["a few", "words"]
    assert wrapped("plinmorvivar-labs/open-patient", 18) == ["plinmorvivar-labs/", "open-patient"]
    assert wrapped("x" * 7, 3) == ["xxx", "xxx", "x"]
    assert wrapped(f"in /home/{'x' * 20}", 10, cuts_words=False) == ["in", f"/home/{'x' * 20}"]


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_table_fits_the_terminal_and_breaks_no_word(width: int) -> None:
    lines = texts(FORECASTS, width)
    assert max(map(len, lines)) <= width
    shown = " ".join(lines).split()
    for word in ("2026-11-27", "speeding", "1,234.5", "0.00012345", "usually"):
        assert word in shown


def test_prose_stands_below_its_row_where_there_is_no_room_beside_it() -> None:
    lines = texts(FORECASTS, 80, prose="in words")
    assert "    speeding up: 7,000 in the last week, usually 5,500" in lines
    assert not any("in words" in line for line in lines)
    assert any("in words" in line for line in texts(FORECASTS, 160, prose="in words"))


def test_a_single_wide_row_is_shown_with_its_columns_below_one_another() -> None:
    wide = pl.DataFrame({f"a_column_number_{number}": [number] for number in range(40)})
    lines = texts(wide, 80)
    assert lines[7].split() == ["a_column_number_7", "7"]
    assert len(lines) == 40


def test_columns_for_which_there_is_no_room_are_named() -> None:
    wide = pl.DataFrame({f"column{number}": [123456789, 2] for number in range(12)})
    lines = texts(wide, 80, how_to_see_all="--csv shows all")
    assert max(map(len, lines)) <= 80
    assert " ".join(lines).endswith(
        "5 more columns: column7, column8, column9, column10, column11; --csv shows all"
    )


def test_where_nobody_looks_nothing_is_narrowed() -> None:
    wide = pl.DataFrame({f"column{number}": ["x" * 100, ""] for number in range(20)})
    head, _, first, *_ = texts(wide, None)
    assert head.split() == wide.columns
    assert first.split() == ["x" * 100] * 20


def test_letters_that_are_two_columns_wide_are_counted_so() -> None:
    assert texts(pl.DataFrame({"name": ["日本語", "ab"], "n": [1, 2]}), 80)[2:] == [
        "日本語  1",
        "ab      2",
    ]
