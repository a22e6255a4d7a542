"""Calibration: intervals that hold what they say, set right by what was missed lately.

The heads say where the ends of an interval should lie; how often outcomes of the last weeks lay
beyond them says how far they must be moved (conformalised quantiles). Each end is moved for itself
and within groups of forecasts of one height, for what hardly moves is missed otherwise than what
soars. It is measured on days that the model has not learnt from and whose outcomes were known.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from ghstars_assets.learning.evaluation import metrics
from ghstars_assets.learning.tasks.target_forms import TargetForm

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

INTERVALS = {"80": (0.10, 0.90), "95": (0.025, 0.975)}
"""The share that an interval should hold, and the quantiles at its ends."""

ENDS = {
    f"{end}_{share}": quantile
    for share, quantiles in INTERVALS.items()
    for end, quantile in zip(("low", "high"), quantiles, strict=True)
}
"""By column, the quantile that it is meant to be."""

EARLIER_NAMES = {"is_thin": "is_sparse", "upto": "upper_bound"}
"""Columns of `calibration` as earlier releases wrote them, and what they are called now."""

MOST_LEVELS = 10
FEWEST_ROWS_IN_A_LEVEL = 200
FEWEST_ROWS_OF_A_KIND = 100
"""With fewer rows of which little is known (or with fewer others) both are moved alike."""


@dataclass(frozen=True)
class RawForecast:
    """Rows as the heads forecast them, on the scale on which errors are alike."""

    level: "Floats"
    ends: "Mapping[str, Floats]"
    is_sparse: "NDArray[np.bool_]"

    @classmethod
    def joined(cls, parts: "Sequence[RawForecast]") -> "RawForecast":
        import numpy as np

        return cls(
            level=np.concatenate([part.level for part in parts]),
            ends={end: np.concatenate([part.ends[end] for part in parts]) for end in ENDS},
            is_sparse=np.concatenate([part.is_sparse for part in parts]),
        )

    def __getitem__(self, chosen: "NDArray[np.bool_]") -> "RawForecast":
        ends = {end: values[chosen] for end, values in self.ends.items()}
        return RawForecast(self.level[chosen], ends, self.is_sparse[chosen])


@dataclass(frozen=True)
class Group:
    """Forecasts of one height, and how far the ends of their intervals are moved."""

    is_sparse: bool
    upper_bound: float | None
    """On the scale of errors; None for the highest group of its kind."""
    rows: int
    shifts: tuple[float, ...]
    """In the order of ENDS."""
    held: tuple[float, ...] = ()
    """The share that each of INTERVALS held of the rows it was measured on."""
    shown: tuple[float, ...] = ()
    """The same when the ends are rounded outward to whole numbers."""


@dataclass(frozen=True)
class Calibration:
    groups: tuple[Group, ...]
    first_day: date
    last_day: date

    @classmethod
    def of_rows(cls, rows: pl.DataFrame) -> "Calibration":
        """From a day of the `calibration` table, whichever release wrote it."""
        rows = with_present_names(rows)
        groups = [
            Group(
                row["is_sparse"],
                row["upper_bound"],
                row["rows"],
                tuple(row[f"shift_{end}"] for end in ENDS),
                tuple(row[f"held_{share}"] for share in INTERVALS),
                tuple(row[f"shown_{share}"] for share in INTERVALS),
            )
            for row in rows.sort("is_sparse", "level").iter_rows(named=True)
        ]
        return cls(tuple(groups), rows["calibrated_from"][0], rows["calibrated_through"][0])

    def rows(self, day: date, model_version: int | None) -> Iterator[dict[str, Any]]:
        for is_sparse in (False, True):
            for level, group in enumerate(self._of_kind(is_sparse)):
                yield {
                    "day": day,
                    "model_version": model_version,
                    "is_sparse": is_sparse,
                    "level": level,
                    "upper_bound": group.upper_bound,
                    "rows": group.rows,
                    **_named("shift", ENDS, group.shifts),
                    **_named("held", INTERVALS, group.held),
                    **_named("shown", INTERVALS, group.shown),
                    "calibrated_from": self.first_day,
                    "calibrated_through": self.last_day,
                }

    def applied_to(self, raw: RawForecast) -> "dict[str, Floats]":
        """The ends of the intervals, moved; each interval holds its typical value and the narrower
        lies within the wider."""
        import numpy as np

        shifts = np.array([group.shifts for group in self.groups])[self.places_of(raw)]
        moved = {end: raw.ends[end] + shifts[:, place] for place, end in enumerate(ENDS)}
        inner_low = inner_high = raw.level
        ends: dict[str, Floats] = {}
        for share in INTERVALS:  # from the narrower on
            inner_low = np.minimum(moved[f"low_{share}"], inner_low)
            inner_high = np.maximum(moved[f"high_{share}"], inner_high)
            ends |= {f"low_{share}": inner_low, f"high_{share}": inner_high}
        return ends

    def places_of(self, raw: RawForecast) -> "NDArray[np.int64]":
        """For each row the place of its group among all."""
        import numpy as np

        places = np.empty(len(raw.level), dtype=np.int64)
        for is_sparse in (False, True):
            rows = raw.is_sparse == is_sparse
            of_kind = self._of_kind(is_sparse) or self._of_kind(is_sparse=not is_sparse)
            bounds = np.array([group.upper_bound for group in of_kind[:-1]], dtype=float)
            first = self.groups.index(of_kind[0])
            places[rows] = first + np.searchsorted(bounds, raw.level[rows], side="left")
        return places

    def _of_kind(self, is_sparse: bool) -> list[Group]:
        return [group for group in self.groups if group.is_sparse == is_sparse]


def with_present_names(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `calibration` with the columns of this release."""
    return rows.rename(EARLIER_NAMES, strict=False)


def calibrate(
    form: TargetForm, raw: RawForecast, actual: "Floats", first_day: date, last_day: date
) -> Calibration:
    """Measure how far each end must be moved for as much to lie beyond it as should."""
    outcome = form.squash(actual)
    sparse_rows = int(raw.is_sparse.sum())
    if min(sparse_rows, len(raw.is_sparse) - sparse_rows) >= FEWEST_ROWS_OF_A_KIND:
        groups = [
            group
            for is_sparse in (False, True)
            for rows in [raw.is_sparse == is_sparse]
            for group in _groups(raw[rows], outcome[rows], is_sparse=is_sparse)
        ]
    else:
        groups = list(_groups(raw, outcome, is_sparse=False))
    moved = Calibration(tuple(groups), first_day, last_day)
    return replace(moved, groups=tuple(_with_shares(form, moved, raw, actual)))


def _groups(raw: RawForecast, outcome: "Floats", *, is_sparse: bool) -> Iterator[Group]:
    import numpy as np

    levels = max(1, min(MOST_LEVELS, len(raw.level) // FEWEST_ROWS_IN_A_LEVEL))
    bounds = np.unique(np.quantile(raw.level, np.arange(1, levels) / levels))
    group = np.searchsorted(bounds, raw.level, side="left")
    pooled = _shifts(raw, outcome)
    for number, upper_bound in enumerate([*map(float, bounds), None]):
        mine = group == number
        rows = int(mine.sum())
        # Where many forecasts are equal, few may be left for a group beside them: too few to say
        # how far their ends must be moved.
        is_enough = rows >= FEWEST_ROWS_IN_A_LEVEL / 2
        yield Group(
            is_sparse, upper_bound, rows, _shifts(raw[mine], outcome[mine]) if is_enough else pooled
        )


def _shifts(raw: RawForecast, outcome: "Floats") -> tuple[float, ...]:
    """Half of what an interval may miss lies below it. Where that cannot be had, because a third
    of all outcomes is one and the same number, the upper end makes up for it."""
    import numpy as np

    shifts: list[float] = []
    for share, (low, high) in INTERVALS.items():
        beside_low, beside_high = (outcome - raw.ends[f"{end}_{share}"] for end in ("low", "high"))
        shift_low = float(np.quantile(beside_low, low))
        missed_below = float((beside_low < shift_low).mean())
        reach = np.clip(missed_below + high - low, 0, 1)
        shifts += [shift_low, float(np.quantile(beside_high, reach))]
    return tuple(shifts)


def _with_shares(
    form: TargetForm, moved: Calibration, raw: RawForecast, actual: "Floats"
) -> Iterator[Group]:
    """The groups with what their intervals held, as they are and as they are shown."""
    import numpy as np

    ends = {end: form.unsquash(values) for end, values in moved.applied_to(raw).items()}
    shown = {
        end: np.floor(values) if end.startswith("low") else np.ceil(values)
        for end, values in ends.items()
    }
    held = {share: _holds(actual, ends, share) for share in INTERVALS}
    held_as_shown = {share: _holds(actual, shown, share) for share in INTERVALS}
    places = moved.places_of(raw)
    for place, group in enumerate(moved.groups):
        mine = places == place
        if not mine.any():
            mine = np.ones_like(mine)
        yield replace(
            group,
            held=tuple(float(held[share][mine].mean()) for share in INTERVALS),
            shown=tuple(float(held_as_shown[share][mine].mean()) for share in INTERVALS),
        )


def _holds(actual: "Floats", ends: "Mapping[str, Floats]", share: str) -> "NDArray[np.bool_]":
    return metrics.lies_within(actual, ends[f"low_{share}"], ends[f"high_{share}"])


def _named(prefix: str, names: Iterable[str], values: Sequence[float]) -> dict[str, float]:
    return {f"{prefix}_{name}": value for name, value in zip(names, values, strict=True)}
