"""Features that cannot be compared yet, because a version learnt from a history just beginning.

In a home's first months features that look far back are known of ever more rows, so that the latest
rows lie apart from those of the training though the world stands still. That is no drift: of such a
feature nothing can be said until a version has learnt from rows of which as much is known. A
feature that is known as often as it was is compared in a young home as in any other.
"""

from collections.abc import Mapping
from typing import Any

from ghstars_assets.learning.gates import Gates


def too_early_to_tell(features: Mapping[str, Mapping[str, Any]], gates: Gates) -> dict[str, str]:
    """Say by name why the drift of a feature cannot be known yet, from what the drift table has of
    each one. Empty where history is no longer young: there a feature that is known more often than
    before has changed like any other."""
    lacked = {
        name: row["share_missing_reference"] - row["share_missing"]
        for name, row in features.items()
        if row["share_missing"] is not None and row["share_missing_reference"] is not None
    }
    bound = gates.young_history.value
    if sum(lacked.values()) / max(len(lacked), 1) <= bound:
        return {}
    return {
        name: (
            f"too early to tell: unknown in {features[name]['share_missing_reference']:.1%} of the "
            f"training rows, whose history was shorter, and in "
            f"{features[name]['share_missing']:.1%} of these"
        )
        for name, more in lacked.items()
        if more > bound
    }
