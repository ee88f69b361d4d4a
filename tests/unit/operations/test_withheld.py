from typing import Any

import pytest

from shared.domain.secrets import REMOVED
from shared.operations.withheld import withhold_from_request, withhold_from_response

KEY = "not-a-real-one"


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        pytest.param(
            {"data_sources": [{"parameters": {"authentication": {"type": "api_key", "key": KEY}, "index_name": "i"}}]},
            {
                "data_sources": [
                    {"parameters": {"authentication": {"type": "api_key", "key": REMOVED}, "index_name": "i"}}
                ]
            },
            id="a search index",
        ),
        pytest.param(
            {"dataSources": [{"parameters": {"key": KEY, "embeddingKey": KEY}}]},
            {"dataSources": [{"parameters": {"key": REMOVED, "embeddingKey": REMOVED}}]},
            id="an older api-version",
        ),
        pytest.param(
            {"tools": [{"type": "mcp", "server_url": "https://x", "authorization": KEY, "headers": {"X-Auth": KEY}}]},
            {
                "tools": [
                    {"type": "mcp", "server_url": "https://x", "authorization": REMOVED, "headers": {"X-Auth": REMOVED}}
                ]
            },
            id="a remote tool",
        ),
    ],
)
def test_credentials_of_a_request_are_blanked_once(body: dict[str, Any], kept: dict[str, Any]) -> None:
    assert withhold_from_request(body) is True
    assert body == kept
    assert withhold_from_request(body) is False


@pytest.mark.parametrize(
    "body",
    [
        {"tools": [{"type": "function", "function": {"parameters": {"properties": {"key": {"type": "string"}}}}}]},
        {"data_sources": [{"parameters": {"authentication": {"type": "system_assigned_managed_identity"}}}]},
        {"messages": [{"content": "the key is under the mat"}]},
        {"data_sources": None, "tools": "all"},
        "text",
        None,
    ],
)
def test_a_request_without_credentials_is_left_alone(body: Any) -> None:
    assert withhold_from_request(body) is False


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ({"data": [{"index": 0, "embedding": "AAAA"}, None]}, {"data": [{"index": 0}, None]}),
        ({"client_secret": {"value": KEY, "expires_at": 1}}, {"client_secret": {"value": REMOVED, "expires_at": 1}}),
        ({"value": KEY, "expires_at": 1, "session": {}}, {"value": REMOVED, "expires_at": 1, "session": {}}),
    ],
)
def test_vectors_and_session_secrets_of_a_response_are_not_kept(body: dict[str, Any], kept: dict[str, Any]) -> None:
    assert withhold_from_response(body) is True
    assert body == kept
    assert withhold_from_response(body) is False


@pytest.mark.parametrize("body", [{"data": [{"url": "https://x"}]}, {"data": {}}, {"value": "x"}, [], None])
def test_a_response_with_nothing_to_withhold_is_left_alone(body: Any) -> None:
    assert withhold_from_response(body) is False


SIGNED = "https://blob.example/images/1.png?se=2026&sig=not-a-real-one"


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        pytest.param(
            {"created": 1, "data": [{"b64_json": "AAAA", "revised_prompt": "A kite"}, {"url": SIGNED}]},
            {
                "created": 1,
                "data": [
                    {"b64_json": REMOVED, "revised_prompt": "A kite"},
                    {"url": "https://blob.example/images/1.png"},
                ],
            },
            id="images",
        ),
        pytest.param(
            {"status": "succeeded", "result": {"data": [{"url": "data:image/png;base64,AAAA"}]}},
            {"status": "succeeded", "result": {"data": [{"url": REMOVED}]}},
            id="images of the old asynchronous form",
        ),
        pytest.param(
            {"output": [{"type": "image_generation_call", "result": "AAAA"}, {"type": "mcp_call", "result": "text"}]},
            {"output": [{"type": "image_generation_call", "result": REMOVED}, {"type": "mcp_call", "result": "text"}]},
            id="an image in a response",
        ),
        pytest.param(
            {"output": [], "tools": [{"type": "mcp", "authorization": KEY}]},
            {"output": [], "tools": [{"type": "mcp", "authorization": REMOVED}]},
            id="a remote tool that a response repeats",
        ),
    ],
)
def test_images_and_signed_links_are_not_kept(body: dict[str, Any], kept: dict[str, Any]) -> None:
    assert withhold_from_response(body) is True
    assert body == kept
    assert withhold_from_response(body) is False


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (
            {"input": [{"type": "image_generation_call", "result": "AAAA"}, {"result": "text"}, None]},
            {"input": [{"type": "image_generation_call", "result": REMOVED}, {"result": "text"}, None]},
        ),
        (
            {"session": {"model": "gpt-realtime", "tools": [{"type": "mcp", "authorization": KEY}]}},
            {"session": {"model": "gpt-realtime", "tools": [{"type": "mcp", "authorization": REMOVED}]}},
        ),
    ],
)
def test_images_sent_back_and_a_sessions_tools_keep_no_image_and_no_key(
    body: dict[str, Any], kept: dict[str, Any]
) -> None:
    assert withhold_from_request(body) is True
    assert body == kept
    assert withhold_from_request(body) is False


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"id": "file-1", "url": SIGNED}, {"url": None}, 5]},
        {"output": [{"type": "image_generation_call", "result": None}, None]},
        {"result": "text", "output": "text"},
    ],
)
def test_an_answer_without_images_is_left_alone(body: Any) -> None:
    assert withhold_from_response(body) is False


@pytest.mark.parametrize(
    "body",
    [
        {"mcp_servers": [{"url": "https://m", "authorization_token": KEY}]},
        {"tools": [{"mcpServers": [{"name": "m", "streamableHttpTransport": {"headers": {"X-Weather": KEY}}}]}]},
        {"tools": [{"mcp_servers": [{"streamable_http_transport": {"headers": {"X-Weather": KEY}}}]}]},
        {"tools": [{"type": "mcp_server", "url": "https://m", "headers": {"X-Weather": KEY}}]},
        {"mcpServers": [{"headers": {"X-Weather": KEY}}]},
        {"data_sources": [{"parameters": {"authentication": {"key": [KEY]}}}]},
        {"tools": [{"type": "mcp", "authorization": {"value": KEY}}]},
    ],
)
def test_what_logs_in_to_the_remote_tools_of_any_vendor_is_blanked_whatever_its_name(body: dict[str, Any]) -> None:
    assert withhold_from_request(body) is True
    assert KEY not in str(body)
    assert withhold_from_request(body) is False


def test_a_member_that_grants_nothing_yet_is_left_alone() -> None:
    body = {"mcp_servers": [{"url": "https://m", "authorization_token": None}], "tools": [{"type": "mcp", "key": True}]}

    assert withhold_from_request(body) is False
