"""A function's registered retry policy, carried out as the Functions host carries it out."""

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from shared.errors import AppError

__all__ = ["RetryPolicy", "Sleep", "seconds_of", "until_done"]

logger = logging.getLogger(__name__)

Sleep = Callable[[float], object]
"""Waits that many seconds, or less when someone wants to stop."""

_TIME = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a failed invocation is repeated, and after how long."""

    most_retries: int
    """-1: for ever."""
    first_seconds: float
    most_seconds: float
    """Equal to `first_seconds` when the delay is fixed."""

    @classmethod
    def read(cls, settings: Mapping[str, Any] | None) -> "RetryPolicy":
        """Read the policy that a function's decorators made; without one nothing is repeated.

        Args:
            settings: what `Function.get_settings_dict("retry_policy")` returns.
        """
        if not settings:
            return cls(0, 0, 0)
        most = int(settings.get("max_retry_count", -1))
        if settings.get("strategy") == "fixed_delay":
            delay = seconds_of(settings.get("delay_interval"))
            return cls(most, delay, delay)
        return cls(most, seconds_of(settings.get("minimum_interval")), seconds_of(settings.get("maximum_interval")))

    def delays(self) -> Iterator[float]:
        """Return the seconds before each repetition: doubling, up to the maximum."""
        for retry in count():
            if 0 <= self.most_retries <= retry:
                return
            yield min(self.most_seconds, self.first_seconds * 2 ** min(retry, 32))


def until_done(
    call: Callable[[], object],
    policy: RetryPolicy,
    *,
    name: str,
    sleep: Sleep = time.sleep,
    stopping: Callable[[], bool] = lambda: False,
) -> bool:
    """Call until `call` returns; between the tries wait as `policy` says.

    Args:
        call: one invocation of a function.
        policy: the function's own.
        name: the function's, for the log.
        sleep: waits between two tries.
        stopping: true when the host is to stop: then no further try is made.

    Returns:
        False when the host stopped first: the invocation is to be repeated after the next start.

    Raises:
        Exception: what the last try raised, when the policy allows no further one.
    """
    delays = policy.delays()
    while True:
        try:
            call()
        except Exception as error:  # A retry policy asks not what was raised.
            delay = next(delays, None)
            if delay is None:
                raise
            logger.warning(
                "%s failed: %s: %s; next try in %g s",
                name,
                type(error).__name__,
                error,
                delay,
                # What was not raised on purpose is a mistake in the program: show where.
                exc_info=not isinstance(error, AppError),
            )
            sleep(delay)
            if stopping():
                return False
        else:
            return True


def seconds_of(text: object) -> float:
    """Return the seconds of a .NET time span such as `00:05:00`.

    Raises:
        ValueError: it is none.
    """
    match = _TIME.fullmatch(str(text))
    if match is None:
        raise ValueError(f"{text!r} is not a time span like 00:05:00")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
