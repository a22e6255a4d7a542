"""Whose an imported count is: renames beside the files, and what GitHub answers about a name."""

from datetime import UTC, datetime
from pathlib import Path

from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.github_ranking.identity import Rename, surrogate_of
from ghstars_assets.sources.github_ranking.importing import (
    identify_again,
)
from ghstars_assets.sources.github_ranking.names import NameAnswer, keep_answers
from ghstars_assets_tests.support.invented_rankings import (
    DAY,
    RANKING,
    TABLES,
    bring,
    captured_on,
    day_file,
    days_from,
    ids_by_day,
    renames_table,
    silent,
    write_parquet,
)

DAYS = days_from(DAY, 5)
SECOND, THIRD, FOURTH = DAYS[1:4]
LONG_AGO = datetime(2015, 1, 1, tzinfo=UTC)


def test_renames_beside_the_files_join_a_series_and_the_number_stays(
    lake: Lake, tmp_path: Path
) -> None:
    day_file(tmp_path / "files", DAYS[0], cat=1)
    day_file(tmp_path / "files", DAYS[1], lion=2)
    first = bring(lake, tmp_path / "files")
    assert (first.renames, first.identified_anew) == (0, [])
    apart = ids_by_day(lake, "octo/cat", "octo/lion")
    write_parquet(tmp_path / "files/r", renames_table([Rename(DAYS[1], "octo/cat", "octo/lion")]))
    second = bring(lake, tmp_path / "files")
    assert (second.renames, second.identified_anew) == (1, [DAYS[1]])
    joined = ids_by_day(lake, "octo/cat", "octo/lion")
    assert joined[DAYS[0]]["octo/cat"] == joined[DAYS[1]]["octo/lion"] == apart[DAYS[0]]["octo/cat"]


def test_a_rename_written_in_another_case_needs_no_rename_at_all(
    lake: Lake, tmp_path: Path
) -> None:
    day_file(tmp_path / "files", DAYS[0], LLaMA=1)
    day_file(tmp_path / "files", DAYS[1], Llama=2)
    renames = [Rename(DAYS[1], "octo/LLaMA", "octo/Llama")]
    write_parquet(tmp_path / "files/renames.parquet", renames_table(renames))
    bring(lake, tmp_path / "files")
    ids = ids_by_day(lake, "octo/LLaMA", "octo/Llama")
    assert ids[DAYS[0]]["octo/LLaMA"] == ids[DAYS[1]]["octo/Llama"]
    assert lake.read(RANKING, DAYS[1])["full_name"].to_list() == ["octo/Llama"]


def test_githubs_word_takes_over_and_the_counts_stay(lake: Lake, tmp_path: Path) -> None:
    for day in DAYS[:2]:
        day_file(tmp_path / "files", day, cat=day.day, dog=1)
    bring(lake, tmp_path / "files")
    before = {day: lake.read(RANKING, day) for day in DAYS[:2]}
    notes = {part.day: lake.notes(part) for part in lake.partitions(RANKING)}
    keep_answers(lake, TABLES, [NameAnswer("octo/cat", 7, LONG_AGO, "octo/cat")])
    assert identify_again(lake, TABLES, silent) == DAYS[:2]
    for day in DAYS[:2]:
        cat, dog = lake.read(RANKING, day).sort("full_name").iter_rows(named=True)
        assert (cat["repo_id"], cat["identified_by"]) == (7, "github")
        assert (dog["repo_id"], dog["identified_by"]) == (surrogate_of("octo/dog"), "name")
        names = ("repo_id", "identified_by")
        stored = lake.read(RANKING, day).drop(names).sort("full_name")
        assert stored.equals(before[day].drop(names).sort("full_name"))
    assert {part.day: lake.notes(part) for part in lake.partitions(RANKING)} == notes
    assert identify_again(lake, TABLES, silent) == []


def test_a_day_that_comes_after_githubs_word_is_written_with_it(lake: Lake, tmp_path: Path) -> None:
    keep_answers(lake, TABLES, [NameAnswer("octo/CAT", 7, LONG_AGO, "octo/cat")])
    day_file(tmp_path / "files", DAY, cat=1)
    report = bring(lake, tmp_path / "files")
    assert ids_by_day(lake, "octo/cat") == {DAY: {"octo/cat": 7}}
    assert report.identified_anew == []


def test_a_name_made_anew_stays_apart_from_the_one_that_had_it(lake: Lake, tmp_path: Path) -> None:
    for day in DAYS[:4]:
        day_file(tmp_path / "files", day, cat=1)
    bring(lake, tmp_path / "files")
    keep_answers(lake, TABLES, [NameAnswer("octo/cat", 9, captured_on(DAYS[2]), "octo/cat")])
    assert identify_again(lake, TABLES, silent) == DAYS[2:4]
    ids = [day["octo/cat"] for day in ids_by_day(lake, "octo/cat").values()]
    assert ids == [surrogate_of("octo/cat"), surrogate_of("octo/cat"), 9, 9]


def test_a_rename_that_github_refutes_is_reported_and_undone(lake: Lake, tmp_path: Path) -> None:
    day_file(tmp_path / "files", DAYS[0], cat=1)
    day_file(tmp_path / "files", DAYS[1], lion=2)
    guess = Rename(DAYS[1], "octo/cat", "octo/lion")
    write_parquet(tmp_path / "files/renames.parquet", renames_table([guess]))
    assert bring(lake, tmp_path / "files").refuted == []
    answers = [
        NameAnswer("octo/cat", 7, LONG_AGO, "octo/cat"),
        NameAnswer("octo/lion", 8, LONG_AGO, "octo/lion"),
    ]
    keep_answers(lake, TABLES, answers)
    report = bring(lake, tmp_path / "files")
    assert report.refuted == [guess]
    assert "1 renames refuted by GitHub: octo/cat → octo/lion" in report.lines()
    assert ids_by_day(lake, "octo/cat", "octo/lion") == {
        DAYS[0]: {"octo/cat": 7},
        DAYS[1]: {"octo/lion": 8},
    }


def test_while_it_is_renamed_one_may_stand_by_both_names_on_a_day(
    lake: Lake, tmp_path: Path
) -> None:
    day_file(tmp_path / "files", DAY, cat=1, lion=1)
    keep_answers(
        lake, TABLES, [NameAnswer(f"octo/{name}", 7, LONG_AGO, "") for name in ("cat", "lion")]
    )
    bring(lake, tmp_path / "files")
    stored = lake.read(RANKING, DAY).sort("full_name")
    assert stored.select("repo_id", "full_name").rows() == [(7, "octo/cat"), (7, "octo/lion")]
    assert stored.unique(TABLES.ranking.key).height == 2
