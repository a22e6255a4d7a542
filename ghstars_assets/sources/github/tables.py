"""What is kept of GitHub: its answers about each repository, who is tracked, what search found."""

from dataclasses import dataclass

from ghstars_assets.lake.catalog import Column, Table

LIVE, NOT_FOUND, BLOCKED, FORBIDDEN, UNREADABLE = STATUSES = (
    "live",
    "not_found",
    "blocked",
    "forbidden",
    "unreadable",
)
"""What GitHub answered about one repository: there it is; deleted or private; taken down for legal
reasons (451); closed to this token (SAML and the like); no answer even when asked for alone."""

_IDENTITY = (
    Column("day", "date", "the UTC day on GitHub's own clock"),
    Column("repo_id", "bigint", "GitHub's databaseId: identity, over renames and transfers"),
    Column("node_id", "varchar", "GitHub's opaque id, by which it is asked"),
    Column("full_name", "varchar", "owner/name on that day"),
)
_TIMES = (
    Column("observed_at", "timestamptz", "GitHub's clock (its Date header) when it answered"),
    Column("ingested_at", "timestamptz", "our clock when the answer came in"),
)


@dataclass(frozen=True)
class GitHubTables:
    """The tables that one problem keeps of repositories on GitHub."""

    github: Table
    discovered: Table
    repositories: Table
    star_history: Table
    rules: str
    """The log of what was tracked and untracked, and why."""


def tables_of(problem: str) -> GitHubTables:
    return GitHubTables(
        github=Table(
            name=f"{problem}.github",
            description=(
                "GitHub's answer about each tracked repository on a day, one row for each that was "
                "asked about, also where the answer was that it is not there."
            ),
            columns=(
                *_IDENTITY,
                Column("status", "varchar", "what GitHub answered", accepted=STATUSES),
                Column("trouble", "varchar", "GitHub's own words where the status is not live"),
                Column(
                    "old_name_is_now",
                    "bigint",
                    "another repository that has the name this one had when it was asked last",
                ),
                Column("asked_as", "varchar", "the node id or the name that was asked for"),
                Column("tracked_because", "varchar", "the tracking rule that it is tracked by"),
                Column("stars", "bigint", "stargazerCount"),
                Column("forks", "bigint", "forks"),
                Column("watchers", "bigint", "people who are notified of everything"),
                Column("open_issues", "bigint", "open issues, without pull requests"),
                Column("closed_issues", "bigint", "closed issues, without pull requests"),
                Column("open_pull_requests", "bigint", "open pull requests"),
                Column("merged_pull_requests", "bigint", "merged pull requests"),
                Column("releases", "bigint", "releases"),
                Column("latest_release", "varchar", "the tag of the latest release"),
                Column("latest_release_at", "timestamptz", "when it was published"),
                Column("discussions", "bigint", "discussions"),
                Column("size_kb", "bigint", "disk usage in kilobytes"),
                Column("language", "varchar", "the main language, where there is one"),
                Column("licence", "varchar", "SPDX id of the licence"),
                Column("topics", "varchar[]", "topics, in order of the alphabet"),
                Column("owner", "varchar", "the user or organisation"),
                Column("is_archived", "boolean", "read-only since its owner archived it"),
                Column("is_fork", "boolean", "a fork of another repository"),
                Column("created_at", "timestamptz", "when it was created"),
                Column("pushed_at", "timestamptz", "the last push"),
                Column("updated_at", "timestamptz", "the last change that GitHub counts as one"),
                Column("head_sha", "varchar", "the commit at the head of the default branch"),
                Column("head_committed_at", "timestamptz", "when that commit was committed"),
                *_TIMES,
            ),
            key=("repo_id", "asked_as"),
        ),
        discovered=Table(
            name=f"{problem}.discovered",
            description=(
                "What search found on a day for the tracking rules that name no single repository."
            ),
            columns=(
                *_IDENTITY,
                Column("stars", "bigint", "stars as search knew them"),
                Column("found_by", "varchar", "the tracking rule that found it"),
                *_TIMES,
            ),
            key=("repo_id",),
        ),
        repositories=Table(
            name=f"{problem}.repositories",
            description=(
                "Every repository that was ever tracked, as known at the end of a day: its name, "
                "what became of it, and when it is asked about next."
            ),
            columns=(
                *_IDENTITY,
                Column("status", "varchar", "what GitHub answered last", accepted=STATUSES),
                Column("status_since", "date", "the day from which it answers that"),
                Column(
                    "change",
                    "varchar",
                    "what became of it on this very day, null where nothing: first_seen, renamed, "
                    "transferred, gone, blocked, forbidden, returned, name_taken",
                ),
                Column("previous_name", "varchar", "the name before its last rename or transfer"),
                Column("name_taken_by", "bigint", "the repository that now has its last name"),
                Column("tracked_because", "varchar", "the tracking rule that it is tracked by"),
                Column("is_tracked", "boolean", "false since it was untracked"),
                Column("first_seen", "date", "the first day on which GitHub showed it"),
                Column("last_seen", "date", "the last day it was seen live"),
                Column("last_asked", "date", "the last day GitHub was asked about it"),
                Column("stars", "bigint", "stars when last seen"),
                Column("stars_per_day", "double", "stars gained a day between its last two sights"),
                Column("is_hot", "boolean", "asked about every day"),
                Column("next_day", "date", "the day it is asked about next, null if untracked"),
            ),
            key=("repo_id",),
        ),
        star_history=Table(
            name=f"{problem}.star_history",
            description=(
                "GitHub's star history: its answer, on the day it was asked, about stars gained on "
                "earlier days. Un-stars lower past days later, so this is never mixed with the "
                "differences of snapshots, is no label, and no feature of a day before `day`."
            ),
            columns=(
                *_IDENTITY,
                Column("gained_on", "date", "the day of GitHub's bucket (not quite a UTC day)"),
                Column("stars_gained", "bigint", "stars given on it and not taken back since"),
                *_TIMES,
            ),
            key=("repo_id", "gained_on"),
        ),
        rules=f"{problem}.wishes",
    )


def rules_log(problem: str) -> Table:
    """The log of tracking rules, as it can be queried."""
    return Table(
        name=tables_of(problem).rules,
        description="What was tracked and untracked on GitHub, when and why.",
        columns=(
            Column("at", "timestamptz", "when it was asked for"),
            Column("action", "varchar", "track or untrack"),
            Column("kind", "varchar", "repository, owner, topic or stars"),
            Column("what", "varchar", "the name, or the range of stars"),
            Column("repo_id", "bigint", "GitHub's databaseId of a repository that was named"),
            Column("why", "varchar", "the reason that was given"),
        ),
    )
