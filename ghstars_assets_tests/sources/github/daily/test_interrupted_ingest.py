"""A snapshot that is killed again and again: what comes out is what an undisturbed one leaves, and
nothing that was stored is asked for a second time."""

import random
from pathlib import Path

from bench_support.killed_snapshot import DAY, MOST_IN_FLIGHT, KilledSnapshot, serving_github

KILLS = 3


def test_a_snapshot_that_is_killed_three_times_loses_nothing_and_repeats_nothing(
    tmp_path: Path,
) -> None:
    moments = random.Random(20261121)
    with serving_github(tmp_path) as github:
        quiet = KilledSnapshot(tmp_path / "quiet", github)
        quiet.run()
        killed = KilledSnapshot(tmp_path / "killed", github)
        for _ in range(KILLS):
            stored = killed.run_and_kill_after(moments.randint(1, 6))
            # At the moment of the kill, part of the day is stored and no partition is there.
            assert 0 < len(stored) < quiet.rows().height
            assert not killed.is_done()
        killed.run()
        assert killed.rows().equals(quiet.rows())
        assert killed.stored() == set()
        assert killed.asked_again() == set()
        # GitHub answered twice only for what was on its way when the process died.
        assert killed.answered_more_than_once() <= KILLS * MOST_IN_FLIGHT
        assert set(killed.rows()["day"]) == {DAY}
