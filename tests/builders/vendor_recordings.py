"""What the recordings of other vendors' APIs say, worked out without the product's parsers.

Each reader follows a section of the event formats: Anthropic 16.1 to 16.7, chat 16.8, Gemini 17.1 to 17.6
and 17.9, Bedrock 17.7 to 17.10.
"""

import base64
import json
import re
import struct
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.builders.recordings import Recording, recordings
from tests.builders.streams import recorded_streams

__all__ = ["binary_events", "truth_of", "vendor_of", "vendor_recordings"]

Truth = dict[str, Any]

_HOSTS = {
    "anthropic.com": "Anthropic",
    "googleapis.com": "Gemini",
    "amazonaws.com": "Bedrock",
    "api.aws": "Bedrock",
    "mistral.ai": "Mistral",
    "deepseek.com": "DeepSeek",
    "services.ai.azure.com": "Azure AI",
}
_TOKENS = (
    "input_tokens output_tokens total_tokens cached_input_tokens cache_write_tokens reasoning_tokens "
    "image_input_tokens image_output_tokens audio_input_tokens audio_output_tokens"
).split()


def vendor_of(recording: Recording) -> str | None:
    """Return who served a recording; None for OpenAI's models, at whatever host."""
    host = urlsplit(recording.url).hostname or ""
    vendor = next((vendor for end, vendor in _HOSTS.items() if host.endswith(end)), None)
    named = recording.request.get("model") if isinstance(recording.request, dict) else None
    return None if vendor == "Azure AI" and str(named).startswith(("gpt", "o1", "o3", "None")) else vendor


def vendor_recordings() -> list[Recording]:
    """Return every recorded call of another vendor's model; skip the test where there is no corpus.

    Of some streams nobody recorded the request.
    """
    calls = [one for one in recordings("", streamed=None, others=True) if vendor_of(one)]
    known = {f"{one.name}.response.sse" for one in calls}
    for stream in recorded_streams():
        if "message_start" in stream.labels and stream.name not in known:
            url = "https://api.anthropic.com/v1/messages"
            calls.append(Recording(stream.name, "POST", url, 200, {}, {"stream": True}, stream.text, streamed=True))
    return calls


def truth_of(recording: Recording) -> Truth:
    """Return what a recording says, by the names of the ledger; a token that nobody reported is None.

    `prompt` and `completion` are None where there is none; what nobody could stream has no `streamed`.
    """
    path = unquote(recording.path)
    truth: Truth = dict.fromkeys(_TOKENS) | {
        "streamed": None,
        "http_status": recording.status,
        "finish_reasons": None,
        "tool_calls": None,
        "prompt": None,
        "completion": None,
    }
    truth |= _read(path, recording, recording.request or {}, recording.response)
    if recording.status >= 400:
        truth |= _error(recording)
    if truth.get("streamed") is None:
        del truth["streamed"]
    truth.setdefault("model", truth.get("requested_model"))
    return truth


def _read(path: str, recording: Recording, request: Any, answer: Any) -> Truth:
    if ":" in path.rpartition("/")[2] and "/models/" in path:
        return _google(path, recording, request, answer)
    if path.endswith("/interactions"):
        return _interaction(request, answer)
    if "/model/" in path:
        return _bedrock(path, recording, request, answer)
    if "/messages" in path:
        return _anthropic(path, recording, request, answer)
    return _openai_form(path, recording, request, answer)


def _error(recording: Recording) -> Truth:
    """Sections 16.6, 16.8, 17.10."""
    body = recording.response
    told = body.get("error", body)
    code = told.get("status") or (told.get("code") if isinstance(told.get("code"), str) else None) or told.get("type")
    if "x-amzn-errortype" in recording.headers:
        code = recording.headers["x-amzn-errortype"].partition(":")[0]
    message = told.get("message") or told.get("Message") or body.get("detail")
    return {"error_code": code, "error_message": message[:1024].strip(), "finish_reasons": None, "tool_calls": None}


def _lines(*texts: Any) -> str | None:
    return "\n".join(filter(None, texts)) or None


# Anthropic


def _anthropic(path: str, recording: Recording, request: dict[str, Any], answer: Any) -> Truth:
    truth: Truth = {"operation": "messages", "streamed": recording.streamed}
    if "messages" not in request and not recording.streamed:
        truth["streamed"] = None
    truth["requested_model"] = request.get("model")
    asked = [request, *(one["params"] for one in request.get("requests", []))]
    truth["prompt"] = _lines(*(text for one in asked for text in _typed_texts(one.get("messages", []))))
    if recording.status >= 400 or "count_tokens" in path:
        return truth
    if isinstance(answer, str) and path.endswith("/results"):
        messages = [json.loads(line)["result"]["message"] for line in answer.splitlines()]
        said = [_message(message) for message in messages]
        sums = {
            name: sum(one[name] for one in said if one[name] is not None)
            for name in _TOKENS
            if any(one.get(name) is not None for one in said)
        }
        return truth | sums | {"completion": _lines(*(one["completion"] for one in said))}
    if isinstance(answer, str):
        answer = _message_of_events(_sse(answer))
    return truth | _message(answer) if answer.get("type") == "message" else truth


def _typed_texts(messages: list[dict[str, Any]]) -> Iterator[str]:
    for message in messages:
        content = message["content"]
        if isinstance(content, str):
            yield content
        else:
            yield from (block["text"] for block in content if block.get("type") == "text")


def _message(message: dict[str, Any]) -> Truth:
    truth: Truth = dict.fromkeys(_TOKENS) | {"model": message["model"]}
    blocks = message["content"]
    truth["completion"] = "".join(block["text"] for block in blocks if block["type"] == "text") or None
    truth["tool_calls"] = len([block for block in blocks if block["type"] == "tool_use"])
    truth["finish_reasons"] = [message["stop_reason"]] if message.get("stop_reason") else None
    return truth | _anthropic_tokens(message["usage"])


def _anthropic_tokens(usage: dict[str, Any]) -> Truth:
    read, written = usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")
    tokens = {
        "input_tokens": usage["input_tokens"] + (read or 0) + (written or 0),
        "cached_input_tokens": read,
        "cache_write_tokens": written,
        "output_tokens": usage.get("output_tokens"),
        "reasoning_tokens": (usage.get("output_tokens_details") or {}).get("thinking_tokens"),
    }
    told = tokens["output_tokens"]
    return tokens | {"total_tokens": None if told is None else tokens["input_tokens"] + told}


def _message_of_events(events: list[dict[str, Any]]) -> dict[str, Any]:
    message: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    counted = False
    for event in events:
        if event["type"] == "message_start" and event["message"]["id"] != message.get("id"):
            message, blocks = dict(event["message"]), {}
        elif event["type"] == "content_block_start":
            blocks[event["index"]] = dict(event["content_block"])
        elif event["type"] == "content_block_delta" and "text" in event["delta"]:
            blocks[event["index"]]["text"] += event["delta"]["text"]
        elif event["type"] == "message_delta":
            counted = True
            message["stop_reason"] = event["delta"]["stop_reason"]
            message["usage"] |= {name: value for name, value in event["usage"].items() if value is not None}
    if not counted:
        message["usage"].pop("output_tokens", None)
    return message | {"content": [blocks[index] for index in sorted(blocks)]}


def _sse(text: str) -> list[dict[str, Any]]:
    lines = [line[5:].strip() for line in text.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in lines if line and line != "[DONE]"]


# OpenAI's shapes, spoken by others


def _openai_form(path: str, recording: Recording, request: dict[str, Any], answer: Any) -> Truth:
    truth: Truth = {"requested_model": request.get("model"), "streamed": bool(request.get("stream"))}
    if path.endswith("/embeddings"):
        given = request["input"]
        truth |= {"operation": "embeddings", "prompt": given if isinstance(given, str) else _lines(*given)}
        del truth["streamed"]
    elif path.endswith("/responses"):
        given = request["input"]
        texts = [given] if isinstance(given, str) else [_content(item.get("content")) for item in given]
        truth |= {"operation": "responses", "prompt": _lines(*texts)}
    else:
        truth["operation"] = "chat.completions"
        truth["prompt"] = _lines(*(_content(message.get("content")) for message in request["messages"]))
    if recording.status >= 400:
        return truth
    if isinstance(answer, str):
        answer = _chat_of_chunks(_sse(answer))
    truth |= {"model": answer["model"], **_chat_tokens(answer["usage"])}
    if truth["operation"] == "responses":
        items = answer["output"]
        said = [_content([one for one in item["content"] if one["type"] == "output_text"], "") for item in items
                if item["type"] == "message"]  # fmt: skip
        truth |= {"completion": _lines(*said), "finish_reasons": [answer["status"]]}
        return truth | {"tool_calls": len([item for item in items if item["type"].endswith("_call")])}
    if "choices" in answer:
        messages = [choice["message"] for choice in answer["choices"]]
        truth["completion"] = _content(messages[0].get("content"))
        truth["tool_calls"] = sum(len(message.get("tool_calls") or []) for message in messages)
        truth["finish_reasons"] = [choice.get("finish_reason") for choice in answer["choices"]]
    return truth


def _content(content: Any, between: str = "\n") -> str | None:
    if isinstance(content, list):
        texts = [part["text"] for part in content if part.get("type") in {"text", "input_text", "output_text"}]
        return between.join(filter(None, texts)) or None
    return content or None


def _chat_tokens(usage: dict[str, Any]) -> Truth:
    first = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    second = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    prompt = usage.get("prompt_tokens", usage.get("input_tokens"))
    completion, total = usage.get("completion_tokens", usage.get("output_tokens")), usage["total_tokens"]
    if completion is not None and total > prompt + completion:
        completion = total - prompt  # reasoning that stands beside what can be seen
    return {
        "input_tokens": prompt,
        "output_tokens": completion,
        "total_tokens": total,
        "cached_input_tokens": first.get("cached_tokens", usage.get("prompt_cache_hit_tokens")),
        "cache_write_tokens": first.get("cache_write_tokens"),
        "reasoning_tokens": second.get("reasoning_tokens"),
        "image_input_tokens": first.get("image_tokens"),
        "audio_input_tokens": first.get("audio_tokens"),
        "image_output_tokens": second.get("image_tokens"),
        "audio_output_tokens": second.get("audio_tokens"),
    }


def _chat_of_chunks(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    choices: dict[int, dict[str, Any]] = {}
    for one in [choice for chunk in chunks for choice in chunk["choices"]]:
        whole = choices.setdefault(one["index"], {"finish_reason": None, "message": {"content": "", "tool_calls": []}})
        whole["finish_reason"] = one.get("finish_reason") or whole["finish_reason"]
        whole["message"]["content"] += _content(one["delta"].get("content"), "") or ""
        calls = one["delta"].get("tool_calls") or []
        whole["message"]["tool_calls"] += [call["id"] for call in calls if call.get("id")]
    usage = [chunk["usage"] for chunk in chunks if chunk.get("usage")]
    named = [chunk["model"] for chunk in chunks if chunk.get("model")]
    return {"model": named[0], "usage": usage[-1], "choices": [choices[index] for index in sorted(choices)]}


# Gemini


def _google(path: str, recording: Recording, request: dict[str, Any], answer: Any) -> Truth:
    model, _, verb = path.rpartition("/")[2].rpartition(":")
    truth: Truth = {"requested_model": model}
    if "mbed" in verb or verb == "predict":
        texts = [one["content"] for one in request.get("instances", [])]
        contents = [request.get("content"), *(one["content"] for one in request.get("requests", []))]
        texts += [part["text"] for content in contents if content for part in content["parts"]]
        counts = [one["embeddings"]["statistics"]["token_count"] for one in answer.get("predictions", [])]
        tokens = sum(map(int, counts)) if counts else answer.get("usageMetadata", {}).get("promptTokenCount")
        truth |= {"operation": "embeddings", "prompt": _lines(*texts)}
        return truth | {"input_tokens": tokens, "total_tokens": tokens, "streamed": None}
    counted = request.get("generateContentRequest", request)
    contents = counted.get("contents", [])
    parts = [part for content in contents for part in content["parts"]]
    truth |= {"operation": "generateContent", "streamed": verb.startswith("stream")}
    truth["prompt"] = _lines(*(part.get("text") for part in parts if not part.get("thought")))
    if verb == "countTokens":
        return truth | {"streamed": None}
    if recording.status >= 400:
        return truth
    chunks = answer if isinstance(answer, list) else _sse(answer) if isinstance(answer, str) else [answer]
    return truth | _google_answer(chunks)


def _google_answer(chunks: list[dict[str, Any]]) -> Truth:
    parts: dict[int, list[dict[str, Any]]] = {}
    reasons: dict[int, Any] = {}
    for candidate in [candidate for chunk in chunks for candidate in chunk.get("candidates", [])]:
        index = candidate.get("index", 0)
        parts.setdefault(index, []).extend(candidate.get("content", {}).get("parts", []))
        reason = candidate.get("finishReason")
        reasons[index] = {1: "STOP", 2: "MAX_TOKENS"}.get(reason, reason) or reasons.get(index)
    names = [chunk["modelVersion"].removeprefix("models/") for chunk in chunks if "modelVersion" in chunk]
    truth: Truth = {"model": names[-1]} if names else {}
    if parts:
        said = parts[min(parts)]
        truth["completion"] = "".join(part.get("text", "") for part in said if not part.get("thought")) or None
        truth["tool_calls"] = sum("functionCall" in part for listed in parts.values() for part in listed)
        truth["finish_reasons"] = [reasons[index] for index in sorted(reasons)]
    return truth | _google_tokens(chunks[-1]["usageMetadata"])


def _google_tokens(usage: dict[str, Any]) -> Truth:
    prompt, total = usage.get("promptTokenCount"), usage.get("totalTokenCount")
    thoughts, visible = usage.get("thoughtsTokenCount"), usage.get("candidatesTokenCount")
    if visible is None and total is not None and prompt is not None:
        visible = 0
    tokens: Truth = {
        "input_tokens": None if prompt is None else prompt + usage.get("toolUsePromptTokenCount", 0),
        "cached_input_tokens": usage.get("cachedContentTokenCount"),
        "output_tokens": None if visible is None else visible + (thoughts or 0),
        "reasoning_tokens": thoughts,
        "total_tokens": total,
    }
    for member, side in (("promptTokensDetails", "input"), ("candidatesTokensDetails", "output")):
        for detail in usage.get(member, []):
            kind = {"IMAGE": "image", "AUDIO": "audio", 2: "image"}.get(detail["modality"])
            if kind:
                tokens[f"{kind}_{side}_tokens"] = detail["tokenCount"]
    return tokens


def _interaction(request: dict[str, Any], answer: dict[str, Any]) -> Truth:
    usage = answer.get("usage") or {}
    steps = answer.get("steps") or []
    said = [part.get("text") for step in steps if step["type"] == "model_output" for part in step["content"]]
    return {
        "operation": "generateContent",
        "streamed": bool(request.get("stream")),
        "requested_model": request.get("model"),
        "prompt": _lines(request["input"]),
        "completion": "".join(filter(None, said)) or None,
        "tool_calls": len([one for one in steps if one["type"] == "function_call"]) if "steps" in answer else None,
        "finish_reasons": None if answer["status"] == "in_progress" else [answer["status"]],
        **_google_tokens({_INTERACTION[name]: value for name, value in usage.items() if name in _INTERACTION}),
    }


_INTERACTION = {
    "total_input_tokens": "promptTokenCount",
    "total_output_tokens": "candidatesTokenCount",
    "total_thought_tokens": "thoughtsTokenCount",
    "total_tool_use_tokens": "toolUsePromptTokenCount",
    "total_cached_tokens": "cachedContentTokenCount",
    "total_tokens": "totalTokenCount",
}


# Bedrock


def binary_events(data: bytes) -> list[tuple[str, Any]]:
    """Return the events of a binary stream, by section 17.8's table."""
    events = []
    place = 0
    while place < len(data):
        total, length = struct.unpack_from(">II", data, place)
        headers = data[place + 12 : place + 12 + length]
        (name,) = re.findall(rb":event-type\x07..([A-Za-z]+)", headers, re.DOTALL)
        payload = json.loads(data[place + 12 + length : place + total - 4])
        carried = payload.get("bytes")
        events.append((name.decode(), json.loads(base64.b64decode(carried)) if carried else payload))
        place += total
    return events


def _bedrock(path: str, recording: Recording, request: dict[str, Any], answer: Any) -> Truth:
    model, _, verb = path.partition("/model/")[2].rpartition("/")
    truth: Truth = {"requested_model": model.rpartition("/")[2], "streamed": verb.endswith("stream")}
    if verb == "count-tokens":
        inner = json.loads(base64.b64decode(request["input"]["invokeModel"]["body"]))
        prompt = _lines(*_typed_texts(inner["messages"]))
        return truth | {"operation": "converse", "prompt": prompt, "streamed": None}
    truth["operation"] = "converse" if verb.startswith("converse") else "invoke"
    truth["prompt"] = _bedrock_prompt(request)
    if recording.status >= 400:
        return truth
    if isinstance(answer, bytes):
        events = binary_events(answer)
        answer = _converse_of_events(events) if truth["operation"] == "converse" else _invoked(events)
    if "output" in answer:
        truth |= _converse(answer)
    elif answer.get("type") == "message":
        truth |= _message(answer)
        del truth["model"]
    elif "choices" in answer:
        truth["completion"] = _content(answer["choices"][0]["message"]["content"])
        truth |= {"tool_calls": 0, "finish_reasons": [one["finish_reason"] for one in answer["choices"]]}
        truth |= _chat_tokens(answer["usage"])
    elif not {"embedding", "embeddings", "embeddingsByType"}.isdisjoint(answer):
        tokens = answer.get("inputTextTokenCount")
        truth |= {"operation": "embeddings", "input_tokens": tokens, "streamed": None}
    else:
        truth |= _invoke_answer(answer)
    return _completed(truth, answer, recording.headers)


def _bedrock_prompt(request: dict[str, Any]) -> str | None:
    if "anthropic_version" in request:
        return _lines(*_typed_texts(request["messages"]))
    texts = [one["message"] for one in request.get("chat_history", [])]
    for message in request.get("messages", []):
        content = message["content"]
        blocks: list[dict[str, Any]] = [{"text": content}] if isinstance(content, str) else content
        texts += [one.get("text") or one.get("guardContent", {}).get("text", {}).get("text") for one in blocks]
    texts += [request.get(name) for name in ("prompt", "inputText", "message")]
    texts += request.get("texts", [])
    texts.append(request.get("singleEmbeddingParams", {}).get("text", {}).get("value"))
    return _lines(*texts)


_HEADERS = ("input", "output", "cache-read-input", "cache-write-input")


def _completed(truth: Truth, answer: dict[str, Any], headers: dict[str, str]) -> Truth:
    """Trust the vendor's usage first, then Bedrock's metrics, then the headers."""
    metrics = answer.get("amazon-bedrock-invocationMetrics") or {}
    prefix = "x-amzn-bedrock-"
    for told, names in (
        (metrics, ("inputTokenCount", "outputTokenCount", "cacheReadInputTokenCount", "cacheWriteInputTokenCount")),
        (headers, [f"{prefix}{kind}-token-count" for kind in _HEADERS]),
    ):  # fmt: skip
        fresh, written_out, read, written = (int(told[name]) if name in told else None for name in names)
        whole = None if fresh is None else fresh + (read or 0) + (written or 0)
        for name, value in (
            ("input_tokens", whole), ("output_tokens", written_out), ("cached_input_tokens", read),
            ("cache_write_tokens", written),
        ):  # fmt: skip
            truth[name] = value if truth.get(name) is None else truth[name]
    if truth["operation"] == "embeddings":
        truth["total_tokens"] = truth["input_tokens"]
    elif truth.get("total_tokens") is None and None not in (truth["input_tokens"], truth["output_tokens"]):
        truth["total_tokens"] = truth["input_tokens"] + truth["output_tokens"]
    return truth


def _converse(answer: dict[str, Any]) -> Truth:
    usage = answer["usage"]
    read = usage.get("cacheReadInputTokens", usage.get("cacheReadInputTokenCount"))
    written = usage.get("cacheWriteInputTokens", usage.get("cacheWriteInputTokenCount"))
    blocks = answer["output"]["message"]["content"]
    cited = [part["text"] for block in blocks for part in block.get("citationsContent", {}).get("content", [])]
    calls = [block["toolUse"] for block in blocks if "toolUse" in block]
    return {
        "completion": "".join([block["text"] for block in blocks if "text" in block] + cited) or None,
        "tool_calls": len([call for call in calls if call.get("type") != "server_tool_use"]),
        "finish_reasons": [answer["stopReason"]],
        "input_tokens": usage["inputTokens"] + (read or 0) + (written or 0),
        "cached_input_tokens": read,
        "cache_write_tokens": written,
        "output_tokens": usage.get("outputTokens"),
        "total_tokens": usage.get("totalTokens"),
    }


def _converse_of_events(events: list[tuple[str, Any]]) -> dict[str, Any]:
    blocks: dict[int, dict[str, Any]] = {}
    answer: dict[str, Any] = {}
    for name, event in events:
        if name in {"contentBlockStart", "contentBlockDelta"}:
            block = blocks.setdefault(event["contentBlockIndex"], {})
            told = event.get("start") or event["delta"]
            if "toolUse" in told:
                block.setdefault("toolUse", {}).update(told["toolUse"])
            if "text" in told:
                block["text"] = block.get("text", "") + told["text"]
        elif name in {"messageStop", "metadata"}:
            answer |= event
    return answer | {"output": {"message": {"content": [blocks[index] for index in sorted(blocks)]}}}


def _invoked(events: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the answer that the chunks of a stream come to, in its vendor's form."""
    chunks = [chunk for _, chunk in events]
    metrics = {name: value for chunk in chunks for name, value in chunk.items() if name.startswith("amazon-bedrock")}
    if "type" in chunks[0]:
        return _message_of_events(chunks) | metrics
    if "messageStart" in chunks[0]:
        return (
            _converse_of_events([(name, chunk[name]) for chunk in chunks for name in chunk if "bedrock" not in name])
            | metrics
        )
    answer: dict[str, Any] = dict(metrics)
    texts: dict[int, str] = {}
    reasons: dict[int, str] = {}
    for chunk in chunks:
        index = chunk.get("index", 0)
        texts[index] = texts.get(index, "") + (
            chunk.get("outputText") or chunk.get("generation") or chunk.get("text") or ""
        )
        reason = chunk.get("completionReason") or chunk.get("stop_reason") or chunk.get("finish_reason")
        reasons |= {index: reason} if reason else {}
        counts = ("prompt_token_count", "generation_token_count", "inputTextTokenCount", "totalOutputTextTokenCount")
        answer |= {name: chunk[name] for name in counts if chunk.get(name) is not None}
    return answer | {"entries": [(texts[index], reasons.get(index)) for index in sorted(texts)]}


def _invoke_answer(answer: dict[str, Any]) -> Truth:
    entries = answer.get("entries")
    for listed, text, reason in (
        ("results", "outputText", "completionReason"),
        ("outputs", "text", "stop_reason"),
        ("generations", "text", "finish_reason"),
    ):
        if listed in answer:
            entries = [(one[text], one[reason]) for one in answer[listed]]
    for text, reason in (("generation", "stop_reason"), ("text", "finish_reason"), ("completion", "stop_reason")):
        if text in answer:
            entries = [(answer[text], answer[reason])]
    assert entries is not None, answer
    results = answer.get("results", [])
    output = answer.get("generation_token_count", answer.get("totalOutputTextTokenCount"))
    return {
        "completion": entries[0][0] or None,
        "finish_reasons": [reason for _, reason in entries],
        "tool_calls": len(answer.get("tool_calls") or []),
        "input_tokens": answer.get("prompt_token_count", answer.get("inputTextTokenCount")),
        "output_tokens": sum(one["tokenCount"] for one in results) if results else output,
    }
