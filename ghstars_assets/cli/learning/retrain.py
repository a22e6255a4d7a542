"""`ghstars retrain`: a new version because somebody wants one, trained and decided on at once."""

import getpass
import json
from dataclasses import dataclass
from datetime import date

import click

from ghstars_assets.calendar import DayRange, utc_today
from ghstars_assets.cli.console import print_line, progress_bars, say
from ghstars_assets.cli.parameters import pass_settings, problem_argument
from ghstars_assets.errors import GhstarsError
from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.retraining import Ask, record_answers, versions_asked_for
from ghstars_assets.learning.monitoring.retraining_requests import (
    ANSWERED,
    day_of_request,
    request_retraining,
)
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.training.training_set import plan_training
from ghstars_assets.orchestration.commands_at_work import COMMAND_TAG
from ghstars_assets.orchestration.runs import Runner, dagster_instance
from ghstars_assets.orchestration.triggers.retraining_sensor import (
    model_config,
    newest_evaluation,
    retraining_tags,
)
from ghstars_assets.settings import Settings

DONE = {"deploy": "deployed", "skip": "skipped", "reject": "rejected"}


@dataclass(frozen=True)
class Retrained:
    """What came of a request to retrain."""

    version: int
    is_new: bool
    """False where the same data and parameters had made it before."""
    as_of: date
    decision: str
    reason: str

    def __str__(self) -> str:
        how = (
            f"Trained version {self.version} as of {self.as_of}"
            if self.is_new
            else f"Version {self.version} is what the data of {self.as_of} make, and was there"
        )
        return f"{how}: {DONE.get(self.decision, self.decision)}, {self.reason}."


@click.command("retrain")
@problem_argument
@click.option("--why", required=True, metavar="TEXT", help="the reason; kept with the version")
@pass_settings
def retrain_command(settings: Settings, problem: Problem, why: str) -> None:
    """Train PROBLEM anew as of today and decide on it, whatever the figures say.

    No cooldown holds it back. Who asked, why, and what came of it stays on record.

    \b
    ghstars retrain stars --why "GitHub took back a month of stars"
    """
    print_line(str(retrain(settings, problem, why)))


def retrain(settings: Settings, problem: Problem, why: str) -> Retrained:
    """Record the request, have health note it, train as of today and decide; each step a run in
    Dagster's records. The version carries health's evaluation, so the sensor asks for none."""
    lake, today, actor = Lake(settings), utc_today(), f"user {getpass.getuser()}"
    day = day_of_request(lake, problem)
    # A request that cannot be met would stand open for good.
    plan_training(lake, problem, problem.training, today)
    number = request_retraining(lake, problem, why, actor, day)
    say(f"Request {number} to retrain {problem.name} is recorded; health of {day} will note it.")
    with dagster_instance(settings) as instance, progress_bars() as bars:
        runner = Runner(settings, instance)
        task = bars.add_task(f"{problem.name} retraining", total=3)

        def run(
            stage: str, as_of: date, config: dict[str, str | int], tags: dict[str, str]
        ) -> None:
            table, tags = problem.table(stage), {COMMAND_TAG: "retrain", **tags}
            runner.run(table, DayRange(as_of, as_of), lambda _day: None, config, tags)
            bars.advance(task)

        run("health", day, {}, {})
        evaluation = newest_evaluation(instance, problem, day)
        if evaluation is None:
            raise GhstarsError(
                f"{problem.table('health')} of {day} left no evaluation in Dagster's records; run "
                f"`ghstars retrain {problem.name} --why …` again."
            )
        ask = Ask(evaluation, today)
        record_answers(lake, [ask], actor)
        run("model", today, model_config(ask), retraining_tags(evaluation))
        run("champion", today, {}, {})
    return _outcome(lake, problem, ask)


def _outcome(lake: Lake, problem: Problem, ask: Ask) -> Retrained:
    today = DayRange(ask.as_of, ask.as_of)
    trained = [
        version.number
        for version in versions_asked_for(lake, problem, today)
        if version.evaluation == ask.evaluation.id
    ]
    version = trained[0] if trained else _found(lake, ask)
    log = lake.read_log(problem.table("decisions"))
    decided = None if log is None else log.filter(model_version=version)
    if decided is None or decided.is_empty():
        raise GhstarsError(
            f"Version {version} of {problem.name} was trained and not decided on; decide with "
            f"`ghstars backfill {problem.name} --from {ask.as_of} --stages champion`."
        )
    last = decided.row(-1, named=True)
    return Retrained(version, bool(trained), ask.as_of, last["decision"], last["reason"])


def _found(lake: Lake, ask: Ask) -> int:
    """Find the version that was there before."""
    audit = lake.read_log(AUDIT.name)
    answers = None if audit is None else audit.filter(event=ANSWERED, subject=ask.evaluation.id)
    if answers is None or answers.is_empty():
        raise GhstarsError(
            f"The run for {ask.evaluation.id} left no version; see its log in Dagster's UI."
        )
    return int(json.loads(answers["detail"][-1])["model_version"])
