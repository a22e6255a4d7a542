"""The outside world: one room for each place that counts come from.

`source.py` says what a source is. A room declares its `Source`s in its own `sources.py`; which of
them a problem has, and whom it trusts most, stands with the problem. Nothing here knows a problem,
a feature or a forecast, and nothing here imports Dagster.
"""
