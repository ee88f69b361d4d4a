"""Bodies that carry no path -> the operation that their shape belongs to."""

from collections.abc import Mapping
from typing import Final

from shared.domain.values import Json

__all__ = ["likely_operation_of", "operation_of_object", "operation_of_request", "operation_of_response"]

_OBJECTS: Final = {
    "chat.completion": "chat.completions",
    "chat.completion.chunk": "chat.completions",
    "text_completion": "completions",
    "embedding": "embeddings",
    "response": "responses",
    "assistant": "assistants",
    "thread": "threads",
    "thread.message": "threads.messages",
    "thread.run": "threads.runs",
    "thread.run.step": "threads.runs.steps",
    "file": "files",
    "upload": "uploads",
    "upload.part": "uploads",
    "vector_store": "vector_stores",
    "fine_tuning.job": "fine_tuning.jobs",
    "fine-tune": "fine_tuning.jobs",
    "checkpoint.permission": "fine_tuning.jobs",
    "batch": "batches",
    "model": "models",
    "deployment": "deployments",
    "realtime": "realtime",
    "container": "containers",
    "eval": "evals",
    "conversation": "conversations",
}
"""`object` -> operation. `thread.deleted` and `vector_store.file` belong to the name before the dot."""
_IMAGE: Final = frozenset({"b64_json", "revised_prompt"})
_TRANSCRIPTION: Final = frozenset({"task", "language", "duration", "segments", "words", "usage", "logprobs"})
"""Members that stand beside the text of a transcription; nothing else does."""


def operation_of_object(name: Json) -> str | None:
    """Return the operation whose bodies have `name` for their `object`; None for a list or a stranger."""
    if not isinstance(name, str):
        return None
    while name:
        operation = _OBJECTS.get(name)
        if operation is not None:
            return operation
        name = name.rpartition(".")[0]
    return None


def operation_of_response(body: Mapping[str, Json]) -> str | None:
    """Return the operation that a response answers, when its shape tells."""
    operation = operation_of_object(body.get("object"))
    if operation is not None:
        return operation
    choices = body.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return "completions" if "text" in choices[0] else "chat.completions"
    data = body.get("data")
    if isinstance(data, list) and data and isinstance(data[0], dict):
        return "embeddings" if "embedding" in data[0] else operation_of_object(data[0].get("object"))
    return None


def likely_operation_of(body: Mapping[str, Json]) -> str | None:
    """Return the operation that a response without path and without `object` seems to answer.

    Edits and variations of images look like generations, and translations like transcriptions. A
    list of messages is a response's input or a conversation's items: nobody knows.
    """
    if isinstance(body.get("data"), list) and ("created" in body or _IMAGE & _members_of_first(body["data"])):
        return "images.generations"
    if isinstance(body.get("results"), list) and "flagged" in _members_of_first(body["results"]):
        return "moderations"
    if isinstance(body.get("text"), str) and body.keys() & _TRANSCRIPTION | {"text"} == body.keys():
        return "audio.translations" if body.get("task") == "translate" else "audio.transcriptions"
    session = body.get("session")
    if "value" in body and isinstance(session, dict):
        return operation_of_object(session.get("object")) or "realtime"
    result = body.get("result")
    return likely_operation_of(result) if isinstance(result, dict) and "result" not in result else None


def _members_of_first(items: list[Json]) -> frozenset[str]:
    return frozenset(items[0]) if items and isinstance(items[0], dict) else frozenset()


def operation_of_request(body: Mapping[str, Json]) -> str | None:
    """Return the operation that a request asks for, when its shape tells: a model and messages."""
    return "chat.completions" if isinstance(body.get("messages"), list) and "model" in body else None
