"""Azure OpenAI's bodies -> facts and texts; one module per operation family.

To add a family: one module with `read_request` and `read_response`, one line in `_FAMILIES`.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from shared.domain.values import Json
from shared.operations import chat_completions, completions, embeddings, generic, streams
from shared.operations.errors import FIRST_ERROR_STATUS, error_facts
from shared.operations.said import Said, preview
from shared.operations.shapes import operation_of_request, operation_of_response

__all__ = ["read_request", "read_response"]

_Reader = Callable[[Mapping[str, Json]], Said]


class _Family(NamedTuple):
    read_request: _Reader
    read_response: _Reader


_FAMILIES: Final = {
    "chat.completions": _Family(chat_completions.read_request, chat_completions.read_response),
    "completions": _Family(completions.read_request, completions.read_response),
    "embeddings": _Family(embeddings.read_request, embeddings.read_response),
}
_GENERIC: Final = _Family(generic.read_request, generic.read_response)


def read_request(body: Json, operation: str | None) -> Said:
    """Return what a request body says.

    Args:
        body: the parsed body, or its text when it is not JSON, or None.
        operation: as path or operation id tell it; None leaves it to the shape of the body, and the
            facts then state the operation.
    """
    if not isinstance(body, dict):
        return Said({})
    shape = operation_of_request(body) if operation is None else None
    said = _FAMILIES.get(operation or shape or "", _GENERIC).read_request(body)
    if shape is not None:
        said.facts["operation"] = shape
    return said


def read_response(
    body: Json,
    *,
    operation: str | None = None,
    status: int | None = None,
    reason: Json = None,
    content_type: Json = None,
) -> Said:
    """Return what a response body says, whatever its status.

    Args:
        body: the parsed body, or its text when it is not JSON, or None.
        operation: as the source tells it, for bodies whose shape doesn't.
        status: the HTTP status where it is known.
        reason: the HTTP reason phrase.
        content_type: of the body, where it is known.
    """
    if isinstance(body, str):
        stream = streams.assemble(body, operation=operation, content_type=content_type)
        if stream is not None:
            return _read_stream(stream, operation=operation, status=status, reason=reason)
    said = Said({})
    if isinstance(body, dict) and (status is None or status < FIRST_ERROR_STATUS):
        shape = operation_of_response(body) or operation
        said = _FAMILIES.get(shape or "", _GENERIC).read_response(body)
        if shape is not None:
            said.facts["operation"] = shape
    for name, value in error_facts(body, status=status, reason=reason).items():
        said.facts.setdefault(name, value)
    return said


def _read_stream(stream: streams.Assembled, *, operation: str | None, status: int | None, reason: Json) -> Said:
    """Return what a stream says: what the same answer in one piece would, and that it was streamed."""
    said = read_response(stream.body, operation=operation or stream.operation, status=status, reason=reason)
    said.facts["streamed"] = True
    if stream.ended is False:
        said.facts["truncated"] = True
    text = said.text or stream.text
    if text and said.text is None:
        said.facts["completion_preview"] = preview(text)
    return said._replace(text=text, body=stream.body)
