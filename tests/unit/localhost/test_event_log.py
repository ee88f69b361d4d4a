import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from localhost import event_log
from localhost.environment import APP_ROOT
from localhost.errors import UsageError
from localhost.event_log import PARTITIONS, Consumer, EventLog, Message, consume_partition
from localhost.functions import EventHubFunction, functions_of


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    with closing(EventLog(tmp_path / "events.db")) as opened:
        yield opened


def a_function(seen: list[list[bytes]], *, failures: int, retries: str | None) -> EventHubFunction:
    app = func.FunctionApp()

    def take(events: Any) -> None:
        seen.append([event.get_body() for event in events])
        if len(seen) <= failures:
            raise OSError("no")

    if retries is not None:
        take = app.retry("fixed_delay", retries, delay_interval="00:00:00")(take)
    app.event_hub_message_trigger(
        arg_name="events", event_hub_name="hub", connection="C", cardinality=func.Cardinality.MANY
    )(take)
    return functions_of(app.get_functions()).event_hubs[0]


def test_a_partition_is_read_in_order_from_the_checkpoint(log: EventLog) -> None:
    assert log.append(Message("hub", b"%d" % n, partition="2") for n in range(5)) == 5
    log.append([Message("other", b"x", partition="2"), Message("hub", b"y", partition="1")])

    assert [e.body for e in log.read("hub", "g", "2", 3)] == [b"0", b"1", b"2"]
    log.set_checkpoint("hub", "g", "2", 2)
    assert [(e.sequence, e.body) for e in log.read("hub", "g", "2", 3)] == [(3, b"3"), (4, b"4")]
    assert len(log.read("hub", "another group", "2", 9)) == 5


def test_a_key_decides_the_partition_and_without_one_partitions_take_turns(log: EventLog) -> None:
    log.append([Message("hub", b"", "a key") for _ in range(6)])
    assert sorted(len(log.read("hub", "g", p, 9)) for p in PARTITIONS) == [0, 0, 0, 6]

    log.append([Message("turns", b"") for _ in range(8)])
    assert [len(log.read("turns", "g", p, 9)) for p in PARTITIONS] == [2, 2, 2, 2]


def test_an_append_that_fails_appends_nothing(log: EventLog) -> None:
    def broken() -> Iterator[Message]:
        yield Message("hub", b"", partition="0")
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        log.append(broken())

    assert log.read("hub", "g", "0", 9) == []
    assert log.append([Message("hub", b"", partition="0")]) == 1


@pytest.mark.slow
def test_several_processes_append_without_gaps_or_repeats(log: EventLog, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from localhost.event_log import EventLog, Message\n"
        "log = EventLog(Path(sys.argv[1]))\n"
        "for _ in range(50): log.append([Message('hub', b'x', partition='0')] * 3)\n"
        "log.close()"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "events.db")]
    running = [subprocess.Popen(command, cwd=APP_ROOT) for _ in range(3)]

    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert [e.sequence for e in log.read("hub", "g", "0", 1000)] == list(range(450))


def test_a_file_that_is_no_log_is_named(tmp_path: Path) -> None:
    (tmp_path / "events.db").write_bytes(b"not a database" * 100)

    with pytest.raises(UsageError, match=r"events\.db"):
        EventLog(tmp_path / "events.db")


def consume(function: EventHubFunction, log: EventLog, *, until: int) -> None:
    """Consume partition 0 until the checkpoint is there."""
    stop = threading.Event()
    thread = threading.Thread(
        target=consume_partition, args=(function, log, "0"), kwargs={"batch_size": 2, "stop": stop}
    )
    thread.start()
    for _ in range(200):
        if log.checkpoint("hub", "$Default", "0") >= until:
            break
        threading.Event().wait(0.02)
    stop.set()
    thread.join()


def test_the_checkpoint_moves_when_the_function_has_returned(log: EventLog) -> None:
    seen: list[list[bytes]] = []
    log.append(Message("hub", b"%d" % n, partition="0") for n in range(5))

    consume(a_function(seen, failures=0, retries=None), log, until=4)

    assert seen == [[b"0", b"1"], [b"2", b"3"], [b"4"]]
    assert log.checkpoint("hub", "$Default", "0") == 4


def test_a_batch_whose_function_raises_is_repeated_before_the_next_one(log: EventLog) -> None:
    seen: list[list[bytes]] = []
    log.append(Message("hub", b"%d" % n, partition="0") for n in range(3))

    consume(a_function(seen, failures=3, retries="-1"), log, until=2)

    assert seen == [[b"0", b"1"]] * 4 + [[b"2"]]


@pytest.mark.parametrize("method", ["read", "set_checkpoint"])
def test_a_fault_of_the_log_itself_ends_no_partition(
    log: EventLog, method: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[list[bytes]] = []
    faults = iter([sqlite3.OperationalError("disk I/O error")] * 2)
    sound = getattr(log, method)

    def faulty(*arguments: Any) -> Any:
        for fault in faults:
            raise fault
        return sound(*arguments)

    monkeypatch.setattr(log, method, faulty)
    monkeypatch.setattr(event_log, "_FAULT_SECONDS", 0.01)
    log.append(Message("hub", b"%d" % n, partition="0") for n in range(3))

    consume(a_function(seen, failures=0, retries="-1"), log, until=2)

    assert seen[-2:] == [[b"0", b"1"], [b"2"]]
    assert caplog.text.count("hub/0: the event log failed: disk I/O error") == 2


def test_without_a_retry_policy_the_checkpoint_moves_on_as_in_azure(log: EventLog) -> None:
    seen: list[list[bytes]] = []
    log.append(Message("hub", b"%d" % n, partition="0") for n in range(3))

    consume(a_function(seen, failures=1, retries=None), log, until=2)

    assert seen == [[b"0", b"1"], [b"2"]]


def test_stopping_in_the_middle_of_retries_leaves_the_checkpoint(log: EventLog) -> None:
    seen: list[list[bytes]] = []
    log.append([Message("hub", b"0", partition="0")])
    stop = threading.Event()
    consumer = Consumer(a_function(seen, failures=10**9, retries="-1"), log, batch_size=2, stop=stop)

    consumer.start()
    while len(seen) < 2:
        threading.Event().wait(0.01)
    stop.set()
    consumer.join()

    assert log.checkpoint("hub", "$Default", "0") == -1
