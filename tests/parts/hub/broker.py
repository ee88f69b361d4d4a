"""The broker: answers Azure's SDK as an Event Hubs namespace does, as far as PromptLedger's tests ask."""

from collections.abc import Mapping
from itertools import count
from typing import Any, Final, NamedTuple, cast

from proton import (
    UNDESCRIBED,
    Array,
    Condition,
    Data,
    Delivery,
    Event,
    Handler,
    Link,
    Message,
    Receiver,
    Sender,
    int32,
    symbol,
    timestamp,
)
from proton.reactor import Container

from tests.parts.hub.messages import events_of
from tests.parts.hub.stored import Hub, offset_of

__all__ = ["Broker"]

_FRAME: Final = 64 * 1024
_WINDOW: Final = 16 * 1024 * 1024
_MESSAGE: Final = 1024 * 1024
_CREDIT: Final = 1000
_NODES: Final = ("$cbs", "$management")
_EPOCH: Final = "com.microsoft:epoch"


class _Place(NamedTuple):
    """What a link is about: `hub`, `hub/Partitions/0` or `hub/ConsumerGroups/group/Partitions/0`."""

    hub: str
    group: str | None
    partition: str | None

    @classmethod
    def read(cls, address: str) -> "_Place":
        hub, *parts = address.removeprefix("amqps://").removeprefix("amqp://").split("/")
        if ":" in hub or "." in hub:  # the namespace's own address stands before
            hub, *parts = parts
        named = dict(zip((part.lower() for part in parts[::2]), parts[1::2], strict=False))
        return cls(hub, named.get("consumergroups"), named.get("partitions"))


class _Reader:
    """A consumer's link: where it stands."""

    def __init__(self, link: Sender, place: _Place, hub: Hub, sequence: int, epoch: int | None) -> None:
        self.link = link
        self.place = place
        self.hub = hub
        self.sequence = sequence
        self.epoch = epoch

    def push(self) -> None:
        """Send what the link has credit for."""
        assert self.place.partition is not None
        last = len(self.hub.partitions[self.place.partition])
        while self.link.credit > 0 and self.sequence < last:
            _send(self.link, self.hub.message(self.place.partition, self.sequence), str(self.sequence))
            self.sequence += 1


class Broker(Handler):
    """Handles the events of all connections."""

    def __init__(self, port: int, hubs: Mapping[str, Hub]) -> None:
        """Prepare to serve `hubs` on a port of the loopback address."""
        self._port = port
        self._hubs = hubs
        self._readers: dict[str, _Reader] = {}
        self._answers = count()

    def on_reactor_init(self, event: Event) -> None:
        """Listen."""
        container = event.reactor
        assert isinstance(container, Container)
        container.listen(f"127.0.0.1:{self._port}")

    def on_connection_bound(self, event: Event) -> None:
        """Let anybody in: the namespace is this machine's own."""
        event.transport.max_frame_size = _FRAME

    def on_connection_remote_open(self, event: Event) -> None:
        """Answer in kind."""
        event.connection.container = "hub"
        event.connection.open()

    def on_session_remote_open(self, event: Event) -> None:
        """Answer with room for the largest batches."""
        event.session.incoming_capacity = _WINDOW
        event.session.open()

    def on_link_remote_open(self, event: Event) -> None:
        """Open a producer's, a consumer's or a node's link, or say why not."""
        link = event.link
        link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        link.max_message_size = _MESSAGE
        address = (link.remote_source if link.is_sender else link.remote_target).address or ""
        if address not in _NODES and not self._accept(link, _Place.read(address)):
            return
        link.open()
        if link.is_receiver:
            link.flow(_CREDIT)

    def on_link_flow(self, event: Event) -> None:
        """Send what new credit allows."""
        reader = self._readers.get(_key(event.link))
        if reader is not None:
            reader.push()

    def on_link_remote_close(self, event: Event) -> None:
        """Answer, and forget the link."""
        self._readers.pop(_key(event.link), None)
        event.link.close()

    on_link_remote_detach = on_link_remote_close

    def on_session_remote_close(self, event: Event) -> None:
        """Answer."""
        event.session.close()

    def on_connection_remote_close(self, event: Event) -> None:
        """Answer."""
        event.connection.close()

    def on_transport_closed(self, event: Event) -> None:
        """Forget the links of a client that is gone."""
        gone = event.connection
        self._readers = {key: reader for key, reader in self._readers.items() if reader.link.connection != gone}

    def on_delivery(self, event: Event) -> None:
        """Take a message once it is whole."""
        delivery, link = event.delivery, event.link
        if not isinstance(link, Receiver) or not delivery.readable or delivery.partial:
            return
        message = bytes(link.recv(delivery.pending) or b"")
        link.advance()
        link.flow(1)
        address = link.remote_target.address or ""
        try:
            if address in _NODES:
                self._answer(link, address, message)
            else:
                self._append(_Place.read(address), message)
            delivery.update(Delivery.ACCEPTED)
        except ValueError:
            delivery.update(Delivery.REJECTED)
        delivery.settle()

    def _append(self, place: _Place, message: bytes) -> None:
        partition = self._hubs[place.hub].append(list(events_of(message)), place.partition)
        for reader in self._readers.values():
            if (reader.place.hub, reader.place.partition) == (place.hub, partition):
                reader.push()

    def _accept(self, link: Link, place: _Place) -> bool:
        hub = self._hubs.get(place.hub)
        if hub is None or (place.partition is not None and place.partition not in hub.partitions):
            _refuse(link, "amqp:not-found", f"There is no {place}.")
            return False
        if not isinstance(link, Sender):
            return True
        assert place.partition is not None
        epoch = _epoch(link)
        others = [reader for reader in self._readers.values() if reader.place == place and reader.epoch is not None]
        if any(epoch is None or epoch < (reader.epoch or 0) for reader in others):
            _refuse(link, "amqp:link:stolen", "A receiver with a higher epoch exists.")
            return False
        for reader in others:
            del self._readers[_key(reader.link)]
            _end(reader.link, "amqp:link:stolen", "A receiver with the same or a higher epoch was opened.")
        reader = _Reader(link, place, hub, hub.position(place.partition, _selector(link)), epoch)
        self._readers[_key(link)] = reader
        return True

    def _answer(self, link: Receiver, node: str, message: bytes) -> None:
        """Answer a request to a node on the link that the same session opened for its answers."""
        request = Message()
        request.decode(message)
        # The library's annotation says None, as a message begins without any.
        properties = cast("dict[object, object]", request.properties)
        asked = {_text(name): _text(value) for name, value in properties.items()}
        status, body = (202, None) if node == "$cbs" else self._look_up(asked)
        said = f"There is no {asked.get('name')}." if status == 404 else "OK"
        answer = Message(
            body=body,
            correlation_id=request.id,
            properties={"status-code": int32(status), "status-description": said},
        )
        out = link.connection.link_head(0)
        while out is not None:
            if out.is_sender and out.session == link.session and out.remote_source.address == node:
                _send(out, answer.encode(), str(next(self._answers)))
            out = out.next(0)

    def _look_up(self, asked: Mapping[str, str]) -> tuple[int, dict[str, Any] | None]:
        hub = self._hubs.get(asked.get("name", ""))
        if hub is None:
            return 404, None
        if not asked.get("type", "").endswith(":partition"):
            ids = Array(UNDESCRIBED, Data.STRING, *hub.partitions)
            return 200, {"name": hub.name, "created_at": timestamp(hub.created), "partition_ids": ids}
        events = hub.partitions.get(asked.get("partition", ""))
        if events is None:
            return 404, None
        return 200, {
            "name": hub.name,
            "partition": asked["partition"],
            "begin_sequence_number": 0,
            "last_enqueued_sequence_number": len(events) - 1,
            "last_enqueued_offset": offset_of(len(events) - 1, geo=hub.geo) if events else "-1",
            "last_enqueued_time_utc": timestamp(events[-1].enqueued if events else 0),
            "is_partition_empty": not events,
        }


def _key(link: Link) -> str:
    return f"{link.connection.remote_container}/{link.name}"


def _epoch(link: Link) -> int | None:
    properties = link.remote_properties
    if properties is None:
        return None
    value = properties.get(symbol(_EPOCH)) if isinstance(properties, dict) else None
    return None if value is None else int(value)


def _selector(link: Link) -> str:
    data = link.remote_source.filter
    data.rewind()
    if not data.next():
        return "x-opt-offset > '@latest'"
    for value in data.get_object().values():
        return _text(getattr(value, "value", value))
    return "x-opt-offset > '@latest'"


def _send(link: Sender, message: bytes, tag: str) -> None:
    delivery = link.delivery(tag)
    link.stream(message)
    link.advance()
    delivery.settle()


def _refuse(link: Link, condition: str, description: str) -> None:
    link.open()
    _end(link, condition, description)


def _end(link: Link, condition: str, description: str) -> None:
    link.condition = Condition(condition, description)
    link.close()


def _text(value: object) -> str:
    return bytes(value).decode() if isinstance(value, bytes | bytearray | memoryview) else str(value)
