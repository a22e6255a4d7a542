"""The archive of rankings: the world's own counts, as untidy as the real files, there for all."""

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO, StringIO
from typing import Any

import httpx
import polars as pl
import pytest

from ghstars_assets.sandbox.github.ranking_archive import (
    COLUMNS,
    CUT_LIST_ROWS,
    LIST_ROWS,
    RankingArchive,
    missing_days,
)
from ghstars_assets.sandbox.http.child import RunningSandbox, running_sandbox
from ghstars_assets.sandbox.world.conditions import capture_moment
from ghstars_assets.sandbox.world.repositories import LANGUAGE_SHARES
from ghstars_assets.sandbox.world.world import World, WorldSpec

FIRST_DAY = date(2026, 1, 1)
SPEC = WorldSpec(seed=12, repositories=1000, first_day=FIRST_DAY)
DAYS = 60
MUCH_LATER = datetime(2031, 1, 1, tzinfo=UTC)
ONE_DAY = timedelta(days=1)
SMALL = WorldSpec(seed=5, repositories=60, first_day=FIRST_DAY)
COUNTS = ("stars", "forks", "open_issues")


def day_number(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


def name_of(day: date) -> str:
    return f"github-ranking-{day}.csv"


def file_of(archive: RankingArchive, day: date) -> bytes:
    content = archive.file(name_of(day), MUCH_LATER)
    assert content is not None
    return content


def read(content: bytes) -> pl.DataFrame:
    return pl.read_csv(BytesIO(content)).with_columns(
        full_name=pl.col("username") + "/" + pl.col("repo_name")
    )


@pytest.fixture(scope="module")
def archived() -> dict[date, pl.DataFrame]:
    """The files of the first two months, by day."""
    archive = RankingArchive(SPEC)
    days = [day_number(number) for number in range(DAYS)]
    return {day: read(file_of(archive, day)) for day in days if day not in missing_days(SPEC)}


@pytest.fixture(scope="module")
def snapshots() -> dict[date, pl.DataFrame]:
    return dict(World(SPEC).snapshots(FIRST_DAY, day_number(DAYS)))


# ---- what is in a file --------------------------------------------------------------------------


def test_a_file_has_the_archives_columns_and_lists(archived: dict[date, pl.DataFrame]) -> None:
    listed = archived[FIRST_DAY]
    assert tuple(listed.columns) == (*COLUMNS, "full_name")
    items = listed["item"].unique(maintain_order=True).to_list()
    assert items[:5] == ["top-100-stars", "top-100-forks", "C", "CSharp", "CPP"]
    assert len(items) == 2 + len(set(LANGUAGE_SHARES) - {None, "Jupyter Notebook"})
    by_item = listed.group_by("item").agg(pl.col("language").unique())
    languages = {item: language for item, language in by_item.iter_rows() if "top" not in item}
    assert languages["CSharp"] == ["C#"]
    assert languages["CPP"] == ["C++"]
    assert all(len(language) == 1 for language in languages.values())
    assert (listed["repo_url"] == "https://github.com/" + listed["full_name"]).all()


def test_the_first_list_is_the_worlds_snapshot_of_the_day(
    archived: dict[date, pl.DataFrame], snapshots: dict[date, pl.DataFrame]
) -> None:
    for day, listed in archived.items():
        first = listed.filter(item="top-100-stars")
        shown = first.join(snapshots[day], on="full_name", maintain_order="left")
        assert shown.height == first.height
        assert (shown["stars"] == shown["stars_right"]).all()
        assert (shown["forks"] == shown["forks_right"]).all()
        assert (shown["issues"] == shown["open_issues"]).all()
        assert shown["language"].eq_missing(shown["language_right"]).all()
        pushed = shown["last_commit"].str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC")
        assert (pushed == shown["pushed_at"]).all()


def test_lists_are_ranked_by_their_count_and_leave_out_forks(
    archived: dict[date, pl.DataFrame], snapshots: dict[date, pl.DataFrame]
) -> None:
    for day, listed in archived.items():
        forks = snapshots[day].filter("is_fork")["full_name"].implode()
        assert not listed["full_name"].is_in(forks).any()
        for (item,), rows in listed.group_by("item"):
            assert rows["rank"].to_list() == list(range(1, rows.height + 1))
            by = "forks" if item == "top-100-forks" else "stars"
            assert rows[by].is_sorted(descending=True)


def test_a_repository_in_two_lists_has_two_rows_of_moments_apart(
    archived: dict[date, pl.DataFrame], snapshots: dict[date, pl.DataFrame]
) -> None:
    differing = agreeing = 0
    for day, listed in archived.items():
        now, later = (snapshots[each].select("repo_id", *COUNTS) for each in (day, day + ONE_DAY))
        ids = snapshots[day].select("full_name", "repo_id")
        rows = listed.rename({"issues": "open_issues"}).join(ids, on="full_name")
        shown = rows.join(now, on="repo_id", suffix="_now").join(
            later, on="repo_id", suffix="_later"
        )
        for count in COUNTS:
            between = shown.select(
                pl.col(count).is_between(
                    pl.min_horizontal(f"{count}_now", f"{count}_later"),
                    pl.max_horizontal(f"{count}_now", f"{count}_later"),
                )
            )
            assert between.to_series().all()
        first = rows.filter(item="top-100-stars")
        again = first.join(rows.filter(pl.col("item").is_in(["Python", "Rust"])), on="repo_id")
        differing += int((again["stars"] != again["stars_right"]).sum())
        agreeing += int((again["stars"] == again["stars_right"]).sum())
    assert 0 < differing < agreeing


def test_later_lists_have_later_counts(
    archived: dict[date, pl.DataFrame], snapshots: dict[date, pl.DataFrame]
) -> None:
    day = FIRST_DAY
    growing = (
        snapshots[day]
        .join(snapshots[day + ONE_DAY].select("repo_id", "stars"), on="repo_id")
        .filter(pl.col("stars_right") > pl.col("stars"))["full_name"]
    )
    shown = archived[day].filter(pl.col("full_name").is_in(growing.implode()))
    # A file's rows are in order of its lists.
    courses = shown.group_by("full_name").agg("stars")["stars"].to_list()
    assert any(len(set(course)) > 1 for course in courses)
    assert all(course == sorted(course) for course in courses)


def test_names_are_those_of_the_day(
    archived: dict[date, pl.DataFrame], snapshots: dict[date, pl.DataFrame]
) -> None:
    seen_moving = 0
    for day, listed in archived.items():
        if day == FIRST_DAY:
            continue
        names, before = (snapshots[each]["repo_id", "full_name"] for each in (day, day - ONE_DAY))
        moved = before.join(names, on="repo_id").filter(
            pl.col("full_name") != pl.col("full_name_right")
        )
        listed_names = set(listed["full_name"])
        assert not listed_names & set(moved["full_name"])
        seen_moving += len(listed_names & set(moved["full_name_right"]))
    assert seen_moving > 0


def test_descriptions_stay_and_some_need_quoting(archived: dict[date, pl.DataFrame]) -> None:
    first, last = (archived[day] for day in (min(archived), max(archived)))
    shown = first["description"].drop_nulls()
    assert shown.str.contains(",").any()
    assert shown.str.contains('"').any()
    assert shown.len() < first.height
    both = first.unique("full_name").join(last.unique("full_name"), on="full_name")
    assert both["description"].eq_missing(both["description_right"]).all()


def test_other_readers_read_the_same(archived: dict[date, pl.DataFrame]) -> None:
    content = file_of(RankingArchive(SPEC), FIRST_DAY).decode()
    rows = list(csv.DictReader(StringIO(content)))
    listed = archived[FIRST_DAY]
    assert [row["description"] for row in rows] == listed["description"].fill_null("").to_list()


# ---- what is amiss ------------------------------------------------------------------------------


def test_now_and_then_a_list_is_cut_short(archived: dict[date, pl.DataFrame]) -> None:
    # Lists for which there are more than enough repositories.
    heights = Counter(
        listed.filter(item=item).height
        for listed in archived.values()
        for item in ("top-100-stars", "top-100-forks", "Python", "TypeScript")
    )
    assert set(heights) == {LIST_ROWS, CUT_LIST_ROWS}
    assert 0 < heights[CUT_LIST_ROWS] < 0.05 * heights.total()


def test_now_and_then_a_repository_drops_out_of_all_its_lists_for_a_day(
    archived: dict[date, pl.DataFrame], snapshots: dict[date, pl.DataFrame]
) -> None:
    expected = dropped = 0
    for day, listed in archived.items():
        first = listed.filter(item="top-100-stars")
        least = first["stars"].min()
        due = snapshots[day].filter(~pl.col("is_fork") & (pl.col("stars") > least))
        absent = due.filter(~pl.col("full_name").is_in(first["full_name"].implode()))
        assert not listed["full_name"].is_in(absent["full_name"].implode()).any()
        # Those behind it move up.
        assert first.height in (LIST_ROWS, CUT_LIST_ROWS)
        expected, dropped = expected + due.height, dropped + absent.height
    assert 0 < dropped < 0.01 * expected


def test_about_one_day_in_sixty_is_missing() -> None:
    years = [day for day in missing_days(SPEC) if day < FIRST_DAY + timedelta(days=6000)]
    assert 60 < len(years) < 140
    assert missing_days(SPEC) != missing_days(WorldSpec(13, 1000, FIRST_DAY))


# ---- which files there are ----------------------------------------------------------------------


def test_a_missing_day_has_no_file_and_its_neighbours_have() -> None:
    archive = RankingArchive(SMALL)
    missing = min(missing_days(SMALL))
    assert archive.file(name_of(missing), MUCH_LATER) is None
    for day in (missing - ONE_DAY, missing + ONE_DAY):
        assert (archive.file(name_of(day), MUCH_LATER) is None) == (day in missing_days(SMALL))


def test_a_day_has_a_file_once_it_was_captured() -> None:
    archive = RankingArchive(SMALL)
    captured = capture_moment(SMALL.seed, day_number(3))
    assert archive.file(name_of(day_number(3)), captured) is not None
    assert archive.file(name_of(day_number(3)), captured - timedelta(seconds=1)) is None
    assert archive.file(name_of(day_number(4)), captured) is None


@pytest.mark.parametrize(
    "name",
    [
        "github-ranking-2025-12-31.csv",  # before the world
        "github-ranking-2026-02-30.csv",
        "github-ranking-20260105.csv",
        "github-ranking-2026-01-05.csv.gz",
        "README.md",
    ],
)
def test_there_is_no_other_file(name: str) -> None:
    assert RankingArchive(SMALL).file(name, MUCH_LATER) is None


def test_a_file_is_the_same_byte_for_byte_in_whatever_order_one_asks() -> None:
    days = [day for day in map(day_number, range(75)) if day not in missing_days(SMALL)]
    archive = RankingArchive(SMALL)
    files = {day: file_of(archive, day) for day in days}
    assert len(set(files.values())) == len(days)
    for day in (days[40], days[3], days[70], days[4], days[4]):
        assert file_of(archive, day) == files[day]
    assert file_of(RankingArchive(SMALL), days[70]) == files[days[70]]
    other = RankingArchive(WorldSpec(SMALL.seed + 1, SMALL.repositories, FIRST_DAY))
    assert file_of(other, days[0]) != files[days[0]]


# ---- over HTTP ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(SMALL) as served:
        yield served


def download(sandbox: RunningSandbox, day: date) -> httpx.Response:
    """As anybody, without a token."""
    return httpx.get(f"{sandbox.url}/github-ranking/Data/{name_of(day)}")


def travel(sandbox: RunningSandbox, day: date) -> None:
    answer = httpx.put(f"{sandbox.url}/sandbox/clock", json={"day": str(day)})
    assert answer.status_code == 200


def graphql(sandbox: RunningSandbox, full_names: list[str]) -> dict[str, Any]:
    parts = []
    for place, (owner, _, name) in enumerate(each.partition("/") for each in full_names):
        counts = "stargazerCount forkCount issues(states: OPEN) { totalCount } pushedAt"
        parts.append(f'r{place}: repository(owner: "{owner}", name: "{name}") {{ {counts} }}')
    answer = httpx.post(
        f"{sandbox.url}/graphql",
        json={"query": f"{{ {' '.join(parts)} }}"},
        headers={"Authorization": f"Bearer {sandbox.token}"},
    )
    return answer.json()["data"]


def test_a_past_days_file_is_served_to_anybody(sandbox: RunningSandbox) -> None:
    travel(sandbox, day_number(30))
    answer = download(sandbox, day_number(12))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["x-ghstars-sandbox"] == f"5/60/{FIRST_DAY}"
    assert answer.content == file_of(RankingArchive(SMALL), day_number(12))


def test_missing_and_future_days_are_not_found(sandbox: RunningSandbox) -> None:
    missing = min(missing_days(SMALL))
    travel(sandbox, missing + 5 * ONE_DAY)
    for day in (missing, missing + 6 * ONE_DAY, FIRST_DAY - ONE_DAY):
        answer = download(sandbox, day)
        assert (answer.status_code, answer.text) == (404, "404: Not Found")
        assert answer.headers["content-type"].startswith("text/plain")
    assert download(sandbox, missing + 5 * ONE_DAY).status_code == 200


def test_the_first_list_shows_what_graphql_shows_that_day(sandbox: RunningSandbox) -> None:
    day = day_number(20)
    travel(sandbox, day)
    first = read(download(sandbox, day).content).filter(item="top-100-stars")
    shown = graphql(sandbox, first["full_name"].to_list())
    for place, row in enumerate(first.iter_rows(named=True)):
        assert shown[f"r{place}"] == {
            "stargazerCount": row["stars"],
            "forkCount": row["forks"],
            "issues": {"totalCount": row["issues"]},
            "pushedAt": row["last_commit"],
        }


def test_asking_the_archive_disturbs_nothing(sandbox: RunningSandbox) -> None:
    day = day_number(40)
    travel(sandbox, day)
    names = read(download(sandbox, day).content)["full_name"].unique().sort().to_list()

    def all_there_is() -> tuple[Any, ...]:
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        limits = httpx.get(f"{sandbox.url}/rate_limit", headers=headers)
        served = httpx.get(f"{sandbox.url}/sandbox/served").json()
        return limits.json(), limits.headers["date"], served

    shown, before = graphql(sandbox, names), all_there_is()
    for each in (day_number(2), day_number(39), day, day + ONE_DAY, day_number(7)):
        download(sandbox, each)
    assert all_there_is() == before
    assert graphql(sandbox, names) == shown


def test_the_archive_does_not_know_what_is_done_by_hand() -> None:
    some_id = int(World(SMALL).snapshot(FIRST_DAY)["repo_id"][0])
    event = {"rename": some_id, "to": "somebody/else"}
    with running_sandbox(SMALL) as sandbox:
        before = download(sandbox, FIRST_DAY)
        happened = httpx.post(f"{sandbox.url}/sandbox/happenings", json=event)
        assert (before.status_code, happened.status_code) == (200, 200)
        assert download(sandbox, FIRST_DAY).content == before.content
