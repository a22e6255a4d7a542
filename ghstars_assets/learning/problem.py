"""What a problem is: one question that the learning loop answers, and all it needs to know.

Which columns are features, base, naive forecast or target stands in the headers of the problem's
SQL files and nowhere else; here stands what SQL cannot say.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.catalog import Table
from ghstars_assets.lake.marker import Marker, mark_lake, read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.gates import Gates
from ghstars_assets.learning.simulation.drift_story import DriftStory
from ghstars_assets.learning.tasks.task import Task
from ghstars_assets.settings import Settings
from ghstars_assets.sources.source import Source

if TYPE_CHECKING:
    from ghstars_assets.learning.stage import Stage


@dataclass(frozen=True)
class Training:
    """How a candidate is trained, unless the run that trains it says otherwise."""

    window_days: int | None = 365
    """How far back rows are taken from; None: from the first day on, a window that expands."""
    every_nth_day: int = 3
    """Neighbouring days say nearly the same; a third of them trains as well in a third of the
    time."""
    holdout_days: int = 28
    """The latest labelled days, kept out of training to judge the candidate and to size its
    intervals."""
    holdout_days_asked: int = 14
    """The same where health asks for the candidate: whatever made it ask is new, and what is held
    out is not learnt. With a horizon of 7 days and 28 held out a candidate knows nothing of the
    last 43 days; in the world of `ghstars demo --drift` a fortnight less is two weeks sooner."""
    fewest_training_days: int = 14
    most_rows: int = 2_000_000
    parameters: dict[str, float | int | str] = field(default_factory=dict)
    """LightGBM's own parameters."""
    rounds: int = 120
    side_rounds: int = 80
    """Of the heads beside the typical value: the mean, and the ends of the intervals, which
    calibration sets right anyway."""
    side_parameters: dict[str, float | int | str] = field(default_factory=dict)
    """Where these are trained otherwise."""

    def when_asked(self) -> "Training":
        return replace(self, holdout_days=min(self.holdout_days, self.holdout_days_asked))


@dataclass(frozen=True)
class Problem:
    """One question. Its tables are `name.snapshots`, `name.features`, `name.labels` and so on."""

    name: str
    question: str
    entity: str
    """The column that identifies what is forecast."""
    entity_type: str
    horizon_days: int
    first_day: date
    """The earliest day that any source knows."""
    sources: tuple[Source, ...]
    task: Task
    gates: Gates
    training: Training = Training()
    entity_name: str = ""
    """The column that names it to a reader, where that is another one."""
    segments: Mapping[str, str] = field(default_factory=dict)
    """By what the record is also split: SQL over a row of the snapshots."""
    words: Callable[[pl.DataFrame, pl.DataFrame], pl.Series] | None = field(
        default=None, compare=False, repr=False
    )
    """What moved each forecast, in words, from a day's features and its forecasts."""
    own_stages: "tuple[Stage, ...]" = field(default=(), compare=False, repr=False)
    """Stages that only this problem has; they are filled after those of the loop."""
    asks_first: str = ""
    """What a user runs in an empty home, where the sources must know first what to ask for. Without
    it they can be asked at once, and a backfill or the schedule begins the home."""
    importable: str = ""
    """What `ghstars import` takes, in a sentence."""
    status_notes: "Callable[[Lake, Problem], Iterator[str]] | None" = None
    """What `ghstars status` adds about the data that forecasts rest on."""
    doctor_checks: Mapping[str, Callable[[Settings], str]] = field(default_factory=dict)
    """What `ghstars doctor` looks at besides, by subject. A check describes what it found, and
    raises GhstarsError where something is wrong."""
    prepare_sandbox: Callable[[Lake], None] | None = None
    """What the demo does in a sandbox home, each time before it fills anything."""
    followed: Callable[[Lake], pl.Series] | None = None
    """The entities that the user follows; `ghstars predict --mine` shows their forecasts alone. It
    raises GhstarsError where there are none."""
    drift_story: DriftStory | None = None
    """The changing world of `ghstars demo --drift`."""

    @property
    def how_to_begin(self) -> str:
        return self.asks_first or f"`ghstars backfill {self.name} --from DAY`"

    def begin(self, lake: Lake) -> Marker | None:
        """Mark an empty lake as one of real data, if the sources can be asked at once; return the
        marker that the lake has."""
        is_real = any("real" in source.kinds for source in self.sources)
        if is_real and not self.asks_first and read_marker(lake) is None and not lake.tables():
            return mark_lake(lake, Marker("real"))
        return read_marker(lake)

    def table(self, stage: str) -> str:
        return f"{self.name}.{stage}"

    @property
    def entity_columns(self) -> list[str]:
        return [self.entity, self.entity_name] if self.entity_name else [self.entity]

    @property
    def label_lag_days(self) -> int:
        """A label of day t is known once day t + horizon is over, so on day w the newest label
        known before w is the one of w − horizon − 1."""
        return self.horizon_days + 1


@dataclass(frozen=True)
class LearningColumns:
    """Which columns the loop learns from, as the headers of the SQL files say."""

    features: tuple[str, ...]
    naive: str
    target: str
    base: str
    scale: str
    baselines: tuple[str, ...] = ()
    """Forecasts that anybody could make, which a backtest measures beside the naive one."""

    @classmethod
    def of(cls, problem: Problem, features: Table, labels: Table) -> "LearningColumns":
        found = tuple(features.with_role("feature"))
        if not found:
            raise GhstarsError(
                f"{features.name} marks no column with `role: feature`, so {problem.name} has "
                "nothing to learn from; mark them in the header of its SQL file."
            )
        for table in (features, labels):
            if problem.entity not in table.column_names:
                raise GhstarsError(f"{table.name} lacks the entity column {problem.entity!r}.")
        return cls(
            features=found,
            naive=features.the_column("naive"),
            target=labels.the_column("target"),
            base=features.the_column("base") if problem.task.is_relative else "",
            scale=features.the_column("scale") if problem.task.is_relative else "",
            baselines=tuple(features.with_role("baseline")),
        )

    @property
    def needed(self) -> list[str]:
        """The columns of `features` that training and forecasting read, each once."""
        return list(
            dict.fromkeys(
                name for name in (*self.features, self.naive, self.base, self.scale) if name
            )
        )
