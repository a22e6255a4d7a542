"""`ghstars import`: what it prints, what it leaves behind, and what it refuses."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.cli.data import import_history
from ghstars_assets.lake.marker import Marker, SandboxWorld, mark_lake, read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.orchestration.runs import Recorded, dagster_instance
from ghstars_assets.sandbox.http.child import RunningSandbox, running_sandbox
from ghstars_assets.sandbox.world.world import World, WorldSpec
from ghstars_assets.sources.github_ranking import places
from ghstars_assets_tests.support.filled_home import settings_of
from ghstars_assets_tests.support.ghstars_command import Ghstars, code_of
from ghstars_assets_tests.support.invented_hours import hour_of
from ghstars_assets_tests.support.invented_rankings import (
    DAY,
    RANKING,
    TABLES,
    condensed,
    contents_by_day,
    day_file,
    days_from,
    lists,
    stars_by_name,
    write,
    write_parquet,
)

DAYS = days_from(DAY, 3)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def lake(home: Path) -> Lake:
    return Lake(settings_of(home))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of the archive with three days, and what else lies in such a clone."""
    folder = tmp_path / "Github-Ranking"
    for day in DAYS:
        day_file(folder / "Data", day, cat=day.day, dog=2)
    write(folder / "README.md", b"# Github Ranking\n")
    return folder


@pytest.fixture
def no_dagster(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what is printed; that days are recorded has a test of its own."""
    monkeypatch.setattr(import_history, "record_in_dagster", lambda *_given: 0)


def test_an_import_reports_what_came_records_it_in_dagster_and_names_what_is_next(
    ghstars: Ghstars, home: Path, lake: Lake, clone: Path
) -> None:
    ran = ghstars(home, "import", "stars", str(clone))
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == (
        "3 days read: 3 new (6 rows), 0 replaced by a better file, 0 kept as they were"
    )
    assert "of no use to us: 1 × .md, such as README.md" in lines
    assert "3 days recorded in Dagster" in ran.err
    assert "ghstars backfill stars --from 2024-03-05 --to 2024-03-07" in ran.err
    assert stars_by_name(lake, DAYS[2]) == {"octo/cat": DAYS[2].day, "octo/dog": 2}
    assert read_marker(lake) == Marker("real")
    with dagster_instance(settings_of(home)) as instance:
        assert Recorded(instance).materialized_days(RANKING) == set(DAYS)


def test_an_import_is_kept_in_its_log_and_in_the_audit(
    ghstars: Ghstars, home: Path, lake: Lake, clone: Path, no_dagster: None
) -> None:
    assert ghstars(home, "import", "stars", str(clone)).code == 0
    log = lake.read_log(TABLES.imports)
    assert log is not None
    (row,) = log.drop("at", "odd").iter_rows(named=True)
    assert row == {
        "place": str(clone),
        "days_new": 3,
        "days_replaced": 0,
        "days_kept": 0,
        "rows": 6,
    }
    audit = lake.read_log("platform.audit")
    assert audit is not None
    (event,) = audit.select("event", "cause", "subject").rows()
    assert event == ("import", f"ghstars import from {clone}", "2024-03-05 to 2024-03-07")


def test_without_a_token_the_report_notes_that_github_was_not_asked(
    ghstars: Ghstars, home: Path, clone: Path, no_dagster: None
) -> None:
    ran = ghstars(home, "import", "stars", str(clone))
    assert "2 names were joined by the renames that are known; with a token GitHub" in " ".join(
        ran.out.split()
    )


def test_a_second_run_changes_nothing(
    ghstars: Ghstars, home: Path, lake: Lake, clone: Path, no_dagster: None
) -> None:
    assert ghstars(home, "import", "stars", str(clone)).code == 0
    before = contents_by_day(lake)
    again = ghstars(home, "import", "stars", str(clone))
    assert again.code == 0
    assert again.out.startswith("3 days read: 0 new (0 rows), 0 replaced")
    assert contents_by_day(lake) == before


def test_a_home_that_began_later_begins_with_the_archive(
    ghstars: Ghstars, home: Path, clone: Path, lake: Lake
) -> None:
    mark_lake(lake, Marker("real", DAYS[-1]))
    ran = ghstars(home, "import", "stars", str(clone))
    assert ran.code == 0, ran.err
    assert f"This home begins on {DAYS[0]} now" in " ".join(ran.err.split())
    filled = ghstars(home, "backfill", "stars", "--stages", "snapshots")
    assert filled.code == 0, filled.err
    assert lake.days("stars.snapshots") == DAYS


def test_only_the_days_that_were_named_come(
    ghstars: Ghstars, home: Path, lake: Lake, clone: Path, no_dagster: None
) -> None:
    first, middle, last = (str(day) for day in DAYS)
    assert ghstars(home, "import", "stars", str(clone), "--to", first).code == 0
    assert lake.days(RANKING) == DAYS[:1]
    assert ghstars(home, "import", "stars", str(clone), "--from", last).code == 0
    assert lake.days(RANKING) == [DAYS[0], DAYS[2]]
    named = ("--from", middle, "--to", middle)
    assert ghstars(home, "import", "stars", str(clone), *named).code == 0
    assert lake.days(RANKING) == DAYS


def test_a_single_file_is_imported(
    ghstars: Ghstars, home: Path, lake: Lake, tmp_path: Path, no_dagster: None
) -> None:
    table = write_parquet(tmp_path / "mine.parquet", condensed(DAY, cat=1))
    assert ghstars(home, "import", "stars", str(table)).code == 0
    assert lake.days(RANKING) == [DAY]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("stars", "CLONE/absent"), "absent does not exist; name a clone of the archive"),
        (("stars", "CLONE/README.md"), "holds 1 files and none that we know"),
        (("bikes!", "CLONE"), "bikes!"),
        (("stars", "CLONE", "--from", "soon"), "'soon' is not a day; write it as YYYY-MM-DD"),
        (("stars", "CLONE", "--to", "2024-02-30"), "'2024-02-30' is not a day"),
        (
            ("stars", "CLONE", "--from", "2024-03-06", "--to", "2024-03-05"),
            "ends before it starts; swap its two days",
        ),
        (("stars", "http://archive.invalid"), "an archive's address begins with https://"),
        (("stars", "ftp://127.0.0.1"), "an archive's address begins with https://"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_and_leaves_no_trace(
    ghstars: Ghstars, home: Path, lake: Lake, clone: Path, arguments: tuple[str, ...], message: str
) -> None:
    given = [each.replace("CLONE", str(clone)) for each in arguments]
    ran = ghstars(home, "import", *given)
    assert (ran.code, ran.out) == (code_of(ran.err), "")
    assert message in ran.err
    assert ran.err.count("\n") == 1
    assert ran.err.startswith("ghstars: ")
    assert read_marker(lake) is None
    assert lake.tables() == []


def test_the_help_lists_what_each_problem_takes(ghstars: Ghstars, home: Path) -> None:
    shown = " ".join(ghstars(home, "import", "--help").out.split())
    assert "What it takes: stars a clone of the Github-Ranking archive" in shown
    assert "hours of GH Archive up to 2025-05" in shown


@pytest.mark.parametrize("arguments", [(), ("stars",), ("stars", "a", "b")])
def test_a_place_must_be_named_and_one_alone(
    ghstars: Ghstars, home: Path, arguments: tuple[str, ...]
) -> None:
    assert ghstars(home, "import", *arguments).code == 2


def test_files_that_turn_out_to_hold_nothing_are_one_sentence(
    ghstars: Ghstars, home: Path, tmp_path: Path, no_dagster: None
) -> None:
    write(tmp_path / "files/github-ranking-2024-03-05.csv", lists())
    ran = ghstars(home, "import", "stars", str(tmp_path / "files"))
    assert ran.code == 1
    assert "github-ranking-2024-03-05.csv holds a header and no row" in ran.err


def test_a_range_without_a_day_is_one_sentence(
    ghstars: Ghstars, home: Path, clone: Path, no_dagster: None
) -> None:
    ran = ghstars(home, "import", "stars", str(clone), "--from", "2025-01-01")
    assert ran.code == 1
    assert "2025-01-01" in ran.err


def test_a_sandbox_takes_no_files_of_the_real_world(
    ghstars: Ghstars, home: Path, lake: Lake, clone: Path
) -> None:
    mark_lake(lake, Marker("sandbox", DAY, SandboxWorld(1, 10, DAY)))
    ran = ghstars(home, "import", "stars", str(clone))
    assert ran.code == 1
    assert "holds sandbox data and takes no real data" in ran.err
    assert lake.tables() == []


# ---- from an invented world's archive, over HTTP ------------------------------------------------

WORLD = WorldSpec(12, 60, date(2026, 6, 1))
"""A world in which a repository is renamed and two days have no file."""
ASKED = DayRange(date(2026, 6, 12), date(2026, 6, 30))
WITHOUT_FILE = {date(2026, 6, 14), date(2026, 6, 26)}
RENAMED = ("quenzanast-works/dusty-nozzle-examples", "ulbmorviru-hq/dusty-nozzle-examples")
NAMED = ("--from", str(ASKED.first), "--to", str(ASKED.last))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(WORLD) as served:
        served.travel_to(ASKED.last + timedelta(days=2))
        yield served


@pytest.fixture
def served(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("GHSTARS_GITHUB_API", sandbox.url)
    monkeypatch.setenv("GHSTARS_GITHUB_TOKEN", sandbox.token)
    return f"{sandbox.url}/github-ranking"


def test_an_archive_on_the_web_comes_day_by_day_and_each_but_once(
    ghstars: Ghstars,
    home: Path,
    lake: Lake,
    served: str,
    no_dagster: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran = ghstars(home, "import", "stars", served, *NAMED)
    assert ran.code == 0, ran.err
    assert set(lake.days(RANKING)) == set(ASKED) - WITHOUT_FILE
    assert "2 days asked for that the archive has no file of" in ran.out
    marker = read_marker(lake)
    assert marker is not None
    assert marker.kind == "sandbox"

    fetched: list[str] = []
    fetch = places._fetched
    monkeypatch.setattr(
        places, "_fetched", lambda client, url: (fetched.append(url), fetch(client, url))[1]
    )
    before = contents_by_day(lake)
    again = ghstars(home, "import", "stars", served, *NAMED)
    assert again.code == 0, again.err
    assert {url[-14:-4] for url in fetched} == {str(day) for day in WITHOUT_FILE}
    assert contents_by_day(lake) == before


def test_github_identifies_the_names_of_an_archive(
    ghstars: Ghstars, home: Path, lake: Lake, served: str, no_dagster: None
) -> None:
    """A name that is left leads to the repository that had it, so a series is not broken."""
    ran = ghstars(home, "import", "stars", served, *NAMED)
    assert ran.code == 0, ran.err
    imported = lake.scan(RANKING).collect()
    assert set(imported["identified_by"]) == {"github"}
    both = imported.filter(pl.col("full_name").is_in(RENAMED))
    assert set(both["full_name"]) == set(RENAMED)
    assert both["repo_id"].n_unique() == 1
    newest = imported.filter(pl.col("day") == ASKED.last).select("full_name", "repo_id")
    world = World(WORLD).snapshot(ASKED.last).select("full_name", "repo_id")
    assert set(newest.rows()) <= set(world.rows())
    assert f"GitHub has told who {newest.height} of {newest.height} repositories are" in ran.out


def test_a_home_of_real_data_takes_nothing_of_an_invented_world(
    ghstars: Ghstars, home: Path, lake: Lake, served: str
) -> None:
    mark_lake(lake, Marker("real"))
    ran = ghstars(home, "import", "stars", served)
    assert ran.code == 1
    assert "holds real data and takes no sandbox data" in ran.err
    assert lake.tables() == []


def test_lists_outside_the_range_beside_hours_within_it_leave_the_lists_alone(
    ghstars: Ghstars, home: Path, lake: Lake, clone: Path, no_dagster: None
) -> None:
    hour_of(clone / "hours", datetime(2021, 7, 21, 7, tzinfo=UTC), 1, 2)
    ran = ghstars(home, "import", "stars", str(clone), "--from", "2021-07-21", "--to", "2021-07-21")
    assert ran.code == 0, ran.err
    assert lake.days(RANKING) == []
    assert lake.days("stars.gharchive") == [date(2021, 7, 21)]
    assert "1 hours of GH Archive read: 1 new" in ran.out


def test_hours_that_cannot_be_trusted_any_more_are_refused_with_the_reason(
    ghstars: Ghstars, home: Path, lake: Lake, tmp_path: Path
) -> None:
    hour_of(tmp_path / "hours", datetime(2025, 6, 1, 7, tzinfo=UTC), 1, 2)
    ran = ghstars(home, "import", "stars", str(tmp_path / "hours"))
    assert ran.code == 1
    assert "cannot be trusted for stars after 2025-05-31" in ran.err
    assert lake.tables() == []
    assert read_marker(lake) is None
