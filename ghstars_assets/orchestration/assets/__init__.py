"""Makes a Dagster asset of each thing the lake holds: source, SQL file, stage, backtest, audit log.

An asset is thin: it asks for days, hands them to the lake's own code, and says what happened.
"""
