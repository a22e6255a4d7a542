"""The invented world itself: which repositories there are on a day, and their counts, by seed.

Here belongs what would be true if nobody looked: repositories, their growth, the odd days. How
GitHub shows it, names that redirect, and anything that waits or answers, do not.
"""
