import threading
from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import pytest
from azure.functions.timer import TimerRequest

from localhost.errors import UsageError
from localhost.functions import TimerFunction, functions_of
from localhost.timers import Timer, next_run, run_timer

FRIDAY = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("0 */5 * * * *", "2026-01-02T03:05:00+00:00"),
        ("*/10 * * * * *", "2026-01-02T03:04:10+00:00"),
        ("30 0 3 * * 1-5", "2026-01-05T03:00:30+00:00"),
        ("0 0 0 13 * 5", "2026-02-13T00:00:00+00:00"),
    ],
)
def test_schedules_have_seconds_first_and_both_days_must_match(schedule: str, expected: str) -> None:
    assert next_run(schedule, FRIDAY).isoformat() == expected


@pytest.mark.parametrize("schedule", ["*/5 * * * *", "0 99 * * * *", "00:05:00", "a b c d e f"])
def test_what_is_no_ncrontab_is_refused_by_name(schedule: str) -> None:
    with pytest.raises(UsageError, match="NCRONTAB"):
        next_run(schedule, FRIDAY)


def a_timer(
    seen: list[Any], *, failures: int = 0, run_on_startup: bool = False, again: threading.Event | None = None
) -> TimerFunction:
    """Return one that notes its requests and fails at the first `failures` of them; `again` is set at the second."""
    app = func.FunctionApp()

    @app.timer_trigger(arg_name="timer", schedule="* * * * * *", run_on_startup=run_on_startup)
    def strike(timer: func.TimerRequest) -> None:
        seen.append(timer)
        if again is not None and len(seen) > 1:
            again.set()
        if len(seen) <= failures:
            raise OSError("no")

    return functions_of(app.get_functions()).timers[0]


def test_a_timer_function_gets_a_real_request() -> None:
    seen: list[Any] = []

    run_timer(a_timer(seen))

    assert isinstance(seen[0], TimerRequest)
    assert not seen[0].past_due
    assert set(seen[0].schedule_status) == {"Last", "Next", "LastUpdated"}


def test_a_timer_strikes_by_its_schedule_goes_on_after_a_failure_and_ends() -> None:
    seen: list[Any] = []
    stop, again = threading.Event(), threading.Event()
    timer = Timer(a_timer(seen, failures=1, run_on_startup=True, again=again), stop)

    timer.start()
    again.wait(60)
    stop.set()
    timer.join()

    assert len(seen) >= 2
