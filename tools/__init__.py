"""Commands for those who work on the project: what in `docs/` is made from the code.

A command here reads the code and writes one file. What a user of ghstars runs belongs in
`ghstars_assets/cli/`, what is measured in `bench/`.
"""
