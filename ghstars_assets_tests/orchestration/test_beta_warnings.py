"""Dagster's warnings about features that are not final: none reaches a log or a terminal."""

import warnings
from pathlib import Path

from dagster import BetaWarning, PreviewWarning

from ghstars_assets.orchestration.build import build_defs
from ghstars_assets.settings import Settings
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import SQL


def test_building_the_definitions_warns_of_nothing_that_is_not_final(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        build_defs(Settings(home=tmp_path), [PROBLEM], SQL)
    of_dagster = (BetaWarning, PreviewWarning)
    assert [str(one.message) for one in caught if issubclass(one.category, of_dagster)] == []
