"""An event loop whose time leaps to the next timer when nothing else is to be done.

With the sandbox served in the same process, an hour of waiting for its limits costs nothing, and
events come in the same order on every machine. Code that asks the loop for the time and sleeps by
`asyncio` runs unchanged; nothing in it may use threads or sockets.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class _LeapingSelector(selectors.DefaultSelector):
    """It hands out what is ready. Where nothing is, the time it would have waited has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready and timeout > 0:
            self.now += timeout
        return ready


class _VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._leaping = _LeapingSelector()
        super().__init__(self._leaping)

    def time(self) -> float:
        return self._leaping.now


def run_in_virtual_time(main: Coroutine[Any, Any, Answer]) -> Answer:
    """Do what `asyncio.run` does, in a loop whose time begins at 0 and leaps."""
    with asyncio.Runner(loop_factory=_VirtualTimeLoop) as runner:
        return runner.run(main)
