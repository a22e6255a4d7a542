"""LightGBM, imported when it is first needed, and with threads that give way."""

from typing import TYPE_CHECKING

from ghstars_assets.learning.training.booster_text import BoosterTextError
from ghstars_assets.settings import let_openmp_threads_rest

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np
    from lightgbm import Booster
    from numpy.typing import NDArray


def lightgbm_module() -> "ModuleType":
    """Import it once its threads know how to wait."""
    let_openmp_threads_rest()
    import lightgbm

    return lightgbm


def booster_from_text(text: str) -> "Booster":
    """Load a text of which `require_sound` has said that LightGBM may read it."""
    lightgbm = lightgbm_module()
    try:
        return lightgbm.Booster(model_str=text)
    except (lightgbm.basic.LightGBMError, ValueError, KeyError, TypeError) as error:
        raise BoosterTextError(f"LightGBM cannot read it ({error})") from None


def fitted_values(
    booster: "Booster", matrix: "NDArray[np.float32]", threads: int
) -> "NDArray[np.float64]":
    import numpy as np

    return np.asarray(booster.predict(matrix, num_threads=threads), dtype=np.float64)
