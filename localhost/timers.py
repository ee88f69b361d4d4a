"""Timer functions by their NCRONTAB schedules, in UTC."""

import logging
import threading
import time
from datetime import datetime

from azure.functions.timer import TimerRequest
from croniter import CroniterError, croniter

from localhost.errors import UsageError
from localhost.functions import TimerFunction
from localhost.retry import Sleep, until_done
from shared.domain.values import utc_now

__all__ = ["Timer", "next_run", "run_timer"]

logger = logging.getLogger(__name__)

_FIELDS = 6


def next_run(schedule: str, after: datetime) -> datetime:
    """Return the first moment behind `after` that an NCRONTAB schedule names.

    Args:
        schedule: `{second} {minute} {hour} {day} {month} {day of week}`.
        after: UTC.

    Raises:
        UsageError: the schedule cannot be read.
    """
    if len(schedule.split()) != _FIELDS:
        raise UsageError(f"{schedule!r} is not an NCRONTAB schedule of six fields, such as 0 */5 * * * *")
    try:
        # Unlike cron, NCRONTAB wants day of month and day of week both to match.
        moment: datetime = croniter(schedule, after, second_at_beginning=True, day_or=False).get_next(datetime)
    except (CroniterError, ValueError, KeyError) as error:
        raise UsageError(f"{schedule!r} is not an NCRONTAB schedule: {error}") from error
    return moment


def run_timer(function: TimerFunction, *, sleep: Sleep = time.sleep) -> None:
    """Run a timer function once, now.

    Raises:
        Exception: what the function raised, when its retry policy allows no further try.
    """
    now = utc_now()
    request = TimerRequest(
        past_due=False,
        schedule={"AdjustForDST": True},
        schedule_status={
            "Last": now.isoformat(),
            "Next": next_run(function.schedule, now).isoformat(),
            "LastUpdated": now.isoformat(),
        },
    )
    until_done(lambda: function(request), function.retry, name=function.name, sleep=sleep)


class Timer:
    """Runs one function whenever its schedule says so; never beside itself."""

    def __init__(self, function: TimerFunction, stop: threading.Event) -> None:
        """Prepare to run `function` until `stop` is set.

        Raises:
            UsageError: its schedule cannot be read.
        """
        next_run(function.schedule, utc_now())
        self._function = function
        self._stop = stop
        self._thread = threading.Thread(target=self._run, name=function.name)

    def start(self) -> None:
        """Begin to wait for the first occurrence."""
        self._thread.start()

    def join(self) -> None:
        """Wait until a run under way has ended; the stop event must be set."""
        self._thread.join()

    def _run(self) -> None:
        if self._function.run_on_startup:
            self._invoke()
        while True:
            now = utc_now()
            if self._stop.wait((next_run(self._function.schedule, now) - now).total_seconds()):
                return
            self._invoke()

    def _invoke(self) -> None:
        try:
            run_timer(self._function, sleep=self._stop.wait)
        except Exception:
            # As in Azure: the failure is logged, and the next occurrence is the next try.
            logger.exception("%s failed", self._function.name)
