"""Commands about forecasts and about the versions that make them.

They show what the learning loop computed and ask it for more; what is computed belongs in
`learning/`, pages and pictures in `reporting/`.
"""
