"""Talks to GitHub: credentials, limits, retries, queries and what its answers mean.

It knows no table's days and writes nothing: whoever asks gets rows or an error, and stores them.
"""
