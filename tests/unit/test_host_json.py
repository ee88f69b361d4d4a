"""What host.json tells the Functions host; docs/operations.md has the reasons and the figures."""

import json
from pathlib import Path
from typing import Any

import pytest

from localhost.retry import seconds_of
from tests.unit.test_worker_index import FUNCTIONS

HOST: dict[str, Any] = json.loads((Path(__file__).parents[2] / "host.json").read_text(encoding="utf-8"))
HUBS: dict[str, Any] = HOST["extensions"]["eventHubs"]
LEVELS: dict[str, str] = HOST["logging"]["logLevel"]

LARGEST_EVENT = 200_000
"""Bytes of what API Management sends at the most."""
PARTITIONS = 8

OPTIONS = {
    "maxEventBatchSize",
    "minEventBatchSize",
    "maxWaitTime",
    "targetUnprocessedEventThreshold",
    "batchCheckpointFrequency",
    "prefetchCount",
    "transportType",
    "partitionOwnershipExpirationInterval",
    "loadBalancingUpdateInterval",
    "trackLastEnqueuedEventProperties",
    "initialOffsetOptions",
    "clientRetryOptions",
}
"""Of the Event Hubs extension, version 5 and later: others are passed over in silence."""


def test_every_option_of_the_trigger_is_one_that_the_extension_knows() -> None:
    assert set(HUBS) <= OPTIONS


def test_what_is_fetched_ahead_and_handed_over_of_large_events_fits_an_instance() -> None:
    ahead = PARTITIONS * HUBS["prefetchCount"] * LARGEST_EVENT
    handed_over = PARTITIONS * HUBS["maxEventBatchSize"] * LARGEST_EVENT

    assert HUBS["maxEventBatchSize"] <= HUBS["prefetchCount"]
    assert max(ahead, handed_over) <= 128 * 2**20


def test_the_partitions_of_a_host_that_died_have_a_reader_again_within_a_minute() -> None:
    expires = seconds_of(HUBS["partitionOwnershipExpirationInterval"])
    looks = seconds_of(HUBS["loadBalancingUpdateInterval"])

    assert (expires, looks) == (30, 10)
    assert 2 * looks < expires
    assert expires + looks < 60


def test_every_batch_is_a_checkpoint_and_a_lag_of_a_few_seconds_asks_for_no_second_instance() -> None:
    assert HUBS["batchCheckpointFrequency"] == 1
    assert HUBS["targetUnprocessedEventThreshold"] >= 2 * 1500


@pytest.mark.parametrize("category", [name for name in LEVELS if name != "default"])
def test_every_log_category_is_one_that_the_host_has(category: str) -> None:
    first, _, rest = category.partition(".")

    assert first in {"Host", "Function", "Azure"}
    if first == "Function":
        assert rest.removesuffix(".User") in FUNCTIONS


@pytest.mark.parametrize("function", ["ingest_gateway", "ingest_monitor"])
def test_the_host_adds_no_line_to_a_batch_that_went_well_and_drops_none_of_ours(function: str) -> None:
    assert LEVELS[f"Function.{function}"] == "Warning"
    assert LEVELS[f"Function.{function}.User"] == "Information"


def test_health_is_asked_while_many_questions_wait() -> None:
    http = HOST["extensions"]["http"]

    assert 2 * 16 < http["maxConcurrentRequests"] < http["maxOutstandingRequests"]
