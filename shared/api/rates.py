"""How many requests each caller may send: a bucket for each, in this process alone."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

__all__ = ["RateLimiter", "Standing"]

_WINDOW: Final = 60
"""Seconds that the limit is for."""
_MOST_CALLERS: Final = 10_000
"""Of whom the table knows. Who was not heard of for longest is forgotten: their bucket is the fullest."""


class Standing(NamedTuple):
    """How a caller stands, this request included."""

    limit: int
    left: int
    """Requests that may follow at once."""
    full_after: int
    """Seconds until all of them may."""
    wait: int
    """Seconds until this request may come again; 0: it may be answered."""

    def headers(self) -> dict[str, str]:
        """Return the fields of draft-ietf-httpapi-ratelimit-headers, and when to try again."""
        fields = {
            "RateLimit-Policy": f'"caller";q={self.limit};w={_WINDOW}',
            "RateLimit": f'"caller";r={self.left};t={self.full_after}',
        }
        return fields | {"Retry-After": str(self.wait)} if self.wait else fields


class RateLimiter:
    """Lets each caller send as many requests a minute, in a burst or evenly."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Let `limit` requests a minute through for each caller, by `clock` in seconds."""
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Caller -> requests that were left, and when."""

    def take(self, caller: str) -> Standing:
        """Return how `caller` stands after one more request, which counts where it may be answered."""
        rate = self._limit / _WINDOW
        with self._lock:
            now = self._clock()
            left, at = self._buckets.pop(caller, (float(self._limit), now))
            left = min(self._limit, left + (now - at) * rate)
            wait = 0 if left >= 1 else max(1, math.ceil((1 - left) / rate))
            left -= 0 if wait else 1
            self._buckets[caller] = left, now
            if len(self._buckets) > _MOST_CALLERS:
                self._buckets.popitem(last=False)
        return Standing(self._limit, math.floor(left), math.ceil((self._limit - left) / rate), wait)
