"""What several benches share: homes to run in, processes to kill, figures to print and keep.

What one bench alone measures, and what it demands, stands in its own file. The tests of
interrupted runs use the same processes and the same comparison; nothing here uses the tests.
"""
