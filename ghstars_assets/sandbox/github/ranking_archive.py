"""The invented world's archive of rankings: one CSV file a day, in the shape of Github-Ranking's.

It follows from the seed alone, in a world of its own: asking does not move the clock, and what was
done by hand is not in it. The files are as untidy as real ones: lists taken minutes apart, some of
them cut short, repositories that drop out for a day, days without a file.
"""

import hashlib
import re
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import polars as pl

from ghstars_assets.sandbox.world.conditions import capture_moment, conditions_of
from ghstars_assets.sandbox.world.world import World, WorldSpec

COLUMNS = (
    *("rank", "item", "repo_name", "stars", "forks", "language", "repo_url", "username"),
    *("issues", "last_commit", "description"),
)
ARCHIVE_PATH = "/github-ranking"
"""Below the address of a served sandbox."""
LIST_ROWS = 100
CUT_LIST_ROWS = 60

_FILE_NAME = re.compile(r"github-ranking-(\d{4}-\d{2}-\d{2})\.csv", re.ASCII)
_COUNTS = ("stars", "forks", "open_issues")
# Far above the numbers of `randomness.Stream`, whose dice are the world's own.
_STREAM_MISSING, _STREAM_FILE = 1001, 1002
_MISSING_CHANCE = 1 / 60
_ARCHIVED_DAYS = 36_525  # a century: none of it is missing after that
_CUT_CHANCE = 1 / 100  # of a list
_DROP_CHANCE = 1 / 400  # of a repository, a day
_MINUTES_BETWEEN_LISTS = (0.5, 2.0)
_MINUTES_PER_DAY = 1440
_KEPT_FRAMES = 2

_ADJECTIVES = ("small", "patient", "sturdy", "curious", "friendly", "self-hosted", "portable")
_THINGS = ("toolbox", "notebook", "scheduler", "almanac", "parser", "workbench", "companion")
_USES = ("tidal tables", "bee keeping", "kite design", "map folding", "tea brewing", "bell ringing")
_DESCRIPTIONS = (
    "A {0} {1} for {2}",
    "A {0}, well-tested {1} for {2}, with examples",
    'The "{1}" of {2}, only {0}',
    "🪁 {2} with a {0} {1}",
    "Everything about {2}",
    None,
)


class _List(NamedTuple):
    item: str
    by: str = "stars"
    language: str | None = None


# In the archive's order and spelling, which has no list for notebooks.
_LISTS = (
    _List("top-100-stars"),
    _List("top-100-forks", by="forks"),
    _List("C", language="C"),
    _List("CSharp", language="C#"),
    _List("CPP", language="C++"),
    *(_List(name, language=name) for name in ("Go", "HTML", "Java", "JavaScript", "Kotlin")),
    *(_List(name, language=name) for name in ("Lua", "PHP", "Python", "Rust", "Shell", "Swift")),
    _List("TypeScript", language="TypeScript"),
)


@lru_cache(maxsize=8)
def missing_days(spec: WorldSpec) -> frozenset[date]:
    """The days of the world that the archive has no file for, about one in sixty."""
    is_missing = _dice(spec.seed, _STREAM_MISSING).random(_ARCHIVED_DAYS) < _MISSING_CHANCE
    return frozenset(
        spec.first_day + timedelta(days=number) for number in np.flatnonzero(is_missing).tolist()
    )


class RankingArchive:
    def __init__(self, spec: WorldSpec) -> None:
        self.spec = spec
        self._frames: dict[date, pl.DataFrame] = {}

    def file(self, name: str, now: datetime) -> bytes | None:
        """The file of this name, if the archive has it at this moment."""
        day = _day_in(name)
        if day is None or day < self.spec.first_day or day in missing_days(self.spec):
            return None
        # Before its capture even today's counts are yet to come.
        if now < capture_moment(self.spec.seed, day):
            return None
        return self._lists(day).write_csv().encode()

    def _lists(self, day: date) -> pl.DataFrame:
        rng = _dice(self.spec.seed, _STREAM_FILE, day.toordinal())
        next_day = day + timedelta(days=1)
        today = self._frame(day)
        found = _with_what_comes(today, self._frame(next_day), rng)
        has_dropped = pl.Series(rng.random(today.height) < _DROP_CHANCE)
        found = found.filter(~has_dropped & ~pl.col("is_fork"))  # as search leaves out forks
        minutes = rng.uniform(*_MINUTES_BETWEEN_LISTS, len(_LISTS)).cumsum()
        until_next = conditions_of(self.spec.seed, next_day).since_last_capture_days
        # The first list is taken at the capture itself.
        passed = (minutes - minutes[0]) / (until_next * _MINUTES_PER_DAY)
        is_cut = rng.random(len(_LISTS)) < _CUT_CHANCE
        lists = [
            _ranked(found, wanted, share, CUT_LIST_ROWS if cut else LIST_ROWS)
            for wanted, share, cut in zip(_LISTS, passed.tolist(), is_cut.tolist(), strict=True)
        ]
        return _as_archived(pl.concat(lists), self.spec.seed)

    @cached_property
    def _world(self) -> World:
        return World(self.spec)

    def _frame(self, day: date) -> pl.DataFrame:
        """A day's file looks one day ahead, so who reads day by day finds each made already."""
        if day not in self._frames:
            while len(self._frames) >= _KEPT_FRAMES:
                del self._frames[min(self._frames)]
            self._frames[day] = self._world.snapshot(day)
        return self._frames[day]


def _with_what_comes(
    today: pl.DataFrame, next_day: pl.DataFrame, rng: np.random.Generator
) -> pl.DataFrame:
    """Today's rows, what each count changes by until the next capture, and when it does so.

    The draw decides where between two whole numbers a count turns over, so that the few minutes
    from list to list show in small counts too, and a count does not go back and forth.
    """
    found = today.join(
        next_day.select("repo_id", pl.col(_COUNTS).name.suffix("_next")),
        on="repo_id",
        how="left",
        maintain_order="left",
    )
    coming = [
        (pl.col(f"{name}_next") - pl.col(name)).fill_null(0).alias(f"{name}_coming")
        for name in _COUNTS
    ]
    turning = [pl.Series(f"{name}_turn", rng.random(today.height)) for name in _COUNTS]
    return found.with_columns(*coming, *turning)


def _ranked(found: pl.DataFrame, wanted: _List, share: float, rows: int) -> pl.DataFrame:
    """One list, with the counts of its moment."""
    if wanted.language is not None:
        found = found.filter(pl.col("language") == wanted.language)
    counts = [
        pl.col(name)
        + (pl.col(f"{name}_coming") * share + pl.col(f"{name}_turn")).floor().cast(pl.Int64)
        for name in _COUNTS
    ]
    listed = found.with_columns(counts).sort(wanted.by, "repo_id", descending=[True, False])
    return listed.head(rows).with_row_index("rank", 1).with_columns(item=pl.lit(wanted.item))


def _as_archived(listed: pl.DataFrame, seed: int) -> pl.DataFrame:
    described = [_description(seed, repo_id) for repo_id in listed["repo_id"].to_list()]
    return listed.with_columns(
        repo_name=pl.col("full_name").str.split("/").list.last(),
        repo_url="https://github.com/" + pl.col("full_name"),
        username="owner",
        issues="open_issues",
        last_commit=pl.col("pushed_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        description=pl.Series(described, dtype=pl.String),
    ).select(COLUMNS)


def _description(seed: int, repo_id: int) -> str | None:
    """The same on every day, whatever the repository's name."""
    draw = hashlib.sha256(f"{seed}:{repo_id}".encode()).digest()
    pattern = _DESCRIPTIONS[draw[0] % len(_DESCRIPTIONS)]
    words = (_ADJECTIVES, _THINGS, _USES)
    return pattern and pattern.format(
        *(known[byte % len(known)] for known, byte in zip(words, draw[1:4], strict=True))
    )


def _day_in(name: str) -> date | None:
    found = _FILE_NAME.fullmatch(name)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def _dice(seed: int, stream: int, number: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, stream, number])))
