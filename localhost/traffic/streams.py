"""An answer -> the event stream that the service would have sent instead."""

from typing import Any

import orjson

from localhost.traffic.dice import Dice

__all__ = ["streamed"]


def streamed(answer: dict[str, Any], dice: Dice, *, with_usage: bool) -> str:
    """Return a chat completion as chunks of a few words; usage only where the client asked for it."""
    common = {name: answer[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    filters: dict[str, Any] = {"id": "", "created": 0, "model": "", "object": "", "choices": []}
    chunks: list[dict[str, Any]] = [filters | {"prompt_filter_results": answer["prompt_filter_results"]}]
    for choice in answer["choices"]:
        message, index = choice["message"], choice["index"]
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        words = (message["content"] or "").split(" ")
        at = 0
        while message["content"] and at < len(words):
            end = at + dice.between(1, 6)
            deltas.append({"content": " ".join(words[at:end]) + (" " if end < len(words) else "")})
            at = end
        for place, call in enumerate(message.get("tool_calls", ())):
            function = call["function"]
            half = len(function["arguments"]) // 2
            deltas.append({"tool_calls": [call | {"index": place, "function": function | {"arguments": ""}}]})
            pieces = (function["arguments"][:half], function["arguments"][half:])
            deltas += [{"tool_calls": [{"index": place, "function": {"arguments": piece}}]} for piece in pieces]
        chunks += [
            common | {"choices": [{"index": index, "delta": delta, "finish_reason": None, "logprobs": None}]}
            for delta in deltas
        ]
        last = {"index": index, "delta": {}, "finish_reason": choice["finish_reason"], "content_filter_results": {}}
        chunks.append(common | {"choices": [last]})
    if with_usage:
        chunks.append(common | {"choices": [], "usage": answer["usage"]})
    return "".join([f"data: {orjson.dumps(chunk).decode()}\n\n" for chunk in chunks]) + "data: [DONE]\n\n"
