"""Texts -> about how many tokens they are, for calls whose usage nobody reported.

Messages and tools are counted as OpenAI's cookbook does ("How to count tokens with tiktoken"), images
of low detail by the price list. What has no published formula leaves its side unknown.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Final

from shared.domain.fragment import Content
from shared.domain.interaction import Facts
from shared.domain.values import Json
from shared.domain.vendors import vendor_of

__all__ = ["ESTIMATED", "estimated_usage"]

_Count = Callable[[str], int]

_PER_MESSAGE: Final = 3
_PRIMING: Final = 3
_PER_NAME: Final = 1
_FUNCTION, _FUNCTION_BEFORE_O200K, _FUNCTIONS_END = 7, 10, 12
_PROPERTIES, _PROPERTY, _ENUM, _ENUM_ITEM = 3, 3, -3, 3

_CL100K: Final = ("gpt-4-", "gpt-35", "gpt-3.5", "text-", "davinci", "babbage", "ada", "curie")
_LOW_DETAIL: Final = (
    ("gpt-4o-mini", 2833), ("gpt-4o", 85), ("gpt-4.1-mini", None), ("gpt-4.1-nano", None), ("gpt-4.1", 85),
    ("gpt-4.5", 85), ("gpt-5", 70), ("o1", 75), ("o3", 75), ("gpt-4", 85),
)  # fmt: skip
"""How a model's name begins -> tokens of an image of low detail; the first that fits."""


_COUNTED: Final = ("openai", None)
"""Vendors whose tokenizer we have; without any name a deployment of Azure OpenAI is taken for one of theirs."""


class _UnknownError(Exception):
    """Something in the request has no published formula."""


def estimated_usage(operation: str, model: str | None, content: Content) -> Facts:
    """Return the token counts that the texts of a call amount to; nothing when they are not enough.

    Hidden reasoning is not in the texts, so it is not in the estimate either.

    Args:
        operation: one of `ESTIMATED`.
        model: its name tells the encoding; an unknown one is taken for a new one.
        content: both bodies. Answers to polls, which repeat what another call is charged for, have no
            request body and no estimate.
    """
    request, response = content.request, content.response
    if not isinstance(request, dict) or request.get("background") is True:
        return {}
    name = (model or str(request.get("model") or "")).lower()
    if vendor_of(name or None, operation) not in _COUNTED:
        # Whose tokenizer we do not have, nobody can count for.
        return {}
    count_request, texts_of_response = ESTIMATED[operation]
    count = _counter(_encoding(name))
    facts: Facts = {}
    with suppress(_UnknownError):
        facts["input_tokens"] = count_request(request, name, count)
    if texts_of_response is None:
        return _with_total(facts, 0)
    texts = list(texts_of_response(response)) if isinstance(response, dict) else []
    if not texts and content.completion:
        texts = [content.completion]
    if not texts:
        # Nothing came, or nothing that we know of.
        return {}
    facts["output_tokens"] = sum(map(count, texts))
    return _with_total(facts, facts["output_tokens"])


def _with_total(facts: Facts, written: int) -> Facts:
    if "input_tokens" in facts:
        facts["total_tokens"] = facts["input_tokens"] + written
    return facts


def _encoding(model: str) -> str:
    return "cl100k" if model == "gpt-4" or model.startswith(_CL100K) else "o200k"


@cache
def _counter(encoding: str) -> _Count:
    # Imported here: its vocabularies take 80 MB, and most batches need no estimate.
    from rs_bpe.bpe import openai  # noqa: PLC0415

    count: _Count = (openai.cl100k_base() if encoding == "cl100k" else openai.o200k_base()).count
    return count


def _chat_request(body: Mapping[str, Json], model: str, count: _Count) -> int:
    total = _PRIMING
    for message in _objects(body.get("messages")):
        total += _message(message, model, count)
    return total + _tools(body, model, count)


def _message(message: Mapping[str, Json], model: str, count: _Count) -> int:
    total = _PER_MESSAGE + _text(message.get("role"), count) + _content(message.get("content"), model, count)
    if isinstance(message.get("name"), str):
        total += _PER_NAME + count(message["name"])
    return total + sum(map(count, _call_texts(message)))


def _content(content: Json, model: str, count: _Count) -> int:
    if not isinstance(content, list):
        return _text(content, count)
    total = 0
    for part in content:
        if isinstance(part, str):
            total += count(part)
        elif isinstance(part, dict):
            total += _part(part, model, count)
    return total


def _part(part: Mapping[str, Json], model: str, count: _Count) -> int:
    for name in ("text", "refusal"):
        if isinstance(part.get(name), str):
            return count(part[name])
    image = part.get("image_url")
    detail = image.get("detail") if isinstance(image, dict) else part.get("detail")
    known = next((tokens for start, tokens in _LOW_DETAIL if model.startswith(start)), None)
    if detail != "low" or image is None or known is None:
        # Sound, files, and images whose size nobody logged.
        raise _UnknownError
    return known


def _text(value: Json, count: _Count) -> int:
    return count(value) if isinstance(value, str) else 0


def _tools(body: Mapping[str, Json], model: str, count: _Count) -> int:
    tools = [*_objects(body.get("tools")), *_objects(body.get("functions"))]
    if not tools:
        return 0
    start = _FUNCTION if _encoding(model) == "o200k" else _FUNCTION_BEFORE_O200K
    return _FUNCTIONS_END + sum(start + _function(tool, count) for tool in tools)


def _function(tool: Mapping[str, Json], count: _Count) -> int:
    function = tool.get("function", tool)
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise _UnknownError
    total = count(f"{function['name']}:{_sentence(function.get('description'))}")
    parameters = function.get("parameters")
    properties = parameters.get("properties") if isinstance(parameters, dict) else None
    if not isinstance(properties, dict) or not properties:
        return total
    total += _PROPERTIES
    for name, value in properties.items():
        schema = value if isinstance(value, dict) else {}
        total += _PROPERTY + count(f"{name}:{schema.get('type', '')}:{_sentence(schema.get('description'))}")
        choices = schema.get("enum")
        if isinstance(choices, list):
            total += _ENUM + sum(_ENUM_ITEM + count(str(choice)) for choice in choices)
    return total


def _sentence(text: Json) -> str:
    return text.removesuffix(".") if isinstance(text, str) else ""


def _call_texts(message: Mapping[str, Json]) -> Iterator[str]:
    """Yield what a message calls: names and arguments, which have no formula but are texts."""
    calls = [call.get("function", call) for call in _objects(message.get("tool_calls"))]
    for function in (*calls, message.get("function_call")):
        if isinstance(function, dict):
            yield from _strings(function, ("name", "arguments", "input"))


def _chat_response(body: Mapping[str, Json]) -> Iterator[str]:
    for choice in _objects(body.get("choices")):
        message = choice.get("message")
        if isinstance(message, dict):
            yield from _strings(message, ("content", "refusal"))
            yield from _call_texts(message)


def _completion_request(body: Mapping[str, Json], _model: str, count: _Count) -> int:
    return _prompt(body.get("prompt"), count)


def _completion_response(body: Mapping[str, Json]) -> Iterator[str]:
    for choice in _objects(body.get("choices")):
        yield from _strings(choice, ("text",))


def _embedding_request(body: Mapping[str, Json], _model: str, count: _Count) -> int:
    return _prompt(body.get("input"), count)


def _prompt(prompt: Json, count: _Count) -> int:
    """Return the tokens of a text, of texts, of token ids or of lists of those."""
    if isinstance(prompt, str):
        return count(prompt)
    if not isinstance(prompt, list):
        raise _UnknownError
    return sum(1 if isinstance(item, int) else _prompt(item, count) for item in prompt)


def _responses_request(body: Mapping[str, Json], model: str, count: _Count) -> int:
    if body.get("previous_response_id") or body.get("conversation") or body.get("prompt"):
        # What is stored with the service counts too.
        raise _UnknownError
    total = _PRIMING + _tools(body, model, count)
    if isinstance(body.get("instructions"), str):
        total += _PER_MESSAGE + 1 + count(body["instructions"])
    items = body.get("input")
    if isinstance(items, str):
        return total + _PER_MESSAGE + 1 + count(items)
    for item in _objects(items):
        if item.get("type", "message") == "message":
            total += _message(item, model, count)
        elif item["type"] in ("function_call", "function_call_output"):
            total += _PER_MESSAGE + sum(map(count, _strings(item, ("name", "arguments", "output"))))
        else:
            raise _UnknownError
    return total


def _responses_response(body: Mapping[str, Json]) -> Iterator[str]:
    for item in _objects(body.get("output")):
        yield from _strings(item, ("name", "arguments", "input"))
        for part in _objects(item.get("content")):
            yield from _strings(part, ("text", "refusal"))


def _objects(value: Json) -> list[Mapping[str, Json]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _strings(holder: Mapping[str, Json], names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if isinstance(holder.get(name), str) and holder[name]:
            yield holder[name]


_CountRequest = Callable[[Mapping[str, Json], str, _Count], int]
_ResponseTexts = Callable[[Mapping[str, Json]], Iterator[str]]

ESTIMATED: Final[Mapping[str, tuple[_CountRequest, _ResponseTexts | None]]] = {
    "chat.completions": (_chat_request, _chat_response),
    "completions": (_completion_request, _completion_response),
    "embeddings": (_embedding_request, None),
    "responses": (_responses_request, _responses_response),
}
"""Operation -> how its request and its response are counted. Nothing else is made of texts alone."""
