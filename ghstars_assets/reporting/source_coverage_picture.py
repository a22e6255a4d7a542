"""Draws which day is known from which source, as SVG: a lane a source, time from left to right."""

import base64
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from html import escape
from itertools import groupby

from ghstars_assets.calendar import DayRange
from ghstars_assets.reporting.source_coverage import THIN, Lane

WIDTH, LANE_HEIGHT, LANE_GAP = 1000, 26, 14
_LEFT, _RIGHT, _TOP, _BOTTOM = 170, 20, 14, 58
_LEAST_WIDTH = 1.0
"""A single bad day among thousands is still to be seen."""

_OPENING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
    'width="{width}" height="{height}" font-family="sans-serif" font-size="13">'
)

FULL, SHORT, HALF, MISSING, HELD_BACK = "full", "short", "half", "missing", "held back"
_COLOURS = {
    FULL: "#1f5fa8",
    SHORT: "#7fb2e5",
    HALF: "#f0b429",
    MISSING: "#ffffff",
    HELD_BACK: "#c62828",
}
_MEANINGS = {
    FULL: f"at least {THIN:.0%} of what is usual",
    SHORT: f"under {THIN:.0%}",
    HALF: "under half",
    MISSING: "nothing",
    HELD_BACK: "in quarantine",
}


def coverage_svg(lanes: Sequence[Lane]) -> str:
    """Readable on light and on dark ground: the picture brings its own."""
    span = DayRange(min(lane.first for lane in lanes), max(lane.last for lane in lanes))
    lanes_height = len(lanes) * (LANE_HEIGHT + LANE_GAP)
    height = _TOP + lanes_height + _BOTTOM
    parts = [
        _OPENING.format(width=WIDTH, height=height),
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for number, lane in enumerate(lanes):
        parts += _lane(lane, span, _TOP + number * (LANE_HEIGHT + LANE_GAP))
    parts += _ticks(span, _TOP + lanes_height)
    parts += _legend(height - 12)
    return "\n".join([*parts, "</svg>"])


def as_markdown_image(svg: str, of: str = "coverage") -> str:
    """For a page that shows no file of ours, but an image that is in its text."""
    return f"![{of}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def _class_of(lane: Lane, day: date, share: float) -> str:
    if day in lane.held_back:
        return HELD_BACK
    if not share:
        return MISSING
    return FULL if share >= THIN else SHORT if share >= 0.5 else HALF


def _lane(lane: Lane, span: DayRange, top: float) -> Iterator[str]:
    name = escape(lane.name)
    yield f'<text x="{_LEFT - 10}" y="{top + 18:.0f}" text-anchor="end">{name}</text>'
    yield (
        f'<rect x="{_LEFT}" y="{top}" width="{WIDTH - _LEFT - _RIGHT}" height="{LANE_HEIGHT}" '
        'fill="#ffffff" stroke="#c8ccd2"/>'
    )
    shares = lane.shares()
    days = list(DayRange(lane.first, lane.last))
    runs = [
        (kind, list(run))
        for kind, run in groupby(days, lambda day: _class_of(lane, day, shares.get(day, 0.0)))
    ]
    # What is out of the ordinary is drawn last, so that no neighbour covers its least width.
    order = [FULL, MISSING, SHORT, HALF, HELD_BACK]
    for kind, run in sorted(runs, key=lambda found: order.index(found[0])):
        left, right = _x(run[0], span), _x(run[-1] + timedelta(days=1), span)
        width = max(right - left, _LEAST_WIDTH)
        yield (
            f'<rect x="{left:.2f}" y="{top}" width="{width:.2f}" height="{LANE_HEIGHT}" '
            f'fill="{_COLOURS[kind]}"/>'
        )


def _ticks(span: DayRange, top: float) -> Iterator[str]:
    """Years; months where there is less than a year and a half."""
    is_long = len(span) > 550
    firsts = [day for day in span if day.day == 1 and (day.month == 1 or not is_long)]
    for day in firsts:
        x = _x(day, span)
        yield (
            f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{top}" '
            'stroke="#5a6270" stroke-width="0.6" stroke-dasharray="2 3"/>'
        )
        told = f"{day:%Y}" if is_long or day.month == 1 else f"{day:%b}"
        yield f'<text x="{x:.1f}" y="{top + 12}" text-anchor="middle" fill="#333">{told}</text>'


def _legend(bottom: float) -> Iterator[str]:
    x = float(_LEFT)
    for kind, meaning in _MEANINGS.items():
        yield (
            f'<rect x="{x:.0f}" y="{bottom - 11:.0f}" width="13" height="13" '
            f'fill="{_COLOURS[kind]}" stroke="#c8ccd2"/>'
        )
        yield f'<text x="{x + 19:.0f}" y="{bottom}" fill="#333">{meaning}</text>'
        x += 38 + 7.2 * len(meaning)


def _x(day: date, span: DayRange) -> float:
    share = (day - span.first).days / len(span)
    return _LEFT + share * (WIDTH - _LEFT - _RIGHT)
