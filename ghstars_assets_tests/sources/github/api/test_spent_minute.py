"""How long the work of the last minute keeps new work waiting."""

from hypothesis import given
from hypothesis import strategies as st

from ghstars_assets.sources.github.api.governor import (
    WINDOW_SECONDS,
    _Spent,
)

_AGES = st.lists(st.tuples(st.floats(0.01, 59.9), st.floats(0.05, 10.0)), min_size=1, max_size=25)


@given(_AGES)
def test_the_wait_is_just_long_enough_whatever_the_answer_takes(
    ages: list[tuple[float, float]],
) -> None:
    """Against trying every length of the answer, moment by moment."""
    limit, longest, now, step = 60.0, 10.0, 1000.0, 0.01
    entries = sorted((now - age, amount) for age, amount in ages)
    spent = _Spent(limit)
    for at, amount in entries:
        spent.add(at, amount)

    def fits(start: float) -> bool:
        # It comes to the most just before an entry leaves the minute, or at the very longest.
        ends = [at + WINDOW_SECONDS - 1e-9 for at, _ in entries]
        lengths = [longest, *(end - start for end in ends if 0 < end - start < longest)]
        return all(
            length + sum(amount for at, amount in entries if at > start + length - WINDOW_SECONDS)
            <= limit
            for length in lengths
        )

    wait = spent.wait_seconds_for_work(now, longest)
    assert fits(now + wait)
    if wait > 0:
        assert not fits(now + wait - step)
    spent.forget(now + wait)
    assert spent.wait_seconds_for_work(now + wait, longest) == 0
