"""What `bench/features.py` runs, each step in a process of its own: a world, ours, the peer.

A step's peak is that of its whole process, so a module here imports only what its own step needs.
"""
