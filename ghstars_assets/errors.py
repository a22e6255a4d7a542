"""Errors that a user reads: one sentence naming what went wrong, where, and the remedy.

Each class states why it is raised, so that whoever runs a step knows whether trying again can help.
What the errors of foreign libraries mean is decided in `failures/`.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import ClassVar


class Cause(StrEnum):
    TRANSIENT = "transient"
    """The network, a server or a busy file: it passes by itself."""
    BUDGET = "budget"
    """What somebody allows us is used up; it returns at a time."""
    BAD_DATA = "bad data"
    """Data, a setting or a credential is not as it must be: the same again would fail the same."""
    BUG = "bug"
    """None of these: a fault of the code."""


class GhstarsError(Exception):
    """A fault the user can act on. The command prints its message alone, without a traceback."""

    cause: ClassVar[Cause | None] = None
    """Why errors of this class are raised. None leaves it to the error that led to this one; where
    there is none, it is bad data."""
    was_tried_again: ClassVar[bool] = False
    """Whether whoever raises it has tried again for half a minute or longer before."""


class WrongArgumentError(GhstarsError):
    """The command was written wrongly: it ends with 2, as click's own complaints do."""


class SettingsError(GhstarsError):
    """The environment or `.env` holds something that cannot be used."""


class WrongHomeError(GhstarsError):
    """Sandbox data and real data were about to meet in one lake."""


class MissingDayError(GhstarsError):
    """A day that should be in a table is not, and nobody declared it a gap."""


class DamagedFileError(GhstarsError):
    """A file of the lake cannot be read, or is not what was written there."""

    cause = Cause.BAD_DATA


class QuarantinedDayError(GhstarsError):
    """Every day that was asked for waits in quarantine."""


class SqlAssetError(GhstarsError):
    """A file under `sql/` contradicts its header or the tables it reads. Names file and line."""


class NoChampionError(GhstarsError):
    """No model version served on the day for which forecasts were asked."""


class DamagedModelError(GhstarsError):
    """What is stored of a version is not what its training made, so it must not forecast."""


class NotEnoughHistoryError(GhstarsError):
    """A model was asked for before there was enough labelled past to train and to judge it."""


class SourceError(GhstarsError):
    """A source cannot give what it was asked for."""


class BudgetError(SourceError):
    """What a source allows us is used up, and it returns later than we wait for."""

    cause = Cause.BUDGET

    def __init__(self, message: str, returns_in_seconds: float | None = None) -> None:
        super().__init__(message)
        self.returns_in_seconds = returns_in_seconds


class LogMovedError(GhstarsError):
    """Somebody else appended to a log since it was read."""

    cause = Cause.TRANSIENT


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it. What Python itself raised while another error was being handled
    is a fault of the handling, not of that other error."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        is_pythons = type(error).__module__ == "builtins"
        error = error.__cause__ or (None if is_pythons else error.__context__)
