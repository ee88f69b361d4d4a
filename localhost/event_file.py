"""Files of events, NDJSON: a line per event, with its position or without."""

import base64
import binascii
import codecs
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from localhost.errors import UsageError
from localhost.hub_events import HubEvent
from shared.domain.values import utc_now, utc_of

__all__ = ["FileEvent", "Positions", "line_of", "read_events"]

Clock = Callable[[], datetime]

_GREATEST: Final = 2**63 - 1
"""Of the sequence numbers that Event Hubs gives, and that the ledger holds."""


class FileEvent(NamedTuple):
    """An event and where it belongs."""

    hub: str
    partition: str
    event: HubEvent


class Positions:
    """Numbers the events whose lines leave their position out."""

    def __init__(self, last_known: dict[tuple[str, str], int] | None = None, clock: Clock | None = None) -> None:
        """Count on from `last_known`, the last sequence number by hub and partition.

        Args:
            last_known: of events received before; other partitions start at 0.
            clock: gives the enqueued time of lines that have none.
        """
        self._next = {key: sequence + 1 for key, sequence in (last_known or {}).items()}
        self._clock = clock or utc_now

    def sequence(self, hub: str, partition: str, given: int | None) -> int:
        """Return `given`, or the next number of the partition.

        Raises:
            ValueError: Event Hubs has no such number.
        """
        key = hub, partition
        following = self._next.get(key, 0)
        sequence = following if given is None else given
        if not -_GREATEST <= sequence <= _GREATEST:
            raise ValueError(f"`sequence` must be a number of 64 bits, not {sequence}")
        self._next[key] = max(following, sequence + 1)
        return sequence

    def now(self) -> str:
        """Return the present as Event Hubs writes it."""
        return utc_of(self._clock())


def read_events(path: Path, positions: Positions, *, default_hub: str = "gateway") -> Iterator[FileEvent]:
    """Read a file's events lazily; blank lines are passed over.

    Raises:
        UsageError: the file cannot be read, or a line is not an event; the message names file and line.
    """
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
                if not text.strip():
                    continue
                try:
                    yield _event(orjson.loads(text), positions, default_hub)
                except (ValueError, TypeError) as error:
                    raise UsageError(f"{path}, line {number}: {error}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def line_of(hub: str, partition: str, event: HubEvent) -> bytes:
    """Return the line that `read_events` reads as this event, newline included."""
    wrapper: dict[str, Any] = {
        "hub": hub,
        "partition": partition,
        "sequence": event.sequence,
        "enqueuedTime": event.enqueued_at,
        "partitionKey": event.partition_key,
    }
    try:
        wrapper["body"] = event.body.decode()
    except UnicodeDecodeError:
        wrapper["bodyBase64"] = base64.b64encode(event.body).decode()
    return orjson.dumps(wrapper, option=orjson.OPT_APPEND_NEWLINE)


def _event(wrapper: object, positions: Positions, default_hub: str) -> FileEvent:
    if not isinstance(wrapper, dict):
        raise TypeError("an event is a JSON object")
    hub = _text(wrapper, "hub") or default_hub
    partition = _partition(wrapper.get("partition"))
    sequence = wrapper.get("sequence")
    if isinstance(sequence, bool) or not isinstance(sequence, int | None):
        raise TypeError("`sequence` must be a whole number")
    event = HubEvent(
        sequence=positions.sequence(hub, partition, sequence),
        enqueued_at=_time(_text(wrapper, "enqueuedTime")) or positions.now(),
        partition_key=_text(wrapper, "partitionKey"),
        body=_body(wrapper),
    )
    return FileEvent(hub, partition, event)


def _text(wrapper: dict[str, Any], name: str) -> str | None:
    value = wrapper.get(name)
    if isinstance(value, str | None):
        return value
    raise TypeError(f"`{name}` must be a string")


def _partition(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise TypeError("`partition` must be a string")
    return "0" if value in (None, "") else str(value)


def _time(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        # In UTC, as the function will want it: a zone can carry the calendar's ends beyond them.
        utc_of(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise ValueError(f"`enqueuedTime` must be an ISO 8601 time, not {text!r}") from None
    return text


def _body(wrapper: dict[str, Any]) -> bytes:
    body, encoded = wrapper.get("body"), wrapper.get("bodyBase64")
    if isinstance(body, str) and encoded is None:
        return body.encode()
    if isinstance(encoded, str) and body is None:
        try:
            return base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise ValueError(f"`bodyBase64` is not base64: {error}") from error
    raise TypeError("an event has either `body` or `bodyBase64`, a string")
