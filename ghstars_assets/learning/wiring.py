"""A problem joined to its SQL files: the tables there are and the columns it learns from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.catalog import Table
from ghstars_assets.lake.holes import gaps_table, releases_table
from ghstars_assets.learning.problem import LearningColumns, Problem
from ghstars_assets.learning.simulation.simulation_lake import (
    simulation_tables,
    tables_by_earlier_names,
)
from ghstars_assets.learning.tables import backtest_table, loop_tables
from ghstars_assets.sql_tables.graph import SqlGraph, load_sql_graph, require_no_foresight


@dataclass(frozen=True)
class Wired:
    graph: SqlGraph
    columns: dict[str, LearningColumns]
    """By problem."""


def wire(problems: Sequence[Problem], sql_root: Path) -> Wired:
    """Read and validate every SQL file of the problems."""
    made_elsewhere: list[Table] = [AUDIT]
    for problem in problems:
        made_elsewhere += [source.table for source in problem.sources]
        made_elsewhere += [log for source in problem.sources for log in source.logs]
        made_elsewhere += loop_tables(problem).values()
        made_elsewhere += [stage.table for stage in problem.own_stages]
        made_elsewhere += [gaps_table(problem.name), releases_table(problem.name)]
    graph = load_sql_graph([sql_root / problem.name for problem in problems], made_elsewhere)
    columns = {problem.name: _columns(problem, graph) for problem in problems}
    # The columns of a backtest hang on those of the features.
    of_the_past: list[Table] = []
    for problem in problems:
        of_the_past.append(backtest_table(problem, columns[problem.name]))
        of_the_past += simulation_tables(problem).values()
        of_the_past += tables_by_earlier_names(problem)
    tables = {**graph.tables, **{table.name: table for table in of_the_past}}
    return Wired(replace(graph, tables=tables), columns)


def _columns(problem: Problem, graph: SqlGraph) -> LearningColumns:
    for stage in ("snapshots", "features", "labels"):
        if problem.table(stage) not in graph.files:
            raise GhstarsError(
                f"The problem {problem.name} has no sql/{problem.name}/{stage}.sql; add it."
            )
    for stage in ("snapshots", "features"):
        require_no_foresight(graph.files[problem.table(stage)], graph.tables)
    ahead = graph.tables[problem.table("labels")].days_ahead
    if ahead != problem.horizon_days:
        raise GhstarsError(
            f"sql/{problem.name}/labels.sql reads {ahead} days ahead, but the horizon of "
            f"{problem.name} is {problem.horizon_days} days; make the two agree."
        )
    features = graph.tables[problem.table("features")]
    return LearningColumns.of(problem, features, graph.tables[problem.table("labels")])
