"""Takes single fields out of GitHub's answers, and refuses what cannot be so.

A count that is negative, no whole number or beyond 64 bits, a text where a number belongs, a date
that no calendar has, a field that is missing: each is one sentence with the field and the value.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ghstars_assets.sources.github.api.answers import RefusedError

MOST_COUNT = 2**63 - 1
"""What a column of counts can hold."""
YEARS = range(1970, 3000)
_MOST_SHOWN = 60
_FULL_NAME = re.compile(r"[^/\s?#%\\]+/[^/\s?#%\\]+")
_MISSING = object()


class ImpossibleAnswerError(RefusedError):
    """GitHub answered something that cannot be so."""


def refusals(refused: Sequence[str]) -> str:
    """How many answers were refused, and which came first."""
    return f"{len(refused):,} refused for what cannot be so, such as {refused[0]}"


def as_mapping(answer: object, what: str) -> Mapping[str, Any]:
    if not isinstance(answer, Mapping):
        raise ImpossibleAnswerError(f"{what} is {_shown(answer)}, and no object with fields")
    return answer


def as_list(answer: object, what: str) -> Sequence[Any]:
    if not isinstance(answer, list):
        raise ImpossibleAnswerError(f"{what} is {_shown(answer)}, and no list")
    return answer


def count_in(answer: object, *path: str) -> int:
    """A number of things, which is there."""
    return as_count(_at(answer, path), ".".join(path))


def optional_count_in(answer: object, *path: str) -> int | None:
    value = _at(answer, path)
    return None if value is None else as_count(value, ".".join(path))


def as_count(value: object, what: str) -> int:
    # A bool is an int to Python.
    if type(value) is not int or not 0 <= value <= MOST_COUNT:
        raise ImpossibleAnswerError(f"{what} is {_shown(value)}, and no count")
    return value


def identity_in(answer: object, *path: str) -> int:
    """The number by which GitHub knows a repository."""
    value = count_in(answer, *path)
    if not value:
        raise ImpossibleAnswerError(f"{'.'.join(path)} is 0, and no repository's number")
    return value


def text_in(answer: object, *path: str) -> str:
    return _as_text(_at(answer, path), path)


def optional_text_in(answer: object, *path: str) -> str | None:
    value = _at(answer, path)
    return None if value is None else _as_text(value, path)


def full_name_in(answer: object, *path: str) -> str:
    """owner/name, with nothing in it that would mean something in an address."""
    name = text_in(answer, *path)
    if not _FULL_NAME.fullmatch(name):
        raise ImpossibleAnswerError(f"{'.'.join(path)} is {_shown(name)}, and no owner/name")
    return name


def flag_in(answer: object, *path: str) -> bool:
    value = _at(answer, path)
    if not isinstance(value, bool):
        raise ImpossibleAnswerError(f"{'.'.join(path)} is {_shown(value)}, neither true nor false")
    return value


def moment_in(answer: object, *path: str) -> datetime:
    found = optional_moment_in(answer, *path)
    if found is None:
        raise ImpossibleAnswerError(f"{'.'.join(path)} is missing")
    return found


def optional_moment_in(answer: object, *path: str) -> datetime | None:
    value = _at(answer, path)
    if value is None or value == "":
        return None
    found = _moment(value)
    if found is None:
        raise ImpossibleAnswerError(f"{'.'.join(path)} is {_shown(value)}, and no moment")
    return found


def possible_moment_in(answer: object, *path: str) -> datetime | None:
    """The same of a moment that any author may invent, as that of a commit: what cannot be is left
    out, for it says nothing of the repository's counts."""
    return _moment(_at(answer, path))


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        # GitHub always says which zone it means.
        return found.astimezone(UTC) if found.tzinfo and found.year in YEARS else None
    except (ValueError, OverflowError):
        return None


def _at(answer: object, path: Sequence[str]) -> Any:
    """The value at the end of a path; None where it, or something on the way to it, is null."""
    for depth, name in enumerate(path):
        if answer is None:
            return None
        where = ".".join(path[:depth]) or "the answer"
        answer = as_mapping(answer, where).get(name, _MISSING)
        if answer is _MISSING:
            raise ImpossibleAnswerError(f"{'.'.join(path[: depth + 1])} is missing")
    return answer


def _as_text(value: object, path: Sequence[str]) -> str:
    if not isinstance(value, str):
        raise ImpossibleAnswerError(f"{'.'.join(path)} is {_shown(value)}, and no text")
    # JSON can write halves of characters, which no file can hold.
    if any("\ud800" <= one <= "\udfff" for one in value):
        raise ImpossibleAnswerError(f"{'.'.join(path)} is {_shown(value)}, and no text")
    return value


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
