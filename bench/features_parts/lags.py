"""Which earlier days and which parts of a window the features of both sides look at."""

LAGS = (1, 2, 3, 4, 5, 6, 7, 14, 28, 56, 90)
OCTILES = tuple(eighth / 8 for eighth in range(1, 8))
HALF_LIVES = (2, 4, 30, 60)
PEER_FILE = "peer.parquet"
"""Where in its home the peer leaves what it made."""
