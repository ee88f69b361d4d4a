"""What an event of each vendor's calls costs to read, beside OpenAI's: events written by hand, answers streamed."""

import time

from shared.sources import read_event
from tests.builders.events import a_request, a_response
from tests.builders.streams import a_chunk, stream_of
from tests.builders.vendor_calls import CALLS, native_pair

__all__ = ["vendors"]

_TIMES = 400
_ROUNDS = 5
_AT = "2026-03-02T09:00:00.000Z"


def vendors() -> None:
    """Print the microseconds of CPU per event."""
    usage = {"prompt_tokens": 11, "completion_tokens": 2, "total_tokens": 13}
    chunks = [a_chunk({"content": "One "}), a_chunk({"content": "two."}, finish_reason="stop")]
    stream = stream_of(*chunks, a_chunk() | {"choices": [], "usage": usage})
    pairs = {"OpenAI": [a_request(), a_response(body=stream, streamed=True, contentType="text/event-stream")]}
    pairs |= {name: native_pair(call, "call-1") for name, call in CALLS.items()}
    for name, pair in pairs.items():
        print(f"vendors    {_microseconds(pair):8.1f} us of CPU per event, a question or a streamed answer   ({name})")


def _microseconds(pair: list[bytes]) -> float:
    taken = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        for _ in range(_TIMES):
            for event in pair:
                read_event(event, _AT)
        taken.append(time.process_time() - start)
    return min(taken) / (_TIMES * len(pair)) * 1e6
