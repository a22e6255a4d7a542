"""Forecasts of a day: the champion's model, its intervals, and what moved each of them.

How good they turned out to be is measured in `evaluation`.
"""
