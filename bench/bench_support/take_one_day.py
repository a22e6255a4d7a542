"""`python take_one_day.py DAY` takes a day from GitHub into the home of its environment.

The sources are asked without Dagster, so that nearly all of the process's life is the snapshot.
"""

import sys

from ghstars_assets.calendar import DayRange, parse_day
from ghstars_assets.lake.marker import require_kind
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import load_settings
from ghstars_assets.sources.github.daily.capture import take_github_days
from ghstars_assets.sources.github.daily.discovery import take_discovered_days
from ghstars_assets.sources.github.tables import tables_of


def main() -> None:
    day = parse_day(sys.argv[1])
    lake, tables, days = Lake(load_settings()), tables_of("stars"), DayRange(day, day)
    marker = require_kind(lake, "sandbox")
    for take in (take_discovered_days, take_github_days):
        list(take(lake, marker, tables, days, lambda _progress: None))


if __name__ == "__main__":
    main()
