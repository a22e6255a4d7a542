"""Lives days in order through Dagster: each day's stages as recorded runs, then a tick of the
sensor, whose clock stands at that day, and the runs it asks for.
"""

import logging
import warnings
from datetime import date, timedelta

from dagster import RunRequest, build_sensor_context

from ghstars_assets.calendar import DayRange
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.stages import CHAMPION, MODEL, daily_stages, due_stages
from ghstars_assets.orchestration.commands_at_work import COMMAND_TAG
from ghstars_assets.orchestration.dagster_internals import (
    RUN_KEY_TAG,
    SENSOR_NAME_TAG,
)
from ghstars_assets.orchestration.runs import Runner
from ghstars_assets.orchestration.triggers.retraining_sensor import build_retraining_sensor


class LivedDays:
    """A problem's days, once its features and labels are there. The sensor's cursor is kept from
    day to day, as the daemon keeps it."""

    def __init__(self, lake: Lake, problem: Problem, runner: Runner) -> None:
        self.lake = lake
        self.problem = problem
        self.runner = runner
        self._today = date.min
        self._cursor: str | None = None
        self._sensor = build_retraining_sensor(problem, today=lambda: self._today)
        self._daily = tuple(stage.name for stage in daily_stages(problem))

    def begin(self, day: date, cause: str) -> None:
        """The first version, which serves from this day on."""
        self._run((MODEL, CHAMPION), day, {MODEL: {"cause": cause}})

    def live(self, day: date) -> None:
        self._today = day
        for stage in due_stages(self.problem):
            origin = day - timedelta(days=stage.looks_ahead_days)
            origins = DayRange(origin, origin)
            if all(self.lake.days(table, origins) for table in stage.required_inputs):
                self._run((stage.name,), origin)
        self._run(self._daily, day)
        while requests := self._tick():
            for request in requests:
                self._carry_out(request)
            # Who serves was decided anew, and all that hangs on it follows.
            self._run(self._daily, day)

    def _tick(self) -> list[RunRequest]:
        context = build_sensor_context(
            self.runner.instance,
            self._cursor,
            repository_def=self.runner.repository,
            resources={"lake": self.lake},
        )
        # What it says of each day is in the audit log.
        context.log.setLevel(logging.WARNING)
        with warnings.catch_warnings():
            # The model takes one day at a time, the champion any; together they get a single one.
            warnings.filterwarnings("ignore", message=".* varying BackfillPolicies")
            tick = self._sensor.evaluate_tick(context)
        self._cursor = tick.cursor
        return list(tick.run_requests or [])

    def _carry_out(self, request: RunRequest) -> None:
        """What the daemon does with it."""
        tags = {
            **request.tags,
            RUN_KEY_TAG: request.run_key or "",
            SENSOR_NAME_TAG: self._sensor.name,
        }
        assert request.partition_key is not None  # noqa: S101 - the sensor asks for a day
        day = date.fromisoformat(request.partition_key)
        tables = [".".join(key.path) for key in request.asset_selection or []]
        configs = {
            table: tick["config"]
            for table in tables
            if (tick := request.run_config.get("ops", {}).get(table.replace(".", "__")))
        }
        self.runner.run_together(tables, DayRange(day, day), _ignore, configs, tags)

    def _run(
        self, stages: tuple[str, ...], day: date, configs: dict[str, dict[str, str]] | None = None
    ) -> None:
        table = self.problem.table
        self.runner.run_together(
            [table(stage) for stage in stages],
            DayRange(day, day),
            _ignore,
            {table(stage): config for stage, config in (configs or {}).items()},
            {COMMAND_TAG: "demo"},
        )


def _ignore(_day: date) -> None:
    """Nobody waits for a single stage of a day."""
