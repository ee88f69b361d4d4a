"""The Event Hubs stand-in, part by part; tests/e2e shows that Azure's client takes it for the real one."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("proton", reason="make packages-e2e installs it")

from proton import Connection, Data, Message, Transport, symbol

from tests.parts.hub.encoding import Padder, skip
from tests.parts.hub.messages import Sent, deliver, events_of
from tests.parts.hub.sasl import Greeting
from tests.parts.hub.stored import Hub
from tests.parts.servers import event_hubs

KEY = symbol("x-opt-partition-key")


def message(body: bytes, key: str | None = None, **properties: object) -> bytes:
    made = Message(body=body, annotations=None if key is None else {KEY: key}, properties=properties or None)
    made.inferred = True
    return bytes(made.encode())


def test_a_message_is_one_event_with_its_key() -> None:
    (event,) = events_of(message(b"body", key="a", colour="red"))

    assert event.key == "a"
    assert b"body" in event.rest


def test_a_message_whose_bodies_are_messages_is_a_batch_and_its_key_is_theirs() -> None:
    inner = [message(b"one"), message(b"two", key="own")]
    sections = b"".join(b"\x00\x53\x75\xb0" + len(body).to_bytes(4) + body for body in inner)
    outer = message(b"", key="a")
    annotations = outer[: skip(outer, skip(outer, 0))]  # behind the header

    events = list(events_of(annotations + sections))

    assert [event.key for event in events] == ["a", "own"]
    assert [b"one" in events[0].rest, b"two" in events[1].rest] == [True, True]


def test_bytes_that_are_no_message_are_refused() -> None:
    with pytest.raises(ValueError, match="not a message"):
        list(events_of(b"\xa1\x04text"))


def test_what_a_consumer_gets_has_position_key_properties_and_body() -> None:
    (event,) = events_of(message(b"\xff\x00", key="a", colour="red"))

    got = Message()
    got.decode(deliver(event, sequence=17, offset="1:17:17000", enqueued=1_772_443_800_123))

    assert got.body == b"\xff\x00"
    assert got.properties == {"colour": "red"}
    assert got.annotations == {
        "x-opt-sequence-number": 17,
        "x-opt-offset": "1:17:17000",
        "x-opt-enqueued-time": 1_772_443_800_123,
        "x-opt-partition-key": "a",
    }


def hub(journal: Path | None = None, *, geo: bool = False) -> Hub:
    return Hub("gateway", 4, journal, geo=geo)


def test_events_of_one_key_stay_together_and_others_take_turns() -> None:
    kept = hub()

    keyed = {kept.append([Sent("a", b"")], None) for _ in range(3)}
    turns = [kept.append([Sent(None, b"")], None) for _ in range(4)]

    assert len(keyed) == 1
    assert sorted(turns) == ["0", "1", "2", "3"]
    assert kept.append([Sent("a", b"")], "3") == "3"


@pytest.mark.parametrize("geo", [False, True])
def test_a_reader_begins_where_its_filter_says(geo: bool) -> None:  # noqa: FBT001
    kept = hub(geo=geo)
    kept.append([Sent(None, b"")] * 5, "0")
    third = "1:2:2000" if geo else "2000"
    at = kept.partitions["0"][0].enqueued

    def position(text: str) -> int:
        return kept.position("0", f"amqp.annotation.x-opt-{text}")

    assert position("offset > '-1'") == 0
    assert position("offset > '@latest'") == 5
    assert (position(f"offset > '{third}'"), position(f"offset >= '{third}'")) == (3, 2)
    assert (position("sequence-number > '2'"), position("sequence-number >= '2'")) == (3, 2)
    assert (position(f"enqueued-time > '{at - 1}'"), position(f"enqueued-time > '{at}'")) == (0, 5)


def test_a_hub_that_was_killed_comes_back_with_every_event_it_took(tmp_path: Path) -> None:
    hub(tmp_path / "events").append([Sent("a", b"\xff"), Sent(None, b"2")], "1")
    with (tmp_path / "events-gateway").open("a") as journal:
        journal.write('["1", 5, nul')

    hub(tmp_path / "events").append([Sent(None, b"3")], "1")
    again = hub(tmp_path / "events")

    assert [event.sent for event in again.partitions["1"]] == [Sent("a", b"\xff"), Sent(None, b"2"), Sent(None, b"3")]


def test_a_frame_leaves_with_all_its_fields_however_it_comes_in_pieces() -> None:
    begin = b"\x00\x53\x11\xc0\x03\x02\x40\x43"  # two fields of eight
    frame = (8 + len(begin)).to_bytes(4) + b"\x02\x00\x00\x00" + begin
    padder = Padder()

    for byte in b"AMQP\x00\x01\x00\x00" + frame:
        padder.feed(bytes([byte]))

    fields = b"\x40\x43" + b"\x40" * 6
    full = b"\x00\x53\x11\xd0" + (4 + len(fields)).to_bytes(4) + (8).to_bytes(4) + fields
    assert padder.ready == b"AMQP\x00\x01\x00\x00" + (8 + len(full)).to_bytes(4) + b"\x02\x00\x00\x00" + full


# The way in of Azure's .NET clients, which know no other: MSSBCBS, then a token for each link.


def frame(kind: int, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4) + b"\x02" + bytes([kind]) + b"\x00\x00" + body


def received(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = client.recv(size - len(data))
        assert more, "the broker hung up"
        data += more
    return data


def a_frame(client: socket.socket) -> bytes:
    size = int.from_bytes(received(client, 4))
    return received(client, size - 4)[4:]


def logged_in(port: int, mechanism: bytes) -> tuple[socket.socket, list[str], int]:
    """Return a connection, the mechanisms that it was offered, and the outcome of one of them; 0 is well."""
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    client.sendall(b"AMQP\x03\x01\x00\x00")
    assert received(client, 8) == b"AMQP\x03\x01\x00\x00"
    offered = decoded(a_frame(client))
    # As Microsoft.Azure.Amqp writes it: the mechanism, no answer to any challenge, the host.
    client.sendall(frame(1, b"\x00\x53\x41\xc0\x16\x03" + b"\xa3\x07" + mechanism + b"\x40" + b"\xa1\x09127.0.0.1"))
    return client, [str(name) for name in offered[0].elements], int(decoded(a_frame(client))[0])


def decoded(body: bytes) -> Any:
    data = Data()
    data.decode(body)
    data.next()
    return data.get_object().value


def exchange(client: socket.socket, transport: Transport, until: Callable[[], bool]) -> None:
    while not until():
        pending = transport.pending()
        if pending > 0:
            client.sendall(transport.peek(pending))
            transport.pop(pending)
        else:
            transport.push(client.recv(transport.capacity()))


def test_a_client_that_logs_in_by_tokens_gets_in_and_its_token_is_taken() -> None:
    with event_hubs("gateway") as hubs:
        client, offered, outcome = logged_in(hubs.server.port, b"MSSBCBS")
        connection, transport = Connection(), Transport()
        transport.bind(connection)
        connection.container = "a .NET client"
        connection.open()
        session = connection.session()
        session.open()
        answers, requests = session.receiver("answers"), session.sender("requests")
        answers.source.address = requests.target.address = "$cbs"
        for link in (answers, requests):
            link.open()
        answers.flow(1)
        request = Message(
            id=1,
            reply_to="answers",
            properties={"operation": "put-token", "type": "servicebus.windows.net:sastoken", "name": "amqp://gateway"},
            body="SharedAccessSignature sr=any",
        )
        requests.delivery("1")
        requests.stream(request.encode())
        requests.advance()
        with client:
            exchange(client, transport, lambda: bool(answers.current) and not answers.current.partial)
        answer = Message()
        answer.decode(answers.recv(answers.current.pending))

    assert offered == ["ANONYMOUS", "MSSBCBS"]
    assert outcome == 0
    assert answer.properties is not None
    assert (answer.properties["status-code"], answer.correlation_id) == (202, 1)


def test_a_client_that_logs_in_by_a_mechanism_that_is_not_offered_is_refused() -> None:
    with event_hubs("gateway") as hubs:
        client, _, outcome = logged_in(hubs.server.port, b"MSSBCBX")
        client.close()

    assert outcome != 0


def test_the_choice_of_a_mechanism_is_understood_however_it_comes_in_pieces() -> None:
    init = frame(1, b"\x00\x53\x41\xc0\x0b\x01" + b"\xa3\x07MSSBCBS" + b"")
    sent = b"AMQP\x03\x01\x00\x00" + init + b"AMQP\x00\x01\x00\x00"
    greeting = Greeting()

    passed = b"".join(greeting.feed(bytes([byte])) for byte in sent)

    assert passed.startswith(b"AMQP\x03\x01\x00\x00")
    assert b"ANONYMOUS" in passed
    assert passed.endswith(b"AMQP\x00\x01\x00\x00")
