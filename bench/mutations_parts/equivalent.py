"""Mutants that behave as the code does: each was looked at, and the file says why."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from mutations_parts.mutants import Mutant

FILE = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True)
class Equivalent:
    function: str
    """Module and function, as `ghstars_assets.lake.holes.Holes.of`."""
    becomes: str
    """The line that the mutant has in place of the code's."""
    why: str

    def is_it(self, mutant: Mutant) -> bool:
        return (self.function, self.becomes) == (mutant.function, mutant.becomes)


def known_equivalents(file: Path = FILE) -> list[Equivalent]:
    listed = tomllib.loads(file.read_text(encoding="utf-8")).get("mutant", [])
    return [Equivalent(one["function"], one["becomes"], one["why"]) for one in listed]
