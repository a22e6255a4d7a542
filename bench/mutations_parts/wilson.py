"""The interval of a share that was measured on a sample."""

import math

Z = 1.959964
"""95 % of a normal distribution lie within so many standard deviations."""


def wilson_interval(hits: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval, which holds for shares near 0 and 1 as well."""
    if not of:
        return 0.0, 1.0
    share, spread = hits / of, Z * Z / of
    middle = share + spread / 2
    reach = Z * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    return max(0.0, (middle - reach) / (1 + spread)), min(1.0, (middle + reach) / (1 + spread))
