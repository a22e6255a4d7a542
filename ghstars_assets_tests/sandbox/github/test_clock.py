import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ghstars_assets.sandbox.github.clock import SandboxClock
from ghstars_assets.sandbox.http.virtual_time import run_in_virtual_time

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_fixed_clock_stands_still() -> None:
    async def looked_at_twice() -> tuple[datetime, datetime]:
        clock = SandboxClock.fixed(NOON)
        before = clock.now()
        await asyncio.sleep(3600)
        return before, clock.now()

    assert run_in_virtual_time(looked_at_twice()) == (NOON, NOON)


def test_a_fixed_clock_needs_no_loop() -> None:
    assert SandboxClock.fixed(NOON).now() == NOON


def test_a_running_clock_goes_with_the_loops_time() -> None:
    async def an_hour_later() -> datetime:
        clock = SandboxClock.running(NOON)
        clock.now()
        await asyncio.sleep(3600)
        return clock.now()

    assert run_in_virtual_time(an_hour_later()) == NOON + HOUR


def test_a_running_clock_starts_when_it_is_first_looked_at() -> None:
    clock = SandboxClock.running(NOON)  # before there is a loop

    async def looked_at_late() -> tuple[datetime, datetime]:
        await asyncio.sleep(500)
        first = clock.now()
        await asyncio.sleep(3600)
        return first, clock.now()

    assert run_in_virtual_time(looked_at_late()) == (NOON, NOON + HOUR)


def test_setting_a_clock_changes_the_moment_and_not_the_mode() -> None:
    async def set_and_left_for_an_hour(clock: SandboxClock) -> datetime:
        clock.now()
        await asyncio.sleep(3600)
        clock.set(NOON - 24 * HOUR)
        clock.now()
        await asyncio.sleep(3600)
        return clock.now()

    running, fixed = SandboxClock.running(NOON), SandboxClock.fixed(NOON)
    assert run_in_virtual_time(set_and_left_for_an_hour(running)) == NOON - 23 * HOUR
    assert run_in_virtual_time(set_and_left_for_an_hour(fixed)) == NOON - 24 * HOUR
    assert running.is_running
    assert not fixed.is_running


def test_the_clock_shows_utc_whatever_it_was_given() -> None:
    in_tokyo = NOON.astimezone(timezone(9 * HOUR))
    shown = SandboxClock.fixed(in_tokyo).now()
    assert shown == NOON
    assert shown.tzinfo is UTC


@pytest.fixture
def _in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_in_tokyo")
def test_a_moment_without_a_zone_is_meant_in_utc_on_every_machine() -> None:
    # As in `PUT /sandbox/clock {"at": "2026-03-01T12:00"}`.
    assert SandboxClock.fixed(NOON.replace(tzinfo=None)).now() == NOON
