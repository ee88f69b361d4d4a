"""Batches of large events are bounded by bytes: `make memory` measures more of them."""

import sys

import pytest

from tests.chaos.batches import measure

MOST_MB = 120
"""Beside the bodies. As one transaction each, these batches took three times as much."""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="read from /proc")
def test_batches_of_large_events_take_little_more_memory_than_their_bodies() -> None:
    measured = measure(partitions=2, count=96, size=200_000)

    assert measured.peak - measured.bodies < MOST_MB, measured
