"""Parts of `bench/mutations.py`: the faults, how they are tried, and those that are none."""
