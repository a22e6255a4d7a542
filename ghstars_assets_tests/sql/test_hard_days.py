"""The hard days of the real archive, from its files to features and labels: what the gate decided,
and that no gain or loss was invented. Without the files these tests are skipped."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.outcomes import DayOutcome, Status
from ghstars_assets.lake.tables import GAP, Lake
from ghstars_assets.settings import Settings
from ghstars_assets.sql_tables.checks import DayCheck
from ghstars_assets.sql_tables.engine import fill
from ghstars_assets.sql_tables.graph import SqlGraph
from ghstars_assets_tests.support.invented_rankings import silent
from ghstars_assets_tests.support.shared_data import real_data

ANT_DESIGN = "ant-design/ant-design"


class Stretch:
    """Some days of the archive around a hard one, filled."""

    def __init__(self, lake: Lake, graph: SqlGraph, days: DayRange) -> None:
        self.lake, self.days = lake, days
        self.outcomes: dict[date, DayOutcome] = {}
        self.checks: dict[tuple[str, date], DayCheck] = {}
        for batch in fill(lake, graph.files["stars.snapshots"], graph.tables, days):
            self.outcomes |= {outcome.day: outcome for outcome in batch.outcomes}
            self.checks |= {(check.name, check.day): check for check in batch.checks}
        known = DayRange(days.first, days.last - timedelta(days=7))
        for table, span in (("stars.features", days), ("stars.labels", known)):
            list(fill(lake, graph.files[table], graph.tables, span))

    def table(self, name: str) -> pl.DataFrame:
        return self.lake.scan(f"stars.{name}").collect()

    def counts(self, full_name: str) -> dict[date, int]:
        rows = self.table("snapshots").filter(pl.col("full_name") == full_name)
        return dict(rows.select("day", "stars").iter_rows())

    def features(self, full_name: str, day: date) -> dict[str, float | None]:
        rows = self.lake.read("stars.features", day).filter(pl.col("full_name") == full_name)
        return rows.row(0, named=True)

    def labels_that_no_two_snapshots_give(self) -> pl.DataFrame:
        """Of every label the difference of the two counts it claims to be."""
        snapshots = self.table("snapshots").select("day", "repo_id", "stars")
        later = snapshots.with_columns(pl.col("day") - timedelta(days=7))
        labels = self.table("labels").join(snapshots, on=["day", "repo_id"], how="left")
        both = labels.join(later, on=["day", "repo_id"], how="left", suffix="_later")
        target = next(name for name in labels.columns if name.startswith("stars_gained"))
        is_true = pl.col(target) == pl.col("stars_later") - pl.col("stars")
        return both.filter(~is_true.fill_null(value=False))


Around = Callable[[date, date], Stretch]


@pytest.fixture
def around(tmp_path: Path, stars_graph: SqlGraph) -> Around:
    from ghstars_assets.sources.github_ranking.importing import import_files
    from ghstars_assets.sources.github_ranking.places import FilesFound
    from ghstars_assets.sources.github_ranking.tables import ranking_tables

    stars = real_data() / "stars"

    def filled(first: date, last: date) -> Stretch:
        lake, days = Lake(Settings(home=tmp_path, threads=1, memory_gb=1)), DayRange(first, last)
        for year in range(first.year, last.year + 1):
            found = FilesFound(
                condensed=[stars / f"stars_{year}.parquet"],
                renames=[stars / "renames_heuristic.parquet"],
                qualities=[stars / "snapshot_quality.parquet"],
            )
            import_files(lake, ranking_tables("stars"), found, days, silent)
        return Stretch(lake, stars_graph, days)

    return filled


def test_an_outage_ends_in_quarantine_and_then_a_new_series_begins(around: Around) -> None:
    """ant-design comes back from 6,684 to 70,219 stars on 2021-05-16."""
    back = date(2021, 5, 16)
    stretch = around(date(2021, 5, 1), date(2021, 6, 2))
    counts = stretch.counts(ANT_DESIGN)
    held_back = DayRange(back, back + timedelta(days=6))
    assert counts[date(2021, 5, 15)] == 6684
    assert not set(held_back) & counts.keys()
    assert counts[date(2021, 5, 23)] == 71510
    quarantined = stretch.table("snapshots_quarantine")
    assert set(quarantined["full_name"]) == {ANT_DESIGN}
    assert dict(quarantined.select("day", "stars").iter_rows())[back] == 70219
    assert set(quarantined["rule"]) == {"impossible_jump"}
    assert not stretch.checks["gate", back].is_passed

    assert stretch.features(ANT_DESIGN, date(2021, 5, 23))["gain_1d_vs_base"] is None
    second_day = stretch.features(ANT_DESIGN, date(2021, 5, 24))
    assert second_day["base"] == 7 * (71564 - 71510)
    assert second_day["gain_7d_vs_base"] is None
    assert second_day["stars_gained_7d"] is None
    repo_id = quarantined["repo_id"][0]
    labels = stretch.table("labels").filter(pl.col("repo_id") == repo_id)
    target = next(name for name in labels.columns if name.startswith("stars_gained"))
    assert labels[target].abs().max() < 2000  # pyright: ignore[reportOperatorIssue]
    assert stretch.labels_that_no_two_snapshots_give().is_empty()


def test_the_day_on_which_issues_are_counted_otherwise_changes_no_star(around: Around) -> None:
    """From 2021-08-20 on open issues are counted without pull requests, and of more languages."""
    broken = date(2021, 8, 20)
    stretch = around(date(2021, 8, 8), date(2021, 8, 30))
    assert {outcome.status for outcome in stretch.outcomes.values()} <= {
        Status.WRITTEN,
        Status.GAP,
    }
    assert stretch.outcomes[broken].quarantined_rows == 0
    snapshots = stretch.table("snapshots")
    before = snapshots.filter(pl.col("day") < broken)["open_issues"]
    after = snapshots.filter(pl.col("day") >= broken)["open_issues"]
    assert before.null_count() == before.len()
    assert after.null_count() == 0
    # 28 % more repositories: a warning, and no reason to hold anything back.
    assert not stretch.checks["row_count_is_steady", broken].is_passed
    assert stretch.checks["gate", broken].is_passed
    assert stretch.labels_that_no_two_snapshots_give().is_empty()


def test_a_day_of_short_lists_is_kept_and_what_it_lacks_is_a_line(around: Around) -> None:
    """On 2022-02-16 every list has 60 rows."""
    short = date(2022, 2, 16)
    stretch = around(date(2022, 2, 6), date(2022, 2, 25))
    assert stretch.outcomes[short].status is Status.WRITTEN
    assert stretch.outcomes[short].rows == 2080
    assert stretch.checks["gate", short].is_passed
    assert not stretch.checks["row_count_is_steady", short].is_passed

    snapshots = stretch.table("snapshots")
    there = set(snapshots.filter(pl.col("day") == short)["repo_id"])
    on_both_sides = [
        set(snapshots.filter(pl.col("day") == short + timedelta(days=n))["repo_id"])
        for n in (-1, 1)
    ]
    lacking = (on_both_sides[0] & on_both_sides[1]) - there
    assert len(lacking) > 1000
    labels = stretch.table("labels").filter(pl.col("repo_id").is_in(list(lacking)))
    assert labels.filter(pl.col("day").is_in([short, short - timedelta(days=7)])).is_empty()
    # The day after, the gain of two days is the difference of two counts, and a day's gain is half.
    counts = {
        (day, repo): stars
        for day, repo, stars in snapshots.select("day", "repo_id", "stars").iter_rows()
    }
    features = stretch.lake.read("stars.features", short + timedelta(days=1))
    for row in features.filter(pl.col("repo_id").is_in(list(lacking))).to_dicts():
        repo = row["repo_id"]
        two_days = counts[short + timedelta(days=1), repo] - counts[short - timedelta(days=1), repo]
        assert row["gain_1d_vs_base"] == pytest.approx(row["gain_2d_vs_base"])
        if two_days == 0:
            assert row["gain_2d_vs_base"] == pytest.approx(-row["slog_base"])


def test_a_purge_is_real_and_only_a_warning(around: Around) -> None:
    """On 2024-01-03 GitHub takes back the stars of accounts that it closed."""
    purge = date(2024, 1, 3)
    stretch = around(date(2023, 12, 20), date(2024, 1, 16))
    outcome = stretch.outcomes[purge]
    assert outcome.status is Status.WRITTEN
    assert outcome.quarantined_rows == 0
    assert any(warning.startswith("mass_star_loss") for warning in outcome.warnings)
    gate = stretch.checks["gate", purge]
    assert not gate.is_passed
    assert gate.is_warning
    both = stretch.table("snapshots").pivot("day", index="repo_id", values="stars")
    both = both.drop_nulls([str(purge - timedelta(days=1)), str(purge)])
    before, after = both[str(purge - timedelta(days=1))], both[str(purge)]
    assert (after < before).sum() > before.len() / 6
    assert stretch.labels_that_no_two_snapshots_give().is_empty()


@pytest.mark.parametrize(
    ("first_gone", "first_back"),
    [
        (date(2024, 10, 24), date(2025, 1, 8)),
        (date(2025, 8, 19), date(2025, 9, 6)),
    ],
)
def test_days_that_nobody_has_are_gaps_that_no_label_crosses(
    around: Around, first_gone: date, first_back: date
) -> None:
    gone = DayRange(first_gone, first_back - timedelta(days=1))
    stretch = around(first_gone - timedelta(days=12), first_back + timedelta(days=9))
    for day in gone:
        assert stretch.outcomes[day].status is Status.GAP
        (partition,) = stretch.lake.partitions("stars.snapshots", DayRange(day, day))
        assert "has no file of this day" in stretch.lake.notes(partition)[GAP]
    labelled = set(stretch.table("labels")["day"])
    assert first_gone - timedelta(days=8) in labelled
    assert not labelled & set(DayRange(first_gone - timedelta(days=7), gone.last))
    assert stretch.labels_that_no_two_snapshots_give().is_empty()

    features = stretch.lake.read("stars.features", first_back)
    is_bridged = len(gone) <= 30
    assert (features["gain_1d_vs_base"].null_count() < features.height / 10) == is_bridged
    assert features["stars_gained_7d"].null_count() == features.height
