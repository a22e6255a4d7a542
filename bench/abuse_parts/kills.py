"""Commands that write are killed at any of their writes, or meet a full disk there, and are run
again: what comes out is what an undisturbed one leaves."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from abuse_parts.commands import KILLED, Ran
from abuse_parts.faults import Fault, Kind
from abuse_parts.homes import (
    BrokenError,
    lake_of,
    require_equal,
    require_no_run_left,
    require_same_log,
    require_sentence,
    require_whole,
)
from abuse_parts.rankings import write_archive
from abuse_parts.scenario import Ground, Scenario
from bench_support.equal_lakes import TAKEN_IN_AT
from ghstars_assets.calendar import DayRange

LAST_DAYS = DayRange(date(2026, 8, 13), date(2026, 8, 14))
"""Of the filled home; forecast by a version that was trained before."""
QUARANTINED_DAY = date(2026, 6, 24)
WORLD_DAYS = DayRange(date(2026, 6, 1), date(2026, 8, 14))
DECISION = ["model_version", "decision", "effective_from", "reason"]
ARCHIVE_DAYS = DayRange(date(2024, 3, 5), date(2024, 3, 24))


@dataclass(frozen=True)
class Writing:
    """A command that writes: the home it begins in, and what must be equal at its end."""

    name: str
    arguments: Sequence[str]
    begin: Callable[[Ground], Path]
    require_same: Callable[[Path, Path], None]
    already_done: str = "\0"
    """What the command may say in place of doing its work a second time."""
    settings: tuple[tuple[str, str], ...] = (("GHSTARS_TRACK_STARS", "0.."),)


def _same_days(days: DayRange) -> Callable[[Path, Path], None]:
    return lambda undisturbed, home: require_equal(undisturbed, home, days)


def _same_decisions(undisturbed: Path, home: Path) -> None:
    require_same_log(undisturbed, home, "stars.decisions", DECISION)
    require_equal(undisturbed, home, WORLD_DAYS)
    latest = [Path(at, "lake/models/stars/latest.json").read_bytes() for at in (undisturbed, home)]
    if latest[0] != latest[1]:
        raise BrokenError("another version is published than serves")


def _same_releases(undisturbed: Path, home: Path) -> None:
    require_same_log(undisturbed, home, "stars.releases", ["day", "reason"])
    require_equal(undisturbed, home, WORLD_DAYS)


def _same_archive(undisturbed: Path, home: Path) -> None:
    rows = [
        lake.scan("stars.github_ranking").drop(TAKEN_IN_AT).collect()
        for lake in map(lake_of, (undisturbed, home))
    ]
    if not rows[0].equals(rows[1]):
        raise BrokenError("another archive was imported than undisturbed")


def _bare(ground: Ground) -> Path:
    return ground.homes.copy()


def _without_last_days(ground: Ground) -> Path:
    return ground.homes.without_days_from(LAST_DAYS.first)


def _with_archive(ground: Ground) -> Path:
    home = ground.homes.empty()
    write_archive(home / "archive", ARCHIVE_DAYS)
    return home


REPEATABLE_BACKFILL = (
    *("backfill", "stars", f"--from={LAST_DAYS.first}", f"--to={LAST_DAYS.last}"),
)
BACKFILL = Writing(
    "backfill",
    REPEATABLE_BACKFILL,
    _without_last_days,
    _same_days(LAST_DAYS),
)
PROMOTE = Writing(
    "promote", ("promote", "stars", "1", "--why=abuse"), _bare, _same_decisions, "serves already"
)
ROLLBACK = Writing(
    "rollback",
    ("rollback", "stars", "--to=1", "--why=abuse"),
    _bare,
    _same_decisions,
    "serves already",
)
RELEASE = Writing(
    "release",
    ("release", "stars", str(QUARANTINED_DAY), "--why=abuse"),
    _bare,
    _same_releases,
    "in quarantine",
)
IMPORT = Writing("import", ("import", "stars", "archive"), _with_archive, _same_archive)
START = Writing(
    "start --sandbox",
    ("start", "--sandbox", "--days=60"),
    lambda ground: ground.homes.empty(),
    lambda _undisturbed, _home: None,
    settings=(("GHSTARS_SANDBOX_DAYS", "120"), ("GHSTARS_SANDBOX_REPOSITORIES", "60")),
)
ALL_WRITING = (BACKFILL, PROMOTE, ROLLBACK, RELEASE, IMPORT, START)


@cache
def _undisturbed(writing: Writing, ground: Ground) -> tuple[Path, Ran]:
    """A home in which the command ran whole, and how many writes that took."""
    home = writing.begin(ground)
    ran = ground.commands.run(home, *writing.arguments, settings=dict(writing.settings))
    if ran.code != 0:
        raise BrokenError(f"undisturbed, {writing.name} fails: {ran.output.strip()[-400:]}")
    return home, ran


def _hurt(writing: Writing, kind: Kind, ground: Ground, dice: random.Random) -> str:
    undisturbed, whole = _undisturbed(writing, ground)
    home = writing.begin(ground)
    place = dice.choice([place for place, writes in whole.writes.items() if writes])
    fault = Fault(kind, place, dice.randint(1, whole.writes[place]))
    settings = dict(writing.settings)
    ran = ground.commands.run(home, *writing.arguments, fault=fault, settings=settings)
    where = f"{place.name.lower()}, write {fault.at_write} of {whole.writes[place]}"
    try:
        require_whole(home)
        if kind is Kind.FULL_DISK:
            require_sentence(ran.output)
        again = ground.commands.run(home, *writing.arguments, settings=settings)
        require_sentence(again.output)
        if again.code != 0 and writing.already_done not in again.output:
            raise BrokenError(f"run again, it fails: {again.output.strip()[-300:]}")
        require_whole(home)
        require_no_run_left(home)
        writing.require_same(undisturbed, home)
    except BrokenError as error:
        raise BrokenError(f"{where}: {error}") from None
    ground.homes.remove(home)
    if kind is Kind.FULL_DISK:
        said = "failed in a sentence" if ran.code == 1 else "ended whole all the same"
        return f"{said}; with space again, equal"
    return "killed; run again, equal" if ran.code == KILLED else "ended before; run again, equal"


def _scenario(writing: Writing, kind: Kind, few: int, many: int) -> Scenario:
    group, verb = {
        Kind.KILL: ("Kills", "SIGKILL in the middle of a write of"),
        Kind.FULL_DISK: ("Full disks", "no space left from some write on, in"),
    }[kind]
    return Scenario(
        group,
        f"{verb} `{writing.name}`",
        lambda ground, dice: _hurt(writing, kind, ground, dice),
        few,
        many,
    )


SCENARIOS = [
    _scenario(BACKFILL, Kind.KILL, 0, 20),
    _scenario(IMPORT, Kind.KILL, 1, 20),
    _scenario(PROMOTE, Kind.KILL, 1, 20),
    _scenario(ROLLBACK, Kind.KILL, 0, 20),
    _scenario(RELEASE, Kind.KILL, 0, 10),
    _scenario(START, Kind.KILL, 0, 4),
    _scenario(BACKFILL, Kind.FULL_DISK, 0, 20),
    _scenario(IMPORT, Kind.FULL_DISK, 1, 20),
    _scenario(PROMOTE, Kind.FULL_DISK, 0, 20),
    _scenario(START, Kind.FULL_DISK, 0, 4),
]
