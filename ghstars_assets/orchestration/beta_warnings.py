"""Keeps Dagster's warnings about its beta and preview features out of logs and terminals.

Its version is pinned, so what they announce cannot happen by itself; and there is one for each
asset, at every load.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from dagster import BetaWarning, PreviewWarning


@contextmanager
def no_beta_warnings() -> Iterator[None]:
    """Show none of them while this lasts; other warnings are shown as ever."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BetaWarning)
        warnings.simplefilter("ignore", PreviewWarning)
        yield
