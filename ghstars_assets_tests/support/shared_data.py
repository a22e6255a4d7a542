"""Where the folder of real data lies, for tests that skip without it.

It is no part of the repository. GHSTARS_TEST_DATA names it; else it is looked for beside the
checkout.
"""

import os
from pathlib import Path

import pytest

from ghstars_assets.settings import PROJECT_ROOT

# Read with the module: the tests' own environment has nothing of ours.
_PLACE = Path(os.environ.get("GHSTARS_TEST_DATA", PROJECT_ROOT.parent / "shared" / "data"))


def real_data() -> Path:
    """The folder, or a skip that says how to have it."""
    if not _PLACE.is_dir():
        pytest.skip(f"there is no real data at {_PLACE}; GHSTARS_TEST_DATA names its folder")
    return _PLACE
