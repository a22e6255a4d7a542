"""`ghstars demo --drift`: a world that changes, and how the loop notices, trains and deploys.

The world and its days are the problem's own (`Problem.drift_story`). Sources, snapshots, features
and labels are filled ahead in one batch, for nothing in them hangs on a decision; from the first
version on every day is lived in order, by the assets, the check and the sensor that run in
production. The weekly candidates are left out: whatever is trained here was asked for by health, so
that every effect has one cause.
"""

import sys
import time
from collections.abc import Mapping
from typing import Any

import polars as pl

from ghstars_assets.calendar import DayRange, utc_now
from ghstars_assets.cli.console import print_line, progress_bars, say, show_frame
from ghstars_assets.cli.data.backfill import backfill
from ghstars_assets.errors import GhstarsError, WrongHomeError
from ghstars_assets.lake.audit import AUDIT
from ghstars_assets.lake.marker import SANDBOX_NOTICE, mark_lake, read_marker
from ghstars_assets.lake.tables import Lake
from ghstars_assets.learning.monitoring.retraining import ASKED, HELD_BACK
from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.simulation.drift_story import DriftStory
from ghstars_assets.learning.simulation.simulation import with_and_without
from ghstars_assets.orchestration.runs import Runner, dagster_instance
from ghstars_assets.orchestration.simulated_days import LivedDays
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import Settings


def demo_drift(settings: Settings, *, is_control: bool) -> None:
    """Live the story in an empty home and show it. Exit with 1 where it ended otherwise."""
    started, lake = time.monotonic(), Lake(settings)
    problem, story = _problem_with_a_story()
    story = story.control if is_control else story
    mark_empty(lake, story)
    say(f"{SANDBOX_NOTICE}\nEverything is kept in {settings.home_path}.")
    _fill_ahead(settings, lake, problem, story)
    begun = _live(settings, lake, problem, story)
    shown = timeline(lake.read_log(AUDIT.name), begun)
    show_frame(once_each(shown), "table", "What happened, and why: rows of platform.audit")
    show_frame(by_week(lake, problem, story), "table", "Skill against naive, by week of forecast")
    last = lake.read(problem.table("health"), story.lived.last).row(0, named=True)
    fault = why_not_calm(shown) if is_control else why_not_recovered(problem, shown, last)
    print_line(
        f"{SANDBOX_NOTICE}\nDone in {time.monotonic() - started:.0f} s. {_summary(story)}\nSee it: "
        f"`ghstars sql 'from {problem.name}.health order by day'`, or `ghstars up` and then "
        f"http://127.0.0.1:{settings.web_port}/assets/{problem.name}/health (the checks, and "
        f"the runs with the tag ghstars/retraining).",
        soft_wrap=True,
    )
    if fault:
        say(fault, heading="It did not end as it should:")
        sys.exit(1)


def _problem_with_a_story() -> tuple[Problem, DriftStory]:
    for problem in all_problems().values():
        if problem.drift_story:
            return problem, problem.drift_story
    raise GhstarsError("No problem has a world that changes, so there is nothing to show.")


def mark_empty(lake: Lake, story: DriftStory) -> None:
    """Mark a home for the story, which must have it to itself."""
    if read_marker(lake) or lake.tables():
        raise WrongHomeError(
            f"The lake at {lake.store.root} is in use, and this demo needs an empty one; set "
            "GHSTARS_HOME (or GHSTARS_LAKE) to a new place."
        )
    mark_lake(lake, story.marker)


def _fill_ahead(settings: Settings, lake: Lake, problem: Problem, story: DriftStory) -> None:
    if problem.prepare_sandbox:
        problem.prepare_sandbox(lake)
    sources = [source.table.name for source in problem.sources if "sandbox" in source.kinds]
    stages = [*(name.split(".")[1] for name in sources), "snapshots", "features", "labels"]
    days = DayRange(story.learns_from, story.lived.last)
    # Its features look back on what lies before, which is filled too.
    for report in backfill(settings, problem, days, stages):
        say(f"{problem.name} {report}")


def _live(settings: Settings, lake: Lake, problem: Problem, story: DriftStory) -> pl.DataFrame:
    """Live every day; returns when each of them began, by our own clock."""
    begun = [(utc_now(), story.lived.first)]
    with dagster_instance(settings) as instance, progress_bars() as bars:
        days = LivedDays(lake, problem, Runner(settings, instance))
        task = bars.add_task(f"{problem.name} day by day", total=len(story.lived))
        days.begin(story.lived.first, "the story begins, and no version serves yet")
        last_decision = ""
        for day in story.lived:
            if day == story.change_on and not story.is_control:
                say(f"{day} the world changes: {story.what_changes}")
            begun.append((utc_now(), day))
            days.live(day)
            health = lake.read(problem.table("health"), day).row(0, named=True)
            say(line_of_day(story, health, last_decision))
            last_decision = health["decision"]
            bars.advance(task)
    return pl.DataFrame(begun, {"at": pl.Datetime("us", "UTC"), "day": pl.Date}, orient="row")


def line_of_day(story: DriftStory, health: Mapping[str, Any], last_decision: str) -> str:
    """Show how far the story is and the skill of the day, and what was decided where that is
    new."""
    lived = (health["day"] - story.lived.first).days + 1
    skill = health["skill_vs_naive"]
    shown = "no skill known yet" if skill is None else f"skill {skill:6.3f}"
    line = f"{health['day']} ({lived} of {len(story.lived)}): {shown}"
    if health["decision"] == last_decision:
        return line
    return f"{line}; {health['decision']}: {health['reason']}"


def timeline(audit: pl.DataFrame | None, begun: pl.DataFrame) -> pl.DataFrame:
    """List the events of the days that were lived, each with the day it happened on."""
    log = AUDIT.empty() if audit is None else audit
    return (
        log.sort("at", maintain_order=True)
        .join_asof(begun.sort("at"), on="at")
        .filter(pl.col("day").is_not_null())
        .select("day", "event", "subject", "cause", "actor")
    )


def once_each(events: pl.DataFrame) -> pl.DataFrame:
    """Leave out the days on which the same was held back again."""
    again = (pl.col("event") == HELD_BACK) & (pl.col("event").shift() == HELD_BACK)
    return events.filter(~again.fill_null(value=False)).drop("actor")


def by_week(lake: Lake, problem: Problem, story: DriftStory) -> pl.DataFrame:
    """Measure what the loop gained: its forecasts beside those of the first version, had nobody
    trained."""
    health = lake.scan(problem.table("health"), story.lived).select("day", "drifted_share")
    errors = with_and_without(lake, problem, story.lived)
    weighed = [
        (pl.col(f"mae_{name}") * pl.col("rows")).sum() / pl.col("rows").sum()
        for name in ("typical", "frozen", "naive")
    ]
    return (
        errors.join(health.collect(), on="day", how="left")
        .sort("day")
        .with_columns(week=((pl.col("day") - story.change_on).dt.total_days() // 7) + 1)
        .group_by("week", maintain_order=True)
        .agg(
            pl.col("day").first().alias("from"),
            (1 - weighed[0] / weighed[2]).alias("skill"),
            (1 - weighed[1] / weighed[2]).alias("without_retraining"),
            pl.col("drifted_share").mean().alias("drifted"),
        )
    )


def why_not_recovered(problem: Problem, events: pl.DataFrame, last: Mapping[str, Any]) -> str:
    """Describe why the loop did not come to its end, by the health of the last day; empty where it
    did."""
    names = events["event"].to_list()
    if ASKED not in names:
        return "Health never asked for a retraining, though the world had changed."
    if "deploy" not in names[names.index(ASKED) :]:
        return (
            "Nothing was deployed of what health asked for; the reasons stand in the table above."
        )
    skill = last["skill_vs_naive"]
    if last["is_due"] or skill is None or skill < problem.gates.skill_warning.value:
        return f"On {last['day']} skill had not recovered: {last['reason']}."
    return ""


def why_not_calm(events: pl.DataFrame) -> str:
    asked = events.filter(pl.col("event") == ASKED)
    if asked.is_empty():
        return ""
    return (
        f"A retraining was asked for {asked.height} times in a world that never changed, first on "
        f"{asked['day'][0]}."
    )


def _summary(story: DriftStory) -> str:
    if story.is_control:
        return "This was the control: the same world, which never changed."
    return f"The world changed on {story.change_on}."
