"""Lanes of invented days, for tests of source coverage and of its chart."""

from datetime import date, timedelta

from ghstars_assets.reporting.source_coverage import Lane

DAY = date(2026, 1, 1)


def lane(*counts: int | None, quarantined: tuple[int, ...] = ()) -> Lane:
    """A count for each day from the first; None where nothing is stored."""
    by_day = {DAY + timedelta(days=n): count for n, count in enumerate(counts) if count is not None}
    return Lane("tiny.raw", by_day, frozenset(DAY + timedelta(days=n) for n in quarantined))
