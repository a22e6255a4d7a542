"""Everything that imports Dagster, and nothing else does.

Here assets, checks, jobs, schedules and sensors are made of what the rooms below declare, and runs
are started. What a stage computes, decides or plans does not belong here.
"""
