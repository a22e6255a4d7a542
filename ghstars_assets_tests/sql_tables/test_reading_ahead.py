"""A generator on a thread of its own."""

import threading
from collections.abc import Iterator

import pytest

from ghstars_assets.sql_tables.reading_ahead import read_ahead


def test_items_come_in_their_order() -> None:
    with read_ahead(iter(range(100)), most=3) as items:
        assert list(items) == list(range(100))


def test_no_more_than_so_many_wait() -> None:
    made: list[int] = []
    enough = threading.Event()

    def numbers() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if number == 4:
                enough.set()
            yield number

    with read_ahead(numbers(), most=3) as items:
        assert next(items) == 0
        assert enough.wait(10)
        # One is used, three wait, and one is in the worker's hands.
        assert len(made) == 5


def test_the_generators_own_error_is_raised_where_it_is_used() -> None:
    def breaks() -> Iterator[int]:
        yield 1
        raise ValueError("the disk is gone")

    with read_ahead(breaks(), most=3) as items:
        assert next(items) == 1
        with pytest.raises(ValueError, match="the disk is gone"):
            next(items)


def test_the_worker_ends_with_a_user_who_leaves_early() -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 1

    def leave() -> None:
        with read_ahead(endless(), most=2) as items:
            next(items)
            raise KeyError("had enough")

    before = threading.active_count()
    with pytest.raises(KeyError, match="had enough"):
        leave()
    assert threading.active_count() == before
