"""`ghstars check`: what is damaged, missing or surplus in a lake, and the mending of it."""

import sys
from dataclasses import asdict

import click
import polars as pl

from ghstars_assets.cli.console import say, show_frame
from ghstars_assets.cli.parameters import form_options, pass_settings, problem_type
from ghstars_assets.learning.checking import Checked, Finding, Kind, check
from ghstars_assets.learning.problem import Problem
from ghstars_assets.orchestration.backfill import plan_of
from ghstars_assets.orchestration.mending import mend
from ghstars_assets.orchestration.runs import Runner, dagster_instance
from ghstars_assets.problems.platform import Form
from ghstars_assets.problems.registry import all_problems
from ghstars_assets.settings import Settings

COLUMNS = {
    "kind": pl.String,
    "table": pl.String,
    "day": pl.Date,
    "file": pl.String,
    "why": pl.String,
    "remedy": pl.String,
}


def findings_frame(findings: list[Finding]) -> pl.DataFrame:
    rows = [{**asdict(finding), "file": finding.key} for finding in findings]
    return pl.DataFrame(rows, schema=COLUMNS)


@click.command("check")
@click.argument("problem", type=problem_type, required=False)
@click.option("--deep", "is_deep", is_flag=True, help="read every byte and every row")
@click.option(
    "--mend", "is_mending", is_flag=True, help="fill again, or set aside, what is damaged"
)
@form_options
@pass_settings
def check_command(
    settings: Settings, problem: Problem | None, form: Form, *, is_deep: bool, is_mending: bool
) -> None:
    """Look for files that are damaged, missing or surplus, of PROBLEM or of all.

    The size and the footer of each file are looked at, with `--deep` every byte against its
    checksum, and the day and the keys of its rows too. The exit code is 1 if something is damaged.
    With `--mend` what is damaged is set aside; what can be made again is filled, and a day that no
    source knows any more is declared a gap.

    \b
    ghstars check
    ghstars check stars --deep --mend
    """
    problems = [problem] if problem else list(all_problems().values())
    found: dict[str, Checked] = {}
    for one in problems:
        checked = check(plan_of(settings, one), is_deep=is_deep)
        if is_mending and (checked.of(Kind.DAMAGED) or checked.of(Kind.MISSING)):
            _mend(settings, one, checked)
            checked = check(plan_of(settings, one), is_deep=is_deep)
        found[one.name] = checked
    findings = [finding for checked in found.values() for finding in checked.findings]
    if findings or form != "table":
        show_frame(findings_frame(findings), form)
    for name, checked in found.items():
        say(f"{name}: {_in_words(checked)}")
    sys.exit(1 if any(checked.is_damaged for checked in found.values()) else 0)


def _mend(settings: Settings, problem: Problem, checked: Checked) -> None:
    with dagster_instance(settings) as instance:
        for line in mend(plan_of(settings, problem), Runner(settings, instance), checked):
            say(line)


def _in_words(checked: Checked) -> str:
    counted = ", ".join(
        f"{len(checked.of(kind))} {kind}"
        for kind in (Kind.DAMAGED, Kind.MISSING, Kind.SURPLUS)
        if checked.of(kind)
    )
    words = f"{checked.files:,} files looked at; {counted or 'nothing is wrong'}"
    if checked.files_without_checksum:
        words += (
            f"; {checked.files_without_checksum:,} of them are of the first release, which added "
            "no checksums"
        )
    return f"{words}."
