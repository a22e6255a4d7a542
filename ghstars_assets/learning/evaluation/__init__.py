"""How good forecasts were: scores of those that were made, backtests of those that would have been,
and the errors and skills measured on both.

`metrics.py` defines each error once. What follows from a figure is not decided here: whether to
retrain is a matter of `monitoring`, and which version serves one of `promotion`.
"""
