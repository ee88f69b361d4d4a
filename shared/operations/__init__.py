"""Azure OpenAI's bodies -> facts and texts; one module per operation family.

To add a family: one module with `read_request` and `read_response`, one line in `_FAMILIES`.
"""

from collections.abc import Mapping
from typing import Final

from shared.domain.facts import state
from shared.domain.interaction import Facts
from shared.domain.unknown_words import carry, forget
from shared.domain.values import Json
from shared.operations import (
    audio,
    chat_completions,
    completions,
    conversations,
    embeddings,
    files,
    generic,
    images,
    management,
    moderations,
    realtime,
    responses,
    runs,
    streams,
    threads,
    videos,
    withheld,
)
from shared.operations.api import Assembler, Family
from shared.operations.asked import UNKNOWN, Asked, asked_in
from shared.operations.errors import FIRST_ERROR_STATUS, error_facts
from shared.operations.said import Said, preview
from shared.operations.shapes import likely_operation_of, operation_of_request, operation_of_response
from shared.operations.unknown import note_unknown_events, note_unknown_words
from shared.operations.unreadable import BINARY, COMPRESSED, STREAM, TEXT, kind_of
from shared.operations.vendors import APIS

__all__ = ["asked_in", "read_request", "read_response", "withhold_from_request", "withhold_from_response"]


_FAMILIES: Final = {
    "chat.completions": Family(chat_completions.read_request, chat_completions.read_response),
    "completions": Family(completions.read_request, completions.read_response),
    "embeddings": Family(embeddings.read_request, embeddings.read_response),
    "responses": Family(responses.read_request, responses.read_response),
    "images.generations": Family(images.read_request, images.read_response),
    "images.edits": Family(images.read_request, images.read_response),
    "images.variations": Family(images.read_request, images.read_response),
    "audio.transcriptions": Family(audio.read_request, audio.read_response),
    "audio.translations": Family(audio.read_request, audio.read_response),
    "audio.speech": Family(audio.read_speech_request, audio.read_speech_response),
    "assistants": Family(management.read_request, management.read_response),
    "threads": Family(threads.read_request, threads.read_response),
    "threads.messages": Family(threads.read_message_request, threads.read_message_response),
    "threads.runs": Family(runs.read_request, runs.read_response),
    "threads.runs.steps": Family(runs.read_step_request, runs.read_step_response),
    "files": Family(files.read_request, files.read_response),
    "uploads": Family(files.read_request, files.read_response),
    "vector_stores": Family(files.read_store_request, files.read_response),
    "containers": Family(files.read_request, files.read_response),
    "fine_tuning.jobs": Family(management.read_request, management.read_response),
    "batches": Family(management.read_request, management.read_batch_response),
    "models": Family(management.read_request, management.read_response),
    "deployments": Family(management.read_request, management.read_response),
    "evals": Family(management.read_request, management.read_response),
    "realtime": Family(realtime.read_request, realtime.read_response),
    "conversations": Family(conversations.read_request, conversations.read_response),
    "moderations": Family(moderations.read_request, moderations.read_response),
    "videos": Family(videos.read_request, videos.read_response),
}
_GENERIC: Final = Family(generic.read_request, generic.read_response)
_THEIRS: Final = {
    operation: tuple(api.families[operation] for api in APIS if operation in api.families)
    for operation in dict.fromkeys(operation for api in APIS for operation in api.families)
}
"""Operation -> the readers of other vendors' APIs; where OpenAI has it too, the body's form tells whose it is."""
_BY_PATH: Final = frozenset({"files", "containers"}) | (_THEIRS.keys() - _FAMILIES.keys())
"""Operations whose answers the path tells: a file that was asked for may hold an answer of any kind, and is none."""
_THEIR_WORDS: Final = frozenset[str]().union(*(api.known_words for api in APIS))
_MOST_LINES: Final = 100_000


def withhold_from_request(body: Json) -> bool:
    """Take from a request body, in place, what must not be kept; return whether something was taken."""
    changed = withheld.withhold_from_request(body)
    if isinstance(body, dict):
        for api in APIS:
            changed |= api.withhold_from_request(body)
    return changed


def withhold_from_response(body: Json) -> bool:
    """Take from a response body, in place, what must not be kept; return whether something was taken."""
    changed = withheld.withhold_from_response(body)
    for part in body if isinstance(body, list) else [body]:
        if isinstance(part, dict):
            for api in APIS:
                changed |= api.withhold_from_response(part)
    return changed


def read_request(body: Json, operation: str | None, *, cut: bool = False) -> Said:
    """Return what a request body says.

    Args:
        body: the parsed body, or its text when it is not JSON, its bytes when it is no text, or None.
        operation: as path or operation id tell it; None leaves it to the shape of the body, and the
            facts then state the operation.
        cut: whether the end of the body is missing: what it does not say may have stood there.
    """
    if not isinstance(body, dict):
        kind = kind_of(body, operation)
        return Said({"unreadable": f"request {kind}"} if kind in {BINARY, COMPRESSED} else {})
    shape = _shape_of_request(body) if operation is None else None
    said = _reader(operation or shape, body, "owns_request").read_request(body)
    if shape is not None:
        said.facts["operation"] = shape
    if cut:
        _forget_what_may_be_behind(said.facts, body)
    return said


def _shape_of_request(body: dict[str, Json]) -> str | None:
    # A vendor's own members tell more than a model and messages, which all have.
    return next((shape for api in APIS if (shape := api.shape_of_request(body))), None) or operation_of_request(body)


def _shape_of_response(body: dict[str, Json]) -> str | None:
    return operation_of_response(body) or next((shape for api in APIS if (shape := api.shape_of_response(body))), None)


def _reader(operation: str | None, body: dict[str, Json], owns: str) -> Family:
    for family in _THEIRS.get(operation or "", ()):
        if getattr(family, owns)(body):
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
    asked: Asked = UNKNOWN,
    headers: Mapping[str, str] | None = None,
) -> Said:
    """Return what a response body says, whatever its status.

    Args:
        body: the parsed body, or its text when it is not JSON, its bytes when it is no text, or None.
        operation: as the source tells it, for bodies whose shape doesn't.
        status: the HTTP status where it is known.
        reason: the HTTP reason phrase.
        content_type: of the body, where it is known.
        asked: what is known of the request.
        headers: of the answer, names in lower case; some tell what the body lacks.
    """
    kind = kind_of(body, operation, content_type)
    stream: streams.Assembled | None = None
    if isinstance(body, list):
        stream = _assembled((body, True))
    elif isinstance(body, str) and kind in {None, STREAM, TEXT}:
        stream = _stream_in(body, operation, content_type, asked)
    # What a failed call answers in place of a stream is its error's text.
    if stream is not None and (stream.body is not None or status is None or status < FIRST_ERROR_STATUS):
        said = _read_stream(stream, operation=operation, status=status, reason=reason)
        if isinstance(body, str):
            note_unknown_events(said.facts, body)
    else:
        said = _read_body(body, kind, operation=operation, status=status, reason=reason, headers=headers or {})
    for api in APIS if headers else ():
        api.complete(said.facts, headers or {})
    forget(said.facts, _THEIR_WORDS)
    return said


def _stream_in(text: str, operation: str | None, content_type: Json, asked: Asked) -> streams.Assembled | None:
    stream = streams.assemble(text, operation=operation, content_type=content_type, asked=asked, event_of=_event_of)
    if stream is None and text.lstrip().startswith("["):
        stream = _assembled(streams.elements_of(text))
    return stream


def _read_body(
    body: Json,
    kind: str | None,
    *,
    operation: str | None,
    status: int | None,
    reason: Json,
    headers: Mapping[str, str],
) -> Said:
    said = Said({})
    failed = status is not None and status >= FIRST_ERROR_STATUS
    if kind is not None and not (failed and kind in {STREAM, TEXT}):
        said = Said({"unreadable": kind})
    elif not failed:
        said = _read_answer(body, operation)
    message = None if kind in {BINARY, COMPRESSED} else body
    errors = error_facts(message, status=status, reason=reason, theirs=_error_of(message, headers))
    carry(said.facts, errors)
    for name, value in errors.items():
        said.facts.setdefault(name, value)
    note_unknown_words(said.facts, body)
    return said


def _event_of(name: str | None, event: Mapping[str, Json]) -> Assembler | None:
    return next((theirs for api in APIS if (theirs := api.event_of(name, event)) is not None), None)


def _assembled(array: tuple[list[Json], bool]) -> streams.Assembled | None:
    """Return the answer that a JSON array amounts to, some vendor's stream; `array` says whether it is whole."""
    elements, is_whole = array
    found = next((theirs for api in APIS if (theirs := api.array_of(elements)) is not None), None)
    return found if found is None or is_whole else found._replace(ended=False)


def _error_of(body: Json, headers: Mapping[str, str] | None) -> tuple[Json, Json] | None:
    told = body if isinstance(body, dict) else {}
    return next((theirs for api in APIS if (theirs := api.error_of(told, headers or {})) is not None), None)


def _read_answer(body: Json, operation: str | None) -> Said:
    """Return what the body of a successful answer says."""
    if isinstance(body, str):
        return _read_lines(body) or audio.read_text(body, operation)
    if not isinstance(body, dict):
        return Said({})
    shape = operation if operation in _BY_PATH else _shape_of_response(body) or operation or likely_operation_of(body)
    said = _reader(shape, body, "owns_response").read_response(body)
    if shape is not None:
        said.facts.setdefault("operation", shape)
    return said


def _read_lines(text: str) -> Said | None:
    """Return what lines of JSON say that some vendor answers in place of one body; None for other texts."""
    if not text.startswith("{"):
        return None
    lines = streams.objects_in(text, most=_MOST_LINES)
    return next((said for api in APIS if (said := api.lines_of(lines)) is not None), None)


def _read_stream(stream: streams.Assembled, *, operation: str | None, status: int | None, reason: Json) -> Said:
    """Return what a stream says: what the same answer in one piece would, and that it was streamed."""
    said = read_response(stream.body, operation=operation or stream.operation, status=status, reason=reason)
    said.facts["streamed"] = True
    if stream.ended is False:
        said.facts["truncated"] = True
    if stream.body is None and stream.ended is None:
        said.facts["unreadable"] = STREAM
    if stream.router is not None:
        state(said.facts, "requested_model", stream.router)
    text = said.text or stream.text
    if text and said.text is None:
        said.facts["completion_preview"] = preview(text)
    return said._replace(text=text, body=stream.body)
