"""The learning loop: pure functions over frames, the same for every problem.

Here stands what a problem is, what a stage is and which there are, what is due and what is
damaged. The rooms below hold what the stages compute. Nothing here imports Dagster, draws a
picture or names a problem.
"""
