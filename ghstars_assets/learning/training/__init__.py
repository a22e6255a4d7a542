"""Candidates: which days they learn from, how they are trained, and how they are put on record.

Whether a candidate may serve is decided in `promotion`; how it forecasts stands in `forecasting`.
"""
