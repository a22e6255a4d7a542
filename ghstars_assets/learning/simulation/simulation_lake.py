"""Where a replay keeps what it makes: the tables of the loop, apart from those of production."""

from dataclasses import replace

from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.catalog import Column, Table, folder_of
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.settings import Settings

ABOUT = "about"


def replay_tables(problem: Problem) -> dict[str, Table]:
    """By the name of the table that each stands for."""
    moved = [*loop_tables(problem).values(), AUDIT]
    return {table.name: replace(table, name=_moved(problem, table.name)) for table in moved} | {
        ABOUT: Table(
            f"{problem.name}_replay.about",
            "What was replayed.",
            (
                Column("first_day", "date", "the first day that was lived"),
                Column("is_weekly", "boolean", "a candidate was trained each week besides"),
            ),
        )
    }


def _moved(problem: Problem, table: str) -> str:
    return f"{problem.name}_replay.{table.partition('.')[2]}"


class ReplayLake(Lake):
    """A lake in which the tables of the loop are those of the replay."""

    def __init__(self, settings: Settings, problem: Problem) -> None:
        super().__init__(settings)
        self.moved = {name: table.name for name, table in replay_tables(problem).items()}

    def folder(self, table: str) -> str:
        return folder_of(self.moved.get(table, table))

    def forget(self) -> None:
        """Delete all that was replayed."""
        for table in self.moved.values():
            for file in self.store.files(folder_of(table) + "/"):
                self.store.delete(file.key)
