"""Which addresses may be asked: encrypted ones, and anything on this very machine."""

from urllib.parse import urlsplit

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def is_safe(url: str) -> bool:
    """Whether what goes to this address and comes from it can be read or changed by nobody else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # a bracket that does not close, a port that is no number
        return False
    is_local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    is_whole = bool(parts.hostname) and port != 0 and "@" not in parts.netloc
    return is_whole and (parts.scheme == "https" or is_local)
