"""Lays out the folder in which everything lies by default, and looks after what it stands on.

The disk, the databases of Dagster and MLflow as files, and who may read what. What lies in the lake
is a matter of `lake`.
"""
