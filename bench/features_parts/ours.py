"""The tables as the product fills them: batch by batch, with its calendar and its checks."""

from collections.abc import Callable, Mapping
from pathlib import Path

from features_parts.figures import Side, measured
from features_parts.lags import LAGS
from features_parts.lake import first_days, lake_of, stars_graph
from ghstars_assets.sql_tables.engine import fill
from ghstars_assets.sql_tables.header import SqlFile, read_sql_file

WINDOWS_FILE = Path(__file__).parents[1] / "sql" / "stars" / "lags_and_windows.sql"
_LAG_COLUMNS = "\n  ".join(
    f'stars_{n}d_ago: {{type: bigint, is: "stars {n} days ago"}}' for n in LAGS
)
_LAG_VALUES = ",\n    ".join(f"lag(stars, {n}) over days as stars_{n}d_ago" for n in LAGS)
LAGS_SQL = f"""/*
description: Stars of earlier days.
key: [repo_id]
reads:
  stars.snapshots: -{LAGS[-1]}..0
columns:
  day: {{type: date, is: "the UTC day"}}
  repo_id: {{type: bigint, is: "GitHub's databaseId"}}
  {_LAG_COLUMNS}
*/
select
    day,
    repo_id,
    {_LAG_VALUES}
from stars.snapshots
window days as (partition by repo_id order by day)
"""  # noqa: S608 - of this file's own names


def _features(home: Path, days: int) -> Side:
    return _fill(home, stars_graph().files["stars.features"], days)


def _windows(home: Path, days: int) -> Side:
    return _fill(home, read_sql_file(WINDOWS_FILE), days)


def _lags(home: Path, days: int) -> Side:
    path = home / "stars" / "lags.sql"
    path.parent.mkdir(exist_ok=True)
    path.write_text(LAGS_SQL)
    return _fill(home, read_sql_file(path), days)


def _fill(home: Path, file: SqlFile, days: int) -> Side:
    lake, tables = lake_of(home), stars_graph().tables

    def work() -> int:
        batches = list(fill(lake, file, tables, first_days(days)))
        return sum(outcome.rows for batch in batches for outcome in batch.outcomes)

    return measured(work)


STEPS: Mapping[str, Callable[[Path, int], Side]] = {
    "windows": _windows,
    "features": _features,
    "lags": _lags,
}
