"""The queries under sql/explore: each answers its question, and takes an empty lake as it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.cli.data.lake_views import bind_lake, known_tables
from ghstars_assets.lake.duck import duck_session
from ghstars_assets.lake.tables import Lake
from ghstars_assets.settings import SQL_ROOT
from ghstars_assets_tests.support.filled_home import (
    GAP_DAY,
    JUMP_DAY,
    MODEL_DAYS,
    QUARANTINED_DAY,
    SCORED_DAYS,
    settings_of,
)

QUERIES = {file.stem: file for file in sorted((SQL_ROOT / "stars" / "explore").glob("*.sql"))}
FOUR_WEEKS_FROM = SCORED_DAYS.last - timedelta(days=27)
COLUMNS = {
    "accuracy_by_size": (
        "stars forecasts mean_gain mean_error mean_error_naive skill_vs_naive "
        "forecast_to_actual_total in_80_percent"
    ),
    "biggest_misses": "day full_name actual typical naive error is_in_95 drivers",
    "breakouts": (
        "worst_day full_name stars gained_before typical high_95 actual times_high_95 days_above"
    ),
    "champion_history": (
        "effective_from model_version decision trained_through days_served last_served "
        "mae_candidate mae_champion mae_naive on_current_percent on_reference_percent actor reason"
    ),
    "coverage_by_week": (
        "week_from days forecasts in_80_percent below_80_percent above_80_percent in_95_percent "
        "median_width_80 median_width_95"
    ),
    "gaps_and_quarantine": "day what rows_held_back rows_accepted why",
    "renames_and_disappearances": "day what name_before name_after stars",
    "rising_fastest": (
        "full_name language stars gained_last_7d typical mean low_80 high_80 growth_percent"
    ),
    "skill_by_version": (
        "model_version trained_as_of days_scored forecasts mae mae_naive skill "
        "skill_when_held_out closer_than_naive_percent forecast_to_actual_total"
    ),
    "what_moves_the_total": (
        "repositories forecasts mean_gain share_of_gain_percent share_of_error_percent "
        "forecast_to_actual_total"
    ),
}
Ask = Callable[[str], pl.DataFrame]


@contextmanager
def asking(lake: Lake) -> Iterator[Ask]:
    """The lake as `ghstars sql -f` sees it."""
    with duck_session(lake.settings, lake.store) as connection:
        bind_lake(connection, lake, known_tables())
        yield lambda name: connection.sql(QUERIES[name].read_text()).pl()


@pytest.fixture(scope="module")
def ask(filled_home: Path) -> Iterator[Ask]:
    with asking(Lake(settings_of(filled_home))) as ask:
        yield ask


@pytest.fixture(scope="module")
def ask_empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    with asking(Lake(settings_of(tmp_path_factory.mktemp("empty")))) as ask:
        yield ask


@pytest.fixture
def scores(filled_lake: Lake) -> pl.DataFrame:
    return filled_lake.scan("stars.scores").collect()


@pytest.fixture
def snapshots(filled_lake: Lake) -> pl.DataFrame:
    return filled_lake.scan("stars.snapshots").collect()


def test_there_are_ten_queries_and_each_has_its_columns_written_down_here() -> None:
    assert len(QUERIES) == 10
    assert QUERIES.keys() == COLUMNS.keys()


@pytest.mark.parametrize("file", QUERIES.values(), ids=list(QUERIES))
def test_a_query_begins_with_the_question_that_it_answers(file: Path) -> None:
    first_line = file.read_text().splitlines()[0]
    assert first_line.startswith("-- ")
    assert first_line.endswith("?")


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_answers_on_a_filled_lake(ask: Ask, name: str) -> None:
    found = ask(name)
    assert found.columns == COLUMNS[name].split()
    assert 0 < found.height <= 100


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_on_an_empty_lake_has_its_columns_and_no_row(ask_empty: Ask, name: str) -> None:
    found = ask_empty(name)
    assert found.columns == COLUMNS[name].split()
    assert found.is_empty()


def test_rising_fastest_is_ordered_by_growth_and_leaves_out_the_tiny(ask: Ask) -> None:
    found = ask("rising_fastest")
    assert found.height == 20
    assert found["stars"].min() >= 100  # pyright: ignore[reportOptionalOperand, reportOperatorIssue]
    assert found["growth_percent"].is_sorted(descending=True)
    assert found["low_80"].le(found["high_80"]).all()


def test_accuracy_by_size_agrees_with_a_calculation_by_hand(
    ask: Ask, scores: pl.DataFrame, snapshots: pl.DataFrame
) -> None:
    found = ask("accuracy_by_size")
    known = scores.drop_nulls("naive").join(
        snapshots.select("day", "repo_id", "stars"), on=["day", "repo_id"]
    )
    assert found["forecasts"].sum() == known.height
    middling = known.filter(pl.col("stars").is_between(1000, 9999))
    error = (middling["actual"] - middling["typical"]).abs().mean()
    error_naive = (middling["actual"] - middling["naive"]).abs().mean()
    row = found.row(by_predicate=pl.col("stars") == "3: 1,000 to 9,999", named=True)
    assert row["forecasts"] == middling.height
    assert row["mean_error"] == pytest.approx(error, abs=0.005)
    assert row["skill_vs_naive"] == pytest.approx(1 - error / error_naive, abs=0.0005)  # pyright: ignore[reportOptionalOperand, reportOperatorIssue]


def test_coverage_by_week_agrees_with_a_calculation_by_hand(ask: Ask, scores: pl.DataFrame) -> None:
    expected = (
        scores.group_by(week_from=pl.col("day").dt.truncate("1w"))
        .agg(
            days=pl.col("day").n_unique().cast(pl.Int64),
            forecasts=pl.len().cast(pl.Int64),
            in_80_percent=100 * pl.col("actual").is_between("low_80", "high_80").mean(),
            in_95_percent=100 * pl.col("actual").is_between("low_95", "high_95").mean(),
        )
        .sort("week_from", descending=True)
    )
    found = ask("coverage_by_week")
    exact = ["week_from", "days", "forecasts"]
    assert found.select(exact).rows() == expected.select(exact).rows()
    for name in ("in_80_percent", "in_95_percent"):
        assert found[name].to_list() == pytest.approx(expected[name].to_list(), abs=0.05)
    inside = found["in_80_percent"] + found["below_80_percent"] + found["above_80_percent"]
    assert inside.to_list() == pytest.approx([100] * found.height, abs=0.16)


def test_biggest_misses_begins_with_the_biggest_and_names_what_drove_it(
    ask: Ask, scores: pl.DataFrame
) -> None:
    found = ask("biggest_misses")
    recent = scores.filter(pl.col("day") >= FOUR_WEEKS_FROM)
    worst = recent.sort((pl.col("actual") - pl.col("typical")).abs()).row(-1, named=True)
    first = found.row(0, named=True)
    assert (first["day"], first["full_name"]) == (worst["day"], worst["full_name"])
    assert first["actual"] == worst["actual"]
    assert worst["drivers"][0]["feature"] in first["drivers"]
    assert found["full_name"].is_unique().all()


def test_gaps_and_quarantine_shows_each_fault_that_the_world_has(ask: Ask) -> None:
    found = ask("gaps_and_quarantine")
    by_day = {row["day"]: row for row in found.iter_rows(named=True)}
    assert by_day.keys() == {GAP_DAY, QUARANTINED_DAY, JUMP_DAY}
    assert by_day[GAP_DAY]["what"] == "declared gap"
    assert by_day[GAP_DAY]["why"] == "the capture was down"
    assert by_day[QUARANTINED_DAY]["what"] == "day in quarantine"
    assert by_day[QUARANTINED_DAY]["rows_accepted"] == 0
    assert "nothing_moved" in by_day[QUARANTINED_DAY]["why"]
    assert by_day[JUMP_DAY]["what"] == "rows in quarantine"
    assert by_day[JUMP_DAY]["rows_held_back"] == 1


def test_gaps_and_quarantine_shows_a_day_that_nobody_explained(
    filled_home_copy: Path,
) -> None:
    lake = Lake(settings_of(filled_home_copy))
    lake.delete("stars.snapshots", MODEL_DAYS[0])
    with asking(lake) as ask:
        found = ask("gaps_and_quarantine")
    assert found.filter(pl.col("what") == "missing")["day"].to_list() == [MODEL_DAYS[0]]


def test_champion_history_has_every_decision_newest_first(ask: Ask, filled_lake: Lake) -> None:
    found = ask("champion_history")
    log = filled_lake.read_log("stars.decisions")
    assert log is not None
    assert found["effective_from"].to_list() == log["effective_from"].to_list()[::-1]
    assert found["decision"].to_list() == log["decision"].to_list()[::-1]
    served = filled_lake.scan("stars.champion").collect()
    assert found["days_served"].sum() == served.height


def test_skill_by_version_agrees_with_a_calculation_by_hand(ask: Ask, scores: pl.DataFrame) -> None:
    found = ask("skill_by_version")
    assert found["model_version"].to_list() == sorted(
        scores["model_version"].unique(), reverse=True
    )
    known = scores.drop_nulls("naive").filter(pl.col("model_version") == 1)
    mae = (known["actual"] - known["typical"]).abs().mean()
    mae_naive = (known["actual"] - known["naive"]).abs().mean()
    row = found.row(by_predicate=pl.col("model_version") == 1, named=True)
    assert row["trained_as_of"] == MODEL_DAYS[0]
    assert row["forecasts"] == known.height
    assert row["mae"] == pytest.approx(mae, abs=0.005)
    assert row["skill"] == pytest.approx(1 - mae / mae_naive, abs=0.0005)  # pyright: ignore[reportOptionalOperand, reportOperatorIssue]


def test_breakouts_are_the_repositories_above_their_interval(
    ask: Ask, scores: pl.DataFrame
) -> None:
    found = ask("breakouts")
    above = scores.filter(pl.col("day") >= FOUR_WEEKS_FROM, pl.col("actual") > pl.col("high_95"))
    assert found.height == min(20, above["repo_id"].n_unique())
    assert set(found["full_name"]) <= set(above["full_name"])
    assert (found["times_high_95"] >= 1).all()
    days_above = above.group_by("repo_id").len()["len"].max()
    assert found["days_above"].max() == days_above


def test_what_moves_the_total_shares_out_all_gain_and_all_error(
    ask: Ask, scores: pl.DataFrame
) -> None:
    found = ask("what_moves_the_total")
    recent = scores.filter(pl.col("day") >= FOUR_WEEKS_FROM)
    assert found["forecasts"].sum() == recent.height
    for name in ("share_of_gain_percent", "share_of_error_percent"):
        assert found[name].sum() == pytest.approx(100, abs=0.3)
    top_each_day = recent.sort("actual", descending=True).group_by("day").head(1)
    share = 100 * top_each_day["actual"].sum() / recent["actual"].sum()  # pyright: ignore[reportOperatorIssue]
    assert found["share_of_gain_percent"][0] == pytest.approx(share, abs=0.05)


def test_renames_and_disappearances_agree_with_the_snapshots(
    ask: Ask, snapshots: pl.DataFrame
) -> None:
    found = ask("renames_and_disappearances")
    by_repository = snapshots.sort("day").group_by("repo_id")
    names = by_repository.agg(pl.col("full_name").rle().struct.field("value").alias("full_name"))
    renames = names.filter(pl.col("full_name").list.len() > 1)["full_name"].to_list()
    renamed = found.filter(pl.col("what") == "renamed").select("name_before", "name_after")
    assert sorted(map(list, renamed.rows())) == sorted(renames)
    last_seen = by_repository.agg(pl.col("day").max(), pl.col("full_name").last())
    gone = last_seen.filter(pl.col("day") < snapshots["day"].max())["full_name"]
    assert found.filter(pl.col("what") == "gone")["name_before"].to_list() == gone.to_list()
    assert found.filter(pl.col("what") == "back").is_empty(), "a quarantined row is no absence"
