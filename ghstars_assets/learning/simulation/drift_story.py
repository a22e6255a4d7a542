"""A sandbox's world that changes, and the days on which the loop has to notice."""

from dataclasses import dataclass, replace
from datetime import date

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.marker import Marker, SandboxWorld


@dataclass(frozen=True)
class DriftStory:
    """The days are fixed, so that the story is the same whenever it is run."""

    seed: int
    repositories: int
    first_day: date
    """The first day of the home, and of its world."""
    learns_from: date
    """From when on every feature is known."""
    lived: DayRange
    """The first version needs 120 labelled days before it, or none of them can be spared for the
    reference window."""
    change_on: date
    what_changes: str
    """What happens on that day, in words."""
    is_control: bool = False
    """Whether the change is left out, and the world is the same otherwise."""

    @property
    def control(self) -> "DriftStory":
        return replace(self, is_control=True)

    @property
    def marker(self) -> Marker:
        change_on = None if self.is_control else self.change_on
        world = SandboxWorld(self.seed, self.repositories, self.first_day, change_on)
        return Marker("sandbox", self.first_day, world)
