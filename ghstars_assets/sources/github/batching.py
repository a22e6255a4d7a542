"""How many repositories to ask for at once: fewer when GitHub groans, slowly more again."""

MOST_AT_ONCE = 50
"""They take about 3.7 s, and 100 are refused (both measured). More would gain nothing, for GitHub
counts the seconds, and the longer an answer takes the more of the minute must be kept free for it.
"""
_GROWTH = 0.1
_CEILING_LASTS_BATCHES = 40


class BatchSize:
    """Halves on a batch that was too heavy, grows back by a tenth with each that was not, and
    keeps below the size that failed last for a while."""

    def __init__(self) -> None:
        self.now = MOST_AT_ONCE
        self._ceiling = MOST_AT_ONCE
        self._ceiling_left = 0

    def failed(self, size: int) -> None:
        self.now = max(1, min(self.now, size // 2))
        self._ceiling = max(1, size - 1)
        self._ceiling_left = _CEILING_LASTS_BATCHES

    def worked(self, size: int) -> None:
        self._ceiling_left -= 1
        if self._ceiling_left <= 0:
            self._ceiling = MOST_AT_ONCE
        if size >= self.now:
            self.now = min(self._ceiling, self.now + max(1, round(self.now * _GROWTH)))
