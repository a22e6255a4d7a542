"""The size of a batch: half after a failure, one more after each success."""

from ghstars_assets.sources.github.api.batching import MOST_AT_ONCE, BatchSize


def test_it_halves_when_a_full_batch_fails_and_grows_back() -> None:
    size = BatchSize()
    size.failed(MOST_AT_ONCE)
    assert size.now == MOST_AT_ONCE // 2
    for _ in range(MOST_AT_ONCE):
        size.worked(size.now)
    assert size.now == MOST_AT_ONCE


def test_a_split_batch_that_fails_again_says_nothing_of_the_size() -> None:
    size = BatchSize()
    size.failed(MOST_AT_ONCE)
    before = size.now
    for small in (12, 6, 3, 1):
        size.failed(small)
    assert size.now == before


def test_it_never_comes_to_nothing() -> None:
    size = BatchSize()
    for _ in range(20):
        size.failed(size.now)
    assert size.now == 1
