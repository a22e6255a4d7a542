"""The faults that GitHub has, on request or at a rate: which one befalls the next request."""

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from ghstars_assets.errors import GhstarsError

OF_GRAPHQL = (
    "bad_gateway_json",
    "bad_gateway_html",
    "gateway_timeout_html",
    "server_error_500",
    "internal_error",
    "partial_data",
    "null_parent",
    "nulls",
    "rate_limited",
    "rate_limit",
    "secondary_200",
    "secondary_403",
    "slow",
    "truncated_json",
    "connection_reset",
    "rename_midrun",
    "saml",
)
OF_REST = (
    "bad_gateway_html",
    "server_error_500",
    "secondary_403",
    "rest_limit",
    "incomplete_results",
    "unstable_order",
    "truncated_json",
)
NAMES = tuple(dict.fromkeys((*OF_GRAPHQL, *OF_REST)))

_ENDS_A_RUN = {"saml"}
"""Left out of `all`: a run that meets it is right to stop."""


@dataclass
class Faults:
    """Rates by name, the dice's seed, and a queue of faults that somebody asked for."""

    rates: Mapping[str, float] = field(default_factory=dict)
    seed: int = 7
    _dice: random.Random = field(init=False, repr=False)
    _asked: deque[tuple[str, bool]] = field(default_factory=deque, init=False, repr=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311 - no secret hangs on it
        self.set_rates(self.rates)

    def set_rates(self, rates: Mapping[str, float]) -> None:
        for name, rate in rates.items():
            _require_known(name)
            if not 0 <= rate <= 1:
                raise GhstarsError(f"The rate of {name} is {rate}; give one from 0 to 1.")
        self.rates = dict(rates)

    def ask_for(self, name: str, times: int = 1, *, of_rest: bool = False) -> None:
        _require_known(name)
        self._asked.extend([(name, of_rest)] * times)

    def next(self, *, of_rest: bool) -> str | None:
        """The fault of this request, if it has one."""
        if self._asked and self._asked[0][1] == of_rest:
            return self._asked.popleft()[0]
        draw = self._dice.random()
        for name in OF_REST if of_rest else OF_GRAPHQL:
            rate = self.rates.get(name, 0.0)
            if draw < rate:
                return name
            draw -= rate
        return None


def parsed_rates(text: str) -> dict[str, float]:
    """`slow=0.1,bad_gateway_html=0.05`; `all=0.05` means each kind that a run gets over."""
    rates: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, rate = part.partition("=")
        try:
            given = float(rate)
        except ValueError:
            raise GhstarsError(f"{part!r} is no fault with a rate; write slow=0.1.") from None
        if name == "all":
            each = given / len(NAMES)
            rates |= {known: each for known in NAMES if known not in _ENDS_A_RUN}
        else:
            rates[name] = given
    Faults(rates)
    return rates


def _require_known(name: str) -> None:
    if name not in NAMES:
        raise GhstarsError(f"There is no fault {name!r}; choose from {', '.join(NAMES)}.")
