"""Work on a store, tried again while that may help: for a bounded time, inside one invocation.

A loop of our own, not a library: what is retried is decided by the error's class alone, and importing
one would cost more at cold start than these lines.
"""

import logging
import random
import time
from collections.abc import Callable
from itertools import count
from typing import Final, TypeVar

from shared.errors import ConflictError, StoreRefusedError, StoreUnavailableError

__all__ = ["QUICK_SECONDS", "RETRY_SECONDS", "retried"]

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = 20.0
"""Long enough for a deadlock, a throttled minute's end or a failover; the trigger's policy has the hours."""
QUICK_SECONDS: Final = 0.7
"""While somebody waits for an answer: with one more try that nobody answers, three seconds in all."""
_CONFLICTS: Final = 5
"""Tries against other writers of the same rows."""
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 5.0
_CONFLICT_PAUSE: Final = 0.02

_Result = TypeVar("_Result")


def retried(
    work: Callable[[], _Result],
    *,
    seconds: float = RETRY_SECONDS,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> _Result:
    """Return what `work` returns; run it again, from its beginning, when a store is unavailable.

    A conflict with another writer, a deadlock's victim among them, is tried again at once; anything
    else after pauses that double. All pauses are drawn by chance, so that those who failed together
    do not come back together.

    Args:
        work: one transaction or more. It must be safe to repeat: a connection lost while
            committing does not tell whether it was committed.
        seconds: how long after the start a further try may begin.
        sleep: waits.
        clock: seconds that only grow.

    Raises:
        ConflictError: other writers were first every time.
        StoreRefusedError: at once, because trying again cannot help.
        StoreUnavailableError: the time is over.
    """
    started = clock()
    conflicts = 0
    for attempt in count():
        try:
            return work()
        except StoreRefusedError:
            raise
        except ConflictError:
            conflicts += 1
            if conflicts == _CONFLICTS:
                raise
            pause = random.uniform(0, _CONFLICT_PAUSE * 2**conflicts)  # noqa: S311  # spreads load, guards nothing
        except StoreUnavailableError as error:
            longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
            pause = random.uniform(longest / 2, longest)  # noqa: S311  # as above
            if clock() - started + pause > seconds:
                raise
            logger.warning("store.retry attempt=%d pause=%.1f reason=%s", attempt + 1, pause, error)
        sleep(pause)
    raise AssertionError  # pragma: no cover  # count() never ends
