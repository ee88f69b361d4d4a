"""The Event Hubs stand-in, part by part; tests/e2e shows that Azure's client takes it for the real one."""

from pathlib import Path

import pytest

pytest.importorskip("proton", reason="make packages-e2e installs it")

from proton import Message, symbol

from tests.parts.hub.encoding import Padder, skip
from tests.parts.hub.messages import Sent, deliver, events_of
from tests.parts.hub.stored import Hub

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
