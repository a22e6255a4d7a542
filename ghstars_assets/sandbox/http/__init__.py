"""The invented GitHub as a web server: tokens, limits, latency and faults, and its own process.

Here belongs all that lies between a request and its answer. What an answer says is in `github`.
"""
