"""How versions of stars are trained, and the thresholds they are held to, each with its reason."""

from datetime import date

from ghstars_assets.calendar import DayRange
from ghstars_assets.learning.gates import Gates, Threshold
from ghstars_assets.learning.problem import Training

TRAINING = Training(
    # Two years hold what a gap of months takes from one; see docs/skill.md.
    window_days=730,
    every_nth_day=4,
    rounds=240,
    side_parameters={"learning_rate": 0.1, "bagging_fraction": 0.25},
    parameters={
        "learning_rate": 0.05,
        "num_leaves": 63,
        "min_data_in_leaf": 150,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.5,
        "bagging_freq": 1,
    },
)

GATES = Gates(
    no_worse_than=Threshold(
        1.01,
        "two trainings that differ by their seed alone differ by up to 1 % in error, so a "
        "smaller loss is no evidence against the newer data",
    ),
    reference=DayRange(date(2024, 8, 26), date(2024, 9, 22)),
    skill_warning=Threshold(0.1, "no two weeks of 2025 fell below 0.125, purges and gaps too"),
    oldest_champion_days=Threshold(
        28,
        "in 2025 a version of the month was 0.4 % better than one of July, and one of the week no "
        "better than one of the month",
    ),
    wasserstein=Threshold(
        0.25,
        "a quarter of the spread of the training rows; in eleven ordinary weeks none moved by more "
        "than 0.21",
    ),
    skill_critical=Threshold(0.0, "whoever repeats last week's gain then does as well"),
)
