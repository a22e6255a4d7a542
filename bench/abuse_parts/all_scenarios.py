"""Every abuse there is, in the order in which the table shows them."""

from collections.abc import Sequence

from abuse_parts import clocks, damage, hostile_github, hostile_input, kills, two_at_once
from abuse_parts.scenario import Scenario

ALL: Sequence[Scenario] = (
    *kills.SCENARIOS,
    *damage.SCENARIOS,
    *hostile_input.SCENARIOS,
    *hostile_github.SCENARIOS,
    *two_at_once.SCENARIOS,
    *clocks.SCENARIOS,
)


def key_of(scenario: Scenario) -> str:
    return f"{scenario.group}: {scenario.what}"
