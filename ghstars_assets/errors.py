"""Errors that a user reads: one sentence naming what went wrong, where, and the remedy."""


class GhstarsError(Exception):
    """A fault the user can act on. The command prints its message alone, without a traceback."""


class SettingsError(GhstarsError):
    """The environment or `.env` holds something that cannot be used."""


class WrongHomeError(GhstarsError):
    """Sandbox data and real data were about to meet in one lake."""


class MissingDayError(GhstarsError):
    """A day that should be in a table is not, and nobody declared it a gap."""


class QuarantinedDayError(GhstarsError):
    """Every day that was asked for waits in quarantine."""


class SqlAssetError(GhstarsError):
    """A file under `sql/` contradicts its header or the tables it reads. Names file and line."""


class NoChampionError(GhstarsError):
    """No model version served on the day for which forecasts were asked."""


class NotEnoughHistoryError(GhstarsError):
    """A model was asked for before there was enough labelled past to train and to judge it."""


class SourceError(GhstarsError):
    """A source cannot give what it was asked for."""


class LogMovedError(GhstarsError):
    """Somebody else appended to a log since it was read."""
