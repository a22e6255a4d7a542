"""Reports of a backtest: what was measured, as tables and as files."""

from dataclasses import replace

from ghstars_assets.reporting.skill_report import report_files, report_markdown, rows_for_console
from ghstars_assets_tests.reporting.skill_reports import REPORT, model


def row_of(markdown: str, begins: str) -> list[str]:
    """The cells of the first row whose first cell is this."""
    (row, *_) = [line for line in markdown.splitlines() if line.startswith(f"| {begins} |")]
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_the_model_stands_above_what_anybody_could_say() -> None:
    written = report_markdown(REPORT)
    assert row_of(written, "model")[:4] == ["model", "1,234", "6.000", "40.0%"]
    assert row_of(written, "naive")[:4] == ["naive", "1,234", "10.000", "0.0%"]
    assert written.index("| model |") < written.index("| naive |") < written.index("| steady |")


def test_what_could_not_be_measured_is_a_dash() -> None:
    assert row_of(report_markdown(REPORT), "steady")[3] == "–"


def test_every_row_of_a_table_has_as_many_cells_as_its_header() -> None:
    for block in report_markdown(replace(REPORT, by_segment={})).split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1, block


def test_intervals_are_reported_with_and_without_the_days_warned_of() -> None:
    written = report_markdown(REPORT)
    assert row_of(written, "80 %") == ["80 %", "79.0%", "80.1%", "10.000", "15.000"]
    assert "1 day let in with a warning (2026-02-03) within the outcomes of 2 origins" in written
    assert "the MAE of these is 9.000" in written


def test_many_days_warned_of_are_counted_not_listed() -> None:
    days = [f"2026-02-{n:02}" for n in range(1, 8)]
    written = report_markdown(replace(REPORT, warned={**REPORT.warned, "days": days}))
    assert "7 days let in with a warning (2026-02-01, " in written
    assert "2026-02-05 and 2 more)" in written


def test_without_a_day_warned_of_the_report_says_so() -> None:
    warned = {"days": [], "origins": [], **model()}
    written = report_markdown(replace(REPORT, warned=warned))
    assert "No outcome spans a day that was let in with a warning." in written


def test_months_and_segments_have_a_row_each() -> None:
    written = report_markdown(REPORT)
    assert row_of(written, "2026-02")[1:6] == ["1,234", "6.000", "10.000", "8.000", "30.0%"]
    assert r"| west\|north | 1,234 | 5.000 | 7.000 |" in written, "no cell ends within a name"
    assert "### By none" not in written


def test_the_console_has_a_row_a_forecaster() -> None:
    rows = rows_for_console(REPORT)
    assert rows["forecaster"].to_list() == ["model", "naive", "steady"]
    assert rows["mae"].to_list() == [6.0, 10.0, 8.0]
    assert rows["coverage_80"].to_list() == [0.79, None, None]
    assert set(rows.columns) == {"forecaster", *REPORT.overall}


def test_all_of_a_report_is_kept_as_files() -> None:
    files = report_files(REPORT)
    assert set(files) == {"backtest.md", "error_by_month.svg", "coverage_by_level.svg"}
    assert files["backtest.md"] == report_markdown(REPORT)
    assert all(text.startswith("<svg") for name, text in files.items() if name.endswith(".svg"))
