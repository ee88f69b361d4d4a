"""What the trigger's events become."""

from datetime import UTC, datetime

import azure.functions as func
from azure.functions.meta import Datum

from blueprints.deliveries import deliveries
from shared.domain.delivery import Delivery, Position


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


def test_an_empty_batch_has_no_deliveries() -> None:
    assert deliveries("gateway", []) == []
