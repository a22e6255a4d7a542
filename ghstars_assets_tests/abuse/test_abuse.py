"""Each abuse a few times; `bench/abuse.py` tries the same ones often.

An attempt that breaks something is tried again alone by its number: the dice are the same.
"""

from pathlib import Path

import pytest

from abuse_parts.all_scenarios import ALL, key_of
from abuse_parts.commands import Commands
from abuse_parts.faults import COMPILER
from abuse_parts.homes import Homes
from abuse_parts.scenario import Ground, Scenario, try_out

pytestmark = pytest.mark.skipif(COMPILER is None, reason="faults of the disk need a C compiler")

FEW = [scenario for scenario in ALL if scenario.few]


@pytest.fixture(scope="module")
def ground(filled_home: Path) -> Ground:
    return Ground(Commands(), Homes(filled_home))


@pytest.mark.parametrize("scenario", FEW, ids=map(key_of, FEW))
def test_a_home_bears_what_is_done_to_it(scenario: Scenario, ground: Ground) -> None:
    tried = try_out(scenario, ground, scenario.few)
    assert tried.broken == []
    assert tried.attempts == scenario.few
