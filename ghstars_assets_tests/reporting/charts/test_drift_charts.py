"""Charts of drift: days that were looked at, and one feature then and now."""

from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest

from ghstars_assets.reporting.charts.drift_charts import (
    LEAST_BAR,
    SHOWN_DAYS,
    drifted_share_chart,
    then_and_now_chart,
)
from ghstars_assets.reporting.distributions import Place
from ghstars_assets.reporting.rendering import svg
from ghstars_assets_tests.reporting.chart_specs import layers_with

LAST = date(2026, 8, 14)
SHARES = {
    day: 0.0
    for number in range(2 * SHOWN_DAYS, 0, -1)
    if (day := LAST - timedelta(days=number)).weekday() != 6
} | {LAST: 0.6}
FEW = [Place("1", 0.25, 0.5), Place("2", 0.75, 0.25), Place("missing", 0.0, 0.25, is_missing=True)]


def test_each_of_the_last_days_that_was_looked_at_has_a_bar() -> None:
    (bars,) = layers_with(drifted_share_chart(SHARES, 0.5), "bar")
    first = LAST - timedelta(days=SHOWN_DAYS - 1)
    shown = {day: share for day, share in SHARES.items() if day >= first}
    assert [row["day"] for row in bars.rows] == [str(day) for day in shown]
    assert (bars.rows[-1]["share"], bars.rows[-1]["described"]) == (0.6, f"{LAST}: 60%")
    axis = bars.encoding["x"]["scale"]["domain"]
    assert (len(axis), axis[0], axis[-1]) == (SHOWN_DAYS, str(first), str(LAST))


def test_a_day_without_drift_still_has_a_bar_and_says_that_it_is_none() -> None:
    (bars,) = layers_with(drifted_share_chart(SHARES, 0.5), "bar")
    assert bars.rows[0]["share"] == LEAST_BAR
    assert str(bars.rows[0]["described"]).endswith(": 0%")


@pytest.mark.parametrize(("threshold", "is_much"), [(0.6, True), (0.61, False)])
def test_from_the_threshold_on_a_day_has_another_colour(threshold: float, is_much: bool) -> None:
    chart = drifted_share_chart(SHARES, threshold)
    (bars,) = layers_with(chart, "bar")
    *others, last = (row["is_much"] for row in bars.rows)
    assert set(others) == {"no"}
    assert last == ("yes" if is_much else "no")
    colour = bars.encoding["color"]
    assert (colour["field"], colour["scale"]["domain"]) == ("is_much", ["yes", "no"])
    assert len(set(colour["scale"]["range"])) == 2
    (line,) = layers_with(chart, "rule")
    assert line.rows[0]["share"] == threshold


def test_every_place_has_two_bars_on_one_scale() -> None:
    (bars,) = layers_with(then_and_now_chart(FEW, "January", "February"), "bar")
    assert [(row["window"], row["share"]) for row in bars.rows] == [
        *(("then", 0.25), ("now", 0.5)),
        *(("then", 0.75), ("now", 0.25)),
        *(("then", 0.0), ("now", 0.25)),
    ]
    assert bars.rows[1]["described"] == "1: 50.0%"
    assert bars.encoding["xOffset"]["sort"] == ["then", "now"]


def test_the_missing_are_set_apart_and_always_named() -> None:
    many = [Place(str(number), 0.01, 0.01) for number in range(24)]
    (bars,) = layers_with(then_and_now_chart([*many, FEW[-1]], "January", "February"), "bar")
    places = [row["place"] for row in bars.rows[::2]]
    assert places == [*map(str, range(24)), "missing"]
    assert bars.encoding["x"]["scale"]["domain"] == [*map(str, range(24)), "gap", "missing"]
    named = bars.encoding["x"]["axis"]["values"]
    assert named[-1] == "missing"
    assert 5 <= len(named) <= 8


def test_a_chart_that_stands_alone_names_its_windows() -> None:
    def texts(title: str) -> set[str | None]:
        drawn = svg(then_and_now_chart(FEW, "January", "February", title))
        return {text.text for text in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")}

    named = {"tide_cm", "January", "February"}
    assert named <= texts("tide_cm")
    assert not named & texts("")
    assert {"1", "2", "missing"} <= texts("")
