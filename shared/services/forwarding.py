"""Calls that have become complete -> whoever speaks OpenTelemetry: at least once, and a repeat looks the same."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from shared.domain.access_log import Reader, entry_of
from shared.domain.forwarding import ForwardedCall
from shared.domain.values import utc_now, utc_of
from shared.errors import ForwardingError
from shared.services.content import best_content
from shared.stores.access_ports import AccessLogStore
from shared.stores.content_ports import ContentStore
from shared.stores.forward_ports import CallReceiver, ForwardStore
from shared.telemetry import FORWARD_LAG, FORWARDED, Recorder

__all__ = ["forward_calls"]

logger = logging.getLogger(__name__)

_SECONDS: Final = 40.0
"""Of one run, about: what is left waits for the next one."""
_STEP: Final = 100
"""Calls that are sent together; with texts, whose bodies are in memory meanwhile, fewer."""
_STEP_WITH_TEXTS: Final = 20
_READER: Final = Reader("forward_calls", "forward_calls")


def forward_calls(  # noqa: PLR0913  # stores, and what tests change
    *,
    store: ForwardStore,
    receiver: CallReceiver | None,
    content: ContentStore | None,
    log: AccessLogStore,
    recorder: Recorder,
    seconds: float = _SECONDS,
    now: Callable[[], datetime] = utc_now,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Tell `receiver` of the calls that are marked, the oldest first; return how many that were.

    A receiver that does not answer ends the run: the marks stay, and the lag says how long they do.

    Args:
        store: of the marks.
        receiver: None: nobody is told.
        content: whence texts are taken that are told too, which is recorded before; None: none are.
        log: keeps that.
        recorder: of the lag.
        seconds: after which no further calls are sent.
        now: the time.
        clock: seconds that only grow.

    Raises:
        StoreUnavailableError: what was sent may be sent again.
    """
    if receiver is None:
        return 0
    until, number = clock() + seconds, 0
    step = _STEP if content is None else _STEP_WITH_TEXTS
    while marks := store.forward_marks(step):
        age = now() - datetime.fromisoformat(marks[0].marked_at)
        recorder.record(FORWARD_LAG, max(0.0, age.total_seconds()))
        if clock() >= until:
            return number
        # What became part of another call since is told of with that.
        rows = store.forwarded_rows(sorted({mark.interaction_id for mark in marks}))
        calls = [ForwardedCall(row) for row in rows]
        if content is not None:
            calls = _with_texts(calls, content, log, utc_of(now()))
        try:
            if calls:
                receiver.send(calls)
        except ForwardingError as error:
            logger.warning("forward.refused calls=%d reason=%s", len(calls), error)
            return number
        store.forget_marks(marks)
        recorder.record(FORWARDED, len(calls))
        number += len(calls)
    recorder.record(FORWARD_LAG, 0)
    return number


def _with_texts(
    calls: Sequence[ForwardedCall], content: ContentStore, log: AccessLogStore, at: str
) -> list[ForwardedCall]:
    ids = [call.row["id"] for call in calls]
    if ids:
        log.record_access(entry_of(_READER, "texts of calls", at=at, ids=ids))
    documents = content.get(ids)
    found = []
    for call in calls:
        texts = best_content(call.row["id"], documents.get(call.row["id"], ()), call.row["occurred_at"])
        found.append(call._replace(prompt=texts.prompt, completion=texts.completion))
    return found
