"""Finds among the forecasts of a day those that a user names, or follows."""

import difflib
from collections.abc import Sequence

import polars as pl

from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem

NEAREST = 3


class UnknownNameError(GhstarsError):
    """Nothing of that name was forecast."""


def forecast_named(problem: Problem, frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Find the row of a name, in whatever case it is written, or of the entity's own key."""
    names = pl.col(problem.entity_columns[-1]).cast(pl.String)
    found = frame.filter(
        (names.str.to_lowercase() == name.lower())
        | (pl.col(problem.entity).cast(pl.String) == name)
    )
    if not found.is_empty():
        return found.head(1)
    near = _nearest(name, frame.select(names).to_series().to_list())
    day = f" on {frame['day'][0]}" if frame.height else ""
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    raise UnknownNameError(
        f"{problem.table('predictions')} has no {name!r}{day}; {meant}`ghstars predict "
        f"{problem.name} --csv` lists all."
    )


def forecasts_named(problem: Problem, frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Find the rows of several names, in the order in which they were named, each once."""
    rows = [forecast_named(problem, frame, name) for name in names]
    return pl.concat(rows).unique(problem.entity, keep="first", maintain_order=True)


def forecasts_followed(lake: Lake, problem: Problem, frame: pl.DataFrame) -> pl.DataFrame:
    """Keep the rows of what the user follows."""
    if problem.followed is None:
        raise GhstarsError(
            f"Nobody can follow anything of {problem.name}; name what you want to see instead."
        )
    mine = problem.followed(lake)
    found = frame.filter(pl.col(problem.entity).is_in(mine.implode()))
    if found.is_empty() and frame.height:
        raise GhstarsError(
            f"None of the {len(mine):,} that you follow was forecast on {frame['day'][0]}; leave "
            "out --mine, or choose another --date."
        )
    return found


def _nearest(name: str, names: Sequence[str]) -> list[str]:
    """Find the name of another owner, or of one that was left out, and names spelled alike."""
    written = name.lower()
    last = written.rpartition("/")[2]
    by_last = {known.lower().rpartition("/")[2]: known for known in reversed(names)}
    spelled = by_last | {known.lower(): known for known in names}
    alike = [spelled[found] for found in difflib.get_close_matches(written, spelled, n=NEAREST)]
    same = [by_last[last]] if last in by_last else []
    return list(dict.fromkeys([*same, *alike]))[:NEAREST]
