"""Training sets: which days a candidate may learn from, and which rows those are."""

import itertools
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import NotEnoughHistoryError
from ghstars_assets.lake.tables import GAP, Lake
from ghstars_assets.learning.problem import LearningColumns, Training
from ghstars_assets.learning.training.training_set import (
    TrainingPlan,
    data_version,
    plan_training,
    read_labelled_rows,
)
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import AS_OF, DAYS, LABELLED, trained_with

HORIZON = timedelta(days=PROBLEM.horizon_days)
ONE_DAY = timedelta(days=1)


def _plan(lake: Lake, training: Training = PROBLEM.training, as_of: date = AS_OF) -> TrainingPlan:
    return plan_training(lake, PROBLEM, training, as_of)


def _make_hole(lake: Lake, *days: date) -> None:
    """As the engine leaves a label whose outcome fell into a hole."""
    for day in days:
        empty = lake.read("tides.labels", day).clear()
        lake.write("tides.labels", day, empty, notes={GAP: "the gauge was down"})


def test_every_outcome_was_known_before_the_day_it_is_trained_as_of(tides: Lake) -> None:
    plan = _plan(tides)
    newest = max(*plan.training_days, *plan.holdout_days)
    assert newest + HORIZON == AS_OF - ONE_DAY


def test_labels_that_became_known_later_change_nothing(tides: Lake) -> None:
    before = _plan(tides)
    for day in DayRange(AS_OF - HORIZON, LABELLED.last):
        tides.delete("tides.labels", day)
    assert _plan(tides) == before
    tides.delete("tides.labels", AS_OF - HORIZON - ONE_DAY)
    assert _plan(tides) != before


def test_no_outcome_learnt_from_overlaps_one_it_is_judged_on(tides: Lake) -> None:
    plan = _plan(tides)
    assert len(plan.holdout_days) == PROBLEM.training.holdout_days
    assert plan.training_days[-1] + HORIZON + ONE_DAY == plan.holdout_days[0]


def test_with_little_history_a_quarter_of_it_judges(tides: Lake) -> None:
    plan = _plan(tides, as_of=DAYS.first + timedelta(days=24))  # 21 labelled days
    assert len(plan.holdout_days) == 5


def test_days_are_left_out_counting_back_from_the_newest(tides: Lake) -> None:
    every = _plan(tides).training_days
    third = _plan(tides, trained_with(every_nth_day=3)).training_days
    assert third[-1] == every[-1]
    assert all((later - earlier).days == 3 for earlier, later in itertools.pairwise(third))


def test_nothing_older_than_the_window_is_learnt_from(tides: Lake) -> None:
    plan = _plan(tides, trained_with(window_days=30))
    assert plan.training_days[0] == AS_OF - timedelta(days=30)


def test_a_window_that_expands_begins_with_the_first_label(tides: Lake) -> None:
    plan = _plan(tides, trained_with(window_days=None))
    assert plan.training_days[0] == LABELLED.first


def test_days_of_a_reference_window_and_beside_it_are_not_learnt_from(tides: Lake) -> None:
    learnt = _plan(tides).training_days
    window = DayRange(learnt[-12], learnt[-10])
    gates = replace(PROBLEM.gates, reference=window)
    held_out = plan_training(tides, replace(PROBLEM, gates=gates), PROBLEM.training, AS_OF)
    around = DayRange(window.first - HORIZON, window.last + HORIZON)
    assert set(learnt) - set(held_out.training_days) == set(around)


def test_a_hole_is_neither_learnt_from_nor_judged_on(tides: Lake) -> None:
    plan = _plan(tides)
    learnt, judged = plan.training_days[-2], plan.holdout_days[-2]
    _make_hole(tides, learnt, judged)
    after = _plan(tides)
    assert {learnt, judged}.isdisjoint((*after.training_days, *after.holdout_days))
    assert len(after.holdout_days) == len(plan.holdout_days)


def test_holes_alone_are_no_history(tides: Lake) -> None:
    _make_hole(tides, *DayRange(DAYS.first, AS_OF - HORIZON - ONE_DAY))
    with pytest.raises(NotEnoughHistoryError, match="0 labelled days"):
        _plan(tides)


def test_too_little_history_is_an_error_with_figures_and_a_remedy(tides: Lake) -> None:
    with pytest.raises(NotEnoughHistoryError) as caught:
        _plan(tides, as_of=DAYS.first + timedelta(days=14))
    message = str(caught.value)
    assert "tides model as of 2026-01-15 needs 10 labelled days to learn from" in message
    assert "11 labelled days from 2026-01-01 on" in message
    assert "ghstars backfill tides" in message


def test_rows_are_features_joined_with_labels_on_day_and_entity(
    tides: Lake, columns: LearningColumns
) -> None:
    days = (date(2026, 1, 9), date(2026, 1, 20))
    # A label less, and one that is null: neither is an outcome.
    labels = tides.read("tides.labels", days[0])
    null_at_dover = pl.when(pl.col("station") != "Dover").then("level_in_3d_cm")
    tides.write(
        "tides.labels",
        days[0],
        labels.filter(pl.col("station") != "Brest").with_columns(level_in_3d_cm=null_at_dover),
    )
    rows = read_labelled_rows(tides, PROBLEM, columns, days, most_rows=10**6)
    slow = pl.concat(
        tides.read("tides.features", day).join(
            tides.read("tides.labels", day).drop_nulls(), on=["day", "station"]
        )
        for day in days
    )
    assert rows.height == 4 + 6
    assert rows.sort("day", "station").equals(slow.select(rows.columns).sort("day", "station"))


def _many_entities(lake: Lake, entities: int, days: DayRange) -> None:
    station = pl.int_range(entities, eager=True).cast(pl.String).alias("station")
    for day in days:
        rows = pl.DataFrame({"station": station}).select(
            pl.lit(day).alias("day"),
            "station",
            *(pl.lit(1.0).alias(name) for name in ("day_before_cm", "rise_cm", "week_before_cm")),
            level_cm=pl.lit(1.0),
            level_in_3d_cm=pl.lit(1.0),
        )
        lake.write("tides.features", day, rows.drop("level_in_3d_cm"))
        lake.write("tides.labels", day, rows.select("day", "station", "level_in_3d_cm"))


def test_too_many_rows_are_sampled_by_entity_the_same_on_every_day(
    tides: Lake, columns: LearningColumns
) -> None:
    days = DayRange(date(2026, 1, 9), date(2026, 1, 12))
    _many_entities(tides, 1000, days)
    rows = read_labelled_rows(tides, PROBLEM, columns, tuple(days), most_rows=1000)
    by_day = [set(part["station"]) for part in rows.partition_by("day")]
    assert len(by_day) == 4
    assert all(part == by_day[0] for part in by_day)
    assert 200 < len(by_day[0]) < 300
    assert len({name[-1] for name in by_day[0]}) == 10  # from all over, not the first few


def test_a_sample_of_less_than_a_thousandth_is_still_a_sample(
    tides: Lake, columns: LearningColumns
) -> None:
    day = date(2026, 1, 9)
    _many_entities(tides, 100_000, DayRange(day, day))
    rows = read_labelled_rows(tides, PROBLEM, columns, (day,), most_rows=90)
    assert 50 < rows.height < 130


def test_the_data_version_names_exactly_what_is_read(tides: Lake) -> None:
    plan = _plan(tides)
    version = data_version(tides, PROBLEM, plan)
    assert data_version(tides, PROBLEM, replace(plan)) == version

    unread = plan.training_days[-1] + ONE_DAY
    tides.delete("tides.features", unread)
    assert data_version(tides, PROBLEM, plan) == version

    day = plan.training_days[3]
    labels = tides.read("tides.labels", day)
    tides.write("tides.labels", day, labels.with_columns(pl.col("level_in_3d_cm") + 1))
    assert data_version(tides, PROBLEM, plan) != version


def test_a_day_among_others_is_sampled_as_it_is_alone(
    tides: Lake, columns: LearningColumns
) -> None:
    days = tuple(DayRange(AS_OF - timedelta(days=20), AS_OF - timedelta(days=18)))
    tides.write("tides.labels", days[0], tides.read("tides.labels", days[0]).head(2))
    together = read_labelled_rows(tides, PROBLEM, columns, days, 3, is_a_day=True)
    alone = [read_labelled_rows(tides, PROBLEM, columns, (day,), 3) for day in days]
    assert together.equals(pl.concat(alone))
    assert alone[0].height == 2
    assert alone[1].height < 6
