"""A small event log in one SQLite file: hubs, partitions, positions, checkpoints; and what consumes it.

It stands where Event Hubs stands: producers append, each consumer reads a partition in order from
its consumer group's checkpoint. Several processes may append while one consumes.
"""

import logging
import sqlite3
import threading
import zlib
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple, cast

from localhost.errors import UsageError
from localhost.functions import EventHubFunction
from localhost.hub_events import HubEvent, invoke
from shared.domain.values import utc_now, utc_of

__all__ = ["DEFAULT_LOG", "PARTITIONS", "Consumer", "EventLog", "Message", "consume_partition"]

logger = logging.getLogger(__name__)

DEFAULT_LOG: Final = Path(".local/events.db")
PARTITIONS: Final = tuple(str(number) for number in range(4))

_BUSY_SECONDS = 30
_IDLE_SECONDS = 0.25
_FAULT_SECONDS = 1.0
_SCHEMA = """
create table if not exists event (
    hub text not null, partition_id text not null, sequence integer not null,
    enqueued_at text not null, partition_key text, body blob not null,
    primary key (hub, partition_id, sequence)
) without rowid;
create table if not exists checkpoint (
    hub text not null, consumer_group text not null, partition_id text not null, sequence integer not null,
    primary key (hub, consumer_group, partition_id)
) without rowid;
"""


class Message(NamedTuple):
    """What a producer sends."""

    hub: str
    body: bytes
    partition_key: str | None = None
    partition: str | None = None
    """Overrides the key, as API Management's `partition-id` does."""


class EventLog:
    """One log file. Usable from several threads; each has its own connection."""

    def __init__(self, path: Path = DEFAULT_LOG) -> None:
        """Open the log at `path`, creating it if it is not there.

        Raises:
            UsageError: the file cannot be opened.
        """
        self._path = path
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._turns = count()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection().executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise UsageError(f"the event log {path} cannot be opened: {error}") from error

    def append(self, messages: Iterable[Message]) -> int:
        """Append messages in one transaction; return how many.

        A key decides the partition; without one the partitions take turns.
        """
        appended = 0
        connection = self._connection()
        connection.execute("begin immediate")
        try:
            following: dict[tuple[str, str], int] = {}
            for message in messages:
                partition = message.partition or self._partition(message.partition_key)
                key = message.hub, partition
                sequence = following[key] if key in following else self._next_sequence(connection, *key)
                following[key] = sequence + 1
                connection.execute(
                    "insert into event values (?, ?, ?, ?, ?, ?)",
                    (message.hub, partition, sequence, utc_of(utc_now()), message.partition_key, message.body),
                )
                appended += 1
        except BaseException:  # Ctrl-C included: half of what was appended must not stay.
            connection.execute("rollback")
            raise
        connection.execute("commit")
        return appended

    def read(self, hub: str, group: str, partition: str, most: int) -> list[HubEvent]:
        """Return up to `most` events behind the group's checkpoint, in order."""
        rows = self._connection().execute(
            "select sequence, enqueued_at, partition_key, body from event"
            " where hub = ? and partition_id = ? and sequence > ? order by sequence limit ?",
            (hub, partition, self.checkpoint(hub, group, partition), most),
        )
        return [HubEvent(*row) for row in rows]

    def checkpoint(self, hub: str, group: str, partition: str) -> int:
        """Return the sequence number of the last event that the group is done with; -1 before the first."""
        row = self._connection().execute(
            "select sequence from checkpoint where hub = ? and consumer_group = ? and partition_id = ?",
            (hub, group, partition),
        )
        return int((row.fetchone() or (-1,))[0])

    def set_checkpoint(self, hub: str, group: str, partition: str, sequence: int) -> None:
        """Note that the group is done with a partition's events up to `sequence`."""
        self._connection().execute(
            "insert into checkpoint values (?, ?, ?, ?) on conflict do update set sequence = excluded.sequence",
            (hub, group, partition, sequence),
        )

    def close(self) -> None:
        """Close the file; nobody may be using the log any more."""
        while self._connections:
            self._connections.pop().close()
        self._local = threading.local()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # Only `close` uses a connection from another thread than its own, when that thread is done.
            connection = sqlite3.connect(
                self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connections.append(connection)
            connection.execute("pragma journal_mode=WAL")
            # A checkpoint lost in a power cut is a repeat, which consumers must bear anyway.
            connection.execute("pragma synchronous=NORMAL")
            self._local.connection = connection
        return connection

    @staticmethod
    def _next_sequence(connection: sqlite3.Connection, hub: str, partition: str) -> int:
        row = connection.execute(
            "select coalesce(max(sequence) + 1, 0) from event where hub = ? and partition_id = ?", (hub, partition)
        )
        return int(row.fetchone()[0])

    def _partition(self, key: str | None) -> str:
        number = next(self._turns) if key is None else zlib.crc32(key.encode())
        return PARTITIONS[number % len(PARTITIONS)]


class Consumer:
    """The consumers of one function: a thread for each partition of its hub, as a host has one listener each."""

    def __init__(self, function: EventHubFunction, log: EventLog, *, batch_size: int, stop: threading.Event) -> None:
        """Prepare to feed `function` from `log` until `stop` is set."""
        self._threads = [
            threading.Thread(
                target=consume_partition,
                args=(function, log, partition),
                kwargs={"batch_size": batch_size, "stop": stop},
                name=f"{function.hub}/{partition}",
            )
            for partition in PARTITIONS
        ]

    def start(self) -> None:
        """Begin to consume."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until every invocation under way has ended; `stop` must be set."""
        for thread in self._threads:
            thread.join()


def consume_partition(
    function: EventHubFunction, log: EventLog, partition: str, *, batch_size: int, stop: threading.Event
) -> None:
    """Read batches and invoke the function until `stop` is set.

    The checkpoint moves when the function has returned. While the function's retry policy repeats a
    batch the checkpoint waits. When a function without such a policy raises, it moves on, as in Azure.
    A fault of the log itself, such as a full disk, is waited out; then the batch comes again.
    """
    while not stop.is_set():
        try:
            events = log.read(function.hub, function.consumer_group, partition, batch_size)
            if not events:
                stop.wait(_IDLE_SECONDS)
            elif invoke(function, partition, events, sleep=stop.wait, stopping=stop.is_set):
                # The log numbers all its events.
                log.set_checkpoint(function.hub, function.consumer_group, partition, cast("int", events[-1].sequence))
        except sqlite3.Error as error:
            logger.warning("%s/%s: the event log failed: %s", function.hub, partition, error)
            stop.wait(_FAULT_SECONDS)
