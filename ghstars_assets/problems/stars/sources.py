"""Where the counts of repositories come from."""

from ghstars_assets.lake.catalog import Column, Table
from ghstars_assets.sources.sandbox import capture_sandbox_days, newest_sandbox_day
from ghstars_assets.sources.source import Source

SANDBOX = Source(
    table=Table(
        name="stars.sandbox",
        description=(
            "An invented world's repositories, one row for each that lives on the day. They exist "
            "nowhere; no figure measured on them says anything about GitHub."
        ),
        columns=(
            Column("day", "date", "the UTC day"),
            Column("repo_id", "bigint", "identity, over renames and transfers"),
            Column("full_name", "varchar", "owner/name on that day"),
            Column("stars", "bigint", "stargazers"),
            Column("forks", "bigint", "forks"),
            Column("watchers", "bigint", "people who are notified of everything"),
            Column("open_issues", "bigint", "open issues"),
            Column("language", "varchar", "the main language, where there is one"),
            Column("owner", "varchar", "the user or organisation"),
            Column("is_archived", "boolean", "read-only since its owner archived it"),
            Column("is_fork", "boolean", "a fork of another repository"),
            Column("created_at", "timestamptz", "when it was created"),
            Column("pushed_at", "timestamptz", "the last push"),
            Column("observed_at", "timestamptz", "the world's clock when the counts were seen"),
            Column("ingested_at", "timestamptz", "the world's clock when we took them"),
        ),
        key=("repo_id",),
    ),
    kind="sandbox",
    newest_day=newest_sandbox_day,
    capture=capture_sandbox_days,
)
