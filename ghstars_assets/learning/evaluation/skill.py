"""Skill: how good the forecasts of a backtest are, beside what anybody could have forecast.

All is measured on the same rows, those whose outcome and naive forecast are known, by queries over
the files of one mode of the backtest.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb

from ghstars_assets.calendar import DayRange
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.duck import bind_parquet, bind_select, duck_session
from ghstars_assets.lake.holes import warned_days
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.evaluation.metrics import (
    NAIVE,
    RANKING,
    mean_absolute_error_sql,
    ranking_sql,
)
from ghstars_assets.learning.problem import Problem

MOST_VALUES = 15
"""A segment is shown by its most frequent values."""
LEVELS = 10

Measures = dict[str, float | int | None]

_Group = tuple[str | None, bool | None]
"""A month or whether it was warned of; neither for all rows."""
_ALL: _Group = (None, None)
_GROUPINGS = (("null", "null"), ("month", "null"), ("null", "is_warned"))


@dataclass(frozen=True)
class SkillReport:
    """What was measured; a figure is None where there is nothing to measure it by."""

    problem: str
    mode: str
    days: DayRange
    """From the first to the last day whose forecasts were measured."""
    overall: Measures
    """What was measured of the model; the task says which column is held against what happened and
    which one ranks."""
    baselines: dict[str, Measures]
    """The same of the naive forecast and of the others, each where it is known."""
    by_month: list[dict[str, Any]]
    by_segment: dict[str, list[dict[str, Any]]]
    """There is no ranking within a segment, for it is among all."""
    by_level: list[dict[str, Any]]
    """How sure forecasts were by quarter and decile of `typical` in it, without outcomes that span
    a day warned of."""
    warned: dict[str, Any]
    """The `days` warned of, the `origins` whose outcomes span one, and the measures on these."""
    coverage_without_warned: Measures

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "problem": self.problem,
            "mode": self.mode,
            "from": str(self.days.first),
            "to": str(self.days.last),
            "overall": self.overall,
            "baselines": self.baselines,
            "by_month": self.by_month,
            "by_segment": self.by_segment,
            "by_level": self.by_level,
            "warned_days": self.warned,
            "coverage_without_warned": self.coverage_without_warned,
        }


@dataclass(frozen=True)
class _Forecaster:
    value: str
    """The column that is held against what happened."""
    ranks_by: str
    measures: Mapping[str, str]
    """By name, SQL."""


@dataclass(frozen=True)
class _Measured:
    """One forecaster."""

    groups: dict[_Group, Measures]
    nothing: Measures
    """The measures of no rows."""

    def of(self, group: _Group) -> Measures:
        return self.groups.get(group, self.nothing)

    @property
    def months(self) -> list[str]:
        return sorted(month for month, _ in self.groups if month)


def measure_skill(
    lake: Lake, problem: Problem, baselines: Sequence[str], days: DayRange, mode: str
) -> SkillReport:
    """Measure the forecasts that a backtest made on these days."""
    table = problem.table("backtest")
    found = [partition for partition in lake.partitions(table, days) if partition.part == mode]
    if not found:
        raise GhstarsError(
            f"{table} holds no {mode} forecasts of {days}; make them with "
            f"`ghstars backtest {problem.name} --retrain {mode}`."
        )
    origins = [partition.day for partition in found]
    task, others = problem.task, (NAIVE, *baselines)
    ours = _Forecaster(
        task.point, task.ranks_by, {**task.measures(task.point), **task.own_measures()}
    )
    warned_days, warned_origins = _warned(lake, problem, origins)
    with duck_session(lake.settings, lake.store) as connection:
        urls = lake.urls_of(found)
        bind_parquet(connection, "lake.backtest", urls, "")
        _bind_measured(connection, problem, baselines, warned_origins)
        first, last = _measured_span(connection, task.point, f"{table} of {days}, {mode},")
        model = _measure(connection, problem, ours)
        beside = {
            name: _measure(connection, problem, _Forecaster(name, name, task.measures(name)))
            for name in others
        }
        segments = _by_segment(connection, lake, problem, origins, ours, others)
        levels = _by_level(connection, problem)
    without = model.of((None, False))
    return SkillReport(
        problem=problem.name,
        mode=mode,
        days=DayRange(first, last),
        overall=model.of(_ALL),
        baselines={name: measured.of(_ALL) for name, measured in beside.items()},
        by_month=[
            {
                "month": month,
                **model.of((month, None)),
                "baselines": {
                    name: measured.of((month, None)) for name, measured in beside.items()
                },
            }
            for month in model.months
        ],
        by_segment=segments,
        by_level=levels,
        warned={
            "days": [str(day) for day in warned_days],
            "origins": [str(day) for day in warned_origins],
            **model.of((None, True)),
        },
        coverage_without_warned={name: without[name] for name in task.calibration_measures()},
    )


def _warned(lake: Lake, problem: Problem, origins: Sequence[date]) -> tuple[list[date], list[date]]:
    """Days that their gate let through with a warning, and the origins whose outcomes span one."""
    span = DayRange(min(origins), max(origins) + timedelta(days=problem.horizon_days))
    warned = warned_days(lake, problem.table("snapshots"), span)
    ahead = [timedelta(days=n) for n in range(1, problem.horizon_days + 1)]
    touched = {day for day in origins if any(day + n in warned for n in ahead)}
    spanned = {day for day in warned if any(day - n in touched for n in ahead)}
    return sorted(spanned), sorted(touched)


def _bind_measured(
    connection: duckdb.DuckDBPyConnection,
    problem: Problem,
    baselines: Sequence[str],
    warned: Sequence[date],
) -> None:
    """`lake.measured`: the rows that all are measured on."""
    known = {name for name, *_ in connection.sql("describe lake.backtest").fetchall()}
    missing = [name for name in baselines if name not in known]
    if missing:
        raise GhstarsError(
            f"{problem.table('backtest')} was made without {', '.join(missing)}; make it anew "
            f"with `ghstars backtest {problem.name}`."
        )
    forecast = [column.name for column in problem.task.forecast_columns(problem.horizon_days)]
    columns = [problem.entity, *forecast, NAIVE, *baselines, "actual"]
    listed = ", ".join(f'"{name}"' for name in columns)
    days = ", ".join(f"date '{day}'" for day in warned)
    bind_select(
        connection,
        "lake.measured",
        f"""
        select
            day, {listed}, strftime(day, '%Y-%m') as month,
            {f"day in ({days})" if warned else "false"} as is_warned
        from lake.backtest
        where {NAIVE} is not null and actual is not null
        """,  # noqa: S608 - names of columns, and days
    )


def _measured_span(connection: duckdb.DuckDBPyConnection, point: str, of: str) -> tuple[date, date]:
    query = f"""select min(day), max(day) from lake.measured where "{point}" is not null"""  # noqa: S608
    first, last = connection.sql(query).fetchall()[0]
    if first is None:
        raise GhstarsError(
            f"{of} holds no forecast beside which both an outcome and a naive forecast are known; "
            "measure earlier days, or fill labels and make the forecasts anew."
        )
    return first, last


def _measure(
    connection: duckdb.DuckDBPyConnection, problem: Problem, forecaster: _Forecaster
) -> _Measured:
    measures, value = forecaster.measures, forecaster.value
    nothing: Measures = {**dict.fromkeys([*measures, *RANKING]), "n": 0}
    # One after the other: a median holds each error of its groups in memory.
    points = [
        f"""
        select {month} as month, {is_warned} as is_warned, {_selected(measures)}
        from lake.measured
        where "{value}" is not null
        group by all
        """  # noqa: S608 - names of columns
        for month, is_warned in _GROUPINGS
    ]
    ranking = ranking_sql("lake.measured", problem.entity, value, forecaster.ranks_by)
    groups: dict[_Group, Measures] = {}
    for query in (*points, ranking):
        for row in _rows(connection, query):
            group = row.pop("month"), row.pop("is_warned")
            groups[group] = groups.get(group, nothing) | _figures(row)
    return _Measured(groups, nothing)


def _selected(measures: Mapping[str, str]) -> str:
    return ", ".join(f"{measure} as {name}" for name, measure in measures.items())


def _by_segment(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    problem: Problem,
    origins: Sequence[date],
    model: _Forecaster,
    others: Sequence[str],
) -> dict[str, list[dict[str, Any]]]:
    """The segment of an entity is that of the origin; the most frequent value comes first."""
    wanted = set(origins)
    span = DayRange(min(origins), max(origins))
    snapshots = lake.partitions(problem.table("snapshots"), span)
    urls = lake.urls_of([partition for partition in snapshots if partition.day in wanted])
    if not urls:
        return {name: [] for name in problem.segments}
    bind_parquet(connection, "lake.snapshots", urls, "")
    errors = {f"mae_{name}": mean_absolute_error_sql(name) for name in others}
    measures = {**model.measures, **errors}
    found: dict[str, list[dict[str, Any]]] = {}
    for name, expression in problem.segments.items():
        # The expression is the problem's own, from the code.
        query = f"""
            with segments as (
                select day, "{problem.entity}", ({expression})::varchar as value
                from lake.snapshots
            )
            select value, {_selected(measures)}
            from lake.measured join segments using (day, "{problem.entity}")
            where "{model.value}" is not null
            group by value
            order by n desc, value
            limit {MOST_VALUES}
        """  # noqa: S608
        found[name] = [
            {"value": row.pop("value"), **_figures(row)} for row in _rows(connection, query)
        ]
    return found


def _by_level(connection: duckdb.DuckDBPyConnection, problem: Problem) -> list[dict[str, Any]]:
    task = problem.task
    point, uncertain = task.point, ", ".join(task.uncertain)
    query = f"""
        with quarters as (
            select
                day, "{problem.entity}", "{point}", actual, {uncertain},
                year(day) || '-Q' || quarter(day) as quarter
            from lake.measured
            where not is_warned and "{point}" is not null
        ),
        levels as (
            select
                quarter, actual, {uncertain},
                ntile({LEVELS}) over (
                    partition by quarter order by "{point}", day, "{problem.entity}"
                ) as decile
            from quarters
        )
        select quarter, decile, count(*) as n, {_selected(task.calibration_measures())}
        from levels
        group by quarter, decile
        order by quarter, decile
    """  # noqa: S608 - names of columns
    return [
        {"quarter": row.pop("quarter"), "decile": row.pop("decile"), **_figures(row)}
        for row in _rows(connection, query)
    ]


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[dict[str, Any]]:
    yield from connection.sql(query).pl().to_dicts()


def _figures(row: dict[str, Any]) -> Measures:
    return {name: _figure(value) for name, value in row.items()}


def _figure(value: float | None) -> float | int | None:
    if not isinstance(value, float):
        return value
    # Threads add up in no order: what follows the twelfth digit differs from run to run.
    return float(f"{value:.12g}") if math.isfinite(value) else None
