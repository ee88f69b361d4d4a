"""The saved queries of Log Analytics, run on rows as API Management and Azure OpenAI log them."""

import json
from datetime import datetime
from typing import Any

import pytest

from tests.tools.kql.engine import LogAnalytics

GATEWAY, MODEL, SERVICE = "ApiManagementGatewayLogs", "ApiManagementGatewayLlmLog", "AzureDiagnostics"
AT = datetime(2026, 3, 2, 9, 30)  # noqa: DTZ001  # the engine's times are UTC and say so nowhere


@pytest.fixture
def workspace() -> LogAnalytics:
    """Return a workspace with a call whose bodies were logged, and a stream of which the model log tells."""
    workspace = LogAnalytics()
    question = [{"type": "text", "text": "Who?"}]
    asked = {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}]}
    answered = {"model": "gpt-4o", "usage": {"prompt_tokens": 11, "completion_tokens": 1, "total_tokens": 12}}
    call = {"TimeGenerated": AT, "CallerIpAddress": "10.0.0.1", "RequestBody": "", "ResponseBody": ""}
    workspace.has(
        GATEWAY,
        **call,
        CorrelationId="logged",
        BackendRequestBody=json.dumps(asked),
        BackendResponseBody=json.dumps(answered),
        BackendResponseHeaders={"apim-request-id": "AAA"},
    )
    workspace.has(GATEWAY, **call, CorrelationId="stream", BackendRequestBody="", BackendResponseBody="")
    row = {"TimeGenerated": AT, "CorrelationId": "stream"}
    figures = {"ModelName": "gpt-4o", "PromptTokens": 5, "CompletionTokens": 2, "TotalTokens": 7}
    text = json.dumps([{"role": "user", "content": "Streamed?"}])
    workspace.has(MODEL, **row, SequenceNumber=2, ModelName="", RequestMessages=json.dumps(text[10:]))
    workspace.has(MODEL, **row, SequenceNumber=0, **figures)
    workspace.has(MODEL, **row, SequenceNumber=1, ModelName="", RequestMessages=json.dumps(text[:10]))
    return workspace


def test_usage_counts_logged_bodies_and_streams(workspace: LogAnalytics) -> None:
    assert workspace.ask("usage_by_caller_and_model") == [
        {
            "CallerIp": "10.0.0.1",
            "Model": "gpt-4o",
            "Requests": 2,
            "PromptTokens": 16,
            "CompletionTokens": 3,
            "TotalTokens": 19,
            "AverageTotalTokens": 9.5,
        }
    ]


def test_a_row_that_comes_twice_counts_once(workspace: LogAnalytics) -> None:
    again = {"ModelName": "gpt-4o", "PromptTokens": 5, "CompletionTokens": 2, "TotalTokens": 7}
    workspace.has(MODEL, TimeGenerated=AT, CorrelationId="stream", SequenceNumber=0, **again)
    workspace.has(GATEWAY, TimeGenerated=AT, CorrelationId="stream", CallerIpAddress="10.0.0.1", ResponseBody="")

    (row,) = workspace.ask("usage_by_caller_and_model")

    assert (row["Requests"], row["TotalTokens"]) == (2, 19)


RESPONSE: dict[str, Any] = {"id": "resp_1", "object": "response", "model": "gpt-5"}
RUN: dict[str, Any] = {"id": "run_1", "object": "thread.run", "model": "gpt-5"}
STEP: dict[str, Any] = {"id": "step_1", "object": "thread.run.step", "run_id": "run_1", "model": "gpt-5"}
BATCH: dict[str, Any] = {"id": "batch_1", "object": "batch", "model": "gpt-5"}
CHAT: dict[str, Any] = {"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-5"}


def used(total: int) -> dict[str, Any]:
    return {"usage": {"input_tokens": total - 1, "output_tokens": 1, "total_tokens": total}}


@pytest.mark.parametrize(
    ("answers", "tokens"),
    [
        ([RESPONSE | {"usage": None}, RESPONSE | used(0), RESPONSE | used(30), RESPONSE | used(30)], 30),
        ([RESPONSE | used(5), RESPONSE | used(1000), RESPONSE | used(999)], 1000),
        ([RUN | used(100), STEP | used(40), RUN | used(100)], 100),
        ([BATCH | used(500), BATCH | used(500)], 500),
        ([{"object": "list", "data": [BATCH | used(500)]}], None),
        ([CHAT | used(12), CHAT | {"input_user": None} | used(12)], 12),
        ([CHAT | used(12), CHAT | used(12)], 24),
    ],
    ids=[
        "a background response",
        "a response that grows",
        "a run and its step",
        "a batch",
        "a list",
        "stored",
        "two calls",
    ],
)
def test_what_is_told_again_counts_once(answers: list[dict[str, Any]], tokens: int | None) -> None:
    workspace = LogAnalytics()
    for number, answer in enumerate(answers):
        call = {"TimeGenerated": AT, "CorrelationId": str(number), "CallerIpAddress": "10.0.0.1", "BackendUrl": "x"}
        workspace.has(GATEWAY, **call, BackendResponseBody=json.dumps(answer))

    rows = workspace.ask("usage_by_caller_and_model")

    assert sum(row["Requests"] for row in rows) == len(answers)
    assert [row["TotalTokens"] for row in rows] == [tokens]


def test_a_poll_whose_body_was_cut_off_is_still_one_of_its_response() -> None:
    workspace = LogAnalytics()
    whole = json.dumps(RESPONSE | {"output": ["x" * 99]} | used(30))
    for number in range(2):
        call = {"TimeGenerated": AT, "CorrelationId": str(number), "CallerIpAddress": "10.0.0.1", "BackendUrl": "x"}
        workspace.has(GATEWAY, **call, BackendResponseBody=whole[:-40])
        figures = {"ModelName": "gpt-5", "PromptTokens": 29, "CompletionTokens": 1, "TotalTokens": 30}
        workspace.has(MODEL, TimeGenerated=AT, CorrelationId=str(number), SequenceNumber=0, **figures)

    (row,) = workspace.ask("usage_by_caller_and_model")

    assert (row["Requests"], row["TotalTokens"]) == (2, 30)


@pytest.mark.parametrize(
    "asked", [{"messages": []}, {"messages": [{"role": "user", "content": []}]}, {"input": []}, {}]
)
def test_a_call_without_a_word_is_still_a_call(asked: dict[str, Any]) -> None:
    workspace = LogAnalytics()
    workspace.has(GATEWAY, TimeGenerated=AT, CorrelationId="silent", BackendRequestBody=json.dumps(asked))

    (row,) = workspace.ask("prompts")

    assert (row["Id"], row["PromptPreview"] or "") == ("silent", "")


def test_prompts_are_put_together_from_all_their_pieces(workspace: LogAnalytics) -> None:
    rows = workspace.ask("prompts")

    def told(row: dict[str, Any]) -> tuple[Any, ...]:
        return row["Id"], row["Model"], row["InputTokens"], row["PromptPreview"]

    assert [told(row) for row in rows] == [
        ("stream", "gpt-4o", 5, "Streamed?"),
        ("logged", "gpt-4o", 11, "Be brief.\nWho?"),
    ]


def test_bypasses_are_calls_whose_id_no_gateway_answered_with(workspace: LogAnalytics) -> None:
    log = {
        "TimeGenerated": AT,
        "ResourceProvider": "MICROSOFT.COGNITIVESERVICES",
        "Category": "RequestResponse",
        "CallerIPAddress": "10.0.0.***",
        "ResultSignature": "200",
        "Resource": "AOAI-EXAMPLE",
        "OperationName": "ChatCompletions_Create",
        "properties_s": json.dumps({"modelDeploymentName": "chat", "modelName": "gpt-4o", "objectId": "oid-1"}),
    }
    workspace.has(SERVICE, CorrelationId="aaa", **log)
    workspace.has(SERVICE, CorrelationId="bbb", **log)

    (row,) = workspace.ask("bypasses")

    assert (row["Id"], row["BackendId"], row["UserId"], row["HttpStatus"]) == ("bbb", "aoai-example", "oid-1", 200)
