"""The processes that `ghstars up` runs: Dagster's webserver and daemon, and MLflow's server.

What each is and how it is started, watched and ended stands here. But for `webserver.py`, which is
such a process itself, nothing here imports Dagster, so that whoever only watches stays small.
"""
