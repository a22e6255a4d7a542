"""The page that lists the stages of the learning loop."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from ghstars_assets.lake.catalog import Column, Table
from ghstars_assets.sql_tables.header import Window
from tools.list_stages import PAGE, current_page, stage_page, window_in_words


@dataclass(frozen=True)
class OneStage:
    name: str
    table: Table
    inputs: Mapping[str, Window] = field(default_factory=dict)
    requires_champion: bool = False


def _table(name: str, description: str) -> Table:
    return Table(name, description, (Column("day", "date", "the UTC day"),))


def test_each_stage_is_a_line_with_what_it_is_made_from() -> None:
    stage = OneStage(
        "levels",
        _table("tides.levels", "How high the water stood."),
        {"tides.champion": Window(0, 0), "tides.labels": Window(-34, -7)},
        requires_champion=True,
    )
    assert (
        "| `levels` | How high the water stood. | "
        "`champion`: the same day<br>`labels`: 34 to 7 days before | yes |"
    ) in stage_page([stage], "tides", 7)


def test_a_bar_in_a_description_ends_no_cell() -> None:
    stage = OneStage("levels", _table("tides.levels", "high | low"))
    assert "| high \\| low |" in stage_page([stage], "tides", 7)


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (Window(0, 0), "the same day"),
        (Window(-8, -8), "8 days before"),
        (Window(1, 1), "1 day after"),
        (Window(-6, 0), "6 days before to the same day"),
        (Window(0, 7), "the same day to 7 days after"),
        (Window(-34, -7), "34 to 7 days before"),
        (Window(1, 3), "1 to 3 days after"),
        (Window(-34, -7, optional="none was known"), "34 to 7 days before, where known"),
    ],
)
def test_a_window_is_put_into_words(window: Window, words: str) -> None:
    assert window_in_words(window) == words


def test_the_page_in_docs_is_the_one_that_the_code_makes() -> None:
    assert PAGE.read_text() == current_page(), "run `make rooms`"
