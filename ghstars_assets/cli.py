"""The `ghstars` command. What each subcommand does stands in `commands/`; heavy imports too."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from obstore.exceptions import BaseError

from ghstars_assets.days import DayRange, parse_day
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


@cli.command()
@click.option("--days", type=click.IntRange(60, 3000), default=120, show_default=True)
def demo(days: int) -> None:
    """Run the whole loop on the sandbox and show forecasts and their record.

    A second time it takes up where it stopped and adds the days that have passed.
    """
    from ghstars_assets.commands.demo import demo as run_demo

    run_demo(current_settings(), days)


@cli.command()
def up() -> None:
    """Serve Dagster's UI and daemon and MLflow's UI on loopback until interrupted."""
    from ghstars_assets.commands.up import up as serve

    sys.exit(serve(current_settings()))


@cli.command()
@click.argument("problem")
@click.option(
    "--from", "first", metavar="DAY", help="YYYY-MM-DD, or `yesterday` [the lake's first]"
)
@click.option(
    "--to", "last", metavar="DAY", help="the last day, included [the newest there can be]"
)
@click.option("--stages", default="", metavar="A,B", help="only these, in their own order")
@click.option("--force", is_flag=True, help="fill again what is up to date")
def backfill(problem: str, first: str | None, last: str | None, stages: str, force: bool) -> None:
    """Fill the stages of PROBLEM for a range of days.

    What is there and up to date is left alone, so an interrupted backfill is resumed by saying it
    again. Models are trained for the Mondays of the range.

    \b
    ghstars backfill stars --from 2026-08-01 --to yesterday
    ghstars backfill stars --from 2026-08-01 --to 2026-08-31 --stages features,labels
    """
    from ghstars_assets.commands.backfill import backfill as fill
    from ghstars_assets.commands.backfill import days_or_all
    from ghstars_assets.problems.registry import find_problem

    names = [name.strip() for name in stages.split(",") if name.strip()]
    found = find_problem(problem)
    days = days_or_all(current_settings(), found, first, last)
    # Whoever names stages means them: a day that cannot be had is then a failure.
    is_strict = bool(names)
    for report in fill(current_settings(), found, days, names, force=force, is_strict=is_strict):
        click.echo(str(report))


@cli.command()
@click.argument("problem")
@click.option("--from", "first", metavar="DAY", help="the first origin [a quarter before the last]")
@click.option("--to", "last", metavar="DAY", help="the last [the newest whose outcome is known]")
@click.option(
    "--retrain",
    type=click.Choice(["monthly", "weekly", "never"]),
    default="monthly",
    show_default=True,
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE"
)
def backtest(
    problem: str, first: str | None, last: str | None, retrain: str, json_file: Path | None
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
    )
    show_backtest(found, report)


@cli.command()
@click.argument("names", nargs=-1, metavar="[OWNER/NAME]...")
@click.option("--owner", "owners", multiple=True, help="all public repositories of one")
@click.option("--topic", "topics", multiple=True, help="all repositories with it")
@click.option("--stars", "stars", multiple=True, metavar="A..B", help="1000.. or 50..99")
@click.option(
    "--archive",
    default="",
    metavar="PATH_OR_URL",
    help="of Github-Ranking: a clone, a folder or an address [its address on GitHub]",
)
@click.option(
    "--days",
    type=click.IntRange(min=60),
    default=500,
    show_default=True,
    help="how much past to fetch from an address; of a folder everything is taken",
)
@click.option("--sandbox", "is_sandbox", is_flag=True, help="try it on an invented GitHub")
def start(
    names: tuple[str, ...],
    owners: tuple[str, ...],
    topics: tuple[str, ...],
    stars: tuple[str, ...],
    archive: str,
    days: int,
    is_sandbox: bool,
) -> None:
    """The first evening: follow, snapshot, import years of past, train and forecast.

    Needs GHSTARS_GITHUB_TOKEN; with --sandbox it needs nothing.

    \b
    ghstars start dagster-io/dagster duckdb/duckdb --archive ~/Github-Ranking
    GHSTARS_HOME=/tmp/try ghstars start --sandbox
    """
    from ghstars_assets.commands.start import start as run_start

    run_start(
        current_settings(),
        names,
        owners,
        topics,
        stars,
        archive=archive,
        days=days,
        is_sandbox=is_sandbox,
    )


@cli.command("import")
@click.argument("problem")
@click.argument("place", metavar="PATH_OR_URL")
@click.option("--from", "first", metavar="DAY", help="YYYY-MM-DD [the first there is]")
@click.option("--to", "last", metavar="DAY", help="the last day, included [the last there is]")
def import_history(problem: str, place: str, first: str | None, last: str | None) -> None:
    """Bring history into PROBLEM from a folder, a file or the web.

    For stars: a clone of the Github-Ranking archive or a folder with its files (.csv, .csv.gz,
    Parquet made of them), its address, and hours of GH Archive up to 2025-05. Files are known by
    their columns. What is there already is kept, so an interrupted import is resumed by saying it
    again.

    \b
    ghstars import stars ~/Github-Ranking
    ghstars import stars https://github.com/EvanLi/Github-Ranking --from 2025-01-01
    """
    from ghstars_assets.commands.importing import bring_history
    from ghstars_assets.problems.registry import find_problem

    bring_history(current_settings(), find_problem(problem), place, first, last)


@cli.command()
@click.argument("problem")
@click.option("--svg", "picture", type=click.Path(path_type=Path, dir_okay=False), help="draw it")
@click.option("--csv", "form", flag_value="csv", help="with a header")
@click.option("--json", "form", flag_value="json")
def coverage(problem: str, picture: Path | None, form: str | None) -> None:
    """Which days PROBLEM knows from which source, and how well.

    \b
    ghstars coverage stars
    ghstars coverage stars --svg coverage.svg
    """
    from ghstars_assets.commands.coverage import show_coverage
    from ghstars_assets.problems.registry import find_problem

    shown_form = form or "table"
    show_coverage(current_settings(), find_problem(problem), picture, shown_form)  # pyright: ignore[reportArgumentType]


@cli.command()
@click.argument("names", nargs=-1, metavar="[OWNER/NAME]...")
@click.option("--owner", "owners", multiple=True, help="all public repositories of one")
@click.option("--topic", "topics", multiple=True, help="all repositories with it")
@click.option("--stars", "stars", multiple=True, metavar="A..B", help="1000.. or 50..99")
@click.option("--why", default="", help="the reason, kept with it")
def track(
    names: tuple[str, ...],
    owners: tuple[str, ...],
    topics: tuple[str, ...],
    stars: tuple[str, ...],
    why: str,
) -> None:
    """Follow repositories on GitHub, from the next snapshot on.

    \b
    ghstars track dagster-io/dagster duckdb/duckdb
    ghstars track --owner pola-rs --topic data-engineering --stars 20000..
    """
    from ghstars_assets.commands.console import say
    from ghstars_assets.commands.tracking import WHAT_IS_NEXT
    from ghstars_assets.commands.tracking import track as follow

    if not (names or owners or topics or stars):
        raise click.UsageError("Name a repository, an owner, a topic or a range of stars.")
    follow(current_settings(), names, owners, topics, stars, why)
    say(WHAT_IS_NEXT)


@cli.command()
@click.argument("names", nargs=-1, metavar="[OWNER/NAME]...")
@click.option("--owner", "owners", multiple=True, help="end the wish for an owner")
@click.option("--topic", "topics", multiple=True, help="end the wish for a topic")
@click.option("--stars", "stars", multiple=True, metavar="A..B", help="end the wish for a range")
@click.option("--why", default="", help="the reason, kept with it")
def untrack(
    names: tuple[str, ...],
    owners: tuple[str, ...],
    topics: tuple[str, ...],
    stars: tuple[str, ...],
    why: str,
) -> None:
    """Stop following. What was stored stays.

    A repository that a wish brought in stays tracked when the wish ends; name it to end it too.
    """
    from ghstars_assets.commands.tracking import untrack as unfollow

    if not (names or owners or topics or stars):
        raise click.UsageError("Name a repository, an owner, a topic or a range of stars.")
    unfollow(current_settings(), names, owners, topics, stars, why)


@cli.command()
@click.option("--csv", "form", flag_value="csv", help="all columns, with a header")
@click.option("--json", "form", flag_value="json", help="all columns")
def tracked(form: str | None) -> None:
    """Show who is followed, why, what became of it and when it is asked about next."""
    from ghstars_assets.commands.tracking import show_tracked

    show_tracked(current_settings(), form or "table")  # pyright: ignore[reportArgumentType]


@cli.command()
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


@cli.command()
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


@cli.command()
@click.argument("query", required=False)
@click.option("-f", "--file", "file", type=click.Path(path_type=Path), help="run a file of SQL")
@click.option("--csv", "form", flag_value="csv", help="with a header")
@click.option("--json", "form", flag_value="json")
def sql(query: str | None, file: Path | None, form: str | None) -> None:
    """Ask the lake in DuckDB's SQL; without QUERY a prompt opens.

    Tables are named problem.table, as in the asset graph. Only the result goes to stdout.

    \b
    ghstars sql "select count(*) from stars.snapshots"
    ghstars sql -f sql/explore/rising_fastest.sql --csv > rising.csv
    """
    from ghstars_assets.commands.queries import prompt, run_queries

    if query and file:
        raise click.UsageError("Give a query or a file, not both.")
    if file:
        query = _read_text(file)
    elif query is None and not sys.stdin.isatty():
        query = sys.stdin.read()
    shown_form = form or "table"
    if query is None:
        prompt(current_settings(), shown_form)  # pyright: ignore[reportArgumentType]
    else:
        run_queries(current_settings(), query, shown_form)  # pyright: ignore[reportArgumentType]


@cli.command("export-duckdb")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def export_duckdb(file: Path) -> None:
    """Write FILE: a DuckDB database of views over the lake, for any DuckDB client."""
    from ghstars_assets.commands.queries import export_duckdb as export

    click.echo(f"{file}: {export(current_settings(), file)} views", err=True)


@cli.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8400, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), help="another seed is another world")
@click.option("--repositories", type=click.IntRange(min=10), default=None)
@click.option("--days", type=click.IntRange(min=30), default=None, help="days of its past")
@click.option("--at", "at", default="", metavar="DAY", help="stop its clock on this day")
@click.option(
    "--limits", type=click.Choice(["github", "generous"]), default="github", show_default=True
)
@click.option(
    "--faults",
    default="",
    metavar="NAME=RATE,...",
    help="such as bad_gateway_html=0.05,slow=0.1; `all=0.05` for each kind",
)
@click.option("--latency", type=click.Choice(["none", "github"]), default="none", show_default=True)
def sandbox(
    port: int,
    seed: int | None,
    repositories: int | None,
    days: int | None,
    at: str,
    limits: str,
    faults: str,
    latency: str,
) -> None:
    """Serve the invented GitHub on loopback, for experiments of your own."""
    from ghstars_assets.commands.sandbox import serve_sandbox

    settings = current_settings()
    serve_sandbox(
        port=port,
        seed=settings.sandbox_seed if seed is None else seed,
        repositories=repositories or settings.sandbox_repositories,
        days=days or settings.sandbox_days,
        at=parse_day(at) if at else None,
        limits=limits,
        faults=faults,
        latency=latency,
    )


@cli.command()
@click.option("--json", "form", flag_value="json")
def status(form: str | None) -> None:
    """Say what is fresh, missing, stale or failed, and what comes next."""
    from ghstars_assets.commands.status import show_status

    sys.exit(show_status(current_settings(), "json" if form else "table"))


@cli.command()
def doctor() -> None:
    """Look at the environment, the storage, the versions and the ports."""
    from ghstars_assets.commands.console import out
    from ghstars_assets.commands.doctor import examine

    is_well = True
    for finding in examine(current_settings()):
        is_well &= finding.is_well
        mark = "ok " if finding.is_well else "BAD"
        out().print(f"{mark}  {finding.subject:<10} {finding.told}", highlight=False)
    sys.exit(0 if is_well else 3)


@cli.command()
@click.argument("problem")
@click.argument("first")
@click.argument("last", required=False)
@click.option("--why", required=True, help="the reason, kept with the gap")
def gap(problem: str, first: str, last: str | None, why: str) -> None:
    """Declare days that no source knows, so that they are holes with a reason."""
    from ghstars_assets.commands.holes import declare_gap

    days = DayRange(parse_day(first), parse_day(last or first))
    click.echo(declare_gap(current_settings(), problem, days, why))


@cli.command()
@click.argument("problem")
@click.argument("first")
@click.argument("last", required=False)
@click.option("--why", required=True, help="the reason, kept with the release")
def release(problem: str, first: str, last: str | None, why: str) -> None:
    """Let days out of quarantine against the gate's verdict, and fill them again."""
    from ghstars_assets.commands.holes import release_from_quarantine

    days = DayRange(parse_day(first), parse_day(last or first))
    for line in release_from_quarantine(current_settings(), problem, days, why):
        click.echo(line)


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


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GhstarsError(f"{file} cannot be read ({error}); name a text file of SQL.") from None
