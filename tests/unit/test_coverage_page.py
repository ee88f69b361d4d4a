"""docs/coverage.md is what the parsers do, measured. To write it anew: python -m tests.unit.test_coverage_page."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from shared.domain.fragment import Fragment
from shared.domain.interaction import METERED, OPERATIONS
from shared.operations import streams
from shared.operations.estimate import ESTIMATED
from shared.sources import SOURCE_NAMES, read_event
from tests.builders import azure_monitor, events, other_events
from tests.builders.samples import SAMPLES, Sample

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"
COMMAND = "python -m tests.unit.test_coverage_page"
CALLER = {"caller_ip", "subscription_id", "user_id", "app_id", "product_id"}


def native(call: Sample) -> list[bytes]:
    url = f"{call.path}?api-version=2024-10-21"
    return [
        events.a_request(url=url, operationId=call.operation_id, body=call.request),
        events.a_response(backendUrl=f"https://aoai.example.org{url}", body=call.response),
    ]


def enterprise_logging(call: Sample) -> list[bytes]:
    asked = call.request or {}
    messages = json.dumps(asked["messages"]) if "messages" in asked else None
    request = events.an_enterprise_request(
        operation=call.operation_id, prompt=asked.get("prompt"), messages=messages, model=asked.get("model")
    )
    answer = call.response
    if not isinstance(answer, dict):
        return [request]
    # The policy knows three operations, by exactly these ids.
    logged = ["choices"] if call.operation_id in ("ChatCompletions_Create", "Completions_Create") else []
    usage = answer.get("usage", {}) if logged or call.operation_id == "embeddings_create" else {}
    fields = {name: json.dumps(answer[name]) for name in logged}
    counts = {name: str(usage[name]) if name in usage else None for name in _COUNTS}
    model = answer.get("model") if usage else None
    response: dict[str, Any] = {"choices": None, **fields, **counts, "model": model, "operation": call.operation_id}
    return [request, events.an_enterprise_response(**response)]


_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


def ai_hub_gateway(call: Sample) -> list[bytes]:
    if not isinstance(call.response, dict):
        return []
    usage = call.response.get("usage") or {}
    return [
        events.a_usage_record(
            operationName=call.operation_id,
            targetService=call.response.get("object", "NA"),
            promptTokens=usage.get("prompt_tokens", 1),
            responseTokens=usage.get("completion_tokens", 0),
            totalTokens=usage.get("total_tokens", 1),
        )
    ]


def gateway_logs(call: Sample) -> list[bytes]:
    said = {"operationId": call.operation_id}
    for name, body in (("backendRequestBody", call.request), ("backendResponseBody", call.response)):
        said[name] = "" if body is None else json.dumps(body)
    url = f"https://gw.example.org{call.path}?api-version=2024-10-21"
    return [azure_monitor.an_envelope(azure_monitor.a_gateway_log("call-1", {**said, "url": url, "backendUrl": url}))]


def request_response(call: Sample) -> list[bytes]:
    return [azure_monitor.an_envelope(azure_monitor.a_request_response() | {"operationName": call.operation_id})]


def toolkit(call: Sample) -> list[bytes]:
    usage = call.response.get("usage") if isinstance(call.response, dict) else None
    total = usage.get("total_tokens") if usage else None
    # Without a total the policy fails, and sends nothing.
    return [other_events.a_toolkit_record(OperationName=call.operation_id, TotalTokens=str(total))] if total else []


def apim_docs(call: Sample) -> list[bytes]:
    answer = {} if call.response is None else {"response": json.dumps(call.response)}
    return [json.dumps(other_events.a_howto_event(OperationName=call.operation_id, **answer)).encode()]


def raw_http(call: Sample) -> list[bytes]:
    asked = "" if call.request is None else json.dumps(call.request)
    request = other_events.an_http_request(body=asked).replace(b"/openai/deployments/chat/chat/completions", b"%PATH%")
    answer = "" if call.response is None else json.dumps(call.response)
    return [request.replace(b"%PATH%", call.path.encode()), other_events.an_http_response(body=answer)]


def personal_data(call: Sample) -> list[bytes]:
    if not isinstance(call.response, dict):
        return []
    bodies = {"originalRequest": call.request, "originalResponse": call.response}
    record = json.loads(
        other_events.a_pii_record(content={name: body and json.dumps(body) for name, body in bodies.items()})
    )
    record["context"]["api"]["operation"] = {"id": call.operation_id, "method": "POST", "urlTemplate": call.path}
    return [json.dumps(record).encode()]


COLUMNS: dict[str, Callable[[Sample], list[bytes]]] = {
    "native": native,
    "GatewayLogs": gateway_logs,
    "raw-http": raw_http,
    "apim-docs": apim_docs,
    "enterprise-logging": enterprise_logging,
    "ai-hub-gateway": ai_hub_gateway,
    "personal data": personal_data,
    "toolkit": toolkit,
    "RequestResponse": request_response,
}


def captured(fragments: Iterable[Fragment], operation: str) -> str:
    found = list(fragments)
    names = {name for fragment in found for name in fragment.facts}
    told = {fragment.facts.get("operation") for fragment in found}
    marks = {
        "O": operation in told,
        "W": bool(names & CALLER),
        "P": any(fragment.content.prompt for fragment in found),
        "C": any(fragment.content.completion for fragment in found),
        "S": "parameters" in names,
        "U": bool(names & set(METERED)),
        "B": any(not _empty(body) for fragment in found for body in fragment.content[2:]),
    }
    return "".join(mark for mark, there in marks.items() if there) or "-"


def _empty(body: Any) -> bool:
    return body is None or body in ({}, [], "")


def page() -> str:
    rows = []
    for operation in OPERATIONS:
        call = SAMPLES[operation]
        cells = [
            captured((f for body in send(call) for f in read_event(body, events.ENQUEUED).fragments), operation)
            for send in COLUMNS.values()
        ]
        rows.append(f"| `{operation}` | " + " | ".join(cells) + f" | {'yes' if operation in ESTIMATED else '-'} |")
    families = ", ".join(f"`{prefix}`" for prefix, _ in streams._ASSEMBLERS)
    sources = ", ".join(f"`{name}`" for name in SOURCE_NAMES)
    return "\n".join(
        [
            "# Coverage: operation by source, what is captured",
            "",
            "Written by a test that sends one call of every operation through every source that can carry it. A change",
            f"that changes it fails that test; `{COMMAND}` writes it anew.",
            "",
            "**O** the operation is told · **W** who called · **P** text of the prompt ·",
            "**C** text of the completion · **S** request parameters · **U** usage: tokens, images, seconds or",
            "characters · **B** the bodies, in content · **-** nothing, or the source sends nothing of such a call.",
            "*Estimated*: tokens are estimated from the texts where nobody reports them.",
            "",
            f"| operation | {' | '.join(COLUMNS)} | estimated |",
            "|---" * (len(COLUMNS) + 2) + "|",
            *rows,
            "",
            f"Event streams are read where their events' names begin with {families}.",
            "",
            f"Sources: {sources}.",
            "Beside the columns: `GatewayLlmLogs` has the texts and tokens of chat and Responses calls in pieces,",
            "`AzureOpenAIRequestUsage` tokens alone, `enterprise-azureai` as a rule none, and every source says when.",
            "What each of them sends: [events.md](events.md).",
            "",
        ]
    )


def test_every_operation_has_a_sample() -> None:
    assert sorted(SAMPLES) == sorted(OPERATIONS)


def test_every_source_of_the_registry_is_a_column_or_named_below_the_table() -> None:
    text = page()

    assert [name for name in SOURCE_NAMES if name not in text] == []


def test_the_page_is_what_the_parsers_do() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), f"docs/coverage.md is stale: {COMMAND}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
