"""A stream of any vendor, cut anywhere, by any source: a beginning of the text, and never a wrong number."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sources import read_event
from tests.builders.events import ENQUEUED
from tests.builders.vendor_calls import CALLS, VendorCall, in_gateway_log, native_pair

TEXT = "One two."
_any_call = st.sampled_from(list(CALLS.values()))
_SENDERS: dict[str, Callable[..., list[bytes]]] = {
    "native": native_pair,
    "GatewayLogs": lambda call, name, end=None: [in_gateway_log(call, name, end)],
}
_any_source = pytest.mark.parametrize("source", _SENDERS)


def read(source: str, call: VendorCall, end: int | None = None) -> tuple[dict[str, Any], str | None, str | None]:
    """Return facts, prompt and completion of a call."""
    facts: dict[str, Any] = {}
    texts: list[str | None] = [None, None]
    for body in _SENDERS[source](call, "call-1", end):
        for fragment in read_event(body, ENQUEUED).fragments:
            facts |= fragment.facts
            texts = [texts[0] or fragment.content.prompt, texts[1] or fragment.content.completion]
    return facts, texts[0], texts[1]


@_any_source
@pytest.mark.parametrize("vendor", CALLS)
def test_a_whole_stream_is_read_by_every_source(source: str, vendor: str) -> None:
    facts, prompt, completion = read(source, CALLS[vendor])

    assert (prompt, completion) == ("Count to two.", TEXT)
    assert (facts["input_tokens"], facts["output_tokens"], facts["total_tokens"]) == (11, 2, 13)
    assert facts["streamed"] is True
    assert "truncated" not in facts


@_any_source
@given(_any_call, st.data())
def test_of_any_stream_cut_anywhere_a_beginning_is_read_and_no_wrong_number(
    source: str, call: VendorCall, data: st.DataObject
) -> None:
    end = data.draw(st.integers(0, len(call.stream) - 1))

    facts, prompt, completion = read(source, call, end)

    assert prompt == "Count to two."
    assert TEXT.startswith(completion or "")
    assert facts.get("input_tokens") in {11, None}
    assert facts.get("output_tokens") in {2, None}
    assert facts.get("total_tokens") in {13, None}
