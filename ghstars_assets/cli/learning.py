"""Commands around models: replays, forecasts and what is behind them."""

from pathlib import Path

import click

from ghstars_assets.days import parse_day
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
    """Replay past days as they would have gone, and measure the forecasts.

    Every day is an origin; models know nothing that came after. What a replay needs is filled in
    first; what was replayed before is not replayed again.

    \b
    ghstars backtest stars --from 2025-07-01 --to 2026-02-19 --json skill.json
    """
    from ghstars_assets.commands.backtesting import run_backtest, show_backtest
    from ghstars_assets.learning.backtesting import require_mode
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
