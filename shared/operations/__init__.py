"""Azure OpenAI's bodies -> facts and texts; one module per operation family.

To add a family: one module with `read_request` and `read_response`, one line in `_FAMILIES`.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from shared.domain.facts import state
from shared.domain.interaction import Facts
from shared.domain.unknown_words import carry
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
)
from shared.operations.asked import UNKNOWN, Asked, asked_in
from shared.operations.errors import FIRST_ERROR_STATUS, error_facts
from shared.operations.said import Said, preview
from shared.operations.shapes import likely_operation_of, operation_of_request, operation_of_response
from shared.operations.unknown import note_unknown_events, note_unknown_words
from shared.operations.unreadable import BINARY, COMPRESSED, STREAM, TEXT, kind_of

__all__ = ["asked_in", "read_request", "read_response"]

_Reader = Callable[[Mapping[str, Json]], Said]


class _Family(NamedTuple):
    read_request: _Reader
    read_response: _Reader


_FAMILIES: Final = {
    "chat.completions": _Family(chat_completions.read_request, chat_completions.read_response),
    "completions": _Family(completions.read_request, completions.read_response),
    "embeddings": _Family(embeddings.read_request, embeddings.read_response),
    "responses": _Family(responses.read_request, responses.read_response),
    "images.generations": _Family(images.read_request, images.read_response),
    "images.edits": _Family(images.read_request, images.read_response),
    "images.variations": _Family(images.read_request, images.read_response),
    "audio.transcriptions": _Family(audio.read_request, audio.read_response),
    "audio.translations": _Family(audio.read_request, audio.read_response),
    "audio.speech": _Family(audio.read_speech_request, audio.read_speech_response),
    "assistants": _Family(management.read_request, management.read_response),
    "threads": _Family(threads.read_request, threads.read_response),
    "threads.messages": _Family(threads.read_message_request, threads.read_message_response),
    "threads.runs": _Family(runs.read_request, runs.read_response),
    "threads.runs.steps": _Family(runs.read_step_request, runs.read_step_response),
    "files": _Family(files.read_request, files.read_response),
    "uploads": _Family(files.read_request, files.read_response),
    "vector_stores": _Family(files.read_store_request, files.read_response),
    "containers": _Family(files.read_request, files.read_response),
    "fine_tuning.jobs": _Family(management.read_request, management.read_response),
    "batches": _Family(management.read_request, management.read_batch_response),
    "models": _Family(management.read_request, management.read_response),
    "deployments": _Family(management.read_request, management.read_response),
    "evals": _Family(management.read_request, management.read_response),
    "realtime": _Family(realtime.read_request, realtime.read_response),
    "conversations": _Family(conversations.read_request, conversations.read_response),
    "moderations": _Family(moderations.read_request, moderations.read_response),
}
_GENERIC: Final = _Family(generic.read_request, generic.read_response)
_FILES: Final = ("files", "containers")


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
    shape = operation_of_request(body) if operation is None else None
    said = _FAMILIES.get(operation or shape or "", _GENERIC).read_request(body)
    if shape is not None:
        said.facts["operation"] = shape
    if cut:
        _forget_what_may_be_behind(said.facts, body)
    return said


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
) -> Said:
    """Return what a response body says, whatever its status.

    Args:
        body: the parsed body, or its text when it is not JSON, its bytes when it is no text, or None.
        operation: as the source tells it, for bodies whose shape doesn't.
        status: the HTTP status where it is known.
        reason: the HTTP reason phrase.
        content_type: of the body, where it is known.
        asked: what is known of the request.
    """
    kind = kind_of(body, operation, content_type)
    if isinstance(body, str) and kind in {None, STREAM, TEXT}:
        stream = streams.assemble(body, operation=operation, content_type=content_type, asked=asked)
        # What a failed call answers in place of a stream is its error's text.
        if stream is not None and (stream.body is not None or status is None or status < FIRST_ERROR_STATUS):
            said = _read_stream(stream, operation=operation, status=status, reason=reason)
            note_unknown_events(said.facts, body)
            return said
    said = Said({})
    failed = status is not None and status >= FIRST_ERROR_STATUS
    if kind is not None and not (failed and kind in {STREAM, TEXT}):
        said = Said({"unreadable": kind})
    elif not failed:
        said = _read_answer(body, operation)
    message = None if kind in {BINARY, COMPRESSED} else body
    errors = error_facts(message, status=status, reason=reason)
    carry(said.facts, errors)
    for name, value in errors.items():
        said.facts.setdefault(name, value)
    note_unknown_words(said.facts, body)
    return said


def _read_answer(body: Json, operation: str | None) -> Said:
    """Return what the body of a successful answer says."""
    if isinstance(body, str):
        return audio.read_text(body, operation)
    if not isinstance(body, dict):
        return Said({})
    # A file that was asked for may hold an answer of any kind, and is none.
    shape = operation if operation in _FILES else operation_of_response(body) or operation or likely_operation_of(body)
    said = _FAMILIES.get(shape or "", _GENERIC).read_response(body)
    if shape is not None:
        said.facts["operation"] = shape
    return said


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
