"""Traits: bands of time and error codes."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.traits import spread_of, traits_of

_CALL = {"is_error": False, "http_status": 200, "error_code": None, "latency_ms": None, "time_to_first_byte_ms": None}


@given(st.lists(st.integers(0, 9_000_000), min_size=1, max_size=200))
def test_any_quantile_is_within_a_twentieth_of_the_exact_one(times: list[int]) -> None:
    counts = Counter(trait for time in times for trait in traits_of(_CALL | {"latency_ms": time}))

    found = spread_of(counts).latency

    assert found is not None
    assert found.calls == len(times)
    ordered = sorted(times)
    for percent, value in ((50, found.p50), (95, found.p95), (99, found.p99)):
        exact = ordered[-(-len(times) * percent // 100) - 1]
        assert abs(value - exact) <= exact / 20


@given(st.lists(st.integers(0, 10**12)), st.lists(st.integers(0, 10**12)))
def test_any_bands_that_are_merged_are_those_of_all_calls(some: list[int], others: list[int]) -> None:
    def counts(times: list[int]) -> Counter[str]:
        return Counter(trait for time in times for trait in traits_of(_CALL | {"latency_ms": time}))

    assert spread_of(counts(some) + counts(others)) == spread_of(counts([*some, *others]))


def test_a_call_that_failed_has_no_duration_and_a_text_is_no_code() -> None:
    failed = _CALL | {"is_error": True, "http_status": 500, "latency_ms": 5}

    assert traits_of(failed | {"error_code": "server_error"}) == ["e:500:server_error"]
    assert traits_of(failed | {"error_code": "it said: no"}) == ["e:500:(other)"]
    assert traits_of(failed | {"error_code": "x" * 65}) == ["e:500:(other)"]
    assert traits_of(failed | {"http_status": None}) == ["e::"]
    assert traits_of(_CALL | {"latency_ms": -1}) == []
