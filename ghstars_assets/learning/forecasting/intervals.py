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

from ghstars_assets.learning.tables import ENDS, INTERVALS
from ghstars_assets.learning.tasks.target_forms import TargetForm

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_LEVELS = 10
FEWEST_ROWS_IN_A_LEVEL = 200
FEWEST_ROWS_OF_A_KIND = 100
"""With fewer rows of which little is known (or with fewer others) both are moved alike."""


@dataclass(frozen=True)
class RawForecast:
    """Rows as the heads forecast them, on the scale on which errors are alike."""

    level: "Floats"
    ends: "Mapping[str, Floats]"
    is_thin: "NDArray[np.bool_]"

    @classmethod
    def joined(cls, parts: "Sequence[RawForecast]") -> "RawForecast":
        import numpy as np

        return cls(
            level=np.concatenate([part.level for part in parts]),
            ends={end: np.concatenate([part.ends[end] for part in parts]) for end in ENDS},
            is_thin=np.concatenate([part.is_thin for part in parts]),
        )

    def __getitem__(self, chosen: "NDArray[np.bool_]") -> "RawForecast":
        ends = {end: values[chosen] for end, values in self.ends.items()}
        return RawForecast(self.level[chosen], ends, self.is_thin[chosen])


@dataclass(frozen=True)
class Group:
    """Forecasts of one height, and how far the ends of their intervals are moved."""

    is_thin: bool
    upto: float | None
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
        """From a day of the `calibration` table."""
        groups = [
            Group(
                row["is_thin"],
                row["upto"],
                row["rows"],
                tuple(row[f"shift_{end}"] for end in ENDS),
                tuple(row[f"held_{share}"] for share in INTERVALS),
                tuple(row[f"shown_{share}"] for share in INTERVALS),
            )
            for row in rows.sort("is_thin", "level").iter_rows(named=True)
        ]
        return cls(tuple(groups), rows["calibrated_from"][0], rows["calibrated_through"][0])

    def rows(self, day: date, model_version: int | None) -> Iterator[dict[str, Any]]:
        for is_thin in (False, True):
            for level, group in enumerate(self._of_kind(is_thin)):
                yield {
                    "day": day,
                    "model_version": model_version,
                    "is_thin": is_thin,
                    "level": level,
                    "upto": group.upto,
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
        for is_thin in (False, True):
            rows = raw.is_thin == is_thin
            of_kind = self._of_kind(is_thin) or self._of_kind(is_thin=not is_thin)
            bounds = np.array([group.upto for group in of_kind[:-1]], dtype=float)
            first = self.groups.index(of_kind[0])
            places[rows] = first + np.searchsorted(bounds, raw.level[rows], side="left")
        return places

    def _of_kind(self, is_thin: bool) -> list[Group]:
        return [group for group in self.groups if group.is_thin == is_thin]


def calibrate(
    form: TargetForm, raw: RawForecast, actual: "Floats", first_day: date, last_day: date
) -> Calibration:
    """Measure how far each end must be moved for as much to lie beyond it as should."""

    outcome = form.squash(actual)
    thin_rows = int(raw.is_thin.sum())
    if min(thin_rows, len(raw.is_thin) - thin_rows) >= FEWEST_ROWS_OF_A_KIND:
        groups = [
            group
            for is_thin in (False, True)
            for rows in [raw.is_thin == is_thin]
            for group in _groups(raw[rows], outcome[rows], is_thin=is_thin)
        ]
    else:
        groups = list(_groups(raw, outcome, is_thin=False))
    moved = Calibration(tuple(groups), first_day, last_day)
    return replace(moved, groups=tuple(_with_shares(form, moved, raw, actual)))


def _groups(raw: RawForecast, outcome: "Floats", *, is_thin: bool) -> Iterator[Group]:
    import numpy as np

    levels = max(1, min(MOST_LEVELS, len(raw.level) // FEWEST_ROWS_IN_A_LEVEL))
    bounds = np.unique(np.quantile(raw.level, np.arange(1, levels) / levels))
    group = np.searchsorted(bounds, raw.level, side="left")
    pooled = _shifts(raw, outcome)
    for number, upto in enumerate([*map(float, bounds), None]):
        mine = group == number
        rows = int(mine.sum())
        # Where many forecasts are equal, few may be left for a group beside them: too few to say
        # how far their ends must be moved.
        is_enough = rows >= FEWEST_ROWS_IN_A_LEVEL / 2
        yield Group(is_thin, upto, rows, _shifts(raw[mine], outcome[mine]) if is_enough else pooled)


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
    return (ends[f"low_{share}"] <= actual) & (actual <= ends[f"high_{share}"])


def _named(prefix: str, names: Iterable[str], values: Sequence[float]) -> dict[str, float]:
    return {f"{prefix}_{name}": value for name, value in zip(names, values, strict=True)}
