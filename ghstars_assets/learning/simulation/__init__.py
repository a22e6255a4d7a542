"""Past days lived in order with the decisions of the loop, apart from those of production.

A backtest, which scores past forecasts and decides nothing, stands in `evaluation`.
"""
