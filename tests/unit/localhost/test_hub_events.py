"""Azure's events, the host's, and what the app makes of them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from azure.eventhub import EventData
from azure.eventhub.amqp import AmqpAnnotatedMessage

from blueprints.deliveries import deliveries
from localhost.functions import EventHubFunction
from localhost.hub_consumer import hub_event
from localhost.hub_events import HubEvent, batch_of
from localhost.retry import RetryPolicy
from shared.domain.delivery import Delivery, Position
from shared.domain.values import NO_TIME

FUNCTION = EventHubFunction("ingest", print, "gateway", "gateway", "$Default", many=True, retry=RetryPolicy(0, 0, 0))


def annotated(body: bytes, annotations: dict[str | bytes, Any]) -> EventData:
    event = EventData(body)
    event.raw_amqp_message.annotations = annotations
    return event


def test_an_event_of_azure_keeps_its_bytes_position_key_and_properties() -> None:
    event = annotated(
        b"\xff{}",
        {
            b"x-opt-sequence-number": 17,
            b"x-opt-offset": b"1:17:17000",
            b"x-opt-enqueued-time": 1_772_443_800_123,
            b"x-opt-partition-key": b"key",
        },
    )
    event.properties = {b"name": b"value", "number": 5}

    read = hub_event(event)

    assert read == HubEvent(
        17, "2026-03-02T09:30:00.123+00:00", "key", b"\xff{}", "1:17:17000", {"name": "value", "number": 5}
    )


def test_an_event_that_says_nothing_of_itself_is_told_apart_by_its_bytes() -> None:
    events = [hub_event(annotated(body, {})) for body in (b"1", b"2")]

    batch = deliveries("gateway", batch_of(FUNCTION, "3", events))

    assert {delivery.position.partition for delivery in batch} == {"3"}
    assert {delivery.position.enqueued_at for delivery in batch} == {NO_TIME}
    assert len({delivery.position.sequence for delivery in batch}) == 2
    assert [delivery.body for delivery in batch] == [b"1", b"2"]


@pytest.mark.parametrize(("body", "kept"), [({"value_body": "text"}, b"text"), ({"value_body": 5}, b"5")])
def test_a_body_of_amqp_s_own_types_is_kept_as_its_text(body: dict[str, Any], kept: bytes) -> None:
    event = EventData(b"")
    event._raw_amqp_message = AmqpAnnotatedMessage(**body)

    assert hub_event(event).body == kept


@pytest.mark.parametrize(("offset", "seen"), [("17000", 17000), ("1:17:17000", "1:17:17000"), (None, 17)])
def test_an_offset_is_a_number_where_it_is_one(offset: str | None, seen: object) -> None:
    event = HubEvent(17, "2026-03-02T09:30:00.123Z", None, b"{}", offset)

    (given,) = batch_of(FUNCTION, "3", [event])

    assert given.offset == seen
    assert deliveries("gateway", [given]) == [Delivery(Position("gateway", "3", 17, "2026-03-02T09:30:00.123Z"), b"{}")]
    assert given.enqueued_time == datetime(2026, 3, 2, 9, 30, 0, 123000, UTC)
