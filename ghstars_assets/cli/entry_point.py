"""The `ghstars` command as a whole: its list of commands, its help, and how a fault is shown."""

import os
import sys
from collections.abc import Sequence

import click

from ghstars_assets.cli.command_line import CommandLine
from ghstars_assets.cli.lazy_group import LazyGroup
from ghstars_assets.errors import GhstarsError, WrongArgumentError
from ghstars_assets.problems.platform import CommandEntry
from ghstars_assets.problems.registry import problem_commands

EXIT_CODES = """Exit codes: 0 done; 1 it could not be done, and the message says why and what to do,
or (check) something is damaged; 2 the command was written wrongly; 3 (status, doctor) something
needs attention; 130 interrupted."""

_DATA = "ghstars_assets.cli.data"
_LEARNING = "ghstars_assets.cli.learning"
_OPERATIONS = "ghstars_assets.cli.operations"

COMMANDS = {
    # Tables: imported, filled, declared, queried.
    "import": CommandEntry(
        f"{_DATA}.import_history:import_command",
        "Import the history of PROBLEM from a folder, a file or the web.",
    ),
    "backfill": CommandEntry(
        f"{_DATA}.backfill:backfill_command", "Fill the stages of PROBLEM for a range of days."
    ),
    "gap": CommandEntry(
        f"{_DATA}.gap:gap",
        "Declare days that no source knows, so that they are holes with a reason.",
    ),
    "release": CommandEntry(
        f"{_DATA}.release:release",
        "Let days out of quarantine against the gate's verdict, and fill them again.",
    ),
    "coverage": CommandEntry(
        f"{_DATA}.coverage:coverage",
        "Show which days PROBLEM knows from which source, and how well.",
    ),
    "sql": CommandEntry(
        f"{_DATA}.sql:sql", "Ask the lake in DuckDB's SQL; without QUERY a prompt opens."
    ),
    "export-duckdb": CommandEntry(
        f"{_DATA}.export_duckdb:export_duckdb",
        "Write FILE: a DuckDB database of views over the lake, for any DuckDB client.",
    ),
    # Forecasts, and the versions that make them.
    "predict": CommandEntry(
        f"{_LEARNING}.predict:predict", "Show the stored forecasts of PROBLEM, highest mean first."
    ),
    "explain": CommandEntry(
        f"{_LEARNING}.explain:explain", "Show one forecast of PROBLEM and why it is what it is."
    ),
    "models": CommandEntry(
        f"{_LEARNING}.models:models",
        "List the versions of PROBLEM with their record, write the files of one, or make one again "
        "whose stored text is damaged.",
    ),
    "promote": CommandEntry(
        f"{_LEARNING}.promote:promote",
        "Let VERSION of PROBLEM serve from today on, whatever was decided on it.",
    ),
    "rollback": CommandEntry(
        f"{_LEARNING}.rollback:rollback",
        "Go back to a version of PROBLEM that served before, from today on.",
    ),
    "retrain": CommandEntry(
        f"{_LEARNING}.retrain:retrain_command",
        "Train PROBLEM anew as of today and decide on it, whatever the figures say.",
    ),
    "drift": CommandEntry(
        f"{_LEARNING}.drift:drift",
        "Show what has drifted from the rows that the champion of PROBLEM learnt from.",
    ),
    "backtest": CommandEntry(
        f"{_LEARNING}.backtest:backtest",
        "Forecast past days as they would have been forecast, and measure the forecasts.",
    ),
    "simulate": CommandEntry(
        f"{_LEARNING}.simulate:simulate",
        "Live past days in order: forecast, score, watch, and retrain where health asks for it.",
    ),
    "replay": CommandEntry(
        f"{_LEARNING}.simulate:replay", "The former name of `ghstars simulate`.", is_hidden=True
    ),
    # The platform itself.
    "demo": CommandEntry(
        f"{_OPERATIONS}.demo:demo",
        "Run the whole loop on the sandbox and show forecasts and their record.",
    ),
    "up": CommandEntry(
        f"{_OPERATIONS}.up:up",
        "Serve Dagster's UI and daemon and MLflow's UI on loopback until interrupted.",
    ),
    "status": CommandEntry(
        f"{_OPERATIONS}.status:status",
        "Show what is fresh, damaged, missing, stale or failed, and what comes next.",
    ),
    "check": CommandEntry(
        f"{_OPERATIONS}.check:check_command",
        "Look for files that are damaged, missing or surplus, of PROBLEM or of all.",
    ),
    "doctor": CommandEntry(
        f"{_OPERATIONS}.doctor:doctor",
        "Look at the environment, the storage, the versions and the ports.",
    ),
}


@click.group(
    cls=LazyGroup,
    entries={**COMMANDS, **problem_commands()},
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="ghstars-assets")
@click.pass_context
def cli(context: click.Context) -> None:
    """Which repositories will gain stars over the next 7 days, how many, and how sure we are.

    \b
    First time:   ghstars demo           the whole loop on a sandbox, no token needed
    With a token: ghstars start OWNER/NAME ...   follow, import the past, forecast the same evening
    Every day:    ghstars up             Dagster's UI and schedules; they do the rest
                  ghstars status         what is fresh, missing, failed, and what comes next
                  ghstars predict stars  the forecasts
    Ask anything: ghstars sql "select * from stars.predictions order by mean desc limit 5"
    """
    context.ensure_object(CommandLine)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and end the process. A fault of the user's is one sentence, without a
    traceback; that of a bug is in a file, for whoever mends it."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    command_line = CommandLine()
    try:
        cli.main(args=given, prog_name="ghstars", obj=command_line)
    except SystemExit as end:
        # rich ends with 1 where the reader of a pipe has gone; that is no fault.
        is_read = not isinstance(end.__context__, BrokenPipeError)
        if not (_flush() and is_read):
            sys.exit(0)
        raise
    except GhstarsError as error:
        click.echo(f"ghstars: {error}", err=True)
        sys.exit(2 if isinstance(error, WrongArgumentError) else 1)
    except Exception as error:  # noqa: BLE001 - whatever it is, a user reads a sentence
        click.echo(f"ghstars: {_sentence(error, command_line, given)}", err=True)
        sys.exit(1)


def _sentence(error: Exception, command_line: CommandLine, given: Sequence[str]) -> str:
    """What a user reads of an error that is none of ours."""
    # What knows the libraries takes as long to import as they do.
    from ghstars_assets.failures.bug_reports import report_bug
    from ghstars_assets.failures.causes import is_bug, sentence

    try:
        settings = command_line.settings
    except GhstarsError:
        return report_bug(error, None, given)
    if is_bug(error, settings):
        return report_bug(error, settings, given)
    return sentence(error, settings)


def _flush() -> bool:
    """Write out what was printed; False where nobody reads it any more. Python would complain about
    that when it ends."""
    is_read = True
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            is_read = False
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return is_read
