"""What forecasts rest on as long as the tracked repositories have little history of their own."""

from collections.abc import Iterator
from datetime import timedelta

from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.sources.github.tables import tables_of

MONTHS_FOR_ALL_FEATURES_DAYS = 91
"""The longest feature looks back 90 days."""


def notes_on_own_history(lake: Lake, problem: Problem) -> Iterator[str]:
    """Describe what the forecasts rest on and when that will be better; nothing once it is good."""
    own = lake.days(tables_of(problem.name).github.name)
    if not own or len(own) >= MONTHS_FOR_ALL_FEATURES_DAYS:
        return
    first, days = own[0], len(own)
    milestones = [
        (
            first + timedelta(days=problem.horizon_days),
            "the first of them can be checked against the truth",
        ),
        (first + timedelta(days=28), "four weeks of their own carry the forecasts"),
        (first + timedelta(days=MONTHS_FOR_ALL_FEATURES_DAYS), "every feature is their own"),
    ]
    ahead = [f"{day} {what}" for day, what in milestones if day > own[-1]]
    yield (
        f"Short history: the tracked repositories have {days} {'day' if days == 1 else 'days'} of "
        f"their own snapshots, since {first}; before that their past is what star history knows. "
        f"Better: {'; '.join(ahead)}."
    )
