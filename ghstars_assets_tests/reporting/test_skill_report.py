"""What was measured, as tables and as curves."""

from dataclasses import replace
from datetime import date
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.learning.evaluation.skill import Measures, SkillReport
from ghstars_assets.reporting.skill_report import (
    coverage_curve_svg,
    error_curve_svg,
    report_markdown,
    rows_for_console,
)

SVG = "{http://www.w3.org/2000/svg}"


def points(mae: float, skill: float | None) -> Measures:
    return {
        "n": 1234,
        "mae": mae,
        "wape": 0.25,
        "r2": 0.5,
        "median_ae": 1.5,
        "rmsle": 0.4,
        "skill_vs_naive": skill,
        "bias": 0.98,
        "precision_at_50": 0.72,
        "ndcg_at_50": 0.9,
    }


def model(mae: float = 6.0, skill: float | None = 0.4) -> Measures:
    shares: Measures = {"coverage_80": 0.79, "coverage_95": 0.94, "width_80": 10.0}
    rest: Measures = {"width_95": 20.0, "winkler_80": 15.0, "winkler_95": 33.0}
    return {**points(mae, skill), "mean_bias": 1.02, **shares, **rest}


def month(name: str, skill: float | None) -> dict[str, Any]:
    baselines = {"naive": points(10.0, 0.0), "steady": points(8.0, 0.2)}
    return {"month": name, **model(skill=skill), "baselines": baselines}


def level(quarter: str, decile: int, n: int, held: float) -> dict[str, Any]:
    return {
        "quarter": quarter,
        "decile": decile,
        "n": n,
        "coverage_80": held,
        "coverage_95": held + 0.1,
    }


REPORT = SkillReport(
    problem="tides",
    mode="monthly",
    days=DayRange(date(2026, 1, 5), date(2026, 4, 3)),
    overall=model(),
    baselines={"naive": points(10.0, 0.0), "steady": points(8.0, None)},
    by_month=[month("2026-01", 0.4), month("2026-02", 0.3), month("2026-04", 0.5)],
    by_segment={"coast": [{"value": "west|north", **model(5.0), "mae_naive": 7.0}], "none": []},
    by_level=[
        level(quarter, decile, n, held)
        for quarter, n, held in (("2026-Q1", 300, 0.6), ("2026-Q2", 100, 0.8))
        for decile in range(1, 11)
    ],
    warned={"days": ["2026-02-03"], "origins": ["2026-02-01", "2026-02-02"], **model(mae=9.0)},
    coverage_without_warned={"coverage_80": 0.801, "coverage_95": 0.951},
)


def lines(picture: str) -> list[tuple[str, list[tuple[float, float]]]]:
    """Each curve's colour and its points."""
    found = ET.fromstring(picture).iter(f"{SVG}polyline")
    return [(str(line.get("stroke")), points_of(str(line.get("points")))) for line in found]


def points_of(told: str) -> list[tuple[float, float]]:
    pairs = (pair.split(",") for pair in told.split())
    return [(float(x), float(y)) for x, y in pairs]


def texts(picture: str) -> list[str | None]:
    return [text.text for text in ET.fromstring(picture).iter(f"{SVG}text")]


def row_of(markdown: str, begins: str) -> list[str]:
    """The cells of the first row whose first cell is this."""
    (row, *_) = [line for line in markdown.splitlines() if line.startswith(f"| {begins} |")]
    return [cell.strip() for cell in row.strip("|").split("|")]


# ---- tables -------------------------------------------------------------------------------------


def test_the_model_stands_above_what_anybody_could_say() -> None:
    told = report_markdown(REPORT)
    assert row_of(told, "model")[:4] == ["model", "1,234", "6.000", "40.0%"]
    assert row_of(told, "naive")[:4] == ["naive", "1,234", "10.000", "0.0%"]
    assert told.index("| model |") < told.index("| naive |") < told.index("| steady |")


def test_what_could_not_be_measured_is_a_dash() -> None:
    assert row_of(report_markdown(REPORT), "steady")[3] == "–"


def test_every_row_of_a_table_has_as_many_cells_as_its_header() -> None:
    for block in report_markdown(replace(REPORT, by_segment={})).split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1, block


def test_intervals_are_told_with_and_without_the_days_warned_of() -> None:
    told = report_markdown(REPORT)
    assert row_of(told, "80 %") == ["80 %", "79.0%", "80.1%", "10.000", "15.000"]
    assert "1 day let in with a warning (2026-02-03) within the outcomes of 2 origins" in told
    assert "the MAE of these is 9.000" in told


def test_many_days_warned_of_are_counted_not_listed() -> None:
    days = [f"2026-02-{n:02}" for n in range(1, 8)]
    told = report_markdown(replace(REPORT, warned={**REPORT.warned, "days": days}))
    assert "7 days let in with a warning (2026-02-01, " in told
    assert "2026-02-05 and 2 more)" in told


def test_without_a_day_warned_of_the_report_says_so() -> None:
    warned = {"days": [], "origins": [], **model()}
    told = report_markdown(replace(REPORT, warned=warned))
    assert "No outcome spans a day that was let in with a warning." in told


def test_months_and_segments_have_a_row_each() -> None:
    told = report_markdown(REPORT)
    assert row_of(told, "2026-02")[1:6] == ["1,234", "6.000", "10.000", "8.000", "30.0%"]
    assert r"| west\|north | 1,234 | 5.000 | 7.000 |" in told, "no cell ends within a name"
    assert "### By none" not in told


def test_the_console_has_a_row_a_forecaster() -> None:
    rows = rows_for_console(REPORT)
    assert rows["forecaster"].to_list() == ["model", "naive", "steady"]
    assert rows["mae"].to_list() == [6.0, 10.0, 8.0]
    assert rows["coverage_80"].to_list() == [0.79, None, None]
    assert set(rows.columns) == {"forecaster", *REPORT.overall}


# ---- curves -------------------------------------------------------------------------------------


def test_a_lower_error_is_drawn_lower_and_a_missing_month_breaks_the_line() -> None:
    weekly = replace(REPORT, mode="weekly", by_month=[month("2026-03", 0.9)])
    drawn = lines(error_curve_svg([REPORT, weekly]))
    first, last, other = (found for _, found in drawn)
    assert [len(set(found)) for found in (first, last, other)] == [2, 1, 1]
    (january, february), (april, _), (march, _) = first, last, other
    assert january[0] < february[0] < march[0] < april[0]
    assert february[1] < january[1] < april[1] < march[1], "y grows downwards"
    assert [colour for colour, _ in drawn].count(drawn[0][0]) == 2, "a mode has one colour"
    assert {"monthly", "weekly", "as good as naive"} <= set(
        texts(error_curve_svg([REPORT, weekly]))
    )


def test_months_stand_on_the_axis_in_the_order_of_time() -> None:
    told = [text for text in texts(error_curve_svg([REPORT])) if text and text.startswith("2026-")]
    assert told == ["2026-01", "2026-02", "2026-04"]


def test_many_months_are_not_all_named() -> None:
    months = [month(f"{year}-{n:02}", 0.4) for year in range(2019, 2026) for n in range(1, 13)]
    told = [text for text in texts(error_curve_svg([replace(REPORT, by_month=months)])) if text]
    assert 7 <= len([text for text in told if text.startswith("20")]) <= 14


def test_all_within_the_picture() -> None:
    worse = replace(REPORT, by_month=[month("2026-01", -4.0), month("2026-02", 0.99)])
    for picture in (error_curve_svg([worse]), coverage_curve_svg(REPORT)):
        for _, found in lines(picture):
            assert all(0 <= x <= 1000 and 0 <= y <= 360 for x, y in found)


@pytest.mark.parametrize("skill", [0.99, 0.5, -0.01, -7.0, -2e6])
def test_an_axis_has_few_lines_however_far_it_reaches(skill: float) -> None:
    picture = error_curve_svg([replace(REPORT, by_month=[month("2026-01", skill)])])
    assert 3 <= len(list(ET.fromstring(picture).iter(f"{SVG}line"))) <= 10


def test_a_month_without_skill_is_not_drawn() -> None:
    nothing = replace(REPORT, by_month=[month("2026-01", None)])
    assert lines(error_curve_svg([nothing])) == []


def test_coverage_is_drawn_for_all_quarters_by_their_rows_and_faintly_for_each() -> None:
    picture = coverage_curve_svg(REPORT)
    root = ET.fromstring(picture)
    faint = [group for group in root.iter(f"{SVG}g") if group.get("opacity") == "0.3"]
    drawn = lines(picture)
    assert (len(faint), len(drawn)) == (4, 6)
    first, second, pooled = (found[0][1] for _, found in drawn[:3])
    # 300 rows at 60 % and 100 at 80 % are 65 %.
    assert (first - pooled) / (first - second) == pytest.approx(0.25, abs=0.01)
    assert {"80 % interval", "95 % interval"} <= set(texts(picture))


def test_pictures_bring_their_own_ground() -> None:
    for picture in (error_curve_svg([REPORT]), coverage_curve_svg(REPORT)):
        ground = ET.fromstring(picture).find(f"{SVG}rect")
        assert ground is not None
        assert (ground.get("fill"), ground.get("width")) == ("#ffffff", "1000")


def test_coverage_can_be_drawn_where_every_day_was_warned_of() -> None:
    assert lines(coverage_curve_svg(replace(REPORT, by_level=[]))) == []
