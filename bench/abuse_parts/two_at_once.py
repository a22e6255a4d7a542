"""Two of everything at the same time: what comes out is what one after the other leaves."""

import random
import socket
from datetime import date
from pathlib import Path

import polars as pl

from abuse_parts.homes import (
    BrokenError,
    lake_of,
    require_equal,
    require_no_run_left,
    require_sentence,
    require_whole,
)
from abuse_parts.kills import ARCHIVE_DAYS, LAST_DAYS, REPEATABLE_BACKFILL
from abuse_parts.rankings import write_archive
from abuse_parts.scenario import Ground, Scenario
from bench_support.equal_lakes import TAKEN_IN_AT
from ghstars_assets.calendar import DayRange, utc_today

TRACKED = {"GHSTARS_TRACK_STARS": "0.."}


def _backfills(ground: Ground, _dice: random.Random) -> str:
    home = ground.homes.without_days_from(LAST_DAYS.first)
    running = [ground.commands.start(home, *REPEATABLE_BACKFILL, settings=TRACKED) for _ in "ab"]
    for ran in [one.end() for one in running]:
        if ran.code != 0:
            raise BrokenError(f"one of two fails: {ran.output.strip()[-300:]}")
    _require_sound(home)
    require_equal(ground.homes.filled, home, LAST_DAYS)
    ground.homes.remove(home)
    return "both done, the rows of one"


def _promotes(ground: Ground, _dice: random.Random) -> str:
    return _decisions(ground, ("promote", "stars", "1"), ("promote", "stars", "2"))


def _promote_and_rollback(ground: Ground, _dice: random.Random) -> str:
    return _decisions(ground, ("promote", "stars", "2"), ("rollback", "stars", "--to=1"))


def _decisions(ground: Ground, *commands: tuple[str, ...]) -> str:
    """Both are on record in some order, and everything follows the later one."""
    home = ground.homes.copy()
    before = _decided(home).height
    running = [ground.commands.start(home, *command, "--why=abuse") for command in commands]
    for ran in [one.end() for one in running]:
        require_sentence(ran.output)
        if ran.code != 0:
            raise BrokenError(f"one of two fails: {ran.output.strip()[-300:]}")
    _require_sound(home)
    log = _decided(home)
    if log.height != before + 2:
        raise BrokenError(f"{log.height - before} decisions are on record in place of 2")
    serving = log["model_version"][-1]
    today = utc_today()
    if lake_of(home).read("stars.champion", today)["model_version"].to_list() != [serving]:
        raise BrokenError(f"version {serving} serves, and `champion` of {today} says another")
    published = (home / "lake/models/stars/latest.json").read_text()
    if f'"version": {serving}' not in published:
        raise BrokenError(f"version {serving} serves, and another is published")
    ground.homes.remove(home)
    return "both on record, the later one serves"


def _decided(home: Path) -> pl.DataFrame:
    log = lake_of(home).read_log("stars.decisions")
    assert log is not None  # noqa: S101 - the filled home has decided
    return log


def _imports(ground: Ground, _dice: random.Random) -> str:
    homes = [ground.homes.empty() for _ in range(2)]
    for home in homes:
        write_archive(home / "archive", DayRange(ARCHIVE_DAYS.first, date(2024, 3, 9)))
    quiet, home = homes
    running = [ground.commands.start(home, "import", "stars", "archive") for _ in "ab"]
    alone = ground.commands.run(quiet, "import", "stars", "archive")
    for ran in [alone, *(one.end() for one in running)]:
        if ran.code != 0:
            raise BrokenError(f"one of them fails: {ran.output.strip()[-300:]}")
    _require_sound(home)
    rows = [lake_of(at).scan("stars.github_ranking").drop(TAKEN_IN_AT).collect() for at in homes]
    if not rows[0].equals(rows[1]):
        raise BrokenError("two imports at once leave other rows than one")
    return "both done, the rows of one"


def _ups(ground: Ground, _dice: random.Random) -> str:
    """The second `up` of a home is refused, and the first goes on."""
    home = ground.homes.copy()
    ports = {"GHSTARS_WEB_PORT": str(_free_port()), "GHSTARS_MLFLOW_PORT": str(_free_port())}
    first = ground.commands.start(home, "up", settings=ports)
    first.wait_for("Interrupt (Ctrl-C) to stop.")
    second = ground.commands.run(home, "up", settings=ports)
    first.interrupt()
    ended = first.end()
    require_sentence(second.output)
    if second.code != 1:
        raise BrokenError(f"the second ended with {second.code}: {second.output.strip()[-300:]}")
    if ended.code != 0:
        raise BrokenError(f"the first ended with {ended.code}: {ended.output.strip()[-300:]}")
    _require_sound(home)
    ground.homes.remove(home)
    return "the second is refused in a sentence"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _require_sound(home: Path) -> None:
    require_whole(home)
    require_no_run_left(home)


SCENARIOS = [
    Scenario("Two at once", "two backfills of the same days", _backfills, 0, 5),
    Scenario("Two at once", "two promotions of different versions", _promotes, 1, 8),
    Scenario("Two at once", "a promotion and a rollback", _promote_and_rollback, 0, 8),
    Scenario("Two at once", "two imports into an empty home", _imports, 0, 8),
    Scenario("Two at once", "two `up` of one home", _ups, 0, 2),
]
