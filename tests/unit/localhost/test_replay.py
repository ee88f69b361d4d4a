from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from localhost import replay
from localhost.commands import feed
from localhost.errors import UsageError
from localhost.event_file import FileEvent, line_of
from localhost.functions import AppFunctions, app_functions, functions_of
from localhost.hub_events import HubEvent
from localhost.replay import Feeder
from tests.builders.databases import new_sqlite
from tests.builders.events import a_request, a_response

AT = "2026-03-02T09:30:00.000Z"


def an_event(partition: str, sequence: int, body: bytes = b"x", hub: str = "hub") -> FileEvent:
    return FileEvent(hub, partition, HubEvent(sequence, AT, None, body))


def an_app(seen: list[tuple[str, list[int]]], *, failures: int = 0) -> AppFunctions:
    app = func.FunctionApp()
    left = [failures]

    @app.event_hub_message_trigger(
        arg_name="events", event_hub_name="hub", connection="C", cardinality=func.Cardinality.MANY
    )
    @app.retry("exponential_backoff", "-1", minimum_interval="00:00:02", maximum_interval="00:05:00")
    def take(events: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise OSError("no")
        partition = events[0].metadata["PartitionContext"]["PartitionId"]
        seen.append((partition, [event.sequence_number for event in events]))

    return functions_of(app.get_functions())


def test_batches_hold_one_partitions_events_in_order_and_partitions_take_turns() -> None:
    seen: list[tuple[str, list[int]]] = []
    feeder = Feeder(an_app(seen), batch_size=2)

    feeder.feed([an_event(p, n) for n in range(5) for p in ("0", "1")])

    assert seen == [
        ("0", [0, 1]),
        ("1", [0, 1]),
        ("0", [2, 3]),
        ("1", [2, 3]),
        ("0", [4]),
        ("1", [4]),
    ]
    assert feeder.fed == 10
    assert feeder.partitions == {("hub", "0"), ("hub", "1")}


def test_a_failing_batch_is_repeated_with_the_registered_back_off() -> None:
    seen: list[tuple[str, list[int]]] = []
    slept: list[float] = []

    Feeder(an_app(seen, failures=3), batch_size=2, sleep=slept.append).feed([an_event("0", n) for n in range(3)])

    assert slept == [2, 4, 8]
    assert seen == [("0", [0, 1]), ("0", [2])]


def test_what_came_before_a_line_that_cannot_be_read_is_fed() -> None:
    seen: list[tuple[str, list[int]]] = []

    def events() -> Iterator[FileEvent]:
        yield an_event("0", 1)
        raise UsageError("line 2")

    with pytest.raises(UsageError, match="line 2"):
        Feeder(an_app(seen), batch_size=9).feed(events())

    assert seen == [("0", [1])]


def test_memory_stays_bounded_when_batches_do_not_fill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "_MOST_BYTES", 100)
    seen: list[tuple[str, list[int]]] = []
    feeder = Feeder(an_app(seen), batch_size=1000)

    feeder.feed([an_event(str(n % 7), n, b"x" * 30) for n in range(70)])

    assert sum(len(numbers) for _, numbers in seen) == 70
    assert max(len(numbers) for _, numbers in seen) <= 4


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    engine = new_sqlite(tmp_path)
    engine.dispose()
    monkeypatch.setenv("PROMPTLEDGER_DATABASE", str(engine.url))
    return str(engine.url)


def run(database: str, *events: FileEvent) -> dict[str, int]:
    return feed(app_functions(), events, database, 3)


def balance(received: int, **others: int) -> dict[str, int]:
    classes = ("stored", "duplicate", "pending", "skipped", "quarantined")
    return {"received": received} | {name: others.get(name, 0) for name in classes}


def native(partition: str, sequence: int, body: bytes) -> FileEvent:
    return an_event(partition, sequence, body, hub="gateway")


def test_a_run_counts_its_events_in_their_classes(database: str) -> None:
    metrics = b'{"records":[{"count":1,"total":1,"metricName":"Requests","timeGrain":"PT1M"}]}'

    counted = run(
        database,
        native("0", 1, a_request("one")),
        native("0", 2, a_response("one")),
        native("0", 2, a_response("one")),
        native("1", 1, a_response("one")),
        native("1", 2, a_request("two")),
        native("2", 1, b"nonsense"),
        an_event("2", 1, metrics, hub="monitor"),
    )

    assert counted == balance(7, stored=2, duplicate=2, pending=1, skipped=1, quarantined=1)


def test_a_run_that_settles_what_an_earlier_one_left_pending_counts_only_its_own(database: str) -> None:
    assert run(database, *(native("0", n, a_request(f"call-{n}")) for n in range(6))) == balance(6, pending=6)

    settled = [native("1", n, a_response(f"call-{n}")) for n in range(4)]
    mine = [native("1", 10 + n, a_request(f"new-{n}")) for n in range(2)]
    assert run(database, *settled, *mine) == balance(6, stored=4, pending=2)

    assert run(database, *(native("0", n, a_request(f"call-{n}")) for n in range(6))) == balance(6, duplicate=6)


def test_a_run_counts_nothing_of_partitions_that_it_did_not_feed(database: str) -> None:
    run(database, native("0", 1, a_request("one")))

    assert run(database, native("1", 1, b"nonsense")) == balance(1, quarantined=1)


def test_files_without_positions_go_on_counting_where_the_last_run_ended(database: str, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text('{"body": "nonsense one"}\n{"body": "nonsense two"}\n')

    assert feed(app_functions(), [path], database, 100) == balance(2, quarantined=2)
    assert feed(app_functions(), [path], database, 100) == balance(2, duplicate=2)


def test_an_event_of_an_unknown_hub_is_named(database: str, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(line_of("nowhere", "0", HubEvent(1, AT, None, b"x")))

    with pytest.raises(UsageError, match="nowhere"):
        feed(app_functions(), [path], database, 100)
