"""Lets a generator work on a thread of its own, a few items ahead of whoever uses them."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")

_PATIENCE_SECONDS = 0.2


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


class _Ended:
    pass


@contextmanager
def read_ahead(items: Iterator[Item], most: int) -> Iterator[Iterator[Item]]:
    """At most so many items wait. When the user is gone, by an error or otherwise, the generator
    is ended too; its own error is raised where it is used."""
    waiting: queue.Queue[Item | _Failed | _Ended] = queue.Queue(most)
    is_over = threading.Event()

    def hand_over(item: Item | _Failed | _Ended) -> None:
        while not is_over.is_set():
            try:
                waiting.put(item, timeout=_PATIENCE_SECONDS)
            except queue.Full:
                continue
            return

    def work() -> None:
        try:
            for item in items:
                hand_over(item)
                if is_over.is_set():
                    return
            hand_over(_Ended())
        except BaseException as error:  # noqa: BLE001 - raised again by the reader
            hand_over(_Failed(error))

    def used() -> Iterator[Item]:
        while True:
            item = waiting.get()
            if isinstance(item, _Failed):
                raise item.error
            if isinstance(item, _Ended):
                return
            yield item

    worker = threading.Thread(target=work, name="reading ahead", daemon=True)
    worker.start()
    try:
        yield used()
    finally:
        is_over.set()
        worker.join()
