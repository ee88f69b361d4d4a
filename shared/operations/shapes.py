"""Bodies that carry no path -> the operation that their shape belongs to."""

from collections.abc import Mapping
from typing import Final

from shared.domain.values import Json

__all__ = ["operation_of_object", "operation_of_request", "operation_of_response"]

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
    "batch": "batches",
    "model": "models",
    "deployment": "deployments",
    "realtime.session": "realtime",
    "container": "containers",
    "eval": "evals",
    "conversation": "conversations",
}
"""`object` -> operation. `thread.deleted` and `vector_store.file` belong to the name before the dot."""


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


def operation_of_request(body: Mapping[str, Json]) -> str | None:
    """Return the operation that a request asks for, when its shape tells: a model and messages."""
    return "chat.completions" if isinstance(body.get("messages"), list) and "model" in body else None
