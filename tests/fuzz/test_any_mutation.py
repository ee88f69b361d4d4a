"""Structured mutations of every source's events, by hypothesis; `make fuzz` goes on for longer."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import oracle
from tests.fuzz.mutations import mutated
from tests.fuzz.seeds import events
from tests.fuzz.streams import check_stream, mutated_stream


class Drawn:
    """Choices that hypothesis makes, and makes smaller when something breaks."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def below(self, limit: int) -> int:
        return self._data.draw(st.integers(0, max(limit - 1, 0)))


def test_every_seed_is_read() -> None:
    for body in events():
        oracle.check(body)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_any_mutation_is_read_or_refused_in_time_and_loses_nothing(data: st.DataObject) -> None:
    choose = Drawn(data)
    seeds = events()

    oracle.check(mutated(seeds[choose.below(len(seeds))], choose))


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_any_binary_event_stream_is_read_as_far_as_it_is_whole(data: st.DataObject) -> None:
    check_stream(mutated_stream(Drawn(data)))


@settings(max_examples=300)
@given(st.binary(max_size=600))
def test_any_bytes_are_read_as_a_stream_or_as_none(data: bytes) -> None:
    check_stream(data)
