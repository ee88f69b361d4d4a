"""Sends events to the hubs of a namespace, as a gateway does: each with its partition key, if it has one."""

from collections.abc import Iterable
from contextlib import ExitStack
from itertools import islice

from azure.eventhub import EventData, EventHubProducerClient
from azure.identity import DefaultAzureCredential

from localhost.errors import UsageError
from localhost.event_file import FileEvent
from localhost.hub_clients import HUB_ERRORS, check, sending_client
from localhost.hub_consumer import first_line
from localhost.hub_events import HubEvent
from localhost.namespace import Namespace
from localhost.registered import Registered

__all__ = ["send_to_hubs"]

_SENT_AT_ONCE = 100
"""Events that are sorted by their keys, so that those of one key travel together."""


def send_to_hubs(events: Iterable[FileEvent], namespace: Namespace, functions: Registered) -> int:
    """Send events to the hubs that their functions consume; return how many.

    The hub gives them positions and times of its own. Events of one key keep their order.

    Raises:
        UsageError: a connection string cannot be read, or a hub does not take an event; says how many it took before.
    """
    check(namespace)
    waiting = iter(events)
    sent = 0
    with DefaultAzureCredential() as me, ExitStack() as stack:
        hubs = {one.hub: stack.enter_context(sending_client(namespace, one, me)) for one in functions.event_hubs}
        while some := list(islice(waiting, _SENT_AT_ONCE)):
            for (hub, key), group in _by_key(some).items():
                try:
                    _send(hubs[hub], key, group)
                except (*HUB_ERRORS, ValueError) as error:
                    name, reason = functions.hub(hub).hub_name, first_line(error)
                    raise UsageError(f"hub {name} takes no events: {reason} ({sent} were sent before)") from error
                sent += len(group)
    return sent


def _by_key(events: Iterable[FileEvent]) -> dict[tuple[str, str | None], list[HubEvent]]:
    groups: dict[tuple[str, str | None], list[HubEvent]] = {}
    for hub, _, event in events:
        groups.setdefault((hub, event.partition_key), []).append(event)
    return groups


def _send(client: EventHubProducerClient, key: str | None, events: Iterable[HubEvent]) -> None:
    batch = client.create_batch(partition_key=key)
    for event in events:
        data = EventData(event.body)
        try:
            batch.add(data)
        except ValueError:  # The batch is full; in one of its own, an event that is too large for the hub is refused.
            client.send_batch(batch)
            batch = client.create_batch(partition_key=key)
            batch.add(data)
    client.send_batch(batch)
