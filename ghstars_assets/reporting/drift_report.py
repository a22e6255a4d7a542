"""Shows drift: tables as Markdown and the share drifted by day as SVG, for the UI."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

import polars as pl

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.drift_summary import drift_on, most_drifted_first
from ghstars_assets.learning.problem import Gates, Problem

SHOWN_DAYS = 60
WIDTH, HEIGHT = 1000, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 16, 40
_DRIFTED, _QUIET = "#c62828", "#1f5fa8"

_SHOWN = {
    "population_stability": ("PSI", ".2f"),
    "wasserstein": ("Wasserstein", ".2f"),
    "jensen_shannon": ("Jensen–Shannon", ".2f"),
    "share_missing": ("missing", ".1%"),
    "share_missing_reference": ("in the reference", ".1%"),
    "share_outside": ("outside", ".1%"),
}
"""By column what a reader is told it is, and how its figure is written."""


def drift_markdown(rows: pl.DataFrame, gates: Gates) -> str:
    """A day of the table."""
    titles = [title for title, _ in _SHOWN.values()]
    header = ["column", "kind", "drifted", *titles, "rows", "why"]
    lines = [_line(header), _line(["---", "---", "---", *["---:"] * (len(titles) + 1), "---"])]
    for row in most_drifted_first(rows, gates).iter_rows(named=True):
        figures = [told(row[name], form) for name, (_, form) in _SHOWN.items()]
        is_drifted = "**yes**" if row["is_drifted"] else "no"
        lines.append(
            _line(
                [
                    row["feature"],
                    row["kind"],
                    is_drifted,
                    *figures,
                    f"{row['rows']:,}",
                    row["reason"],
                ]
            )
        )
    learnt = rows.filter(pl.col("kind") == "feature")["reference_rows"]
    version, compared = rows["model_version"][0], learnt.max() or 0
    below = f"Held against version {version}, which learnt from {compared:,} rows."
    return "\n".join(lines) + f"\n\n{below}\n"


def told(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def shares_up_to(lake: Lake, problem: Problem, day: date) -> dict[date, float]:
    """The share of drifted features on the latest days; days without any row are left out."""
    table = problem.table("drift")
    days = DayRange(day - timedelta(days=SHOWN_DAYS - 1), day)
    shares = {
        stored: drift_on(lake.read(table, stored), problem.gates).drifted_share
        for stored in lake.days(table, days)
    }
    return {stored: share for stored, share in shares.items() if share is not None}


def drifted_share_svg(shares: Mapping[date, float], bound: float) -> str:
    """A bar a day, readable on light and on dark ground: the picture brings its own."""
    last = max(shares)
    days = DayRange(last - timedelta(days=SHOWN_DAYS - 1), last)
    parts = [*_scale(bound), *_bars(days, shares, bound), *_ticks(days)]
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="13">'
    )
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    title = _text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 6, "Share of the features drifted, by day")
    return "\n".join([opening, ground, *parts, title, "</svg>"])


def _scale(bound: float) -> Iterator[str]:
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        yield _rule(_y(share), "#dfe3e8")
        yield _text(_LEFT - 8, _y(share) + 4, f"{share:.0%}", "end")
    yield _rule(_y(bound), _DRIFTED, ' stroke-dasharray="5 4"')


def _bars(days: DayRange, shares: Mapping[date, float], bound: float) -> Iterator[str]:
    width = (WIDTH - _LEFT - _RIGHT) / len(days)
    for place, day in enumerate(days):
        if day not in shares:
            continue
        # A day on which nothing has drifted is still to be told from one that was not looked at.
        height = max(_y(0) - _y(shares[day]), 1.5)
        colour = _DRIFTED if shares[day] >= bound else _QUIET
        yield (
            f'<rect x="{_LEFT + (place + 0.1) * width:.1f}" y="{_y(0) - height:.1f}" '
            f'width="{0.8 * width:.1f}" height="{height:.1f}" fill="{colour}">'
            f"<title>{day}: {shares[day]:.0%}</title></rect>"
        )


def _ticks(days: DayRange) -> Iterator[str]:
    width = (WIDTH - _LEFT - _RIGHT) / len(days)
    for place, day in enumerate(days):
        if (days.last - day).days % 14 == 0:
            yield _text(_LEFT + (place + 0.5) * width, _y(0) + 16, str(day))


def _y(share: float) -> float:
    return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)


def _rule(y: float, colour: str, more: str = "") -> str:
    return (
        f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}" '
        f'stroke="{colour}"{more}/>'
    )


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#333">{text}</text>'
