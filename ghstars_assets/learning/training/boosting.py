"""LightGBM, imported when it is first needed, and with threads that give way."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np
    from lightgbm import Booster
    from numpy.typing import NDArray


def lightgbm_module() -> "ModuleType":
    """Its threads otherwise burn their core while they wait for one another; beside another busy
    process a training on 2 cores then took 8 to 30 s in place of 4. OpenMP reads this once, when
    it is loaded."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import lightgbm

    return lightgbm


def booster_from_text(text: str) -> "Booster":
    return lightgbm_module().Booster(model_str=text)


def fitted_values(
    booster: "Booster", matrix: "NDArray[np.float32]", threads: int
) -> "NDArray[np.float64]":
    import numpy as np

    return np.asarray(booster.predict(matrix, num_threads=threads), dtype=np.float64)
