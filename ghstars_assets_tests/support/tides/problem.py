"""Tides: a second, tiny problem. How high will the water stand at a station in three days?"""

from datetime import date

from ghstars_assets.learning.gates import Gates, Threshold
from ghstars_assets.learning.problem import Problem, Training
from ghstars_assets.learning.tasks.count import Count
from ghstars_assets.learning.tasks.target_forms import AsItIs
from ghstars_assets_tests.support.tides.gauges import GAUGES

PROBLEM = Problem(
    name="tides",
    question="How high will the water stand in 3 days?",
    entity="station",
    entity_type="varchar",
    horizon_days=3,
    first_day=date(2026, 1, 1),
    sources=(GAUGES,),
    task=Count(AsItIs(), sparse_share=0.2),
    gates=Gates(
        no_worse_than=Threshold(1.05, "two weeks of six stations tell no smaller difference"),
        skill_warning=Threshold(0.2, "the tides are regular"),
        skill_critical=Threshold(0.0, "yesterday's tide is then as good a forecast"),
    ),
    training=Training(
        window_days=60,
        every_nth_day=1,
        holdout_days=8,
        fewest_training_days=10,
        rounds=15,
        parameters={"num_leaves": 5, "min_data_in_leaf": 5, "learning_rate": 0.3},
    ),
)
