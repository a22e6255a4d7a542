"""Charts drift: the share of drifted features by day, and how one feature lies then and now."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ghstars_assets.calendar import DayRange
from ghstars_assets.reporting.charts.style import (
    BLUE,
    RED,
    chart_of,
    colours,
    described,
    every_nth,
    looked_up,
    named_line,
    places,
    quantity,
    styled_chart,
)
from ghstars_assets.reporting.distributions import Place

if TYPE_CHECKING:
    import altair as alt

SHOWN_DAYS = 60
LEAST_BAR = 0.01
"""A day on which nothing has drifted still differs from one that was not looked at."""
THEN_COLOUR, NOW_COLOUR = "#9aa7b8", "#c2571a"


def drifted_share_chart(shares: Mapping[date, float], threshold: float) -> "alt.LayerChart":
    """A bar for each of the last days that was looked at; from the threshold on it is much."""
    import altair as alt

    last = max(shares)
    days = DayRange(last - timedelta(days=SHOWN_DAYS - 1), last)
    bars = chart_of(
        {
            "day": str(day),
            "share": max(share, LEAST_BAR),
            "is_much": "yes" if share >= threshold else "no",
            "described": f"{day}: {share:.0%}",
        }
        for day, share in shares.items()
        if day in days
    )
    fortnights = [str(day) for day in days if (last - day).days % 14 == 0]
    y = quantity("share", "%", alt.Scale(domain=[0, 1]), ticks=4)
    return styled_chart(
        bars.mark_bar().encode(
            places("day", [str(day) for day in days], fortnights),
            y,
            colours("is_much", {"yes": RED, "no": BLUE}, legend=None),
            described(),
        ),
        *named_line(y, "share", threshold, f"{threshold:.0%} is much", RED),
        title="Share of the features that have drifted, by day",
        height=170,
    )


def then_and_now_chart(
    found: Sequence[Place], then: str, now: str, title: str = ""
) -> "alt.LayerChart":
    """Two bars for each place, then and now; last and set apart the rows without a value.

    Without a title it is one of several charts on a page that names the feature and the windows.
    """
    import altair as alt

    known = [str(number) for number, place in enumerate(found) if not place.is_missing]
    missing = ["missing"] if len(known) < len(found) else []
    # An empty place sets the missing apart from the known.
    axis = [*known, *(["gap"] if known and missing else []), *missing]
    by_place = dict(zip([*known, *missing], found, strict=True))
    bars = chart_of(
        {
            "place": name,
            "window": window,
            "share": share,
            "described": f"{place.label}: {share:.1%}",
        }
        for name, place in by_place.items()
        for window, share in (("then", place.then), ("now", place.now))
    )
    labels = {name: place.label for name, place in by_place.items()}
    legend = alt.Legend(symbolType="square", labelExpr=looked_up({"then": then, "now": now}))
    return styled_chart(
        bars.mark_bar().encode(
            places("place", axis, [*every_nth(known, 7), *missing], labels),
            quantity("share", "%", alt.Scale(), ticks=4),
            alt.XOffset("window:N", sort=["then", "now"]),
            colours("window", {"then": THEN_COLOUR, "now": NOW_COLOUR}, legend if title else None),
            described(),
        ),
        title=title,
        height=150,
        width=480,
    )
