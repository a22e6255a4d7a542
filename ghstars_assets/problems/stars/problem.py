"""Stars: which repositories will gain stars over the next seven days, how many, and how sure."""

from ghstars_assets.learning.problem import Problem
from ghstars_assets.learning.tasks.count import Count
from ghstars_assets.learning.tasks.target_forms import RelativeToBase
from ghstars_assets.problems.stars.followed import followed_repositories
from ghstars_assets.problems.stars.github_access import describe_access
from ghstars_assets.problems.stars.learning import GATES, TRAINING
from ghstars_assets.problems.stars.own_history import notes_on_own_history
from ghstars_assets.problems.stars.sandbox_world import DRIFT_STORY, track_everything
from ghstars_assets.problems.stars.sources import SOURCES
from ghstars_assets.problems.stars.words import describe
from ghstars_assets.sources.github_ranking.tables import FIRST_DAY

PROBLEM = Problem(
    name="stars",
    question="How many stars will a repository gain over the next 7 days?",
    entity="repo_id",
    entity_type="bigint",
    entity_name="full_name",
    horizon_days=7,
    first_day=FIRST_DAY,  # of the oldest archive
    sources=SOURCES,
    segments={
        "size": """
            case
                when stars < 1000 then 'under 1,000'
                when stars < 10000 then '1,000 to 9,999'
                when stars < 30000 then '10,000 to 29,999'
                when stars < 100000 then '30,000 to 99,999'
                else '100,000 and more'
            end""",
        "language": "coalesce(language, 'none told')",
    },
    # Of the features a fifth is unknown where less than two weeks are known.
    task=Count(RelativeToBase(), sparse_share=0.2),
    words=describe,
    training=TRAINING,
    gates=GATES,
    asks_first="`ghstars demo` for the sandbox, or `ghstars track OWNER/NAME` for GitHub",
    importable=(
        "a clone of the Github-Ranking archive or a folder with its files (.csv, .csv.gz, Parquet "
        "made of them), its address, and hours of GH Archive up to 2025-05"
    ),
    status_notes=notes_on_own_history,
    doctor_checks={"GitHub": describe_access},
    prepare_sandbox=track_everything,
    followed=followed_repositories,
    drift_story=DRIFT_STORY,
)
