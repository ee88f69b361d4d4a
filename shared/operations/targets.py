"""URLs, and bodies that carry none -> the operation and what else they name."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, unquote_plus

from shared.domain.secrets import is_query_secret
from shared.domain.values import Json
from shared.operations.api import Target
from shared.operations.vendors import APIS

__all__ = [
    "Target",
    "host_of",
    "likely_operation_of",
    "operation_of_object",
    "operation_of_request",
    "operation_of_response",
    "target_of",
    "without_secrets",
]

_NOWHERE: Final = Target()
_LENGTH: Final = 2048
"""Of a path, its end tells the operation; no real one is longer."""
_CACHED: Final = 1024
"""Gateways have few URLs and many calls."""

# The end of a path, for operations that have nothing below them.
_ENDS: Final = {
    "images/embeddings": "embeddings",
    "chat/completions": "chat.completions",
    "completions": "completions",
    "embeddings": "embeddings",
    "responses": "responses",
    "images/generations": "images.generations",
    "images/generations:submit": "images.generations",
    "images/edits": "images.edits",
    "images/variations": "images.variations",
    "audio/transcriptions": "audio.transcriptions",
    "audio/translations": "audio.translations",
    "audio/speech": "audio.speech",
    "moderations": "moderations",
    "realtime": "realtime",
}
# The first word of what stands below a gateway's prefix, for resources that have resources below them.
_ROOTS: Final = {
    "responses": "responses",
    "assistants": "assistants",
    "threads": "threads",
    "files": "files",
    "uploads": "uploads",
    "vector_stores": "vector_stores",
    "fine_tuning": "fine_tuning.jobs",
    "fine-tunes": "fine_tuning.jobs",
    "batches": "batches",
    "realtime": "realtime",
    "realtimeapi": "realtime",
    "containers": "containers",
    "evals": "evals",
    "conversations": "conversations",
    "videos": "videos",
    "deployments": "deployments",
    "models": "models",
}
_PARTS: Final = {
    "chat/completions/": "chat.completions",
    "operations/images/": "images.generations",
    "video/generations": "videos",
}
# Deepest first.
_BELOW_THREADS: Final = {"steps": "threads.runs.steps", "runs": "threads.runs", "messages": "threads.messages"}

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


def target_of(url: Json) -> Target:
    """Return what `url`, a path or a complete URL, names; nothing for anything but a text."""
    if not isinstance(url, str):
        return _NOWHERE
    return _known_url(url) if len(url) <= _LENGTH else _read_url(url)


def _read_url(url: str) -> Target:
    path, _, query = url.strip().partition("#")[0].partition("?")
    if "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    if not path:
        return _NOWHERE
    theirs = _their_target(path[-_LENGTH:])
    operation, deployment = (theirs.operation, None) if theirs else _read_path(path[-_LENGTH:])
    version = None
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name.lower() == "api-version":
            version = version or unquote_plus(value)
        elif name.lower() == "deployment" and operation == "realtime":
            # A session begins without a body, and without its deployment in the path.
            deployment = deployment or unquote_plus(value)
    if theirs is not None:
        return theirs._replace(path=path, api_version=version)
    return Target(path, operation, deployment, version)


def _their_target(path: str) -> Target | None:
    """Return what a path of another vendor's API names; below a deployment stand OpenAI's operations only."""
    segments = [unquote(name) for name in path.split("/") if name]
    if "deployments" in segments:
        return None
    return next((target for api in APIS if (target := api.target_of(segments)) is not None), None)


_known_url: Final = lru_cache(maxsize=_CACHED)(_read_url)


def _read_path(path: str) -> tuple[str | None, str | None]:
    """Return operation and deployment."""
    names = [name for name in path.split("/") if name]
    segments = [name.lower() for name in names]
    deployment = None
    if "deployments" in segments:
        place = len(segments) - 1 - segments[::-1].index("deployments")
        if place and segments[place - 1] == "deployments":
            place -= 1
        if place + 1 < len(names):
            deployment = unquote(names[place + 1])
        # A deployment may be called anything, an operation's name included.
        segments = segments[place + 2 :] or ["deployments"]
    return _end(segments) or _root(segments), deployment


def _end(segments: Sequence[str]) -> str | None:
    return _ENDS.get("/".join(segments[-2:])) or (_ENDS.get(segments[-1]) if segments else None)


def _root(segments: Sequence[str]) -> str | None:
    for prefix in ("openai", "v1"):
        if prefix in segments:
            # What stands before is the gateway's own, and may hold any word.
            segments = segments[len(segments) - segments[::-1].index(prefix) :]
    path = "/".join(segments)
    for part, operation_of_part in _PARTS.items():
        if part in path:
            return operation_of_part
    for place, segment in enumerate(segments):
        operation = _ROOTS.get(segment)
        if operation == "threads":
            below = segments[place + 1 :]
            return next((deeper for word, deeper in _BELOW_THREADS.items() if word in below), operation)
        if operation is not None:
            return operation
    return None


def without_secrets(url: str) -> str:
    """Return `url` without those query parameters whose values open doors."""
    path, mark, query = url.partition("?")
    if not mark:
        return url
    pairs = query.split("&")
    kept = [pair for pair in pairs if not _opens_doors(pair.partition("=")[0])]
    if len(kept) == len(pairs):
        return url
    return path + "?" + "&".join(kept) if kept else path


def _opens_doors(parameter: str) -> bool:
    if parameter == "api-version":  # which nearly every URL has, and few have another
        return False
    return is_query_secret(parameter)


def host_of(url: Json) -> str | None:
    """Return the host of a complete URL, in lower case, with its port."""
    if not isinstance(url, str):
        return None
    authority = url.partition("://")[2].partition("/")[0].partition("?")[0]
    return authority.rpartition("@")[2].lower() or None


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
