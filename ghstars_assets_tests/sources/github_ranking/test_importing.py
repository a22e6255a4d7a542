"""Days come into the lake by what files hold, in any order, however often, wherever killed."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.github_ranking import importing
from ghstars_assets.sources.github_ranking.identity import Rename, surrogate_of
from ghstars_assets.sources.github_ranking.importing import (
    ImportReport,
)
from ghstars_assets_tests.support.invented_rankings import (
    CAPTURED,
    DAY,
    RANKING,
    TABLES,
    bring,
    captured_on,
    condensed,
    contents_by_day,
    day_file,
    days_from,
    ids_by_day,
    lake_at,
    lists,
    quality_table,
    renames_table,
    row,
    stars_by_name,
    write,
    write_parquet,
)

DAYS = days_from(DAY, 5)
SECOND, THIRD, FOURTH = DAYS[1:4]
LONG_AGO = datetime(2015, 1, 1, tzinfo=UTC)


def content(lake: Lake) -> dict[str, bytes | None]:
    return {file.key: lake.store.get(file.key) for file in lake.store.files("stars/")}


# ---- a day --------------------------------------------------------------------------------------


def test_a_day_is_stored_as_the_archive_has_it(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    monkeypatch.setattr(importing, "utc_now", lambda: now)
    content = lists(row(stars=100, item="Go"), row(stars=101, item="top-100-stars"))
    write(tmp_path / "files/github-ranking-2024-03-05.csv.gz", content)
    report = bring(lake, tmp_path / "files")
    assert (report.new, report.rows, report.unusable) == ({DAY}, 1, [])
    (stored,) = lake.read(RANKING, DAY).iter_rows(named=True)
    assert stored == {
        "day": DAY,
        "repo_id": surrogate_of("octo/cat"),
        "full_name": "octo/cat",
        "identified_by": "name",
        "stars": 101,
        "stars_lowest": 100,
        "forks": 20,
        "open_issues": 3,
        "language": "Python",
        "pushed_at": CAPTURED,
        "lists": 2,
        "observed_at": CAPTURED,
        "ingested_at": now,
    }
    assert lake.read(RANKING, DAY).schema == TABLES.ranking.empty().schema


def test_only_the_days_asked_for_come(lake: Lake, tmp_path: Path) -> None:
    for day in DAYS[:3]:
        day_file(tmp_path / "files", day, cat=1)
    rows = [each for day in DAYS for each in condensed(day, cat=1)]
    write_parquet(tmp_path / "files/table.parquet", rows)
    bring(lake, tmp_path / "files", DayRange(SECOND, FOURTH))
    assert lake.days(RANKING) == DAYS[1:4]


def test_days_without_a_file_stay_empty(lake: Lake, tmp_path: Path) -> None:
    for day in (DAYS[0], DAYS[4]):
        day_file(tmp_path / "files", day, cat=1)
    bring(lake, tmp_path / "files")
    assert lake.days(RANKING) == [DAYS[0], DAYS[4]]


# ---- of two versions of a day -------------------------------------------------------------------


@pytest.mark.parametrize("order", [("raw", "table"), ("table", "raw"), ("both",)])
def test_the_archives_own_file_wins_whichever_comes_first(
    lake: Lake, tmp_path: Path, order: tuple[str, ...]
) -> None:
    for folder in ("raw", "both"):
        day_file(tmp_path / folder, DAY, cat=100)
    for folder in ("table", "both"):
        write_parquet(tmp_path / folder / "a.parquet", condensed(DAY, cat=99, dog=5, owl=3))
    for folder in order:
        bring(lake, tmp_path / folder)
    assert stars_by_name(lake, DAY) == {"octo/cat": 100}


@pytest.mark.parametrize("folders", [("small", "full"), ("full", "small")])
def test_of_two_files_of_a_day_the_fuller_wins_whichever_comes_first(
    lake: Lake, tmp_path: Path, folders: tuple[str, str]
) -> None:
    for number, folder in enumerate(folders):
        stars = {"cat": 1} if folder == "small" else {"cat": 2, "dog": 2}
        day_file(tmp_path / f"files/{number}", DAY, **stars)
    report = bring(lake, tmp_path / "files")
    assert stars_by_name(lake, DAY) == {"octo/cat": 2, "octo/dog": 2}
    assert (report.new, report.replaced, report.kept, report.rows) == ({DAY}, set(), set(), 2)


def test_a_better_version_replaces_the_day_that_is_stored(lake: Lake, tmp_path: Path) -> None:
    write_parquet(tmp_path / "one/table.parquet", condensed(DAY, cat=99))
    bring(lake, tmp_path / "one")
    day_file(tmp_path / "two", DAY, cat=100)
    report = bring(lake, tmp_path / "two")
    assert (report.new, report.replaced, report.kept) == (set(), {DAY}, set())
    again = bring(lake, tmp_path / "one")
    assert (again.new, again.replaced, again.kept) == (set(), set(), {DAY})


def test_what_is_odd_about_a_version_that_was_not_taken_is_not_reported(
    lake: Lake, tmp_path: Path
) -> None:
    """Else the report would say that a quality table's time was taken for a day of the lists."""
    day_file(tmp_path / "files", DAY, cat=100)
    write_parquet(tmp_path / "files/table.parquet", condensed(DAY, cat=99))
    late = {DAY: CAPTURED + timedelta(hours=3)}
    write_parquet(tmp_path / "files/quality.parquet", quality_table(late))
    report = bring(lake, tmp_path / "files")
    assert lake.read(RANKING, DAY)["observed_at"].to_list() == [CAPTURED]
    assert "capture time" not in report.odd


def test_a_version_that_is_replaced_takes_what_was_odd_about_it_along(
    lake: Lake, tmp_path: Path
) -> None:
    same = [row("octo/cat", 1, item=""), row("octo/cat", 2, item="")]
    write(tmp_path / "files/1.csv", lists(*same))
    write(tmp_path / "files/2.csv", lists(row("octo/cat", item=""), row("octo/dog", item="")))
    assert bring(lake, tmp_path / "files").odd == {}


# ---- any order, any repetition, any kill --------------------------------------------------------


@pytest.fixture
def archive(tmp_path: Path) -> list[Path]:
    """Five days with all that is possible: lists, tables of the same days, names that change."""
    parts = [tmp_path / f"archive/{number}" for number in range(5)]
    day_file(parts[0], DAYS[0], cat=10, dog=5, owl=4)
    day_file(parts[0], DAYS[2], "csv.gz", lion=12, dog=6, owl=4)
    day_file(parts[1], DAYS[2], lion=11, dog=6)
    day_file(parts[1], DAYS[3], tiger=14, dog=8)
    for part, stars in ((2, {"cat": 70}), (3, {"cat": 71, "dog": 6})):
        rows = [each for day in DAYS[1:] for each in condensed(day, **stars)]
        write_parquet(parts[part] / "table.parquet", rows)
    renames = [Rename(DAYS[2], "octo/cat", "octo/lion"), Rename(DAYS[3], "octo/lion", "octo/tiger")]
    for part, each in zip(parts[3:], renames, strict=True):
        write_parquet(part / "renames.parquet", renames_table([each]))
    day_file(parts[4], DAYS[4], tiger=15, dog=9)
    return parts


@pytest.fixture
def at_once(archive: list[Path], tmp_path: Path) -> Lake:
    lake = lake_at(tmp_path / "at_once")
    bring(lake, archive[0].parent)
    return lake


def test_all_at_once_is_what_one_would_expect(at_once: Lake) -> None:
    assert {day: stars_by_name(at_once, day) for day in at_once.days(RANKING)} == {
        DAYS[0]: {"octo/cat": 10, "octo/dog": 5, "octo/owl": 4},
        DAYS[1]: {"octo/cat": 71, "octo/dog": 6},
        DAYS[2]: {"octo/lion": 12, "octo/dog": 6, "octo/owl": 4},
        DAYS[3]: {"octo/tiger": 14, "octo/dog": 8},
        DAYS[4]: {"octo/tiger": 15, "octo/dog": 9},
    }
    cat = surrogate_of("octo/cat")
    ids = ids_by_day(at_once, "octo/cat", "octo/lion", "octo/tiger")
    assert {repo_id for day in ids.values() for repo_id in day.values()} == {cat}


def test_importing_again_changes_nothing(
    at_once: Lake, archive: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = content(at_once)
    monkeypatch.setattr(importing, "utc_now", lambda: datetime(2030, 1, 1, tzinfo=UTC))
    report = bring(at_once, archive[0].parent)
    assert (report.new, report.replaced, report.renames) == (set(), set(), 0)
    assert report.kept == set(DAYS)
    assert report.identified_anew == []
    assert content(at_once) == stored


@pytest.mark.parametrize("seed", range(6))
def test_any_order_gives_the_same_lake(
    at_once: Lake, archive: list[Path], tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    lake = lake_at(tmp_path / "in_parts")
    for part in dice.sample(archive, 5) + dice.sample(archive, 2):
        bring(lake, part)
    assert contents_by_day(lake) == contents_by_day(at_once)


def killing(after: int) -> Callable[..., object]:
    """`Lake.write` for as many days, and then the end."""
    write_day, written = Lake.write, []

    def write_or_die(*given: object, **named: object) -> object:
        if len(written) == after:
            raise KeyboardInterrupt
        written.append(given)
        return write_day(*given, **named)  # type: ignore[arg-type]

    return write_or_die


@pytest.mark.parametrize("after", range(4))
def test_an_import_killed_anywhere_is_taken_up_by_the_next(
    at_once: Lake,
    archive: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
    lake = lake_at(tmp_path / "killed")
    # The renames are learnt last, so that days are written again.
    for part in archive[:3]:
        bring(lake, part)
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "write", killing(after))
        with pytest.raises(KeyboardInterrupt):
            bring(lake, archive[0].parent)
    assert contents_by_day(lake) != contents_by_day(at_once)
    bring(lake, archive[0].parent)
    assert contents_by_day(lake) == contents_by_day(at_once)


# ---- what is amiss ------------------------------------------------------------------------------


def test_the_capture_time_of_the_quality_table_is_when_it_was_observed(
    lake: Lake, tmp_path: Path
) -> None:
    rows = [each for day in DAYS[:2] for each in condensed(day, cat=1)]
    write_parquet(tmp_path / "files/table.parquet", rows)
    captured = {DAYS[0]: captured_on(DAYS[0]) + timedelta(hours=2)}
    write_parquet(tmp_path / "files/quality.parquet", quality_table(captured))
    report = bring(lake, tmp_path / "files")
    observed = [lake.read(RANKING, day)["observed_at"][0] for day in DAYS[:2]]
    assert observed == [captured[DAYS[0]], captured_on(DAYS[1])]
    assert list(report.odd["capture time"]) == [DAYS[0]]


def test_a_quality_table_that_comes_later_shows_when_the_days_were_captured(
    lake: Lake, tmp_path: Path
) -> None:
    write_parquet(tmp_path / "one/table.parquet", condensed(DAY, cat=1))
    write_parquet(tmp_path / "two/table.parquet", condensed(DAY, cat=1))
    captured = {DAY: CAPTURED + timedelta(minutes=2)}
    write_parquet(tmp_path / "two/quality.parquet", quality_table(captured))
    for folder in ("one", "two", "one"):
        bring(lake, tmp_path / folder)
    assert lake.read(RANKING, DAY)["observed_at"].to_list() == [captured[DAY]]


def test_unreadable_tables_are_reported_and_the_import_goes_on(lake: Lake, tmp_path: Path) -> None:
    files = tmp_path / "files"
    day_file(files, DAY, cat=1)
    write(files / "renames.csv", b"first_date_new_name,old_name,new_name\nsoon,a/b,c/d\n")
    write(files / "quality.csv", b"snapshot_date,capture_utc\n2024-03-05,soon\n")
    words = condensed(SECOND, cat=1)[0] | {"stars": "many"}
    write_parquet(files / "words.parquet", [words])
    table = write_parquet(
        files / "spoilt.parquet", condensed(THIRD, **{f"r{n}": n for n in range(99)})
    )
    spoilt = bytearray(table.read_bytes())
    spoilt[8:300] = bytes(292)
    table.write_bytes(spoilt)
    report = bring(lake, files)
    assert report.new == {DAY}
    assert [reason.split(" (")[0] for reason in report.unusable] == [
        "renames.csv is damaged or has columns of another type",
        "quality.csv is damaged or has columns of another type",
        "spoilt.parquet is damaged or has columns of another type",
        f"words.parquet: Of {SECOND} no row says anything, so the day was left out.",
    ]
    assert not any("\n" in reason for reason in report.unusable)


def test_one_bad_file_stops_no_other(lake: Lake, tmp_path: Path) -> None:
    files = tmp_path / "files"
    for day in DAYS[:4]:
        day_file(files, day, "csv.gz", cat=1)
    cut = files / f"github-ranking-{DAYS[0]}.csv.gz"
    cut.write_bytes(cut.read_bytes()[:-12])
    write(files / f"github-ranking-{DAYS[1]}.csv.gz", lists())
    wrong = write(files / f"github-ranking-{DAYS[4]}.csv", lists(row()))
    write(files / "README.md", b"# Github Ranking\n")
    report = bring(lake, files)
    assert report.new == set(DAYS[2:4])
    assert len(report.unusable) == 3
    assert all("it was left out" in reason for reason in report.unusable)
    assert report.unusable[2].startswith(f"{wrong.name} holds the lists of {DAY}")
    assert report.unknown == ["1 × .md, such as README.md"]


def test_a_day_with_far_fewer_repositories_than_the_days_around_it_is_reported(
    lake: Lake, tmp_path: Path
) -> None:
    for number, day in enumerate(DAYS):
        day_file(tmp_path / "files", day, **{f"r{n}": 1 for n in range(6 if number == 3 else 10)})
    report = bring(lake, tmp_path / "files")
    assert report.odd["few repositories"] == {FOURTH: "6, usually 10"}


# ---- the report ---------------------------------------------------------------------------------


def test_the_report_is_a_line_a_thing() -> None:
    report = ImportReport(
        new=set(DAYS[:2]),
        replaced={THIRD},
        kept={FOURTH},
        absent=set(days_from(DAY, 1200)),
        identified_anew=[DAY],
        rows=6900,
        renames=3,
        refuted=[Rename(DAY, f"a/{n}", f"b/{n}") for n in range(4)],
        unusable=[f"file {n}" for n in range(12)],
        unknown=["2 × .md, such as README.md", "1 × .py, such as process.py"],
    )
    report.odd["short lists"] |= {day: f"seen on {day.day}" for day in DAYS[:3]}
    report.odd["capture time"][DAY] = "unknown"
    assert list(report.lines()) == [
        "4 days read: 2 new (6,900 rows), 1 replaced by a better file, 1 kept as they were",
        "1,200 days asked for that the archive has no file of",
        "3 renames learnt",
        "4 renames refuted by GitHub: a/0 → b/0, a/1 → b/1, a/2 → b/2",
        "1 days written again, a repository known better",
        "capture time on 1 days (2024-03-05: unknown)",
        "short lists on 3 days (2024-03-05: seen on 5; 2024-03-07: seen on 7)",
        *(f"not used: file {n}" for n in range(10)),
        "not used: 2 more files",
        "of no use to us: 2 × .md, such as README.md; 1 × .py, such as process.py",
    ]


def test_a_report_of_nothing_is_one_line() -> None:
    (line,) = ImportReport().lines()
    assert line.startswith("0 days read: 0 new (0 rows)")
