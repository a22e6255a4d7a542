"""The chart of source coverage: every kind of day can be seen, on one axis of time."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from ghstars_assets.reporting.charts.source_coverage_chart import source_coverage_chart
from ghstars_assets.reporting.charts.style import WIDTH
from ghstars_assets.reporting.rendering import svg
from ghstars_assets.reporting.source_coverage import DayState, Lane
from ghstars_assets_tests.reporting.chart_specs import layers_of
from ghstars_assets_tests.reporting.lanes import lane


def runs(*lanes: Lane) -> list[dict[str, Any]]:
    _frames, drawn = layers_of(source_coverage_chart(lanes))
    return drawn.rows


def length(run: dict[str, Any]) -> timedelta:
    return datetime.fromisoformat(run["until"]) - datetime.fromisoformat(run["from"])


def axis_labels(*lanes: Lane) -> list[str]:
    root = ET.fromstring(svg(source_coverage_chart(lanes)))
    texts = [str(text.text) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    title = "Which day is known from which source"
    return texts[texts.index(title) + 1 : texts.index("tiny.raw")]


def test_a_lane_shows_every_kind_of_day_in_its_own_colour() -> None:
    chart = source_coverage_chart([lane(100, 100, 70, 20, None, 0, 100, 100, quarantined=(5,))])
    drawn = layers_of(chart)[1]
    scale = drawn.encoding["color"]["scale"]
    assert {run["meaning"] for run in drawn.rows} == set(scale["domain"])
    assert len(scale["domain"]) == len(set(scale["range"])) == len(DayState)


def test_days_one_after_the_other_in_one_state_are_drawn_as_one() -> None:
    found = runs(lane(100, 100, 20, 100, 100, 100))
    assert [(run["from"][:10], length(run).days) for run in found] == [
        ("2026-01-01", 2),
        ("2026-01-04", 3),
        ("2026-01-03", 1),
    ]
    assert found[1]["described"] == "tiny.raw, 2026-01-04 to 2026-01-06: " + found[1]["meaning"]
    assert found[2]["described"] == "tiny.raw, 2026-01-03: under half"


def test_a_single_bad_day_among_thousands_is_a_pixel_wide_and_on_top() -> None:
    counts = [100] * 3000
    counts[1500] = 10
    *others, bad = runs(lane(*counts))
    assert bad["meaning"] == "under half"
    assert length(bad) / timedelta(days=3000) * WIDTH == pytest.approx(1, abs=0.01)
    assert [length(run).days for run in others] == [1500, 1499]


def test_lanes_share_one_axis_of_time_and_keep_their_order() -> None:
    late = replace(lane(*[None] * 10, *[5] * 10), name="tiny.late")
    early = lane(*[5] * 10)
    frames, drawn = layers_of(source_coverage_chart([late, early]))
    assert drawn.encoding["y"]["sort"] == ["tiny.late", "tiny.raw"]
    assert {(frame["from"], frame["until"]) for frame in frames.rows} == {
        ("2026-01-01T00:00:00Z", "2026-01-21T00:00:00Z")
    }
    by_lane = {run["lane"]: run["from"] for run in drawn.rows}
    assert by_lane == {"tiny.late": "2026-01-11T00:00:00Z", "tiny.raw": "2026-01-01T00:00:00Z"}


def test_time_is_named_by_years_by_months_or_by_days() -> None:
    assert axis_labels(lane(*[5] * 1500)) == ["2026", "2027", "2028", "2029", "2030"]
    assert axis_labels(lane(*[5] * 120)) == ["2026", "Feb", "Mar", "Apr", "May"]
    assert axis_labels(lane(*[5] * 4)) == ["1 Jan", "2 Jan", "3 Jan", "4 Jan", "5 Jan"]
    assert len(axis_labels(lane(*[5] * 60))) < 12


def test_no_two_runs_of_a_lane_overlap_where_days_are_wide_enough() -> None:
    found = sorted(runs(lane(100, 100, 20, None, 100, 70)), key=lambda run: run["from"])
    assert all(run["until"] == after["from"] for run, after in pairwise(found))
