"""What holds for any event: no exception, no hang, no loss."""

import time
from typing import Final

import orjson

from shared.domain.interaction import FIELD_NAMES
from shared.domain.redaction import redacted
from shared.errors import EventError
from shared.sources import parse_event as read
from shared.sources.record import Reading
from tests.builders.merging import merge

__all__ = ["ENQUEUED", "SLOWER", "check"]

ENQUEUED: Final = "2026-03-02T09:30:00.000Z"
_SECONDS_PER_MEGABYTE: Final = 0.3
_SECONDS_AT_LEAST: Final = 0.1
"""For small events on a busy machine."""
_TRIES: Final = 3
SLOWER = 1
"""By how much what watches the code makes it slower."""


def check(body: bytes) -> Reading | None:
    """Return what the event says; None when it goes to quarantine. The registry is asked, not its last resort.

    Raises:
        AssertionError: a promise is broken.
    """
    reading = _in_time(body)
    if reading is None:
        assert redacted(body) is not None
        return None
    # One class of the balance at least, and nothing that is read is nowhere.
    assert reading.fragments or reading.skipped is not None
    for fragment in reading.fragments:
        assert fragment.facts.keys() <= set(FIELD_NAMES)
        assert None not in fragment.facts.values()
        content = fragment.content
        orjson.dumps([content.prompt, content.completion, content.request, content.response])
        row = merge(fragment.interaction_id, None, [fragment])
        orjson.dumps(row)
        # What is kept of it says what it said; the place among other chunks stands in its key.
        again = [one._replace(chunk=None, key="") for one in read(fragment.document, ENQUEUED).fragments]
        assert fragment._replace(chunk=None, key="") in again, "the document says something else"
    return reading


def _in_time(body: bytes) -> Reading | None:
    limit = SLOWER * max(_SECONDS_AT_LEAST, _SECONDS_PER_MEGABYTE * len(body) / 1e6)
    for _ in range(_TRIES):
        began = time.process_time()
        try:
            reading = read(body, ENQUEUED)
        except EventError:
            reading = None
        taken = time.process_time() - began
        if taken < limit:
            return reading
    raise AssertionError(f"{len(body)} bytes took {taken * 1000:.0f} ms, {_TRIES} times")
