"""GitHub itself, asked every day about the repositories that somebody follows.

`api` sends requests and reads answers, `tracking` knows who is followed and when each is asked
about, `daily` takes a day of each table. Each room imports only those named before it. `tables.py`
says what is kept, `sources.py` declares the sources. Archives of GitHub that others keep have rooms
of their own beside this one.
"""
