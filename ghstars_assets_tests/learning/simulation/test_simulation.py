"""Past days are simulated: in order, apart from production, and blind to what came after."""

import itertools
from datetime import date, timedelta

import duckdb
import polars as pl
import pytest

from ghstars_assets.calendar import DayRange
from ghstars_assets.cli.data.lake_views import bind_lake
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import LearningColumns
from ghstars_assets.learning.simulation.simulation import LivedDay, Simulation, with_and_without
from ghstars_assets.learning.simulation.simulation_lake import SimulationLake
from ghstars_assets.learning.wiring import wire
from ghstars_assets.reporting.model_card import model_card
from ghstars_assets_tests.support.tides.problem import PROBLEM
from ghstars_assets_tests.support.tides_lake import AS_OF, LABELLED, SQL, rewrite

FIRST = date(2026, 2, 9)
DAYS = DayRange(FIRST, AS_OF)


def _past(lake: Lake, columns: LearningColumns) -> Simulation:
    apart = SimulationLake(lake.settings, PROBLEM)
    return Simulation(apart, PROBLEM, columns, lambda _line: None, model_card)


def _live(lake: Lake, columns: LearningColumns, days: DayRange = DAYS) -> list[LivedDay]:
    return list(_past(lake, columns).live(days))


def _let_the_tides_stand_still(lake: Lake, days: DayRange) -> None:
    """Whoever says that all stays as it is is right from now on, to a centimetre."""
    rewrite(lake, "labels", days, level_in_3d_cm=pl.lit(None, pl.Float64))
    for day in days:
        level = lake.read("tides.features", day).select("station", "level_cm")
        still = lake.read("tides.labels", day).drop("level_in_3d_cm").join(level, on="station")
        labels = still.with_columns(level_in_3d_cm=pl.col("level_cm") + 1.0).drop("level_cm")
        lake.write("tides.labels", day, labels)


def test_every_day_is_forecast_watched_and_judged(tides: Lake, columns: LearningColumns) -> None:
    lived = _live(tides, columns)
    assert [one.day for one in lived] == list(DAYS)
    assert lived[0].champion == 1
    assert all(one.decision for one in lived)
    simulated = SimulationLake(tides.settings, PROBLEM)
    assert simulated.days("tides.predictions") == list(DAYS)
    due = DayRange(DAYS.first, DAYS.last - timedelta(days=PROBLEM.horizon_days))
    assert simulated.days("tides.scores") == list(due)


def test_nothing_of_production_is_touched(tides: Lake, columns: LearningColumns) -> None:
    _live(tides, columns, DayRange(FIRST, FIRST + timedelta(days=1)))
    assert {"tides_simulation.model", "tides_simulation.health", "tides_simulation.audit"} < set(
        tides.tables()
    )
    assert not {"tides.model", "tides.decisions", "platform.audit"} & set(tides.tables())


def test_what_comes_after_a_day_changes_nothing_of_it(
    tides: Lake, columns: LearningColumns
) -> None:
    through = FIRST + timedelta(days=6)
    before = _live(tides, columns, DayRange(FIRST, through))
    SimulationLake(tides.settings, PROBLEM).forget()
    known = through - timedelta(days=PROBLEM.horizon_days)
    rewrite(
        tides,
        "labels",
        DayRange(known + timedelta(days=1), LABELLED.last),
        level_in_3d_cm=pl.lit(-1e6),
    )
    assert _live(tides, columns, DayRange(FIRST, through)) == before


def test_an_interrupted_simulation_goes_on_where_it_stopped(
    tides: Lake, columns: LearningColumns
) -> None:
    begun = iter(_past(tides, columns).live(DAYS))
    first = [next(begun) for _ in range(4)]
    rest = _live(tides, columns)
    assert [one.day for one in (*first, *rest)] == list(DAYS)
    assert len(SimulationLake(tides.settings, PROBLEM).days("tides.model")) == 1


def test_a_simulation_from_another_day_takes_the_place_of_the_last(
    tides: Lake, columns: LearningColumns
) -> None:
    _live(tides, columns, DayRange(FIRST, FIRST + timedelta(days=1)))
    later = FIRST + timedelta(days=3)
    _live(tides, columns, DayRange(later, later))
    assert SimulationLake(tides.settings, PROBLEM).days("tides.health") == [later]


def test_a_world_that_changes_is_answered_at_most_once_a_week(
    tides: Lake, columns: LearningColumns
) -> None:
    _let_the_tides_stand_still(tides, DayRange(FIRST, LABELLED.last))
    lived = _live(tides, columns, DayRange(FIRST, LABELLED.last))
    simulated = SimulationLake(tides.settings, PROBLEM)
    trained = simulated.days("tides.model")
    assert len(trained) >= 2
    assert all((later - earlier).days >= 7 for earlier, later in itertools.pairwise(trained[1:]))
    assert any(one.decision == "reactive" for one in lived)
    events = simulated.read_log("platform.audit")
    assert events is not None
    assert events.filter(pl.col("event") == "retraining_asked").height == len(trained) - 1


def test_the_loop_is_compared_with_its_first_version(tides: Lake, columns: LearningColumns) -> None:
    _live(tides, columns)
    skill = with_and_without(SimulationLake(tides.settings, PROBLEM), PROBLEM, DAYS)
    # Nobody trained again, so the two are one.
    assert skill["mae_typical"].to_list() == pytest.approx(skill["mae_frozen"].to_list())


def test_days_that_nobody_has_filled_are_named_and_nothing_is_forgotten(
    tides: Lake, columns: LearningColumns
) -> None:
    _live(tides, columns, DayRange(FIRST, FIRST))
    with pytest.raises(GhstarsError, match="ghstars backfill tides --from 2027-01-01"):
        _live(tides, columns, DayRange(date(2027, 1, 1), date(2027, 1, 3)))
    assert SimulationLake(tides.settings, PROBLEM).days("tides.health") == [FIRST]


def test_what_the_release_before_has_simulated_can_still_be_read(tides: Lake) -> None:
    table = wire([PROBLEM], SQL).graph.tables["tides_replay.health"]
    row = pl.DataFrame({"day": [FIRST]})
    tides.write(table.name, FIRST, pl.concat([table.empty(), row], how="diagonal"))
    with duckdb.connect() as connection:
        bind_lake(connection, tides, [table])
        found = connection.sql("select day from tides_replay.health").fetchall()
    assert found == [(FIRST,)]
