"""Bodies of requests and responses -> facts and texts; one module per family of operations.

To add a family: one module with `FAMILIES`, its operations and their readers, and one line in `_FAMILIES`.
"""

from collections.abc import Mapping
from typing import Final

from shared.domain.facts import state
from shared.domain.interaction import Facts
from shared.domain.unknown_words import carry, forget
from shared.domain.values import Json
from shared.operations import (
    assistants,
    chat,
    embeddings,
    management,
    media,
    responses,
    streams,
    withheld,
)
from shared.operations.api import Assembler, Family
from shared.operations.encodings import BINARY, COMPRESSED, STREAM, TEXT, kind_of
from shared.operations.errors import FIRST_ERROR_STATUS, error_facts
from shared.operations.readings import (
    UNKNOWN,
    BodyReading,
    RequestContext,
    preview,
    read_any_request,
    read_plain_response,
    request_context,
)
from shared.operations.targets import likely_operation_of, operation_of_request, operation_of_response
from shared.operations.unknown import note_unknown_events, note_unknown_words
from shared.operations.vendors import APIS
from shared.operations.withheld import withhold_from_request

__all__ = ["read_request", "read_response", "request_context", "withhold_from_request", "withhold_from_response"]

_FAMILIES: Final[Mapping[str, Family]] = {
    **chat.FAMILIES,
    **responses.FAMILIES,
    **embeddings.FAMILIES,
    **media.FAMILIES,
    **assistants.FAMILIES,
    **management.FAMILIES,
}
_GENERIC: Final = Family(read_any_request, read_plain_response)
_FAMILIES_OF_VENDORS: Final = {
    operation: tuple(api.families[operation] for api in APIS if operation in api.families)
    for operation in dict.fromkeys(operation for api in APIS for operation in api.families)
}
"""Operation -> the readers of other vendors' APIs; where OpenAI has it too, the body's form tells whose it is."""
_BY_PATH: Final = frozenset({"files", "containers"}) | (_FAMILIES_OF_VENDORS.keys() - _FAMILIES.keys())
"""Operations whose answers the path tells: a file that is fetched may hold an answer of any kind, and is none."""
_WORDS_OF_VENDORS: Final = frozenset[str]().union(*(api.known_words for api in APIS))
_MOST_LINES: Final = 100_000

# What other vendors' APIs bring. The first that recognises something decides; all complete and withhold.
_SHAPES_OF_REQUESTS: Final = tuple(api.shape_of_request for api in APIS if api.shape_of_request)
_SHAPES_OF_RESPONSES: Final = tuple(api.shape_of_response for api in APIS if api.shape_of_response)
_EVENTS: Final = tuple(api.event_of for api in APIS if api.event_of)
_ARRAYS: Final = tuple(api.array_of for api in APIS if api.array_of)
_LINES: Final = tuple(api.lines_of for api in APIS if api.lines_of)
_ERRORS: Final = tuple(api.error_of for api in APIS if api.error_of)
_COMPLETE: Final = tuple(api.complete for api in APIS if api.complete)
_WITHHOLD_FROM_RESPONSE: Final = tuple(api.withhold_from_response for api in APIS if api.withhold_from_response)


def withhold_from_response(body: Json) -> bool:
    """Take from a response body, in place, what must not be kept; return whether something was taken."""
    changed = withheld.withhold_from_response(body)
    for part in body if isinstance(body, list) else [body]:
        if isinstance(part, dict):
            for withhold in _WITHHOLD_FROM_RESPONSE:
                changed |= withhold(part)
    return changed


def read_request(body: Json, operation: str | None, *, cut: bool = False) -> BodyReading:
    """Return what a request body says.

    Args:
        body: the parsed body, or its text when it is not JSON, its bytes when it is no text, or None.
        operation: as path or operation id tell it; None leaves it to the shape of the body, and the
            facts then state the operation.
        cut: whether the end of the body is missing: what it does not say may have stood there.
    """
    if not isinstance(body, dict):
        kind = kind_of(body, operation)
        return BodyReading({"unreadable": f"request {kind}"} if kind in {BINARY, COMPRESSED} else {})
    shape = _shape_of_request(body) if operation is None else None
    reading = _family(operation or shape, body, is_request=True).read_request(body)
    if shape is not None:
        reading.facts["operation"] = shape
    if cut:
        _forget_what_may_be_behind(reading.facts, body)
    return reading


def _shape_of_request(body: dict[str, Json]) -> str | None:
    # A vendor's own members tell more than a model and messages, which all have.
    shapes = (shape_of(body) for shape_of in _SHAPES_OF_REQUESTS)
    return next(filter(None, shapes), None) or operation_of_request(body)


def _shape_of_response(body: dict[str, Json]) -> str | None:
    shapes = (shape_of(body) for shape_of in _SHAPES_OF_RESPONSES)
    return operation_of_response(body) or next(filter(None, shapes), None)


def _family(operation: str | None, body: dict[str, Json], *, is_request: bool) -> Family:
    for family in _FAMILIES_OF_VENDORS.get(operation or "", ()):
        owns = family.owns_request if is_request else family.owns_response
        if owns is None or owns(body):
            return family
    return _FAMILIES.get(operation or "", _GENERIC)


def _forget_what_may_be_behind(facts: Facts, body: dict[str, Json]) -> None:
    """Take back what only the end of a body can tell: that it asks for no stream, and how long its last text is."""
    if not facts.get("streamed"):
        facts.pop("streamed", None)
    if next(reversed(body), None) == "input":
        facts.pop("characters", None)


def read_response(
    body: Json,
    *,
    operation: str | None = None,
    status: int | None = None,
    reason: Json = None,
    content_type: Json = None,
    context: RequestContext = UNKNOWN,
    headers: Mapping[str, str] | None = None,
) -> BodyReading:
    """Return what a response body says, whatever its status.

    Args:
        body: the parsed body, or its text when it is not JSON, its bytes when it is no text, or None.
        operation: as the source tells it, for bodies whose shape doesn't.
        status: the HTTP status where it is known.
        reason: the HTTP reason phrase.
        content_type: of the body, where it is known.
        context: what is known of the request.
        headers: of the answer, names in lower case; some tell what the body lacks.
    """
    kind = kind_of(body, operation, content_type)
    stream: streams.StreamAnswer | None = None
    if isinstance(body, list):
        stream = _answer_in_array(body, is_closed=True)
    elif isinstance(body, str) and kind in {None, STREAM, TEXT}:
        stream = _stream_in(body, operation, content_type, context)
    # What a failed call answers in place of a stream is its error's text.
    if stream is not None and (stream.body is not None or status is None or status < FIRST_ERROR_STATUS):
        reading = _read_stream(stream, operation=operation, status=status, reason=reason)
        if isinstance(body, str):
            note_unknown_events(reading.facts, body)
    else:
        reading = _read_body(body, kind, operation=operation, status=status, reason=reason, headers=headers or {})
    for complete in _COMPLETE if headers else ():
        complete(reading.facts, headers or {})
    forget(reading.facts, _WORDS_OF_VENDORS)
    return reading


def _stream_in(
    text: str, operation: str | None, content_type: Json, context: RequestContext
) -> streams.StreamAnswer | None:
    stream = streams.assemble(text, operation=operation, content_type=content_type, context=context, event_of=_event_of)
    if stream is None and text.lstrip().startswith("["):
        elements, is_closed = streams.elements_of(text)
        stream = _answer_in_array(elements, is_closed=is_closed)
    return stream


def _read_body(
    body: Json,
    kind: str | None,
    *,
    operation: str | None,
    status: int | None,
    reason: Json,
    headers: Mapping[str, str],
) -> BodyReading:
    reading = BodyReading({})
    failed = status is not None and status >= FIRST_ERROR_STATUS
    if kind is not None and not (failed and kind in {STREAM, TEXT}):
        reading = BodyReading({"unreadable": kind})
    elif not failed:
        reading = _read_answer(body, operation)
    message = None if kind in {BINARY, COMPRESSED} else body
    errors = error_facts(message, status=status, reason=reason, theirs=_error_of(message, headers))
    carry(reading.facts, errors)
    for name, value in errors.items():
        reading.facts.setdefault(name, value)
    note_unknown_words(reading.facts, body)
    return reading


def _event_of(name: str | None, event: Mapping[str, Json]) -> Assembler | None:
    return next((theirs for event_of in _EVENTS if (theirs := event_of(name, event)) is not None), None)


def _answer_in_array(elements: list[Json], *, is_closed: bool) -> streams.StreamAnswer | None:
    """Return the answer that a JSON array amounts to, some vendor's stream."""
    found = next((theirs for array_of in _ARRAYS if (theirs := array_of(elements)) is not None), None)
    return found if found is None or is_closed else found._replace(ended=False)


def _error_of(body: Json, headers: Mapping[str, str]) -> tuple[Json, Json] | None:
    members = body if isinstance(body, dict) else {}
    return next((theirs for error_of in _ERRORS if (theirs := error_of(members, headers)) is not None), None)


def _read_answer(body: Json, operation: str | None) -> BodyReading:
    """Return what the body of a successful answer says."""
    if isinstance(body, str):
        return _read_lines(body) or media.read_transcript(body, operation)
    if not isinstance(body, dict):
        return BodyReading({})
    shape = operation if operation in _BY_PATH else _shape_of_response(body) or operation or likely_operation_of(body)
    reading = _family(shape, body, is_request=False).read_response(body)
    if shape is not None:
        reading.facts.setdefault("operation", shape)
    return reading


def _read_lines(text: str) -> BodyReading | None:
    """Return what lines of JSON say that some vendor answers in place of one body; None for other texts."""
    if not text.startswith("{"):
        return None
    lines = streams.objects_in(text, most=_MOST_LINES)
    return next((reading for lines_of in _LINES if (reading := lines_of(lines)) is not None), None)


def _read_stream(
    stream: streams.StreamAnswer, *, operation: str | None, status: int | None, reason: Json
) -> BodyReading:
    """Return what a stream says: what the same answer in one body would, and that it was streamed."""
    reading = read_response(stream.body, operation=operation or stream.operation, status=status, reason=reason)
    reading.facts["streamed"] = True
    if stream.ended is False:
        reading.facts["truncated"] = True
    if stream.body is None and stream.ended is None:
        reading.facts["unreadable"] = STREAM
    if stream.router is not None:
        state(reading.facts, "requested_model", stream.router)
    text = reading.text or stream.text
    if text and reading.text is None:
        reading.facts["completion_preview"] = preview(text)
    return reading._replace(text=text, body=stream.body)
