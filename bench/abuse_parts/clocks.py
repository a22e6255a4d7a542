"""Clocks and zones: days are UTC's whatever the machine's zone, on a leap day, over midnight, and
where the clock was set back."""

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from abuse_parts.faults import Fault
from abuse_parts.homes import BrokenError, lake_of, require_equal, require_whole
from abuse_parts.kills import LAST_DAYS, REPEATABLE_BACKFILL
from abuse_parts.scenario import Ground, Scenario, refused_or_done

ZONES = ("Pacific/Kiritimati", "Asia/Kathmandu", "Pacific/Pago_Pago", "America/St_Johns")
LEAP_DAY = date(2028, 2, 29)
TRACKED = {"GHSTARS_TRACK_STARS": "0.."}
_QUESTION = "select current_date::varchar, max(day)::varchar from stars.github"


def _at(moment: datetime) -> Fault:
    """The machine's clock shows this moment when the command begins."""
    return Fault(clock_offset_seconds=round((moment - datetime.now(UTC)).total_seconds()))


def _zone(ground: Ground, dice: random.Random) -> str:
    """A backfill under another zone leaves the rows that one under UTC leaves."""
    zone = dice.choice(ZONES)
    home = ground.homes.without_days_from(LAST_DAYS.first)
    ran = ground.commands.run(home, *REPEATABLE_BACKFILL, settings={**TRACKED, "TZ": zone})
    if ran.code != 0:
        raise BrokenError(f"{zone}: {ran.output.strip()[-300:]}")
    require_equal(ground.homes.filled, home, LAST_DAYS)
    ground.homes.remove(home)
    return "the rows that UTC leaves"


def _zone_of_a_question(ground: Ground, dice: random.Random) -> str:
    """Half an hour before or after midnight UTC `ghstars sql` knows UTC's day."""
    zone, late = dice.choice(ZONES), dice.choice((True, False))
    moment = datetime(2026, 8, 20, 23, 30, tzinfo=UTC) + timedelta(hours=0 if late else 1)
    ran = ground.commands.run(
        ground.homes.filled, "sql", "--csv", _QUESTION, fault=_at(moment), settings={"TZ": zone}
    )
    if f"{moment.date()},2026-08-14" not in ran.output:
        raise BrokenError(f"{zone} at {moment}: {ran.output.strip()[-200:]}")
    return "UTC's day"


def _midnight(ground: Ground, dice: random.Random) -> str:
    """A decision that begins some seconds before midnight is of one day or the other, whole."""
    home = ground.homes.copy()
    moment = datetime(2026, 8, 20, 23, 59, dice.randint(50, 59), tzinfo=UTC)
    ran = ground.commands.run(home, "promote", "stars", "1", "--why=abuse", fault=_at(moment))
    refused_or_done(ran, (0,))
    require_whole(home)
    lake = lake_of(home)
    log = lake.read_log("stars.decisions")
    assert log is not None  # noqa: S101 - the filled home has decided
    day = log["effective_from"][-1]
    if day not in (date(2026, 8, 20), date(2026, 8, 21)):
        raise BrokenError(f"the decision is of {day}")
    if lake.read("stars.champion", day)["model_version"].to_list() != [1]:
        raise BrokenError(f"`champion` of {day} does not say what was decided")
    ground.homes.remove(home)
    return "one day, whole"


def _leap_day(ground: Ground, dice: random.Random) -> str:
    """On a leap day, and the days around it, `status` and decisions work."""
    home = ground.homes.copy()
    day = LEAP_DAY + timedelta(days=dice.choice((-1, 0, 1)))
    noon = _at(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
    ran = ground.commands.run(home, "promote", "stars", "1", "--why=abuse", fault=noon)
    refused_or_done(ran, (0,))
    _require_champion(home, day, 1)
    ground.homes.remove(home)
    return "decided and served on the day"


def _set_back(ground: Ground, dice: random.Random) -> str:
    """The clock is set back by days after a decision: the next one is on record and serves on its
    day; the one that lies ahead by then holds from its own day on."""
    home = ground.homes.copy()
    ahead = datetime(2026, 9, 10, 12, tzinfo=UTC)
    back = ahead - timedelta(days=dice.randint(1, 9))
    for version, moment in ((1, ahead), (2, back)):
        ran = ground.commands.run(
            home, "promote", "stars", str(version), "--why=abuse", fault=_at(moment)
        )
        refused_or_done(ran, (0,))
    _require_champion(home, back.date(), 2)
    _require_champion(home, ahead.date(), 1)
    refused_or_done(ground.commands.run(home, "status", fault=_at(back)))
    require_whole(home)
    ground.homes.remove(home)
    return "each decision holds from its own day on"


def _require_champion(home: Path, day: date, version: int) -> None:
    found = lake_of(home).read("stars.champion", day)["model_version"].to_list()
    if found != [version]:
        raise BrokenError(f"`champion` of {day} says {found} in place of {version}")


SCENARIOS = [
    Scenario("Clocks", "a backfill in a zone far from UTC", _zone, 0, 8),
    Scenario(
        "Clocks", "a question half an hour from midnight UTC, far away", _zone_of_a_question, 4, 20
    ),
    Scenario("Clocks", "a promotion over midnight UTC", _midnight, 0, 8),
    Scenario("Clocks", "a promotion on a leap day and beside it", _leap_day, 0, 6),
    Scenario("Clocks", "the clock set back between two promotions", _set_back, 0, 6),
]
