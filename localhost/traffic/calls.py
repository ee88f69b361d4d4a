"""One call to Azure OpenAI, before any source has reported it, and what sources write alike: times and paths."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from localhost.traffic import words
from localhost.traffic.company import CHAT, EMBEDDING, INSTRUCT, Caller, Deployment, a_caller
from localhost.traffic.dice import Dice

__all__ = ["Call", "Operation", "Sent", "a_call", "a_chat", "api_path", "iso", "net_text", "refusal_annotations"]

_TOOL: Final = {
    "type": "function",
    "function": {
        "name": "find_order",
        "description": "Look an order up by its number.",
        "parameters": {
            "type": "object",
            "properties": {"number": {"type": "integer"}},
            "required": ["number"],
        },
    },
}
_DIMENSIONS: Final = 64

# What the content filter says: safe, nearly always.
_SAFE: Final[dict[str, Any]] = {
    name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")
}
_HARMS: Final = tuple(_SAFE)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Sent(NamedTuple):
    """An event on its way to a hub."""

    at: int
    """Milliseconds since 1970 at which the hub gets it."""
    hub: str
    partition: str | None
    """Fixed by the sender; else the key decides, else the partitions take turns."""
    partition_key: str | None
    body: bytes


class Operation(NamedTuple):
    """An operation of the imported API."""

    id: str
    path: str
    object: str
    display_name: str


_CHAT_OPERATION: Final = Operation(
    "ChatCompletions_Create", "chat/completions", "chat.completion", "Creates a completion for the chat message"
)
_COMPLETION: Final = Operation(
    "Completions_Create", "completions", "text_completion", "Creates a completion for the provided prompt"
)
_EMBEDDING: Final = Operation("embeddings_create", "embeddings", "list", "Creates an embedding vector")


@dataclass(slots=True)
class Call:
    """A call with the service's answer of 200; sources make failures of some."""

    id: str
    started_at: int
    """Milliseconds since 1970."""
    backend_ms: int
    caller: Caller
    deployment: Deployment
    operation: Operation
    request: dict[str, Any]
    response: dict[str, Any]
    service_id: str
    """The service's own id of it, which the gateway learns from a header."""
    stream: str | None = None
    """The answer as an event stream, if the client wanted one."""


def api_path(call: Call) -> str:
    """Return path and query as the client called them."""
    path = call.operation.path
    if not path.startswith("/"):
        path = f"/openai/deployments/{call.deployment.name}/{path}"
    return f"{path}?api-version=2024-10-21"


def iso(milliseconds: int) -> str:
    """Return ISO 8601, UTC: `2026-03-02T09:30:00.000Z`."""
    return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")[:23] + "Z"


def net_text(milliseconds: int) -> str:
    """Return what .NET's `DateTime.UtcNow.ToString()` gives in American culture: `3/2/2026 9:30:00 AM`."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment.minute:02}:{moment.second:02} {half}"


def a_call(dice: Dice, started_at: int) -> Call:
    """Return a new call: chat mostly."""
    fraction = dice.fraction()
    if fraction < 0.8:
        deployment, operation = dice.pick(CHAT), _CHAT_OPERATION
        request, response = _chat(dice, deployment, started_at)
    elif fraction < 0.86:
        deployment, operation = INSTRUCT, _COMPLETION
        request, response = _completion(dice, started_at)
    else:
        deployment, operation = EMBEDDING, _EMBEDDING
        request, response = _embedding(dice)
    return _call(dice, started_at, deployment, operation, (request, response))


def a_chat(dice: Dice, started_at: int) -> Call:
    """Return a new conversation with the smaller model."""
    deployment = CHAT[-1]
    return _call(dice, started_at, deployment, _CHAT_OPERATION, _chat(dice, deployment, started_at))


def _call(
    dice: Dice,
    started_at: int,
    deployment: Deployment,
    operation: Operation,
    bodies: tuple[dict[str, Any], dict[str, Any]],
) -> Call:
    request, response = bodies
    written = response["usage"].get("completion_tokens", 0)
    return Call(
        id=dice.guid(),
        started_at=started_at,
        backend_ms=dice.between(60, 240) + written * deployment.milliseconds_per_token,
        caller=a_caller(dice),
        deployment=deployment,
        operation=operation,
        request=request,
        response=response,
        service_id=dice.guid(),
    )


def _chat(dice: Dice, deployment: Deployment, started_at: int) -> tuple[dict[str, Any], dict[str, Any]]:
    messages = [{"role": "system", "content": words.instruction(dice)}] if dice.chance(0.4) else []
    for _ in range(dice.below(3) if dice.chance(0.4) else 0):
        messages.append({"role": "user", "content": words.question(dice)})
        messages.append({"role": "assistant", "content": words.answer(dice)})
    messages.append({"role": "user", "content": words.question(dice)})
    request: dict[str, Any] = {"messages": messages, "temperature": dice.below(11) / 10, "max_tokens": 800}
    prompt_tokens = sum(words.tokens(len(message["content"])) + 4 for message in messages)
    choices = 1
    if dice.chance(0.12):
        request["tools"] = [_TOOL]
        prompt_tokens += 52
    elif dice.chance(0.05):
        choices = request["n"] = dice.between(2, 3)
    answers = [_message(dice, with_tools="tools" in request) for _ in range(choices)]
    written = sum(words.tokens(len(message["content"] or "") or 72) for message in answers)
    response = {
        "id": f"chatcmpl-{dice.letters(24)}",
        "object": "chat.completion",
        "created": started_at // 1000,
        "model": deployment.model,
        "choices": [_choice(dice, index, message) for index, message in enumerate(answers)],
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": _prompt_annotations(dice)}],
        "system_fingerprint": "fp_0123456789",
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": written,
            "total_tokens": prompt_tokens + written,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
    }
    return request, response


def _choice(dice: Dice, index: int, message: dict[str, Any]) -> dict[str, Any]:
    annotations = _completion_annotations(dice)
    finish = "tool_calls" if "tool_calls" in message else "stop"
    if any(result["filtered"] for result in annotations.values()):
        finish = "content_filter"
    return {
        "index": index,
        "finish_reason": finish,
        "logprobs": None,
        "message": message,
        "content_filter_results": annotations,
    }


def _message(dice: Dice, *, with_tools: bool) -> dict[str, Any]:
    if with_tools and dice.chance(0.7):
        function = {"name": "find_order", "arguments": f'{{"number":{dice.between(1000, 9999)}}}'}
        call = {"id": f"call_{dice.letters(16)}", "type": "function", "function": function}
        return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}
    return {"role": "assistant", "content": words.answer(dice), "refusal": None}


def _completion(dice: Dice, started_at: int) -> tuple[dict[str, Any], dict[str, Any]]:
    prompt, text = words.question(dice), "\n\n" + words.answer(dice)
    prompt_tokens, written = words.tokens(len(prompt)), words.tokens(len(text))
    response = {
        "id": f"cmpl-{dice.letters(24)}",
        "object": "text_completion",
        "created": started_at // 1000,
        "model": INSTRUCT.model,
        "choices": [{"text": text, "index": 0, "logprobs": None, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": written,
            "total_tokens": prompt_tokens + written,
        },
    }
    return {"prompt": prompt, "max_tokens": 400}, response


def _embedding(dice: Dice) -> tuple[dict[str, Any], dict[str, Any]]:
    texts = [words.question(dice) for _ in range(dice.between(1, 3))]
    prompt_tokens = sum(words.tokens(len(text)) for text in texts)
    vectors = [base64.b64encode(dice.data(4 * _DIMENSIONS)).decode() for _ in texts]
    response = {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)],
        "model": EMBEDDING.model,
        "usage": {"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens},
    }
    return {"input": texts, "encoding_format": "base64", "dimensions": _DIMENSIONS}, response


def _prompt_annotations(dice: Dice) -> dict[str, Any]:
    """Return the annotations of a prompt that was let pass, though something may have been found in it."""
    results = _SAFE | {"jailbreak": {"filtered": False, "detected": False}}
    fraction = dice.fraction()
    if fraction < 0.02:
        return results | {dice.pick(_HARMS): {"filtered": False, "severity": dice.pick(("low", "medium"))}}
    if fraction < 0.025:
        return results | {"jailbreak": {"filtered": False, "detected": True}}
    if fraction < 0.028:
        return results | {"indirect_attack": {"filtered": False, "detected": True}}
    if fraction < 0.031:
        return results | {"profanity": {"filtered": False, "detected": True}}
    return results


def _completion_annotations(dice: Dice) -> dict[str, Any]:
    """Return the annotations of a completion; when one of them is `filtered`, it was cut there."""
    fraction = dice.fraction()
    if fraction < 0.01:
        return _SAFE | {dice.pick(_HARMS): {"filtered": False, "severity": "low"}}
    if fraction < 0.013:
        return _SAFE | {dice.pick(_HARMS): {"filtered": True, "severity": dice.pick(("medium", "high"))}}
    if fraction < 0.016:
        return _SAFE | {"protected_material_text": {"filtered": False, "detected": True}}
    if fraction < 0.019:
        citation = {"URL": "https://github.com/example/sorting", "license": "MIT"}
        return _SAFE | {"protected_material_code": {"filtered": False, "detected": True, "citation": citation}}
    return _SAFE


def refusal_annotations(dice: Dice) -> dict[str, Any]:
    """Return the annotations of a prompt that was refused, blocklists in both of their shapes."""
    fraction = dice.fraction()
    if fraction < 0.6:
        return _SAFE | {dice.pick(_HARMS): {"filtered": True, "severity": dice.pick(("medium", "high"))}}
    if fraction < 0.8:
        return _SAFE | {"jailbreak": {"filtered": True, "detected": True}}
    if fraction < 0.9:
        return _SAFE | {"custom_blocklists": [{"filtered": True, "id": "product-names"}]}
    details = [{"filtered": True, "id": "product-names"}]
    return _SAFE | {"custom_blocklists": {"filtered": True, "details": details}}
