"""The event log's side of the chaos: what is sent, at which times, and what is delivered again."""

import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from localhost.event_file import FileEvent
from localhost.event_log import EventLog

__all__ = ["Hub", "with_clock_jumps"]

GROUP: Final = "promptledger"
_JUMP_EVERY: Final = 400
_FARTHEST_SECONDS: Final = 40 * 24 * 3600


def with_clock_jumps(events: Sequence[FileEvent], chance: random.Random) -> tuple[list[FileEvent], int]:
    """Return the events as a hub enqueues them whose clock jumps forth and back by up to 40 days; and the jumps."""
    jumped = []
    off, jumps = timedelta(), 0
    for number, (hub, partition, event) in enumerate(events, start=1):
        if number % _JUMP_EVERY == 0:
            off, jumps = timedelta(seconds=chance.randint(-_FARTHEST_SECONDS, _FARTHEST_SECONDS)), jumps + 1
        at = datetime.fromisoformat(str(event.enqueued_at)) + off
        text = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        jumped.append(FileEvent(hub, partition, event._replace(enqueued_at=text)))
    return jumped, jumps


class Hub:
    """The event log that the hosts consume."""

    def __init__(self, path: Path, events: Sequence[FileEvent]) -> None:
        """Prepare to send `events`, bit by bit."""
        self._path = path
        self._events = events
        self._sent = 0
        self._last = {(hub, partition): int(event.sequence or 0) for hub, partition, event in events}
        EventLog(path).close()

    def send_up_to(self, share: float, *, patience: float = 0.1) -> None:
        """Send what is left of that share of the events, from 0 to 1; while the log is locked nothing is sent.

        Args:
            share: of all events.
            patience: seconds to wait for a lock. A host that stands still may hold one.
        """
        until = round(min(1.0, share) * len(self._events))
        if until <= self._sent:
            return
        rows = [
            (hub, partition, event.sequence, event.enqueued_at, event.partition_key, event.body)
            for hub, partition, event in self._events[self._sent : until]
        ]
        with closing(sqlite3.connect(self._path, timeout=patience)) as connection, connection:
            try:
                connection.execute("begin immediate")
            except sqlite3.OperationalError:
                return
            connection.executemany("insert into event values (?, ?, ?, ?, ?, ?)", rows)
        self._sent = until

    def deliver_again(self, partition: tuple[str, str], events: int) -> None:
        """Set a partition's checkpoint back, as a host does that lost its lease or that died before it noted it."""
        with closing(sqlite3.connect(self._path, timeout=60)) as connection, connection:
            connection.execute(
                "update checkpoint set sequence = max(-1, sequence - ?) where hub = ? and partition_id = ?",
                (events, *partition),
            )

    @property
    def partitions(self) -> list[tuple[str, str]]:
        """Hub and partition of all that is sent."""
        return sorted(self._last)

    @property
    def is_consumed(self) -> bool:
        """Tell whether every partition's checkpoint stands at its last event."""
        with closing(EventLog(self._path)) as log:
            return all(log.checkpoint(hub, GROUP, partition) == last for (hub, partition), last in self._last.items())
