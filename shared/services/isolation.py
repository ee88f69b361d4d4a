"""Work on many things, of which one that fails stops no other.

`except Exception` stands here for all timers: what fails is logged, counted and left for the next run.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from shared.errors import AppError, StoreRefusedError, StoreUnavailableError
from shared.telemetry import PASSED_OVER, SILENT, Recorder

__all__ = ["LOGGED_ONLY", "Done", "Failures", "apart", "one_by_one"]

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")


class Failures:
    """Where a job tells what it passed over."""

    def __init__(self, job: str, recorder: Recorder = SILENT) -> None:
        """Name the `job` in the log, and in what `recorder` counts."""
        self._job = job
        self._recorder = recorder

    def tell(self, item: object, error: Exception) -> None:
        """Tell that `item`, an id or an hour, failed. Of the error only what holds no text of an event is logged."""
        reason = f"{type(error).__name__}: {error}" if isinstance(error, AppError) else type(error).__name__
        place = _place_of(error)
        logger.error("job.failed job=%s item=%s at=%s reason=%s", self._job, item, place, reason)
        self._recorder.record(PASSED_OVER, 1, kind=self._job)


LOGGED_ONLY: Final = Failures("job")
"""For who counts nothing: failures are logged all the same."""


class Done(NamedTuple, Generic[Item, Result]):
    """What became of some items."""

    results: list[Result]
    """Of each part of the work that was done, in the order of the items."""
    failed: list[Item]


def apart(work: Callable[[Sequence[Item]], Result], items: Sequence[Item], failures: Failures) -> Done[Item, Result]:
    """Do `work` on all items at once; where that fails, on ever fewer, until those that fail are alone.

    Args:
        work: does all of the items that it gets, or none. It must be safe to repeat.
        items: in an order that halves of them keep.
        failures: where each item that fails is reported.

    Raises:
        StoreUnavailableError: a store is down, or refuses every one of several items: no item is at fault.
    """
    done: list[Result] = []
    failed: list[tuple[Item, Exception]] = []
    _divide(work, items, done, failed)
    return Done(done, _report(failed, len(items), failures))


def one_by_one(work: Callable[[Item], Result], items: Iterable[Item], failures: Failures) -> Done[Item, Result]:
    """Do `work` on each item alone; else as `apart`."""
    done: list[Result] = []
    failed: list[tuple[Item, Exception]] = []
    every = list(items)
    for item in every:
        _divide(lambda alone: work(alone[0]), [item], done, failed)
    return Done(done, _report(failed, len(every), failures))


def _divide(
    work: Callable[[Sequence[Item]], Result],
    items: Sequence[Item],
    done: list[Result],
    failed: list[tuple[Item, Exception]],
) -> None:
    if not items:
        return
    try:
        done.append(work(items))
    except Exception as error:
        # A store that is down is no item's fault. One that refuses may have been given what it cannot hold.
        if isinstance(error, StoreUnavailableError) and not isinstance(error, StoreRefusedError):
            raise
        if len(items) == 1:
            failed.append((items[0], error))
            return
    else:
        return
    half = len(items) // 2
    _divide(work, items[:half], done, failed)
    _divide(work, items[half:], done, failed)


def _report(failed: Sequence[tuple[Item, Exception]], number: int, failures: Failures) -> list[Item]:
    for item, error in failed:
        failures.tell(item, error)
    if len(failed) == number > 1 and all(isinstance(error, StoreRefusedError) for _, error in failed):
        raise failed[-1][1]
    return [item for item, _ in failed]


def _place_of(error: Exception) -> str:
    """Return file and line where an error was raised: enough to find it, and nothing of what was read."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
