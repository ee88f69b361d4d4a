"""What readiness asks a hub, by the real client, of Event Hubs' stand-in."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.eventhub import EventData, EventHubProducerClient

from shared.services.readiness import HubWatch
from shared.stores.event_hubs import last_sequences
from tests.parts.servers import EventHubs, event_hubs


@pytest.fixture
def hubs() -> Iterator[EventHubs]:
    with event_hubs("gateway") as running:
        yield running


def send(hubs: EventHubs, count: int) -> None:
    client = EventHubProducerClient.from_connection_string(hubs.connection_string, eventhub_name="gateway")
    with client:
        client.send_batch([EventData(b"{}") for _ in range(count)], partition_id="0")


def held(hubs: EventHubs) -> dict[str, int]:
    environment = {"EVENT_HUBS": hubs.connection_string, "HUB_CONSUMER_GROUP": "promptledger"}
    return last_sequences(environment, "gateway", credential=lambda: pytest.fail("a key signs in"))


def test_a_hub_tells_how_far_each_partition_is(hubs: EventHubs) -> None:
    before = held(hubs)
    send(hubs, 3)
    after = held(hubs)

    assert set(before.values()) == {-1}
    assert after == before | {"0": 2}


def test_a_hub_whose_events_nobody_stores_is_named_and_one_that_is_gone_too(hubs: EventHubs) -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    times = iter([now + timedelta(minutes=minute) for minute in range(0, 100, 4)])
    watch = HubWatch("gateway", lambda: held(hubs), dict, now=lambda: next(times))
    watch.look()
    send(hubs, 1)
    watch.look()
    stands = watch._fault
    hubs.server.kill()
    watch.look()

    assert stands == "events wait, and none is stored, in partition 0"
    assert (watch._fault or "").startswith("it does not answer")
