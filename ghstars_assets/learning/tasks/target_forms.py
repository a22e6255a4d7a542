"""The form in which a target is learnt: as it is, or relative to what the entity usually does.

A form turns an outcome into what LightGBM fits, the fit back into a forecast, and says on which
scale errors are alike, so that intervals can be wide for the large and narrow for the small.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import polars as pl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class TargetForm(Protocol):
    @property
    def is_relative(self) -> bool:
        """Whether `base` and `scale` columns are read."""
        ...

    @property
    def mean_objective(self) -> str:
        """LightGBM's objective for the head that forecasts the mean."""
        ...

    def typical_target(self, actual: "Floats", base: "Floats", scale: "Floats") -> "Floats": ...

    def typical_weight(self, scale: "Floats") -> "Floats": ...

    def typical(self, fitted: "Floats", base: "Floats", scale: "Floats") -> "Floats": ...

    def mean_target(self, actual: "Floats", scale: "Floats") -> "Floats": ...

    def mean_weight(self, scale: "Floats") -> "Floats": ...

    def mean(self, fitted: "Floats", scale: "Floats") -> "Floats": ...

    def squash(self, value: "Floats") -> "Floats":
        """The scale on which the errors of a forecast are alike."""
        ...

    def unsquash(self, value: "Floats") -> "Floats": ...


def slog(value: "Floats") -> "Floats":
    """Signed logarithm: linear around nothing, logarithmic in the large, odd."""
    import numpy as np

    return np.sign(value) * np.log1p(np.abs(value))


def slog_inverse(value: "Floats") -> "Floats":
    import numpy as np

    return np.sign(value) * np.expm1(np.abs(value))


@dataclass(frozen=True)
class RelativeToBase:
    """For heavy-tailed counts: the ratio to the entity's own base is learnt, so that a model stays
    right while the world grows. The mean head is a Poisson rate in units of `scale`, for the
    typical value of a skewed outcome lies well below its mean."""

    is_relative: bool = True
    mean_objective: str = "poisson"

    def typical_target(self, actual: "Floats", base: "Floats", scale: "Floats") -> "Floats":
        del scale
        return slog(actual) - slog(base)

    def typical_weight(self, scale: "Floats") -> "Floats":
        import numpy as np

        return np.log1p(scale)

    def typical(self, fitted: "Floats", base: "Floats", scale: "Floats") -> "Floats":
        del scale
        return slog_inverse(slog(base) + fitted)

    def mean_target(self, actual: "Floats", scale: "Floats") -> "Floats":
        import numpy as np

        return np.maximum(actual, 0) / scale

    def mean_weight(self, scale: "Floats") -> "Floats":
        return scale

    def mean(self, fitted: "Floats", scale: "Floats") -> "Floats":
        return fitted * scale

    def squash(self, value: "Floats") -> "Floats":
        return slog(value)

    def unsquash(self, value: "Floats") -> "Floats":
        return slog_inverse(value)


@dataclass(frozen=True)
class AsItIs:
    """For outcomes of one size: the value itself, every row alike."""

    is_relative: bool = False
    mean_objective: str = "regression"

    def typical_target(self, actual: "Floats", base: "Floats", scale: "Floats") -> "Floats":
        del base, scale
        return actual

    def typical_weight(self, scale: "Floats") -> "Floats":
        import numpy as np

        return np.ones_like(scale)

    def typical(self, fitted: "Floats", base: "Floats", scale: "Floats") -> "Floats":
        del base, scale
        return fitted

    def mean_target(self, actual: "Floats", scale: "Floats") -> "Floats":
        del scale
        return actual

    def mean_weight(self, scale: "Floats") -> "Floats":
        return self.typical_weight(scale)

    def mean(self, fitted: "Floats", scale: "Floats") -> "Floats":
        del scale
        return fitted

    def squash(self, value: "Floats") -> "Floats":
        return value

    def unsquash(self, value: "Floats") -> "Floats":
        return value


def column_or_ones(frame: pl.DataFrame, column: str) -> "Floats":
    """A column as floats; ones where the form needs no such column."""
    import numpy as np

    return frame[column].cast(pl.Float64).to_numpy() if column else np.ones(frame.height)
