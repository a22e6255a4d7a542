"""Where a simulation keeps what it makes: tables of the loop, apart from those of production."""

from dataclasses import replace

from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.catalog import Column, Table, folder_of
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.tables import loop_tables
from ghstars_assets.settings import Settings

ABOUT = "about"


def simulation_tables(problem: Problem, suffix: str = "simulation") -> dict[str, Table]:
    """List them by the name of the table that each stands for."""
    schema = f"{problem.name}_{suffix}"
    moved = [*loop_tables(problem).values(), AUDIT]
    return {
        table.name: replace(table, name=f"{schema}.{table.name.partition('.')[2]}")
        for table in moved
    } | {
        ABOUT: Table(
            f"{schema}.about",
            "What was simulated.",
            (
                Column("first_day", "date", "the first day that was lived"),
                Column("is_weekly", "boolean", "a candidate was trained each week besides"),
            ),
        )
    }


def tables_by_earlier_names(problem: Problem) -> list[Table]:
    """Tables as the release before named them, which `ghstars sql` still reads."""
    return list(simulation_tables(problem, "replay").values())


class SimulationLake(Lake):
    """A lake in which the tables of the loop are those of the simulation."""

    def __init__(self, settings: Settings, problem: Problem) -> None:
        super().__init__(settings)
        self.moved = {name: table.name for name, table in simulation_tables(problem).items()}

    def folder(self, table: str) -> str:
        return folder_of(self.moved.get(table, table))

    def forget(self) -> None:
        """Delete all that was simulated."""
        for table in self.moved.values():
            for file in self.store.files(folder_of(table) + "/"):
                self.store.delete(file.key)
