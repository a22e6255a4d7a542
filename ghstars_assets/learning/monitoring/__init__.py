"""What moved, and what to do about it: drift, health, and when a retraining is asked for.

Training itself stands in `training`, the decision on a candidate in `promotion`.
"""
