"""Commands that run things and look at them: demo, services, status, SQL."""

import sys
from pathlib import Path

import click

from ghstars_assets.calendar import parse_day
from ghstars_assets.errors import GhstarsError
from ghstars_assets.settings import current_settings


@click.command()
@click.option("--days", type=click.IntRange(60, 3000), default=120, show_default=True)
@click.option("--drift", "is_drift", is_flag=True, help="in a world that changes")
@click.option("--control", "is_control", is_flag=True, help="with --drift: it never changes")
def demo(days: int, *, is_drift: bool, is_control: bool) -> None:
    """Run the whole loop on the sandbox and show forecasts and their record.

    A second time it takes up where it stopped and adds the days that have passed. With --drift, in
    an empty home, the world changes, the loop notices, trains and deploys, day by day, and each
    step is shown with its cause.
    """
    from ghstars_assets.commands.demo import demo as run_demo

    if is_control and not is_drift:
        raise click.UsageError("--control goes with --drift.")
    if is_drift:
        from ghstars_assets.commands.demo_drift import demo_drift

        demo_drift(current_settings(), is_control=is_control)
    else:
        run_demo(current_settings(), days)


@click.command()
def up() -> None:
    """Serve Dagster's UI and daemon and MLflow's UI on loopback until interrupted."""
    from ghstars_assets.commands.up import up as serve

    sys.exit(serve(current_settings()))


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8400, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), help="another seed is another world")
@click.option("--repositories", type=click.IntRange(min=10), default=None)
@click.option("--days", type=click.IntRange(min=30), default=None, help="days of its past")
@click.option("--at", "at", default="", metavar="DAY", help="stop its clock on this day")
@click.option(
    "--change-on", default="", metavar="DAY", help="become another world: a purge, then a boom"
)
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
    change_on: str,
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
        change_on=parse_day(change_on) if change_on else None,
        limits=limits,
        faults=faults,
        latency=latency,
    )


@click.command()
@click.option("--json", "form", flag_value="json")
def status(form: str | None) -> None:
    """Say what is fresh, missing, stale or failed, and what comes next."""
    from ghstars_assets.commands.status import show_status

    sys.exit(show_status(current_settings(), "json" if form else "table"))


@click.command()
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


@click.command()
@click.argument("query", required=False)
@click.option("-f", "--file", "file", type=click.Path(path_type=Path), help="run a file of SQL")
@click.option("--csv", "form", flag_value="csv", help="with a header")
@click.option("--json", "form", flag_value="json")
def sql(query: str | None, file: Path | None, form: str | None) -> None:
    """Ask the lake in DuckDB's SQL; without QUERY a prompt opens.

    Tables are named problem.table, as in the asset graph. Only the result goes to stdout.

    \b
    ghstars sql "select count(*) from stars.snapshots"
    ghstars sql -f sql/stars/explore/rising_fastest.sql --csv > rising.csv
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


@click.command("export-duckdb")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def export_duckdb(file: Path) -> None:
    """Write FILE: a DuckDB database of views over the lake, for any DuckDB client."""
    from ghstars_assets.commands.queries import export_duckdb as export

    click.echo(f"{file}: {export(current_settings(), file)} views", err=True)


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GhstarsError(f"{file} cannot be read ({error}); name a text file of SQL.") from None
