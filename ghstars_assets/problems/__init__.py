"""The questions that the loop answers, each in a folder of its own.

A folder holds only what its problem alone has: the declaration, its sources and their order, its
words and its own commands. Its SQL stands in `sql/<problem>`. No room below names a problem.
"""
