"""Commands around models: replays, forecasts and what is behind them."""

from pathlib import Path

import click

from ghstars_assets.calendar import DayRange, parse_day
from ghstars_assets.settings import current_settings


@click.command()
@click.argument("problem")
@click.option("--from", "first", metavar="DAY", help="the first origin [a quarter before the last]")
@click.option("--to", "last", metavar="DAY", help="the last [the newest whose outcome is known]")
@click.option(
    "--retrain",
    type=click.Choice(["monthly", "weekly", "never"]),
    default="monthly",
    show_default=True,
)
@click.option("--expanding", "is_expanding", is_flag=True, help="learn from all days before")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE"
)
def backtest(
    problem: str,
    first: str | None,
    last: str | None,
    retrain: str,
    is_expanding: bool,
    json_file: Path | None,
) -> None:
    """Forecast past days as it would have been done then, and measure the forecasts.

    Every day is an origin; models know nothing that came after. What a backtest needs is filled
    in first; what was forecast before is not forecast again.

    \b
    ghstars backtest stars --from 2025-07-01 --to 2026-02-19 --json skill.json
    """
    from ghstars_assets.commands.backtesting import run_backtest, show_backtest
    from ghstars_assets.learning.evaluation.backtest import require_mode
    from ghstars_assets.problems.registry import find_problem

    found = find_problem(problem)
    report = run_backtest(
        current_settings(),
        found,
        parse_day(first) if first else None,
        parse_day(last) if last else None,
        require_mode(retrain),
        json_file,
        is_expanding=is_expanding,
    )
    show_backtest(found, report)


@click.command()
@click.argument("problem")
@click.option("--from", "first", metavar="DAY", required=True, help="the first day")
@click.option("--to", "last", metavar="DAY", required=True, help="the last day, included")
@click.option("--weekly", "is_weekly", is_flag=True, help="train each Monday besides")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE"
)
def replay(problem: str, first: str, last: str, is_weekly: bool, json_file: Path | None) -> None:
    """Live past days in order: forecast, score, watch, and retrain where health asks for it.

    What production would have done, into tables of its own (`<problem>_replay`). An interrupted
    replay goes on where it stopped; one that begins on another day takes the place of the last.

    \b
    ghstars replay stars --from 2023-12-01 --to 2024-01-31
    """
    from ghstars_assets.commands.replaying import run_replay
    from ghstars_assets.problems.registry import find_problem

    days = DayRange(parse_day(first), parse_day(last))
    run_replay(
        current_settings(), find_problem(problem), days, is_weekly=is_weekly, json_file=json_file
    )


@click.command()
@click.argument("problem")
@click.option("--why", required=True, metavar="TEXT", help="the reason; kept with the version")
def retrain(problem: str, why: str) -> None:
    """Train PROBLEM anew as of today and decide on it, whatever the figures say.

    No cooldown holds it back. Who asked, why, and what came of it stays on record.

    \b
    ghstars retrain stars --why "GitHub took back a month of stars"
    """
    from ghstars_assets.commands.retraining import retrain as retrain_problem
    from ghstars_assets.problems.registry import find_problem

    click.echo(retrain_problem(current_settings(), find_problem(problem), why))


@click.command()
@click.argument("problem")
@click.option("--date", "day", default="", metavar="DAY", help="the day of the forecasts [newest]")
@click.option("--top", type=click.IntRange(min=1), default=None, help="how many [20 in a table]")
@click.option("--csv", "form", flag_value="csv", help="all columns, with a header")
@click.option("--json", "form", flag_value="json", help="all columns")
def predict(problem: str, day: str, top: int | None, form: str | None) -> None:
    """Show the stored forecasts of PROBLEM, highest mean first."""
    from ghstars_assets.commands.console import say_if_sandbox
    from ghstars_assets.commands.forecasts import forecasts_of, show_forecasts
    from ghstars_assets.lake.tables import Lake
    from ghstars_assets.problems.registry import find_problem

    found = find_problem(problem)
    lake = Lake(current_settings())
    shown_form = form or "table"
    most = top or (20 if shown_form == "table" else None)
    say_if_sandbox(lake)
    frame = forecasts_of(lake, found, parse_day(day) if day else None, most)
    show_forecasts(lake, found, frame, shown_form)  # pyright: ignore[reportArgumentType]


@click.command()
@click.argument("problem")
@click.argument("name")
@click.option("--day", "--date", "day", default="", metavar="DAY", help="of the forecast [newest]")
def explain(problem: str, name: str, day: str) -> None:
    """Show one forecast of PROBLEM and why it is what it is.

    \b
    ghstars explain stars duckdb/duckdb
    """
    from ghstars_assets.commands.console import say_if_sandbox
    from ghstars_assets.commands.explaining import show_explanation
    from ghstars_assets.lake.tables import Lake
    from ghstars_assets.problems.registry import find_problem

    found = find_problem(problem)
    lake = Lake(current_settings())
    say_if_sandbox(lake)
    show_explanation(lake, found, name, parse_day(day) if day else None)


@click.command()
@click.argument("problem")
@click.option("--csv", "form", flag_value="csv", help="all columns, with a header")
@click.option("--json", "form", flag_value="json", help="all columns")
@click.option("--download", "version", type=int, metavar="VERSION", help="write its files instead")
@click.option(
    "--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="the folder for them"
)
def models(problem: str, form: str | None, version: int | None, folder: Path | None) -> None:
    """List the versions of PROBLEM with their record, or write the files of one.

    \b
    ghstars models stars
    ghstars models stars --download 12 --to stars-12
    """
    from ghstars_assets.commands.models import download, show_versions
    from ghstars_assets.lake.tables import Lake
    from ghstars_assets.problems.registry import find_problem

    if (version is None) != (folder is None):
        raise click.UsageError("--download VERSION and --to FOLDER go together.")
    found = find_problem(problem)
    lake = Lake(current_settings())
    if version is not None and folder is not None:
        download(lake, found, version, folder)
    else:
        show_versions(lake, found, form or "table")  # pyright: ignore[reportArgumentType]


@click.command()
@click.argument("problem")
@click.argument("version", type=int)
@click.option("--why", required=True, help="the reason, kept with the decision")
def promote(problem: str, version: int, why: str) -> None:
    """Let VERSION of PROBLEM serve from today on, whatever was decided on it.

    \b
    ghstars promote stars 12 --why "the window of the last decision held a purge"
    """
    from ghstars_assets.commands.models import promote_version
    from ghstars_assets.problems.registry import find_problem

    promote_version(current_settings(), find_problem(problem), version, why)


@click.command()
@click.argument("problem")
@click.option("--to", "version", type=int, metavar="VERSION", help="[the one that served before]")
@click.option("--why", required=True, help="the reason, kept with the decision")
def rollback(problem: str, version: int | None, why: str) -> None:
    """Go back to a version of PROBLEM that served before, from today on.

    Forecasts of days gone by stay as they were made.

    \b
    ghstars rollback stars --why "its forecasts for small repositories are off"
    """
    from ghstars_assets.commands.models import roll_back
    from ghstars_assets.problems.registry import find_problem

    roll_back(current_settings(), find_problem(problem), version, why)


@click.command()
@click.argument("problem")
@click.option("--from", "first", metavar="DAY", help="the first day to show or to compare")
@click.option("--to", "last", metavar="DAY", help="the last day [the newest]")
@click.option("--against", metavar="DAY..DAY", help="compare the features with those of these days")
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="draw each feature then and now, on a page that stands alone",
)
@click.option("--csv", "form", flag_value="csv", help="all columns, with a header")
@click.option("--json", "form", flag_value="json", help="all columns")
def drift(
    problem: str,
    first: str | None,
    last: str | None,
    against: str | None,
    page: Path | None,
    form: str | None,
) -> None:
    """Show what has drifted from the rows that the champion of PROBLEM learnt from.

    With --against, the features of one window of days beside those of another; without --from it is
    the last week.

    \b
    ghstars drift stars --html drift.html
    ghstars drift stars --from 2026-02-14 --to 2026-02-20 --against 2026-01-01..2026-01-31
    """
    from ghstars_assets.commands.drift import parse_window, show_drift
    from ghstars_assets.problems.registry import find_problem

    show_drift(
        current_settings(),
        find_problem(problem),
        parse_day(first) if first else None,
        parse_day(last) if last else None,
        parse_window(against) if against else None,
        page,
        form or "table",  # pyright: ignore[reportArgumentType]
    )
