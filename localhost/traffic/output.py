"""Where sample traffic goes: a file, standard output, or the local event log."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from localhost.errors import UsageError
from localhost.event_file import FileEvent, line_of
from localhost.event_log import DEFAULT_LOG, EventLog, Message

__all__ = ["send", "write"]

_APPENDED_AT_ONCE = 500


def write(events: Iterable[FileEvent], path: Path | None) -> None:
    """Write events as NDJSON to a file, or to standard output.

    Raises:
        UsageError: the file cannot be written.
    """
    if path is None:
        _write_lines(events, sys.stdout.buffer)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            _write_lines(events, file)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def send(events: Iterable[FileEvent], path: Path = DEFAULT_LOG) -> int:
    """Append events to the local event log, which gives them positions of its own; return how many.

    Raises:
        UsageError: the log cannot be opened.
    """
    messages = iter(events)
    sent = 0
    with closing(EventLog(path)) as log:
        while appended := log.append(_messages(islice(messages, _APPENDED_AT_ONCE))):
            sent += appended
    return sent


def _messages(events: Iterable[FileEvent]) -> Iterator[Message]:
    for hub, partition, event in events:
        yield Message(hub, event.body, event.partition_key, partition)


def _write_lines(events: Iterable[FileEvent], file: BinaryIO) -> None:
    try:
        file.writelines(line_of(hub, partition, event) for hub, partition, event in events)
        file.flush()
    except BrokenPipeError:
        # The reader, `head` perhaps, has seen enough. Python would complain once more on closing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())
