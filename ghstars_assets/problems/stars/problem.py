"""Stars: which repositories will gain stars over the next seven days, how many, and how sure."""

from datetime import date

from ghstars_assets.learning.problem import Gates, Problem, Training
from ghstars_assets.learning.target_forms import RelativeToBase
from ghstars_assets.problems.stars.sources import SOURCES

PROBLEM = Problem(
    name="stars",
    question="How many stars will a repository gain over the next 7 days?",
    entity="repo_id",
    entity_type="bigint",
    entity_name="full_name",
    horizon_days=7,
    first_day=date(2018, 12, 18),  # the first day of the Github-Ranking archive
    sources=SOURCES,
    target_form=RelativeToBase(),
    training=Training(
        window_days=365,
        every_nth_day=3,
        rounds=120,
        parameters={
            "learning_rate": 0.1,
            "num_leaves": 63,
            "min_data_in_leaf": 150,
            "feature_fraction": 0.5,
            "bagging_fraction": 0.5,
            "bagging_freq": 1,
        },
    ),
    gates=Gates(
        no_worse_than=1.01,
        because=(
            "two trainings that differ by their seed alone differ by up to 1 % in error, so a "
            "smaller loss is no evidence against the newer data"
        ),
    ),
)
