"""The `ghstars` command. What each subcommand does stands in `commands/`; heavy imports too."""

import sys
from collections.abc import Sequence

import click
from obstore.exceptions import BaseError

from ghstars_assets.cli import filling, learning, serving
from ghstars_assets.errors import GhstarsError
from ghstars_assets.settings import current_settings

EXIT_CODES = """Exit codes: 0 done; 1 it could not be done, and the message says why and what to do;
2 the command was written wrongly; 3 (status, doctor) something needs attention; 130 interrupted."""


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ghstars-assets")
def cli() -> None:
    """Which repositories will gain stars over the next 7 days, how many, and how sure we are.

    \b
    First time:   ghstars demo           the whole loop on a sandbox, no token needed
    With a token: ghstars start OWNER/NAME ...   follow, import the past, forecast the same evening
    Every day:    ghstars up             Dagster's UI and schedules; they do the rest
                  ghstars status         what is fresh, missing, failed, and what comes next
                  ghstars predict stars  the forecasts
    Ask anything: ghstars sql "select * from stars.predictions order by mean desc limit 5"
    """


for _command in (
    filling.start,
    filling.import_history,
    filling.coverage,
    filling.track,
    filling.untrack,
    filling.tracked,
    filling.gap,
    filling.release,
    filling.backfill,
    learning.backtest,
    learning.replay,
    learning.retrain,
    learning.predict,
    learning.explain,
    learning.drift,
    learning.models,
    learning.promote,
    learning.rollback,
    serving.demo,
    serving.up,
    serving.sandbox,
    serving.status,
    serving.doctor,
    serving.sql,
    serving.export_duckdb,
):
    cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; a fault of the user's is one sentence, without a traceback."""
    try:
        cli.main(args=arguments, prog_name="ghstars", standalone_mode=True)
    except GhstarsError as error:
        click.echo(f"ghstars: {error}", err=True)
        sys.exit(1)
    except BaseError as error:
        # The store's own message spans many lines and may repeat the request.
        root, kind = current_settings().lake_root, type(error).__name__
        click.echo(f"ghstars: The lake at {root} failed ({kind}); try `ghstars doctor`.", err=True)
        sys.exit(1)
