"""What an abuse is: something that is tried a number of times, each time with an outcome."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from abuse_parts.commands import Commands, Ran
from abuse_parts.homes import BrokenError, Homes, require_sentence

SEED = 20261128
MOST_ATTEMPTS_SHOWN = 3


@dataclass(frozen=True)
class Ground:
    """Where abuse happens."""

    commands: Commands
    homes: Homes


@dataclass(frozen=True)
class Scenario:
    group: str
    what: str
    """What is done, as the table names it."""
    attempt: Callable[[Ground, random.Random], str]
    """Does it once and says what happened. A `BrokenError` says what must not happen and did."""
    few: int
    """How often the tests try it: 0 leaves it to the bench."""
    many: int


@dataclass
class Tried:
    """What became of a scenario."""

    scenario: Scenario
    outcomes: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    @property
    def attempts(self) -> int:
        return self.outcomes.total() + len(self.broken)

    def describe(self) -> str:
        """What happened, the most frequent first."""
        parts = [f"{text}: {count}" for text, count in self.outcomes.most_common()]
        if self.broken:
            shown = "; ".join(sorted(set(self.broken))[:MOST_ATTEMPTS_SHOWN])
            parts.append(f"**broken: {len(self.broken)}** ({shown})")
        return "; ".join(parts)


def try_out(scenario: Scenario, ground: Ground, attempts: int) -> Tried:
    """Each attempt has dice of its own, so that the tests try the first few of the bench's."""
    tried = Tried(scenario)
    for number in range(attempts):
        dice = random.Random(f"{SEED} {scenario.what} {number}")  # noqa: S311 - no secret
        try:
            tried.outcomes[scenario.attempt(ground, dice)] += 1
        except BrokenError as error:
            tried.broken.append(str(error))
    return tried


def refused_or_done(ran: Ran, codes: Sequence[int] = (0, 1, 2, 3)) -> str:
    """The outcome of a command that may refuse: in a sentence."""
    require_sentence(ran.output)
    if ran.code not in codes:
        raise BrokenError(f"it ended with {ran.code}: {ran.output.strip()[-300:]}")
    return "done" if ran.code in (0, 3) else "refused in a sentence"
