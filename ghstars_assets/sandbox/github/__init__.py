"""GitHub as it shows the invented world at a moment: its clock, its state and its answers.

Here belong the GraphQL and REST answers in GitHub's own words and costs, and the daily files of the
Github-Ranking archive. Who may ask, how often, how slowly and with which faults is in `http`.
"""
