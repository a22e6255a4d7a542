"""What is known of names: logs that only grow, and GitHub's own word, asked for in batches."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ghstars_assets.lake.marker import Marker, SandboxWorld
from ghstars_assets.lake.tables import Lake
from ghstars_assets.sandbox.http.child import RunningSandbox, running_sandbox
from ghstars_assets.sandbox.world.world import World, WorldSpec
from ghstars_assets.settings import Settings
from ghstars_assets.sources.github.api.answers import TooHeavyError
from ghstars_assets.sources.github_ranking import asking
from ghstars_assets.sources.github_ranking.asking import ask_names
from ghstars_assets.sources.github_ranking.identity import Identity, Rename, surrogate_of
from ghstars_assets.sources.github_ranking.names import (
    NameAnswer,
    answered_names,
    archived_names,
    identities,
    keep_answers,
    keep_renames,
    known_renames,
    outdated_days,
    renames_in,
)
from ghstars_assets_tests.support.invented_rankings import (
    DAY,
    TABLES,
    bring,
    day_file,
    days_from,
    renames_table,
)

LONG_AGO = datetime(2015, 1, 1, tzinfo=UTC)
TO_LION = Rename(DAY, "octo/cat", "octo/lion")
TO_TIGER = Rename(DAY + timedelta(days=1), "octo/lion", "octo/tiger")


# ---- renames ------------------------------------------------------------------------------------


def test_a_rename_is_learnt_once(lake: Lake) -> None:
    assert known_renames(lake, TABLES) == []
    assert keep_renames(lake, TABLES, [TO_TIGER, TO_LION, TO_LION]) == 2
    assert keep_renames(lake, TABLES, [TO_LION]) == 0
    assert keep_renames(lake, TABLES, []) == 0
    assert known_renames(lake, TABLES) == [TO_LION, TO_TIGER]
    assert len(lake.log_entries(TABLES.renames)) == 1


def test_renames_are_read_from_a_table_with_whatever_else_it_holds() -> None:
    table = pl.DataFrame(renames_table([TO_LION, TO_TIGER]))
    assert renames_in(table) == [TO_LION, TO_TIGER]
    at_midnight = table.with_columns(pl.col("first_date_new_name").cast(pl.Datetime))
    assert renames_in(at_midnight) == [TO_LION, TO_TIGER]


def test_half_a_rename_is_none() -> None:
    table = pl.DataFrame(renames_table([TO_LION, TO_TIGER]))
    half = table.with_columns(old_name=pl.Series(["octo/cat", None]))
    assert renames_in(half) == [TO_LION]


# ---- GitHub's answers ---------------------------------------------------------------------------


def test_an_answer_is_kept_for_a_name_in_any_case(lake: Lake) -> None:
    keep_answers(lake, TABLES, [NameAnswer("Octo/Cat", 7, LONG_AGO, "Octo/Cat")])
    keep_answers(lake, TABLES, [])
    assert answered_names(lake, TABLES) == {"octo/cat"}
    assert identities(lake, TABLES).of("OCTO/CAT", DAY) == Identity(7, "github")


def test_the_newest_answer_counts(lake: Lake) -> None:
    for repo_id in (7, 9, 8):
        keep_answers(lake, TABLES, [NameAnswer("octo/cat", repo_id, LONG_AGO, "octo/cat")])
    assert identities(lake, TABLES).of("octo/cat", DAY).repo_id == 8


def test_that_nobody_has_a_name_now_takes_no_id_away(lake: Lake) -> None:
    """It may be private or gone; who it was is known all the same."""
    keep_answers(lake, TABLES, [NameAnswer("octo/cat", 7, LONG_AGO, "octo/cat")])
    keep_answers(
        lake, TABLES, [NameAnswer(name, None, None, None) for name in ("octo/cat", "octo/dog")]
    )
    known = identities(lake, TABLES)
    assert known.of("octo/cat", DAY) == Identity(7, "github")
    assert known.of("octo/dog", DAY) == Identity(surrogate_of("octo/dog"), "name")
    assert answered_names(lake, TABLES) == {"octo/cat", "octo/dog"}


# ---- days that were written before something was learnt -----------------------------------------


def test_an_empty_lake_gives_no_name_and_has_no_day_to_mend(lake: Lake) -> None:
    assert archived_names(lake, TABLES) == []
    assert outdated_days(lake, TABLES, identities(lake, TABLES)) == []
    assert answered_names(lake, TABLES) == set()


def test_names_are_listed_once_in_lower_case(lake: Lake, tmp_path: Path) -> None:
    for day, name in zip(days_from(DAY, 2), ("Cat", "cat"), strict=True):
        day_file(tmp_path / "files", day, **{name: 1, "dog": 1})
    bring(lake, tmp_path / "files")
    assert archived_names(lake, TABLES) == ["octo/cat", "octo/dog"]


def test_a_day_is_outdated_if_one_of_its_repositories_is_known_better(
    lake: Lake, tmp_path: Path
) -> None:
    one, two, three = days_from(DAY, 3)
    day_file(tmp_path / "files", one, dog=1)
    day_file(tmp_path / "files", two, Dog=1, cat=1)
    day_file(tmp_path / "files", three, lion=1, dog=1)
    bring(lake, tmp_path / "files")
    assert outdated_days(lake, TABLES, identities(lake, TABLES)) == []
    keep_renames(lake, TABLES, [Rename(three, "octo/cat", "octo/lion")])
    assert outdated_days(lake, TABLES, identities(lake, TABLES)) == [three]
    keep_answers(lake, TABLES, [NameAnswer("octo/lion", 7, LONG_AGO, "octo/lion")])
    assert outdated_days(lake, TABLES, identities(lake, TABLES)) == [two, three]


# ---- asking -------------------------------------------------------------------------------------

WORLD = WorldSpec(5, 60, date(2026, 6, 1))
NEWEST = date(2026, 7, 30)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(WORLD) as served:
        served.travel_to(NEWEST)
        yield served


def ask(sandbox: RunningSandbox, *names: str) -> list[list[NameAnswer]]:
    """The batches as they are handed over."""
    settings = Settings.model_validate(
        {"github_api": sandbox.url, "github_token": sandbox.token, "threads": 1}
    )
    kept: list[list[NameAnswer]] = []
    counts: list[tuple[int, int]] = []
    ask_names(
        settings,
        Marker("sandbox", WORLD.first_day, SandboxWorld(5, 60, WORLD.first_day)),
        names,
        NEWEST,
        keep=lambda answers: kept.append(list(answers)),
        progress=lambda done, total: counts.append((done, total)),
    )
    assert [done for done, _ in counts] == sorted(done for done, _ in counts)
    assert counts[-1] == (len(names), len(names))
    return kept


def test_github_says_who_has_a_name_and_that_nobody_has_another(sandbox: RunningSandbox) -> None:
    world = World(WORLD).snapshot(NEWEST)
    names = world["full_name"].to_list()
    ((first, *_, last),) = ask(sandbox, *names[:50], "no-one/nothing")
    assert (first.name, first.full_name, first.repo_id) == (names[0], names[0], world["repo_id"][0])
    assert first.created_at is not None
    assert last == NameAnswer("no-one/nothing", None, None, None)


def test_a_name_that_was_left_leads_to_the_repository(sandbox: RunningSandbox) -> None:
    moved = _moved()
    ((answer,),) = ask(sandbox, moved["full_name"])
    assert (answer.repo_id, answer.full_name) == (moved["repo_id"], moved["full_name_now"])


def _moved() -> dict[str, Any]:
    """A repository that has another name than on its first day."""
    then, now = (
        dict(World(WORLD).snapshot(day).select("repo_id", "full_name").iter_rows())
        for day in (WORLD.first_day, NEWEST)
    )
    repo_id = min(one for one in then if one in now and then[one].lower() != now[one].lower())
    return {"repo_id": repo_id, "full_name": then[repo_id], "full_name_now": now[repo_id]}


def test_a_hundred_names_are_asked_at_once(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"no-one/nothing{n}" for n in range(250)]
    assert [len(batch) for batch in ask(sandbox, *names)] == [100, 100, 50]
    monkeypatch.setattr(asking, "NAMES_AT_ONCE", 200)
    assert [len(batch) for batch in ask(sandbox, *names)] == [200, 50]


def test_a_batch_that_is_too_heavy_is_split_and_what_stays_too_heavy_is_left_open(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers_of = asking._answers

    async def answers_unless_heavy(github: Any, names: list[str]) -> list[NameAnswer]:
        await asyncio.sleep(0)
        if len(names) > 2 or "octo/heavy" in names:
            raise TooHeavyError("too heavy")
        return await answers_of(github, names)

    monkeypatch.setattr(asking, "_answers", answers_unless_heavy)
    names = ["octo/one", "octo/two", "octo/heavy", "octo/four", "octo/five"]
    batches = ask(sandbox, *names)
    kept = [one.name for batch in batches for one in batch]
    assert kept == ["octo/one", "octo/two", "octo/four", "octo/five"]


def test_answers_come_from_the_newest_day_of_a_sandbox_of_our_own(lake: Lake) -> None:
    kept: list[NameAnswer] = []
    ask_names(
        lake.settings,
        Marker("sandbox", WORLD.first_day, SandboxWorld(5, 60, WORLD.first_day)),
        [_moved()["full_name_now"]],
        NEWEST,
        keep=kept.extend,
        progress=lambda _done, _total: None,
    )
    assert [one.repo_id for one in kept] == [_moved()["repo_id"]]
