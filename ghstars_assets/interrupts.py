"""Ctrl-C: remembered, and passed on at once to what runs outside of Python.

Python raises `KeyboardInterrupt` between two of its own instructions, and a query of DuckDB may be
a single one that takes minutes. So a thread hears of the signal as it arrives and calls whatever
wants to be called.
"""

import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_asked = threading.Event()
_called: list[Callable[[], object]] = []
_END = 0
"""No signal has this number."""
AGAIN_SECONDS = 0.2


def is_interrupted() -> bool:
    """Whether Ctrl-C was pressed, though something may have caught or renamed the exception."""
    return _asked.is_set()


def forget_interrupt() -> None:
    """Go on as if nothing had happened: a prompt survives the query that was cancelled."""
    _asked.clear()


@contextmanager
def called_on_interrupt(action: Callable[[], object]) -> Iterator[None]:
    """Call this, from another thread, when Ctrl-C is pressed meanwhile."""
    _called.append(action)
    try:
        yield
    finally:
        _called.remove(action)


@contextmanager
def passing_interrupts_on() -> Iterator[None]:
    """Pass Ctrl-C on and raise nothing of Python's own, which may come after what it was passed on
    to has raised, and anywhere."""
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def interrupts_as_asyncio_likes() -> Iterator[None]:
    """Leave Ctrl-C to asyncio while it runs: it cancels its task and raises `KeyboardInterrupt`
    when that has ended. An exception of anybody else's handler, raised amid its event loop, would
    be logged by the loop and lost; asyncio replaces none but Python's own handler."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def hearing_interrupts() -> Iterator[None]:
    """Hear of Ctrl-C while a command runs. What Python itself does about it stays as it is."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    _asked.clear()
    reading, writing = os.pipe()
    for end in (reading, writing):
        os.set_blocking(end, end == reading)
    listener = threading.Thread(target=_listen, args=(reading,), daemon=True)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.write(writing, bytes([_END]))
        listener.join()
        os.close(reading)
        os.close(writing)


def _listen(reading: int) -> None:
    """Read the numbers of the signals as they arrive."""
    while True:
        # A query that began in the very moment of the signal has not heard of it: once more.
        waits = AGAIN_SECONDS if _asked.is_set() and _called else None
        ready, _, _ = select.select([reading], [], [], waits)
        number = os.read(reading, 1)[0] if ready else None
        if number == _END:
            return
        if number == signal.SIGINT:
            _asked.set()
        for action in list(_called) if _asked.is_set() else ():
            # It may have ended meanwhile.
            with suppress(Exception):
                action()
