"""Commands that bring data in: sources, histories, backfills, holes."""

from collections.abc import Callable
from pathlib import Path

import click

from ghstars_assets.calendar import DayRange, parse_day
from ghstars_assets.settings import current_settings


def naming_repositories(command: Callable[..., None]) -> Callable[..., None]:
    """The ways in which a command is told which repositories are meant."""
    for ways in (
        click.option("--stars", "stars", multiple=True, metavar="A..B", help="1000.. or 50..99"),
        click.option("--topic", "topics", multiple=True, help="all repositories with it"),
        click.option("--owner", "owners", multiple=True, help="all public repositories of one"),
        click.argument("names", nargs=-1, metavar="[OWNER/NAME]..."),
    ):
        command = ways(command)
    return command


def require_any(*ways: tuple[str, ...]) -> None:
    if not any(ways):
        raise click.UsageError("Name a repository, an owner, a topic or a range of stars.")


@click.command()
@naming_repositories
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


@click.command("import")
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


@click.command()
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


@click.command()
@naming_repositories
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

    require_any(names, owners, topics, stars)
    follow(current_settings(), names, owners, topics, stars, why)
    say(WHAT_IS_NEXT)


@click.command()
@naming_repositories
@click.option("--why", default="", help="the reason, kept with it")
def untrack(
    names: tuple[str, ...],
    owners: tuple[str, ...],
    topics: tuple[str, ...],
    stars: tuple[str, ...],
    why: str,
) -> None:
    """Stop following. What was stored stays.

    A repository that a rule brought in stays tracked when the rule ends; name it to end it too.
    """
    from ghstars_assets.commands.tracking import untrack as unfollow

    require_any(names, owners, topics, stars)
    unfollow(current_settings(), names, owners, topics, stars, why)


@click.command()
@click.option("--csv", "form", flag_value="csv", help="all columns, with a header")
@click.option("--json", "form", flag_value="json", help="all columns")
def tracked(form: str | None) -> None:
    """Show who is followed, why, what became of it and when it is asked about next."""
    from ghstars_assets.commands.tracking import show_tracked

    show_tracked(current_settings(), form or "table")  # pyright: ignore[reportArgumentType]


@click.command()
@click.argument("problem")
@click.argument("first")
@click.argument("last", required=False)
@click.option("--why", required=True, help="the reason, kept with the gap")
def gap(problem: str, first: str, last: str | None, why: str) -> None:
    """Declare days that no source knows, so that they are holes with a reason."""
    from ghstars_assets.commands.holes import declare_gap

    days = DayRange(parse_day(first), parse_day(last or first))
    click.echo(declare_gap(current_settings(), problem, days, why))


@click.command()
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


@click.command()
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
