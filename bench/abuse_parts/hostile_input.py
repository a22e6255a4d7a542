"""What no sensible person writes: settings, statements, names and files. Each is refused in a
sentence, or taken as it is; nothing of it ends in a traceback."""

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from abuse_parts.homes import BrokenError, require_whole
from abuse_parts.rankings import COLUMNS, ranking_row
from abuse_parts.scenario import Ground, Scenario, refused_or_done
from ghstars_assets.settings import PROJECT_ROOT

VALUES = (
    "",
    "   ",
    "nonsense",
    "-1",
    "0",
    "1e400",
    "nan",
    "9" * 400,
    "ünïcødé 💥",
    "[bold]x[/]",
    "%s %d {0} ${HOME}",
    "'; drop table stars; --",
    "/dev/null",
    "s3://",
    "http://[::1",
)
_SETTING = re.compile(r"^#([A-Z][A-Z0-9_]*)=", re.MULTILINE)
LOOKING = (("sql", "select 1"), ("status",), ("doctor",), ("predict", "stars"))

STATEMENTS = (
    "",
    ";",
    "select",
    "select 1; select 2",
    "drop view stars.github",
    "delete from stars.github",
    "insert into stars.github select * from stars.github",
    "attach '/dev/null' as x",
    "copy stars.github to '/dev/full/x.parquet'",
    "install httpfs",
    "load '/dev/null'",
    "select * from read_parquet('/etc/passwd')",
    "select * from read_csv('/etc/shadow-')",
    "select * from stars.\"github\" where day = 'no day'",
    "select * from nothing.at_all",
    "select 1/0, 'nan'::double, 1e308 * 10",
    "select '[bold]' || chr(27) || '[31m' || chr(7)",
    "select repeat('x', 100000)",
    "set memory_limit = '1B'; select count(*) from stars.github",
    "pragma database_list",
    "select 💥",
    "with recursive a(i) as (select 1 union all select i+1 from a where i<1e4) from a",
)

NAMES = (
    ("track", "../../etc/passwd"),
    ("track", "a/b/c"),
    ("track", "owner/"),
    ("track", "/name"),
    ("track", ""),
    ("track", "owner/name\nother/name"),
    ("track", f"owner/{'x' * 5000}"),
    ("track", "💥/💥"),
    ("track", "'; drop table/x"),
    ("track", "[bold]/[red]"),
    ("track", "--stars", "9..1"),
    ("track", "--stars", "-5..1e9"),
    ("track", "--owner", "a b c"),
    ("backfill", "no-problem"),
    ("backfill", "stars", "--from", "2026-02-30"),
    ("backfill", "stars", "--from", "9999-12-31", "--to", "0001-01-01"),
    ("backfill", "stars", "--stages", "nothing,💥"),
    ("gap", "stars", "2026-13-01", "--why", "x"),
    ("gap", "stars", "2026-06-11", "--why", ""),
    ("promote", "stars", "99999999999999999999", "--why", "x"),
    ("promote", "stars", "-1", "--why", "x"),
    ("rollback", "stars", "--to", "0", "--why", "   "),
    ("explain", "stars", "no/such-repository"),
    ("explain", "stars", "[bold]"),
    ("models", "stars", "0"),
    ("release", "stars", "2026-08-14", "2026-08-01", "--why", "x"),
    ("import", "stars", "/no/such/place"),
    ("import", "stars", "ftp://nowhere/x"),
    ("export-duckdb", "/dev/full/x.duckdb"),
)


def all_settings() -> list[str]:
    """Every variable of `.env.example`."""
    return _SETTING.findall((PROJECT_ROOT / ".env.example").read_text(encoding="utf-8"))


def _setting(ground: Ground, dice: random.Random) -> str:
    # A home elsewhere would be made there; it is abused by the command's own tests.
    name = dice.choice([name for name in all_settings() if name != "GHSTARS_HOME"])
    value, command = dice.choice(VALUES), dice.choice(LOOKING)
    home = ground.homes.copy()
    ran = ground.commands.run(home, *command, settings={name: value})
    outcome = _outcome(f"{name}={value[:20]!r} {command[0]}", lambda: refused_or_done(ran))
    ground.homes.remove(home)
    return outcome


def _statement(ground: Ground, dice: random.Random) -> str:
    statement = dice.choice(STATEMENTS)
    home = ground.homes.copy()
    ran = ground.commands.run(home, "sql", statement)
    outcome = _outcome(f"sql {statement[:40]!r}", lambda: refused_or_done(ran))
    _require_untouched(ground, home)
    return outcome


def _name(ground: Ground, dice: random.Random) -> str:
    arguments = dice.choice(NAMES)
    home = ground.homes.copy()
    ran = ground.commands.run(home, *arguments)
    outcome = _outcome(" ".join(arguments)[:60], lambda: refused_or_done(ran))
    require_whole(home)
    ground.homes.remove(home)
    return outcome


def _outcome(what: str, outcome: Callable[[], str]) -> str:
    try:
        return outcome()
    except BrokenError as error:
        raise BrokenError(f"{what}: {error}") from None


def _require_untouched(ground: Ground, home: Path) -> None:
    """A question about the lake leaves every file of it as it was."""
    before, after = (
        {file.relative_to(at): file.read_bytes() for file in (at / "lake").rglob("*.parquet")}
        for at in (ground.homes.filled, home)
    )
    if before != after:
        raise BrokenError("the lake was changed by a question")
    ground.homes.remove(home)


# ---- files that are imported ----------------------------------------------------------------

_GOOD = ranking_row(1, 1000, "2024-03-05T04:03:00Z")
_HEADER = ",".join(COLUMNS)


def _csv(*rows: Sequence[object], header: str = _HEADER) -> bytes:
    return "\n".join([header, *(",".join(f'"{cell}"' for cell in row) for row in rows)]).encode()


def _with(column: str, value: object) -> bytes:
    row = list(_GOOD)
    row[COLUMNS.index(column)] = value
    return _csv(row, ranking_row(2, 2000, "2024-03-05T04:03:00Z"))


def _parquet(frame: pl.DataFrame) -> bytes:
    import io

    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


CONDENSED = pl.DataFrame(
    {"snapshot_date": ["2024-03-05"], "full_name": ["owner/name"], "stars": [5]}
).with_columns(pl.col("snapshot_date").str.to_date())
DAY_FILE = "github-ranking-2024-03-05.csv"
FILES: tuple[tuple[str, str, bytes], ...] = (
    ("an empty file", DAY_FILE, b""),
    ("a header alone", DAY_FILE, _HEADER.encode()),
    ("bytes of nothing", DAY_FILE, bytes(range(256)) * 40),
    ("zeros", DAY_FILE, b"\0" * 10_000),
    ("a line of a megabyte", DAY_FILE, _with("description", "x" * 1_000_000)),
    ("negative stars", DAY_FILE, _with("stars", -5)),
    ("infinite stars", DAY_FILE, _with("stars", "1e400")),
    ("stars that are no number", DAY_FILE, _with("stars", "many")),
    ("more stars than fit", DAY_FILE, _with("stars", "9" * 30)),
    ("a push in the year 0", DAY_FILE, _with("last_commit", "0000-00-00T00:00:00Z")),
    ("a push in the year 9999", DAY_FILE, _with("last_commit", "9999-12-31T23:59:59Z")),
    ("an address elsewhere", DAY_FILE, _with("repo_url", "javascript:alert(1)")),
    ("a name with a path", DAY_FILE, _with("repo_url", "https://github.com/../../etc")),
    ("markup in a name", DAY_FILE, _with("repo_url", "https://github.com/[bold]/[/red]")),
    ("a column too few", DAY_FILE, _csv(_GOOD[:-1], header=_HEADER.rpartition(",")[0])),
    ("a row too short", DAY_FILE, _csv(_GOOD, _GOOD[:3])),
    ("a column twice", DAY_FILE, _csv([*_GOOD, 7], header=f"{_HEADER},stars")),
    ("an open quote", DAY_FILE, _csv(_GOOD) + b'\n"never closed,1,2'),
    ("a mark at its beginning", DAY_FILE, b"\xef\xbb\xbf" + _csv(_GOOD)),
    ("another encoding", DAY_FILE, _csv(_GOOD).decode().encode("utf-16")),
    ("a day that there is not", "github-ranking-2024-02-31.csv", _csv(_GOOD)),
    ("a packed file that is none", f"{DAY_FILE}.gz", b"\x1f\x8b" + b"x" * 50),
    ("Parquet cut short", "archive.parquet", _parquet(CONDENSED)[:-20]),
    ("Parquet that is none", "archive.parquet", b"PAR1" + b"x" * 100 + b"PAR1"),
    ("Parquet of other types", "archive.parquet", _parquet(CONDENSED.cast(pl.String))),
    (
        "Parquet with negative stars",
        "archive.parquet",
        _parquet(CONDENSED.with_columns(stars=pl.lit(-3))),
    ),
    ("Parquet without rows", "archive.parquet", _parquet(CONDENSED.clear())),
)


def _file(ground: Ground, dice: random.Random) -> str:
    what, name, content = dice.choice(FILES)
    home = ground.homes.empty()
    (home / "archive").mkdir()
    (home / "archive" / name).write_bytes(content)
    ran = ground.commands.run(home, "import", "stars", "archive")
    outcome = _outcome(what, lambda: refused_or_done(ran))
    require_whole(home)
    _require_possible_counts(what, home)
    ground.homes.remove(home)
    return outcome


def _require_possible_counts(what: str, home: Path) -> None:
    for file in (home / "lake").glob("stars/github_ranking/*/*.parquet"):
        stars = pl.read_parquet(file)["stars"].drop_nulls()
        if stars.len() and (stars.min() or 0) < 0:  # pyright: ignore[reportOperatorIssue]
            raise BrokenError(f"{what}: a count below zero was stored")


SCENARIOS = [
    Scenario(
        "Hostile input", "a variable of `.env.example` with a value of fifteen", _setting, 4, 200
    ),
    Scenario("Hostile input", "a statement of `ghstars sql`", _statement, 4, 60),
    Scenario("Hostile input", "a name, a day, a number on the command line", _name, 4, 90),
    Scenario("Hostile input", "a CSV or Parquet file that is imported", _file, 4, 80),
]
