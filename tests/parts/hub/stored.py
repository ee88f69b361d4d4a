"""What the hubs hold: partitions of events, journalled so that a broker that was killed comes back with them."""

import json
import time
import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from tests.parts.hub.messages import Sent, deliver

__all__ = ["Hub", "Stored", "offset_of"]

_BYTES_PER_EVENT: Final = 1000
"""Offsets are no sequence numbers, so that nobody can take one for the other unnoticed."""


class Stored(NamedTuple):
    """An event in its partition; its sequence number is its place there."""

    enqueued: int
    """Milliseconds since 1970."""
    sent: Sent


class Hub:
    """One Event Hub."""

    def __init__(self, name: str, partitions: int, journal: Path | None, *, geo: bool) -> None:
        """Open a hub of `partitions` partitions, with the events that its journal has."""
        self.name = name
        self.geo = geo
        self.created = _now()
        self.partitions: dict[str, list[Stored]] = {str(number): [] for number in range(partitions)}
        self._turns = count()
        self._journal = None if journal is None else journal.with_name(f"{journal.name}-{name}")
        if self._journal is not None and self._journal.exists():
            self._read(self._journal)

    def append(self, events: Sequence[Sent], partition: str | None) -> str:
        """Append events that were sent together; return the partition: the given one, their key's, or the next."""
        if partition is None:
            key = events[0].key
            turn = next(self._turns) if key is None else zlib.crc32(key.encode())
            partition = str(turn % len(self.partitions))
        now = _now()
        stored = [Stored(now, sent) for sent in events]
        self.partitions[partition] += stored
        if self._journal is not None:
            lines = (json.dumps([partition, now, sent.key, b64encode(sent.rest).decode()]) for _, sent in stored)
            with self._journal.open("a") as journal:
                journal.writelines(f"{line}\n" for line in lines)
        return partition

    def message(self, partition: str, sequence: int) -> bytes:
        """Return what a consumer gets of one event."""
        enqueued, sent = self.partitions[partition][sequence]
        return deliver(sent, sequence=sequence, offset=offset_of(sequence, geo=self.geo), enqueued=enqueued)

    def position(self, partition: str, selector: str) -> int:
        """Return the first sequence number that a consumer's filter takes, such as `... x-opt-offset > '12000'`."""
        events = self.partitions[partition]
        name, operator, quoted = selector.rsplit(maxsplit=2)
        value = quoted.strip("'")
        inclusive = operator == ">="
        if value == "@latest":
            return len(events)
        if name.endswith("enqueued-time"):
            return sum(event.enqueued < int(value) + (not inclusive) for event in events)
        sequence = int(value) if name.endswith("sequence-number") else _sequence_of(value)
        return max(0, sequence if inclusive else sequence + 1)

    def _read(self, path: Path) -> None:
        data = path.read_bytes()
        # A last line without its end: the broker died while it wrote, and nobody was told that it has the events.
        whole = data[: data.rfind(b"\n") + 1]
        path.write_bytes(whole)
        for line in whole.splitlines():
            partition, enqueued, key, rest = json.loads(line)
            self.partitions[partition].append(Stored(enqueued, Sent(key, b64decode(rest))))


def offset_of(sequence: int, *, geo: bool) -> str:
    """Return an event's offset: a whole number, or what hubs with geo-replication give out."""
    return f"1:{sequence}:{sequence * _BYTES_PER_EVENT}" if geo else str(sequence * _BYTES_PER_EVENT)


def _sequence_of(offset: str) -> int:
    return int(offset.rpartition(":")[2]) // _BYTES_PER_EVENT


def _now() -> int:
    return time.time_ns() // 1_000_000
