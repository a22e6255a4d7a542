"""Which repository a name meant on a day, where the archive has names alone.

A name has lives: one ends when its repository is renamed, and whoever takes the name afterwards is
another. Renames link lives into one repository. GitHub's answer about a name's last life is its id;
without that the repository is called by a negative number made of the first name it had, so that
a rename learnt later changes nothing about the days before it. Case means nothing in a name.
"""

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

_SURROGATE_BITS = 52
"""What JSON and a spreadsheet's numbers hold exactly."""


@dataclass(frozen=True, order=True)
class Rename:
    first_day: date
    """The first day of the new name."""
    old_name: str
    new_name: str


@dataclass(frozen=True)
class Meaning:
    """What GitHub says a name means now."""

    repo_id: int
    created_on: date


@dataclass(frozen=True)
class Identity:
    repo_id: int
    identified_by: str


_Life = tuple[str, int]
"""A name in lower case, and how many repositories had left it before."""


class Identities:
    """The repository of any name on any day, by what is known of names."""

    def __init__(self, renames: Iterable[Rename], meanings: Mapping[str, Meaning]) -> None:
        self._meanings = {name.lower(): meaning for name, meaning in meanings.items()}
        self._left: defaultdict[str, list[date]] = defaultdict(list)
        self._before: dict[_Life, _Life] = {}
        self._after: dict[_Life, _Life] = {}
        self._spans: dict[str, tuple[list[date], list[Identity]]] = {}
        self.refuted: list[Rename] = []
        believed = sorted(self._believed(renames))
        for rename in believed:
            self._left[rename.old_name].append(rename.first_day)
        for rename in believed:
            old = self._life_before(rename.old_name, rename.first_day)
            new = self._life(rename.new_name, rename.first_day)
            if old not in self._after and new not in self._before:
                self._after[old] = new
                self._before[new] = old

    def of(self, full_name: str, day: date) -> Identity:
        begins, meant = self._spans_of(full_name.lower())
        return meant[bisect_right(begins, day) - 1]

    def spans(self, full_name: str) -> list[tuple[date, Identity]]:
        """What the name meant, from which day on."""
        return list(zip(*self._spans_of(full_name.lower()), strict=True))

    def _spans_of(self, name: str) -> tuple[list[date], list[Identity]]:
        if name not in self._spans:
            lives = [(name, number) for number in range(len(self._left.get(name, ())) + 1)]
            meanings = [meaning for life in lives if (meaning := self._meaning_of(life))]
            begins = sorted(
                {date.min, *self._left.get(name, ()), *(one.created_on for one in meanings)}
            )
            self._spans[name] = (begins, [self._identity(name, day) for day in begins])
        return self._spans[name]

    def _identity(self, name: str, day: date) -> Identity:
        life = self._life(name, day)
        meaning = self._meaning_of(life)
        # GitHub knows what a name means now; a repository made after the day is not the one.
        if meaning and meaning.created_on <= day:
            return Identity(meaning.repo_id, "github")
        return Identity(surrogate_of(*self._first_of(life)), "name")

    def _believed(self, renames: Iterable[Rename]) -> Iterable[Rename]:
        """All but those that GitHub knows better: two names of two repositories, of which the old
        one was there before its supposed end."""
        for rename in set(renames):
            plain = Rename(rename.first_day, rename.old_name.lower(), rename.new_name.lower())
            if plain.old_name == plain.new_name:
                continue
            old, new = self._meanings.get(plain.old_name), self._meanings.get(plain.new_name)
            if old and new and old.repo_id != new.repo_id and old.created_on < rename.first_day:
                self.refuted.append(rename)
            else:
                yield plain

    def _life(self, name: str, day: date) -> _Life:
        return name, bisect_right(self._left.get(name, ()), day)

    def _life_before(self, name: str, day: date) -> _Life:
        ends = self._left[name]
        return name, ends.index(day)

    def _first_of(self, life: _Life) -> _Life:
        seen = {life}
        while (earlier := self._before.get(life)) and earlier not in seen:
            life = earlier
            seen.add(life)
        return life

    def _meaning_of(self, life: _Life) -> Meaning | None:
        """By the last of its names: an older one may belong to somebody else by now."""
        seen = {life}
        found = self._answer_about(life)
        while (later := self._after.get(life)) and later not in seen:
            life = later
            seen.add(life)
            found = self._answer_about(life) or found
        return found

    def _answer_about(self, life: _Life) -> Meaning | None:
        name, number = life
        is_last = number == len(self._left.get(name, ()))
        # GitHub leads on from a name that was left, unless somebody has taken it since.
        return self._meanings.get(name) if is_last or life in self._after else None


def surrogate_of(name: str, life: int = 0) -> int:
    """The number of a repository whose id GitHub has not given us."""
    text = f"{name.lower()}#{life}" if life else name.lower()
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return -1 - int.from_bytes(digest, "big") % 2**_SURROGATE_BITS
