from typing import Any

import pytest

from shared.operations.withheld import REMOVED, withhold_from_request, withhold_from_response

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
