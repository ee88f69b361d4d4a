"""Any JSON as the body of any operation is read without an exception, into facts of the ledger."""

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.interaction import FIELDS, OPERATIONS, Kind
from shared.domain.values import Json
from shared.operations import read_request, read_response, vendors, withhold_from_request, withhold_from_response

pytestmark = pytest.mark.slow

_KINDS = {Kind.TEXT: str, Kind.JSON: str, Kind.TIME: str, Kind.COUNT: int, Kind.NUMBER: float, Kind.FLAG: bool}
_TYPES = {field.name: _KINDS[field.kind] for field in FIELDS}
_OURS = (
    "additional_messages attachments b64_json categories choices code content content_filters created data "
    "duration error errors expires_at file flagged id include incomplete_details input input_tokens_details items "
    "last_error message messages model moderation object output output_tokens prompt prompt_filter_results "
    "query reason required_action result results revised_prompt role run_id segments session source_type status "
    "step_details stream submit_tool_outputs task text thread tool_calls tools total_tokens type url usage value"
).split()


def words_of_vendors() -> list[str]:
    """Return every word that a reader of another vendor's API has in its code: names of members, types, reasons."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in Path(vendors.__file__).parent.glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    notes = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and id(node) not in notes]
    words = {word for text in texts if isinstance(text, str) for word in text.split()}
    return sorted(word for word in words if word.replace("-", "_").replace(".", "_").isidentifier())


_THEIRS = words_of_vendors()
_NAMES = st.sampled_from(_OURS) | st.sampled_from(_THEIRS)
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2**63),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.sampled_from(
        ["message", "output_text", "function_call", "thread.run", "response", "batch", "list", "assistant", "completed"]
    ),
    st.sampled_from(_THEIRS),
)
_MEMBERS = st.recursive(
    _VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=5), max_leaves=25
)
_BODIES = st.dictionaries(_NAMES, _MEMBERS, max_size=8) | _MEMBERS


def check(facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        assert type(value) is _TYPES[name], name


@pytest.mark.parametrize("operation", [*OPERATIONS, None])
@settings(max_examples=60, deadline=None)
@given(body=_BODIES, status=st.sampled_from([None, 200, 202, 404]))
def test_any_body_of_any_operation_is_read(operation: str | None, body: Any, status: int | None) -> None:
    asked, answered = orjson.loads(orjson.dumps(body)), orjson.loads(orjson.dumps(body))
    withhold_from_request(asked)
    withhold_from_response(answered)

    request = read_request(asked, operation)
    response = read_response(answered, operation=operation, status=status)

    check(request.facts)
    check(response.facts)
    assert "" not in (request.text, response.text)


@pytest.mark.parametrize("odd", [["x"], {"x": 1}])
@pytest.mark.parametrize(
    "place",
    [
        lambda odd: {"id": "i", "steps": [], "object": odd},
        lambda odd: _stream({"type": odd, "error": {"code": "c"}}),
        lambda odd: _stream({"type": "response.created"}, {"type": odd, "response": {"output": [1]}}),
        lambda odd: _stream({"event_type": odd, "interaction": {"id": "i", "steps": []}}),
        lambda odd: _stream(
            {"type": "response.output_item.added", "output_index": 0, "item": {"id": odd, "type": "message"}},
            {"type": "response.output_item.added", "output_index": 0, "item": {"id": "m", "type": "message"}},
        ),
    ],
)
def test_a_list_or_an_object_where_a_word_belongs_stops_no_reader(place: Callable[[Json], Json], odd: Json) -> None:
    for operation in (None, "responses", "chat_completions", "generateContent", "messages"):
        read_response(place(odd), operation=operation, status=200)


def _stream(*events: Json) -> str:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events)
