"""Knows who is followed: by which rule, what became of each repository, who is asked on which day.

It decides from what the lake holds and sends no request.
"""
