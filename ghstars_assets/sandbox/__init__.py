"""A small GitHub that is made up, served over HTTP, so that everything runs without a network.

`world` decides what is true on each day, `github` shows it as GitHub would, `http` serves that in a
process of its own, with limits and faults. The sandbox stands for the outside world: it knows
nothing of our lake, our tables or our client, and whoever uses it asks over HTTP as they would ask
GitHub.
"""
