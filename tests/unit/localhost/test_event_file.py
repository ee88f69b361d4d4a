import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localhost.errors import UsageError
from localhost.event_file import FileEvent, Positions, line_of, read_events
from localhost.hub_events import HubEvent

NOW = datetime(2026, 5, 4, 3, 2, 1, 987654, tzinfo=UTC)


def read(path: Path, *lines: object, last_known: dict[tuple[str, str], int] | None = None) -> list[FileEvent]:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts))
    return list(read_events(path, Positions(last_known, clock=lambda: NOW)))


def test_a_line_says_where_its_event_stands(tmp_path: Path) -> None:
    line = {
        "hub": "monitor",
        "partition": "3",
        "sequence": 17,
        "enqueuedTime": "2026-01-02T03:04:05.678Z",
        "partitionKey": "k",
        "body": "täxt",
    }

    (event,) = read(tmp_path / "f", line)

    body = "täxt".encode()
    assert event == FileEvent("monitor", "3", HubEvent(17, "2026-01-02T03:04:05.678Z", "k", body))


def test_what_a_line_leaves_out_is_counted_up_and_dated_now(tmp_path: Path) -> None:
    events = read(tmp_path / "f", {"body": "a"}, "", {"body": "b", "partition": 2}, {"bodyBase64": "/w=="})

    assert [(e.hub, e.partition, e.event.sequence, e.event.body) for e in events] == [
        ("gateway", "0", 0, b"a"),
        ("gateway", "2", 0, b"b"),
        ("gateway", "0", 1, b"\xff"),
    ]
    assert events[0].event.enqueued_at == "2026-05-04T03:02:01.987Z"


def test_numbers_go_on_from_the_last_known_and_from_those_given(tmp_path: Path) -> None:
    events = read(
        tmp_path / "f",
        {"body": ""},
        {"body": "", "sequence": 90},
        {"body": "", "sequence": 5},
        {"body": ""},
        last_known={("gateway", "0"): 41},
    )

    assert [e.event.sequence for e in events] == [42, 90, 5, 91]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "line 2"),
        ("[]", "JSON object"),
        ("{}", "`body` or `bodyBase64`"),
        ('{"body": 1}', "`body` or `bodyBase64`"),
        ('{"body": "", "bodyBase64": ""}', "`body` or `bodyBase64`"),
        ('{"bodyBase64": "???"}', "bodyBase64"),
        ('{"body": "", "sequence": "x"}', "sequence"),
        ('{"body": "", "sequence": true}', "sequence"),
        ('{"body": "", "hub": 1}', "hub"),
        ('{"body": "", "partition": []}', "partition"),
        ('{"body": "", "enqueuedTime": "noon"}', "noon"),
        ('{"body": "", "enqueuedTime": "9999-12-31T23:59:59-10:00"}', "9999"),
        ('{"body": "", "enqueuedTime": " 2026-01-02 "}', "2026-01-02"),
        ('{"body": "", "sequence": 9223372036854775808}', "sequence"),
        ('{"body": "", "sequence": -9223372036854775809}', "sequence"),
    ],
)
def test_a_line_that_is_no_event_is_named_by_file_and_number(tmp_path: Path, line: str, fault: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path / "events.ndjson", {"body": ""}, line)

    assert "events.ndjson, line 2" in str(caught.value)
    assert fault in str(caught.value)


def test_a_line_without_a_number_behind_the_greatest_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="line 2: `sequence`"):
        read(tmp_path / "events.ndjson", {"body": "", "sequence": 2**63 - 1}, {"body": ""})


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b'\xef\xbb\xbf{"body": "a"}\r\n\r\n{"body": "b"}\r\n')

    events = read_events(tmp_path / "f", Positions())

    assert [event.event.body for event in events] == [b"a", b"b"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="missing"):
        list(read_events(tmp_path / "missing", Positions()))


@pytest.mark.slow
@given(body=st.binary(), sequence=st.integers(0, 2**53), key=st.none() | st.text())
def test_any_event_survives_being_written_and_read(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, sequence: int, key: str | None
) -> None:
    event = HubEvent(sequence, "2026-01-02T03:04:05.678Z", key, body)
    path = tmp_path_factory.mktemp("f") / "f"
    path.write_bytes(line_of("gateway", "1", event))

    assert list(read_events(path, Positions())) == [FileEvent("gateway", "1", event)]
