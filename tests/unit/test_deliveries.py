"""What the trigger's events become."""

from datetime import UTC, datetime

import azure.functions as func
import pytest
from azure.functions.meta import Datum

from blueprints.deliveries import deliveries
from shared.domain.delivery import Delivery, Position
from shared.domain.values import NO_TIME


def test_an_event_keeps_its_position_and_its_bytes() -> None:
    event = func.EventHubEvent(
        body=b"\xff{}",
        trigger_metadata={"PartitionContext": Datum('{"PartitionId": "3"}', "json")},
        enqueued_time=datetime(2026, 3, 2, 9, 30, 0, 123456, UTC),
        sequence_number=17,
    )

    batch = deliveries("gateway", [event])

    assert batch == [Delivery(Position("gateway", "3", 17, "2026-03-02T09:30:00.123Z"), b"\xff{}")]


def test_events_without_metadata_are_told_apart_by_their_bytes() -> None:
    one, two, again = (func.EventHubEvent(body=body) for body in (b"1", b"2", b"1"))

    batch = deliveries("monitor", [one, two, again])

    sequences = [delivery.position.sequence for delivery in batch]
    assert sequences[0] == sequences[2] != sequences[1]
    assert max(sequences) < 0
    assert {delivery.position.partition for delivery in batch} == {"0"}


@pytest.mark.parametrize("context", ["{}", "null", "[]", '"3"', '{"PartitionId": null}', '{"PartitionId": ""}'])
def test_a_context_that_names_no_partition_is_survived(context: str) -> None:
    event = func.EventHubEvent(
        body=b"{}", trigger_metadata={"PartitionContext": Datum(context, "json")}, sequence_number=17
    )

    (delivery,) = deliveries("gateway", [event])

    assert delivery.position == Position("gateway", "0", 17, NO_TIME)


def test_an_offset_that_is_no_number_is_survived() -> None:
    event = func.EventHubEvent(body=b"{}", sequence_number=17, offset="1:17:17000")

    (delivery,) = deliveries("gateway", [event])

    assert delivery.position.sequence == 17


def test_an_empty_batch_has_no_deliveries() -> None:
    assert deliveries("gateway", []) == []
