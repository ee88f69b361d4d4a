"""Conversations as the reference architecture's sizing assumes: 1,000 tokens, 3 KB in, 1 KB out."""

import random
from collections.abc import Iterator

import orjson

from shared.domain.delivery import Delivery, Position

__all__ = ["batches", "conversation"]

_WORDS = (
    "account approve balance because budget careful change client contract could deliver department describe draft "
    "every figure follow forecast given however invoice issue ledger letter margin meeting month number office order "
    "partner payment people please policy price product quarter question reason record report review short should "
    "summary supplier table their these through total under version which while within without would write year"
).split()


def _sentence(chance: random.Random, size: int) -> str:
    words = chance.choices(_WORDS, k=size // 6)
    return " ".join(words)[:size]


def conversation(number: int, chance: random.Random) -> tuple[bytes, bytes]:
    """Return the native request and response events of one chat call."""
    interaction_id = f"{chance.getrandbits(128):032x}"
    second = f"2026-03-02T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}"
    request = {
        "schema": "promptledger/1",
        "interactionId": interaction_id,
        "part": "request",
        "time": f"{second}.125Z",
        "method": "POST",
        "url": "/openai/deployments/chat/chat/completions?api-version=2024-10-21",
        "apiId": "azure-openai",
        "operationId": "ChatCompletions_Create",
        "deployment": "chat",
        "apiVersion": "2024-10-21",
        "callerIp": f"10.0.{number % 4}.{number % 250}",
        "subscriptionId": f"team-{number % 6}",
        "productId": "standard",
        "identity": {"oid": f"oid-{number % 40}", "appId": f"app-{number % 9}", "tenantId": "contoso"},
        "tags": {"cost-centre": str(number % 12)},
        "gateway": {"name": "apim-example", "region": "Sweden Central"},
        "size": 3200,
        "contentType": "application/json",
        "body": {
            "messages": [
                {"role": "system", "content": "Answer briefly."},
                {"role": "user", "content": _sentence(chance, 3000)},
            ],
            "temperature": 0.2,
            "max_tokens": 400,
        },
    }
    response = {
        "schema": "promptledger/1",
        "interactionId": interaction_id,
        "part": "response",
        "time": f"{second}.925Z",
        "status": 200,
        "backendId": "openai-1",
        "attempts": [{"backendId": "openai-1", "status": 200, "ms": 790}],
        "timings": {"totalMs": 800, "backendMs": 790},
        "headers": {"apim-request-id": f"{number:08x}", "x-ms-region": "Sweden Central"},
        "streamed": False,
        "size": 1400,
        "contentType": "application/json",
        "body": {
            "id": f"chatcmpl-{number:012d}",
            "object": "chat.completion",
            "created": 1772409600 + number,
            "model": "gpt-4o-2024-11-20",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": _sentence(chance, 1000)},
                    "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}},
                }
            ],
            "usage": {
                "prompt_tokens": 750,
                "completion_tokens": 250,
                "total_tokens": 1000,
                "prompt_tokens_details": {"cached_tokens": 0},
            },
        },
    }
    return orjson.dumps(request), orjson.dumps(response)


def batches(first: int, count: int, *, size: int, lag: int) -> Iterator[list[Delivery]]:
    """Return the events of `count` conversations in batches, each response `lag` conversations late."""
    chance = random.Random(first)
    late: list[bytes] = []
    bodies: list[bytes] = []
    for number in range(first, first + count):
        request, response = conversation(number, chance)
        bodies.append(request)
        late.append(response)
        if len(late) > lag:
            bodies.append(late.pop(0))
    bodies.extend(late)
    for start in range(0, len(bodies), size):
        yield [
            Delivery(Position("gateway", "0", 2 * first + start + offset, "2026-03-02T00:00:00.000Z"), body)
            for offset, body in enumerate(bodies[start : start + size])
        ]
