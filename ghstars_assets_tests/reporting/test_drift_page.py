"""The page that shows distributions then and now: it stands alone, and shows what it was given."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from numpy.random import default_rng
from numpy.typing import NDArray

from ghstars_assets.learning.monitoring.drift_between_windows import Compared
from ghstars_assets.learning.monitoring.drift_statistics import Shift, Sketch
from ghstars_assets.reporting.drift_page import drift_page
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
    for shown in ("Drift of tides", "January", "February", "what moved", "3 of 6 features"):
        assert shown in seen.text
    moved = features[0].shift
    assert f"{moved.population_stability:.3f}" in seen.text
    assert f"Drifted: {features[0].reason}" in seen.text


def test_the_charts_show_the_shares_of_the_rows_on_hovering(features: list[Compared]) -> None:
    page = drift_page("Drift", "then", "now", [features[3]], PROBLEM.gates)
    assert re.findall("<title>([^<]*: [^<]*)</title>", page) == [
        *("1: 33.3%", "1: 0.0%", "2: 33.3%", "2: 50.0%"),
        *("3: 33.3%", "3: 0.0%", "9: 0.0%", "9: 50.0%"),
    ]


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
