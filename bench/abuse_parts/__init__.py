"""Parts of `bench/abuse.py`, which the tests in `abuse/` use too: faults, commands, what must hold.

A scenario does something bad to a home and says what happened; nothing of how the code is written
belongs here, for an abuse knows commands, files and rows alone.
"""
