"""Invented names of owners and repositories: a serial number in, always the same name out.

Owners are made of syllables and a guild word, so that they read like accounts and are nobody's.
Numbers, not names, live in the world's state: names cannot collide, and a rename is a new number.
"""

from collections.abc import Callable

import numpy as np
import polars as pl

from ghstars_assets.sandbox.world.randomness import Stream, generator


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_SYLLABLES = _words(
    """vel zor mik tarn ulb quen dras fyl grom hesk jorv kelt lumb morv nysk orp plin rusk silv
    thron urg vask wend xil yorb zan brel corv drim esk"""
)
_ENDINGS = _words("ano eth iru osk una ivar elm ondo ast yra")
_GUILDS = _words("-works -guild -labs -forge -collective -hq -yard -crew")

_ADJECTIVES = _words(
    """amber brisk calm dusty eager fuzzy gentle hollow idle jolly keen lucid mellow nimble odd
    patient quiet rapid silent tidy upbeat vivid wild young zesty azure bold crisp deep even"""
)
_NOUNS = _words(
    """anchor beacon cobble drift ember fjord gadget harbor inkwell jigsaw kettle lantern magnet
    nutmeg orchard pebble quarry rudder saddle thimble umbrella velvet walnut yonder zephyr acorn
    bellows compass dovetail easel ferry gimbal hammock icicle juniper kiln loom mortar nozzle
    oar pulley quiver ratchet sextant trellis utensil valve windmill yarrow abacus"""
)
# None gives away a language, which is drawn apart.
_PATTERNS = _words(
    """{0}-{1} {0}{1} {1}-{0} {0}-{1}-cli {0}-{1}-sdk {0}-{1}-sync {0}-{1}-lite {0}-{1}-kit
    {0}-{1}-ui {0}-{1}-server awesome-{0}-{1} {0}-{1}-db open-{0}-{1} {0}-{1}-core {0}-{1}-app
    lib{0}{1} {0}-{1}-engine {0}-{1}-examples {0}_{1} {0}-{1}-gateway"""
)

# Names are written out in blocks; a world of a few thousand repositories needs one.
_BLOCK_NAMES = 8_192


class InventedNames:
    """The names of one world, by serial number, in an order of its own."""

    def __init__(self, seed: int) -> None:
        rng = generator(seed, Stream.NAMES)
        self._owners = _Register(_owner, len(_SYLLABLES) ** 2 * len(_ENDINGS) * len(_GUILDS), rng)
        self._projects = _Register(_project, len(_ADJECTIVES) * len(_NOUNS) * len(_PATTERNS), rng)

    def owners(self, numbers: np.ndarray) -> pl.Series:
        return self._owners.names(numbers)

    def projects(self, numbers: np.ndarray) -> pl.Series:
        return self._projects.names(numbers)


class _Register:
    """Every name of one kind, shuffled; a number past the last combination takes a suffix."""

    def __init__(
        self, spell: Callable[[int], str], combinations: int, rng: np.random.Generator
    ) -> None:
        self._spell = spell
        self._order = rng.permutation(combinations)
        self._names = pl.Series(dtype=pl.String)

    def names(self, numbers: np.ndarray) -> pl.Series:
        needed = int(numbers.max(initial=-1)) + 1
        if needed > len(self._names):
            size = -(-needed // _BLOCK_NAMES) * _BLOCK_NAMES
            self._names = pl.Series([self._name(number) for number in range(size)])
        return self._names.gather(numbers)

    def _name(self, number: int) -> str:
        lap, place = divmod(number, len(self._order))
        name = self._spell(int(self._order[place]))
        return f"{name}-{lap + 1}" if lap else name


def _owner(combination: int) -> str:
    rest, guild = divmod(combination, len(_GUILDS))
    rest, ending = divmod(rest, len(_ENDINGS))
    first, second = divmod(rest, len(_SYLLABLES))
    return _SYLLABLES[first] + _SYLLABLES[second] + _ENDINGS[ending] + _GUILDS[guild]


def _project(combination: int) -> str:
    rest, pattern = divmod(combination, len(_PATTERNS))
    adjective, noun = divmod(rest, len(_NOUNS))
    return _PATTERNS[pattern].format(_ADJECTIVES[adjective], _NOUNS[noun])
