"""What is tried again, how long, and what is not."""

from collections.abc import Callable

import pytest

from shared.errors import ConflictError, StoreRefusedError, StoreUnavailableError
from shared.retry import retried


class Clock:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def retried(self, work: Callable[[], str], seconds: float = 20) -> str:
        return retried(work, seconds=seconds, sleep=self.sleep, clock=lambda: self.now)


def failing(*errors: Exception) -> Callable[[], str]:
    left = list(errors)

    def work() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return work


def endless(error: Exception) -> Callable[[], str]:
    def work() -> str:
        raise error

    return work


def test_work_that_succeeds_is_done_once() -> None:
    clock = Clock()

    assert clock.retried(failing()) == "done"
    assert clock.pauses == []


def test_a_store_that_comes_back_is_waited_for_with_pauses_that_grow() -> None:
    clock = Clock()

    assert clock.retried(failing(*[StoreUnavailableError()] * 4)) == "done"
    for pause, longest in zip(clock.pauses, (0.2, 0.4, 0.8, 1.6), strict=True):
        assert longest / 2 <= pause <= longest


def test_a_store_that_stays_away_is_given_up_in_time() -> None:
    clock = Clock()

    with pytest.raises(StoreUnavailableError):
        clock.retried(endless(StoreUnavailableError()), seconds=20)

    assert 10 < clock.now <= 20


def test_work_that_took_all_the_time_by_itself_is_not_begun_again() -> None:
    clock = Clock()

    def work() -> str:
        clock.now += 30
        raise StoreUnavailableError

    with pytest.raises(StoreUnavailableError):
        clock.retried(work)

    assert clock.pauses == []


def test_a_conflict_is_tried_again_almost_at_once_and_five_times_at_most() -> None:
    clock = Clock()

    assert clock.retried(failing(*[ConflictError()] * 4)) == "done"
    with pytest.raises(ConflictError):
        clock.retried(failing(*[ConflictError()] * 5))

    assert max(clock.pauses) < 0.5


def test_what_a_store_refuses_is_not_tried_again() -> None:
    clock = Clock()

    with pytest.raises(StoreRefusedError):
        clock.retried(endless(StoreRefusedError()))

    assert clock.pauses == []


def test_two_who_fail_together_do_not_come_back_together() -> None:
    one, other = Clock(), Clock()

    for clock in (one, other):
        clock.retried(failing(*[StoreUnavailableError()] * 4))

    assert one.pauses != other.pauses


def test_any_other_error_goes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        Clock().retried(endless(ZeroDivisionError()))
