"""GH Archive: the events of every hour, of which only the stars are kept.

Here its hours are recognised, counted and stored, and its share of all stars is measured against
snapshots. `sources.py` declares the sources, `archive.py` is what `ghstars import` meets.
"""
