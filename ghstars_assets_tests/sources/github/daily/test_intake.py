"""What was fetched and is no partition yet."""

from datetime import date

from ghstars_assets.lake.tables import Lake
from ghstars_assets.sources.github.daily.intake import Intake
from ghstars_assets.sources.github.tables import tables_of

TABLE = tables_of("stars").github
DAY = date(2026, 6, 1)


def test_what_is_kept_is_there_for_whoever_comes_next(lake: Lake) -> None:
    Intake(lake, TABLE, DAY).keep([{"repo_id": 1, "asked_as": "R_1", "topics": ["a", "b"]}])
    Intake(lake, TABLE, DAY).keep([{"repo_id": 2, "asked_as": "R_2", "stars": 5}])
    rows = Intake(lake, TABLE, DAY).rows().sort("repo_id")
    assert rows.schema == TABLE.empty().schema
    assert rows["repo_id"].to_list() == [1, 2]
    assert rows["topics"].to_list() == [["a", "b"], None]
    assert set(rows["day"]) == {DAY}


def test_days_do_not_mix_and_are_cleared_one_by_one(lake: Lake) -> None:
    tomorrow = date(2026, 6, 2)
    for day in (DAY, tomorrow):
        Intake(lake, TABLE, day).keep([{"repo_id": 1, "asked_as": "R_1"}])
    assert Intake.days(lake, TABLE) == [DAY, tomorrow]
    Intake(lake, TABLE, DAY).clear()
    assert Intake(lake, TABLE, DAY).rows().is_empty()
    assert Intake(lake, TABLE, tomorrow).rows().height == 1


def test_it_is_no_table_that_anyone_would_query(lake: Lake) -> None:
    Intake(lake, TABLE, DAY).keep([{"repo_id": 1, "asked_as": "R_1"}])
    assert lake.tables() == []
