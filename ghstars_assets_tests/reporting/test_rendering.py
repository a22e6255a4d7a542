"""Charts become SVG, PNG and Markdown images, without a browser, a network or a clock."""

import base64
import subprocess
import sys
from datetime import date
from html import unescape
from xml.etree import ElementTree as ET

import pytest
from altair import LayerChart

from ghstars_assets.reporting.charts.drift_charts import drifted_share_chart, then_and_now_chart
from ghstars_assets.reporting.charts.skill_charts import (
    error_by_month_chart,
    interval_coverage_chart,
)
from ghstars_assets.reporting.charts.source_coverage_chart import source_coverage_chart
from ghstars_assets.reporting.distributions import Place
from ghstars_assets.reporting.rendering import (
    markdown_image,
    png,
    stand_alone_page,
    svg,
)
from ghstars_assets.reporting.source_coverage import Lane
from ghstars_assets_tests.reporting.skill_reports import REPORT

DAY = date(2026, 1, 1)
SVG = "{http://www.w3.org/2000/svg}"
NASTY = '<b>& "quoted" \'too\' class="x" > y'
CHARTS: dict[str, LayerChart] = {
    "Which day is known from which source": source_coverage_chart([Lane("tiny.raw", {DAY: 5})]),
    "Share of the features that have drifted, by day": drifted_share_chart({DAY: 0.4}, 0.3),
    "tide_cm": then_and_now_chart([Place("1", 0.4, 1.0)], "January", "February", "tide_cm"),
    "MAE ÷ MAE of the naive forecast, by month of the origin": error_by_month_chart([REPORT]),
    "Share of outcomes that the intervals hold, by decile of typical": interval_coverage_chart(
        REPORT
    ),
}


@pytest.mark.parametrize(("title", "chart"), CHARTS.items(), ids=list(CHARTS))
def test_every_kind_of_chart_is_drawn_with_its_title_on_its_own_ground(
    title: str, chart: LayerChart
) -> None:
    root = ET.fromstring(svg(chart))
    assert root.tag == f"{SVG}svg"
    assert title in [text.text for text in root.iter(f"{SVG}text")]
    ground = root.find(f"{SVG}rect")
    assert ground is not None
    assert (ground.get("fill"), ground.get("width")) == ("#ffffff", root.get("width"))
    assert png(chart).startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("chart", CHARTS.values(), ids=list(CHARTS))
def test_the_same_chart_is_the_same_text(chart: LayerChart) -> None:
    assert svg(chart) == svg(chart)


def test_a_mark_shows_what_it_stands_for_on_hovering() -> None:
    root = ET.fromstring(svg(drifted_share_chart({DAY: 0.4}, 0.3)))
    assert [title.text for title in root.iter(f"{SVG}title")] == ["2026-01-01: 40%"]


def test_what_names_say_is_text_and_never_markup() -> None:
    drawn = svg(then_and_now_chart([Place(NASTY, 0.4, 1.0)], NASTY, "now", NASTY))
    root = ET.fromstring(drawn)
    assert not list(root.iter(f"{SVG}b"))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts.count(NASTY) == 3, "the title, the legend and the axis"
    assert f"{NASTY}: 40.0%" in [title.text for title in root.iter(f"{SVG}title")]
    assert NASTY in unescape(stand_alone_page(NASTY, "", ""))
    assert NASTY not in stand_alone_page(NASTY, "", "")


def test_a_picture_is_within_the_text_of_the_metadata() -> None:
    chart = CHARTS["tide_cm"]
    head, _, encoded = markdown_image(chart, "tides").partition(",")
    assert head == "![tides](data:image/svg+xml;base64"
    root = ET.fromstring(base64.b64decode(encoded.removesuffix(")")))
    assert {"tide_cm", "January"} <= {text.text for text in root.iter(f"{SVG}text")}


def test_charts_are_declared_without_loading_what_draws_them() -> None:
    modules = ", ".join(
        f"ghstars_assets.reporting.{name}"
        for name in (
            "charts.drift_charts",
            "charts.skill_charts",
            "charts.source_coverage_chart",
            "drift_page",
            "model_card",
            "rendering",
        )
    )
    code = f"import sys, {modules}\nprint({{'altair', 'vl_convert'}} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
