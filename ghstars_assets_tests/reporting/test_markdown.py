"""Markdown tables: what a cell holds never ends it."""

from ghstars_assets.reporting.markdown import format_figure, table, table_of_figures


def test_a_table_has_a_header_a_ruler_and_its_rows() -> None:
    assert table(["name", "rows"], [["a", "1"], ["b", "2"]]) == (
        "| name | rows |\n| --- | --- |\n| a | 1 |\n| b | 2 |"
    )


def test_a_pipe_in_a_cell_or_in_the_header_ends_no_cell() -> None:
    written = table(["a|b"], [["west|north"], ["||"]])
    assert written.splitlines() == ["| a\\|b |", "| --- |", "| west\\|north |", "| \\|\\| |"]


def test_a_cell_of_several_lines_stays_one_row() -> None:
    assert table(["why"], [["first\nsecond\r\nthird"]]).splitlines()[2] == "| first second third |"


def test_figures_are_aligned_right_and_words_left() -> None:
    assert table(["a", "b", "c"], [], figures=["b"]).splitlines()[1] == "| --- | ---: | --- |"
    assert table_of_figures(["a", "b"], []).splitlines()[1] == "| --- | ---: |"


def test_what_was_not_measured_is_a_dash() -> None:
    assert format_figure(None, ".1%") == "–"
    assert format_figure(0.0, ".1%") == "0.0%"
