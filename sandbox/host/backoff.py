"""How long a queue with nothing on it is left alone.

`RandomizedExponentialBackoffStrategy` of https://github.com/Azure/azure-webjobs-sdk: from 100 ms, doubling up
to maxPollingInterval, each step 20 % more or less so that listeners do not poll in time with each other.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Final

SHORTEST: Final = timedelta(milliseconds=100)
_SPREAD: Final = 0.2


class Backoff:
    def __init__(self, longest: timedelta, uniform: Callable[[float, float], float] = random.uniform) -> None:
        self._longest = longest
        self._uniform = uniform
        self._misses = 0

    def reset(self) -> None:
        self._misses = 0

    def next(self) -> timedelta:
        """The pause after one more poll that found nothing."""
        self._misses += 1
        if self._misses == 1:
            return SHORTEST
        # Past 2^20 × 100 ms every limit is reached; the power itself must not overflow.
        power: int = 2 ** min(self._misses - 2, 20)
        grown = SHORTEST + SHORTEST * power * self._uniform(1 - _SPREAD, 1 + _SPREAD)
        return min(grown, self._longest)
