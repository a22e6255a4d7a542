"""The page that shows distributions then and now: it stands alone, and says what it was told."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from numpy.random import default_rng
from numpy.typing import NDArray

from ghstars_assets.learning.monitoring.drift_between_windows import Compared
from ghstars_assets.learning.monitoring.drift_statistics import Shift, Sketch
from ghstars_assets.reporting.drift_page import BARS, distributions_svg, drift_page
from ghstars_assets_tests.support.tides.problem import PROBLEM

NASTY = "<script>alert(1)</script> & \"quoted\" 'too'"
Floats = NDArray[np.float64]


def _compared(
    name: str, then: Floats, now: Floats, description: str = "", *, is_whole: bool = False
) -> Compared:
    reference = Sketch.of(then, is_whole=is_whole)
    shift = Shift.between(reference, now)
    reason = shift.reason(PROBLEM.gates)
    drawn = Sketch.of(now, is_whole=is_whole)
    return Compared(name, description, reference, drawn, shift, reason)


@pytest.fixture
def features() -> list[Compared]:
    rng = default_rng(7)
    normal = rng.normal(size=4000)
    return [
        _compared("moved", normal, normal + 1, "what moved"),
        _compared("steady", normal, rng.normal(size=900), "what did not"),
        _compared("gone", normal, np.full(900, np.nan)),
        _compared("weekday", np.tile([1.0, 2, 3], 50), np.tile([2.0, 9], 20), is_whole=True),
        _compared("constant", np.full(50, 3.0), np.full(50, 3.0)),
        _compared("unknown", np.full(50, np.nan), np.full(50, np.nan)),
    ]


class _Seen(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_feature_is_drawn_with_its_statistics_and_flagged_where_it_drifted(
    features: list[Compared],
) -> None:
    page = drift_page("Drift of tides", "January", "February", features, PROBLEM.gates)
    seen = _Seen(page)
    assert seen.tags.count("svg") == seen.tags.count("section") == len(features)
    assert [value for name, value in seen.attributes if value == "drifted"] == ["drifted"] * 3
    for told in ("Drift of tides", "January", "February", "what moved", "3 of 6 features"):
        assert told in seen.text
    moved = features[0].shift
    assert f"{moved.population_stability:.3f}" in seen.text
    assert f"Drifted: {features[0].reason}" in seen.text


def test_the_page_loads_and_runs_nothing(features: list[Compared]) -> None:
    page = drift_page("Drift", "then", "now", features, PROBLEM.gates)
    seen = _Seen(page)
    assert not {"script", "link", "img", "iframe", "object", "embed", "a"} & set(seen.tags)
    assert not {"src", "href", "srcset", "data"} & {name for name, _ in seen.attributes}
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"url\(|@import", page)
    assert "default-src 'none'" in page


def test_what_names_and_descriptions_say_is_text_and_never_markup() -> None:
    nasty = _compared(NASTY, np.arange(9.0), np.arange(9.0) + 99, NASTY)
    seen = _Seen(drift_page(NASTY, NASTY, NASTY, [nasty], PROBLEM.gates))
    assert "script" not in seen.tags
    assert seen.text.count(NASTY) == 6


def _heights(svg: str) -> list[float]:
    rects = ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}rect")
    return [float(str(rect.get("height"))) for rect in rects]


def _titles(svg: str) -> list[str]:
    return [
        str(title.text) for title in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}title")
    ]


def test_both_distributions_stand_beside_each_other_on_one_scale(
    features: list[Compared],
) -> None:
    moved = features[0]
    heights = _heights(distributions_svg(moved.then, moved.now))
    assert len(heights) == 2 * BARS
    then, now = heights[::2], heights[1::2]
    assert sum(then) == pytest.approx(sum(now), rel=0.01)
    middle = [float(np.average(range(BARS), weights=bars)) for bars in (then, now)]
    assert middle[1] > middle[0] + 1


def test_bars_are_the_shares_of_the_rows(features: list[Compared]) -> None:
    weekday = features[3]
    assert _titles(distributions_svg(weekday.then, weekday.now)) == [
        *("1: 33.3%", "1: 0.0%", "2: 33.3%", "2: 50.0%"),
        *("3: 33.3%", "3: 0.0%", "9: 0.0%", "9: 50.0%"),
    ]


def test_missing_values_have_bars_of_their_own(features: list[Compared]) -> None:
    gone = features[2]
    titles = _titles(distributions_svg(gone.then, gone.now))
    assert titles[-2:] == ["missing: 0.0%", "missing: 100.0%"]
    assert all(title.endswith(": 0.0%") for title in titles[1:-2:2])


def test_known_values_have_what_the_missing_leave_them() -> None:
    half = Sketch.of(np.concatenate([np.arange(500.0), np.full(500, np.nan)]))
    titles = _titles(distributions_svg(half, half))
    shares = [float(title.rpartition(": ")[2].rstrip("%")) for title in titles[::2]]
    assert shares[-1] == 50
    assert sum(shares[:-1]) == pytest.approx(50, abs=1.5)


def test_shares_of_many_values_add_up_to_all_rows() -> None:
    rng = default_rng(7)
    heavy = rng.standard_cauchy(5000)
    sketch = Sketch.of(heavy)
    titles = _titles(distributions_svg(sketch, sketch))
    shares = [float(title.rpartition(": ")[2].rstrip("%")) for title in titles[::2]]
    assert sum(shares) == pytest.approx(100, abs=1.5)
    assert len(shares) == BARS


def test_nothing_known_draws_nothing_but_what_is_missing(features: list[Compared]) -> None:
    unknown = features[-1]
    titles = _titles(distributions_svg(unknown.then, unknown.now))
    assert titles == ["missing: 100.0%", "missing: 100.0%"]
