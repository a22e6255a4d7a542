"""The Github-Ranking archive: daily lists of the largest repositories since December 2018.

Here its files are found, read and stored, and its names are traced to repositories. `sources.py`
declares the source, `archive.py` is what `ghstars import` meets.
"""
