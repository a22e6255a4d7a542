"""Finds out why something failed, whether trying again can help, and what a user reads of it.

An error of ours states its cause and its sentence itself, in `errors.py`; here stands what the
errors of libraries and of the system mean, what no text may show, and the report of a bug.
"""
