from itertools import islice

import pytest

from localhost.retry import RetryPolicy, until_done

FOR_EVER = RetryPolicy.read(
    {
        "strategy": "exponential_backoff",
        "max_retry_count": "-1",
        "minimum_interval": "00:00:02",
        "maximum_interval": "00:05:00",
    }
)


class Failing:
    """Raises that many times, then returns."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        if self.calls <= self.times:
            raise OSError(f"failure {self.calls}")


def test_exponential_delays_double_up_to_the_maximum_and_never_end() -> None:
    assert list(islice(FOR_EVER.delays(), 10)) == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert next(islice(FOR_EVER.delays(), 5000, None)) == 300


def test_fixed_delays_are_as_many_as_the_policy_says() -> None:
    policy = RetryPolicy.read({"strategy": "fixed_delay", "max_retry_count": 3, "delay_interval": "00:00:05"})

    assert list(policy.delays()) == [5, 5, 5]


def test_without_a_policy_nothing_is_repeated() -> None:
    call = Failing(1)

    with pytest.raises(OSError, match="failure 1"):
        until_done(call, RetryPolicy.read(None), name="f")

    assert call.calls == 1


def test_a_failing_call_is_repeated_until_it_returns() -> None:
    call, slept = Failing(4), list[float]()

    assert until_done(call, FOR_EVER, name="f", sleep=slept.append)

    assert (call.calls, slept) == (5, [2, 4, 8, 16])


def test_the_last_error_comes_through_when_retries_are_used_up() -> None:
    policy = RetryPolicy(most_retries=2, first_seconds=0, most_seconds=0)

    with pytest.raises(OSError, match="failure 3"):
        until_done(Failing(9), policy, name="f")


def test_a_host_that_stops_makes_no_further_try() -> None:
    call = Failing(9)

    assert not until_done(call, FOR_EVER, name="f", sleep=lambda _: None, stopping=lambda: call.calls == 2)

    assert call.calls == 2


def test_a_delay_that_is_no_time_span_is_refused() -> None:
    with pytest.raises(ValueError, match="soon"):
        RetryPolicy.read({"strategy": "fixed_delay", "max_retry_count": 3, "delay_interval": "soon"})
