"""How many repositories to ask for at once: half as many when GitHub groans, slowly more again."""

MOST_AT_ONCE = 50
"""They take about 3.7 s, and 100 are refused (both measured). More would gain nothing, for GitHub
counts the seconds, and the longer an answer takes the more of the minute must be kept free for it.
"""


class BatchSize:
    """Halves when a batch of the full size fails, grows by one with each that works.

    A batch that is smaller already was split off a failed one. That it fails again says something
    of the repositories in it and nothing of the size.
    """

    def __init__(self) -> None:
        self.now = MOST_AT_ONCE

    def failed(self, size: int) -> None:
        if size >= self.now:
            self.now = max(1, size // 2)

    def worked(self, size: int) -> None:
        if size >= self.now:
            self.now = min(MOST_AT_ONCE, self.now + 1)
