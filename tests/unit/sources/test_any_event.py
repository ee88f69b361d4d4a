"""Any bytes are read or refused, and what was kept of an event says what the event said.

The properties call the registry, not `read_event`, whose last resort would hide a fault.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.facts import members
from shared.domain.interaction import FIELD_NAMES
from shared.errors import EventError
from shared.sources import parse_event as read
from shared.sources.record import Reading

ENQUEUED = "2026-03-02T09:30:00.000Z"

_texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "", "7", "NA", "true", "chat.completion", "list", "content_filter", "\ud800", "a\x00b",
            "2026-03-02T09:29:58Z", "3/2/2026 9:29:58 AM", "31.12.9999 23:59:59", "0001-01-01T00:00:00Z",
            "/openai/deployments/chat/chat/completions?api-version=2024-10-21&api-key=x", "https://[", "e30=",
            '{"messages": [{"content": "Hi"}]}', "[[1], [2]]", "[" * 300 + "]" * 300,
        ]
    ),
)  # fmt: skip
_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), _texts, st.sampled_from([10**30, -(10**400), 200, 429])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_texts, inner, max_size=3)),
    max_leaves=8,
)
_bodies = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        "object id model choices usage error messages prompt input user stream data statusCode message "
        "prompt_filter_results data_sources tools stop response_format tool_choice client_secret".split(),
        _values,
    )
    | {
        "choices": st.lists(
            st.dictionaries(
                st.sampled_from("index message text finish_reason content_filter_results".split()), _values
            ),
            max_size=3,
        ),
        "data": st.lists(st.dictionaries(st.sampled_from(["embedding", "object"]), _values), max_size=3),
        "error": st.dictionaries(st.sampled_from("code message type innererror inner_error".split()), _values),
        "usage": st.dictionaries(
            st.sampled_from("prompt_tokens input_tokens completion_tokens prompt_tokens_details seconds".split()),
            _values,
        ),
    },
)


def _source(fixed: dict[str, Any], names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {name: st.sampled_from(value) for name, value in fixed.items()},
        optional=dict.fromkeys(names.split(), st.one_of(_values, _bodies)),
    )


_natives = _source(
    {"schema": ["promptledger/1"], "part": ["request", "response", "error"], "interactionId": ["call-1"]},
    "time method url apiId operationId deployment apiVersion callerIp userId identity tags gateway size body "
    "bodyBase64 bodyPart bodyRef status reason backendId backendUrl attempts timings headers streamed lastError",
)
_enterprise = _source(
    {"event-type": ["Request", "Response"], "message-id": ["m-1"]},
    "event-time backend operation model prompt messages choices apiId productId modeltime completion_tokens "
    "prompt_tokens total_tokens",
)
_records = _source(
    {"id": ["chatcmpl-1", "stream-1"]},
    "timestamp appId subscriptionId productName model RequestIp promptTokens responseTokens cachedTokens",
).flatmap(
    lambda event: st.builds(
        lambda target, name, total: {**event, "targetService": target, "operationName": name, "totalTokens": total},
        _values,
        _values,
        _values,
    )
)
_others = st.dictionaries(st.sampled_from("records category metricName type Type schema event-type".split()), _values)
_ids = st.fixed_dictionaries({"schema": st.just("promptledger/1"), "part": _values, "interactionId": _values})


def _read(body: bytes) -> Reading | None:
    try:
        return read(body, ENQUEUED)
    except EventError:
        return None


@pytest.mark.slow
@given(
    st.one_of(
        st.binary(), st.text().map(lambda text: text.encode("utf-8", "surrogatepass")), _texts.map(repr).map(str.encode)
    )
)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    _read(body)


@pytest.mark.slow
@given(st.one_of(_natives, _enterprise, _records, _others, _ids, st.lists(st.one_of(_natives, _records), max_size=3)))
def test_any_values_in_any_member_are_read_or_refused(event: Any) -> None:
    reading = _read(json.dumps(event).encode())

    for fragment in reading.fragments if reading else ():
        assert fragment.facts.keys() <= set(FIELD_NAMES)
        assert None not in fragment.facts.values()
        _assert_facts_are_normal(fragment.facts)
        again = _read(fragment.document)
        assert again is not None
        assert again.fragments == (fragment,)


def _assert_facts_are_normal(facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        assert not isinstance(value, str) or value.encode() is not None
        if name not in {"prompt_preview", "completion_preview"} and not (isinstance(value, str) and value[:1] in "{["):
            ((_, _, normalise),) = members(**{name: name})
            assert normalise(value) == value, name
