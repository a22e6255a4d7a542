"""Curves of a backtest: lower errors lie lower, and lines break where nothing was measured."""

from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from altair import LayerChart

from ghstars_assets.reporting.charts.skill_charts import (
    error_by_month_chart,
    interval_coverage_chart,
)
from ghstars_assets.reporting.rendering import svg
from ghstars_assets_tests.reporting.chart_specs import layers_with
from ghstars_assets_tests.reporting.skill_reports import REPORT, month

WEEKLY = replace(REPORT, mode="weekly", by_month=[month("2026-03", 0.9)])
YEARS = [month(f"{year}-{n:02}", 0.4) for year in range(2019, 2026) for n in range(1, 13)]


def texts(chart: LayerChart) -> list[str]:
    root = ET.fromstring(svg(chart))
    return [str(text.text) for text in root.iter("{http://www.w3.org/2000/svg}text")]


def errors(chart: LayerChart) -> dict[str, list[float | None]]:
    """By mode, in the order of the months."""
    (line,) = layers_with(chart, "line")
    by_mode: dict[str, list[float | None]] = {}
    for row in line.rows:
        by_mode.setdefault(row["mode"], []).append(row["error"])
    return by_mode


def test_errors_are_multiples_of_the_naive_one_and_a_missing_month_breaks_the_line() -> None:
    chart = error_by_month_chart([REPORT, WEEKLY])
    assert errors(chart) == {
        "monthly": [pytest.approx(0.6), pytest.approx(0.7), None, pytest.approx(0.5)],
        "weekly": [None, None, pytest.approx(0.1), None],
    }
    (line,) = layers_with(chart, "line")
    assert "invalid" not in line.mark_options, "by default a line breaks at null"


def test_a_value_between_two_gaps_is_a_point() -> None:
    chart = error_by_month_chart([REPORT, WEEKLY])
    (points,), (line,) = layers_with(chart, "point"), layers_with(chart, "line")
    assert points.rows == line.rows
    drawn = ET.fromstring(svg(chart))
    titles = [title.text for title in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert "weekly, 2026-03: 0.100" in titles
    assert len(titles) == 4


def test_each_mode_has_a_colour_and_a_name_and_naive_is_a_line() -> None:
    chart = error_by_month_chart([REPORT, WEEKLY])
    (line,), (naive,) = layers_with(chart, "line"), layers_with(chart, "rule")
    scale = line.encoding["color"]["scale"]
    assert scale["domain"] == ["monthly", "weekly"]
    assert len(set(scale["range"])) == 2
    assert naive.rows[0]["error"] == 1.0
    assert {"monthly", "weekly", "as good as naive"} <= set(texts(chart))


def test_months_stand_on_the_axis_in_the_order_of_time() -> None:
    months = [text for text in texts(error_by_month_chart([WEEKLY, REPORT])) if text[:2] == "20"]
    assert months == ["2026-01", "2026-02", "2026-03", "2026-04"]


def test_many_months_are_not_all_named() -> None:
    chart = error_by_month_chart([replace(REPORT, by_month=YEARS)])
    assert 7 <= len([text for text in texts(chart) if text.startswith("20")]) <= 14


@pytest.mark.parametrize("skill", [0.99, 0.5, -0.01, -7.0, -2e6])
def test_an_axis_has_few_lines_and_reaches_every_value(skill: float) -> None:
    chart = error_by_month_chart([replace(REPORT, by_month=[month("2026-01", skill)])])
    root = ET.fromstring(svg(chart))
    ticks = [float(text.replace(",", "")) for text in texts(chart) if _is_number(text)]
    assert 3 <= len(ticks) <= 13
    assert min(ticks) - 1e-9 <= min(1.0, 1 - skill)
    assert max(1.0, 1 - skill) <= max(ticks) + 1e-9
    assert root.get("width")


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "").replace("−", "").isdigit()


def test_a_month_without_skill_is_not_drawn() -> None:
    nothing = error_by_month_chart([replace(REPORT, by_month=[month("2026-01", None)])])
    assert errors(nothing) == {"monthly": [None]}
    assert "<title>" not in svg(nothing)


# ---- intervals ----------------------------------------------------------------------------------


def coverage_in(rows: list[dict[str, Any]], interval: str) -> list[float | None]:
    return [row["held"] for row in rows if row["interval"] == interval]


def test_interval_coverage_is_of_all_quarters_by_their_rows_and_faintly_of_each() -> None:
    faint, pooled = layers_with(interval_coverage_chart(REPORT), "line")
    # 300 rows at 60 % and 100 at 80 % are 65 %.
    assert coverage_in(pooled.rows, "80 % interval") == [pytest.approx(0.65)] * 10
    assert coverage_in(pooled.rows, "95 % interval") == [pytest.approx(0.75)] * 10
    assert coverage_in(faint.rows, "80 % interval") == [0.6] * 10 + [0.8] * 10
    assert faint.encoding["detail"]["field"] == "quarter"
    assert faint.mark_options["opacity"] < 0.5


def test_a_decile_without_a_figure_breaks_the_line() -> None:
    known = [row for row in REPORT.by_level if row["decile"] != 4]
    _, pooled = layers_with(interval_coverage_chart(replace(REPORT, by_level=known)), "line")
    assert [share is None for share in coverage_in(pooled.rows, "80 % interval")] == [
        decile == 4 for decile in range(1, 11)
    ]


def test_each_interval_is_named_and_its_promise_is_a_line_of_its_colour() -> None:
    chart = interval_coverage_chart(REPORT)
    promised = layers_with(chart, "rule")
    assert [layer.rows[0]["held"] for layer in promised] == [0.8, 0.95]
    for line in layers_with(chart, "line"):
        scale = line.encoding["color"]["scale"]
        assert scale["domain"] == ["80 % interval", "95 % interval"]
        assert scale["range"] == [layer.mark_options["color"] for layer in promised]
    assert {"80 % interval", "95 % interval"} <= set(texts(chart))


def test_interval_coverage_can_be_drawn_where_every_day_was_warned_of() -> None:
    chart = interval_coverage_chart(replace(REPORT, by_level=[]))
    faint, pooled = layers_with(chart, "line")
    assert (faint.rows, coverage_in(pooled.rows, "80 % interval")) == ([], [None] * 10)
    assert "<title>" not in svg(chart)
