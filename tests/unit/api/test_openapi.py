"""The published description of the API."""

import re

from tests.unit.api.rows import Client

_POSTED = {
    "/api/v1/costs/reconciliation",
    "/api/v1/interactions/search",
    "/api/v1/quarantine/replay",
    "/api/v1/reaches/{id}/end",
    "/api/v1/grants/{id}/give",
    "/api/v1/grants/{id}/end",
    "/api/v1/quarantine/{id}/discard",
    "/api/v1/prices/{id}/end",
    "/api/v1/deployments/{id}/end",
    "/api/v1/budgets/{id}/remove",
    "/api/v1/reservations/{id}/end",
}
_BOTH = {
    "/api/v1/grants",
    "/api/v1/reaches",
    "/api/v1/prices",
    "/api/v1/prices/restatements",
    "/api/v1/deployments",
    "/api/v1/reservations",
    "/api/v1/costs/months",
    "/api/v1/cost-centres",
    "/api/v1/budgets",
}
"""Listed and added to."""
_FILES = {"/api/v1/costs/export"}
_PATHS = (
    _POSTED
    | _BOTH
    | {
        "/api/v1/costs/export",
        "/api/v1/costs/statement",
        "/api/v1/costs/months/{month}",
        "/api/v1/prices/versions",
        "/api/v1/access-log",
        "/api/v1/budgets/decision",
        "/api/v1/budgets/{id}",
        "/api/v1/alerts",
        "/api/v1/me/usage",
        "/api/v1/reservations/hours",
        "/api/v1/me",
        "/api/v1/interactions",
        "/api/v1/interactions/{id}",
        "/api/v1/interactions/{id}/content",
        "/api/v1/usage",
        "/api/v1/prompts",
        "/api/v1/balance",
        "/api/v1/completeness",
        "/api/v1/quarantine",
        "/api/v1/quarantine/{id}/body",
    }
)


def test_the_document_describes_every_route_with_its_role_answer_and_problems(client: Client) -> None:
    document = client.get("/api/openapi.json").json()

    assert set(document["paths"]) == _PATHS
    for path, methods in document["paths"].items():
        assert list(methods) == (["get", "post"] if path in _BOTH else ["post" if path in _POSTED else "get"])
        for operation in methods.values():
            responses = operation["responses"]
            content = responses["200"]["content"]
            assert (
                "text/csv; charset=utf-8" in content
                if path in _FILES
                else "$ref" in content["application/json"]["schema"]
            )
            assert {"400", "401", "403", "503"} <= set(responses)
            assert "422" not in responses
            assert set(responses["400"]["content"]) == {"application/problem+json"}
            assert operation["x-required-role"]


def test_the_document_names_parameters_as_the_api_takes_them(client: Client) -> None:
    document = client.get("/api/openapi.json").json()

    names = {parameter["name"] for parameter in document["paths"]["/api/v1/interactions"]["get"]["parameters"]}

    assert names == set(
        "from to operation model deployment subscriptionId productId userId appId team costCentre callerIp httpStatus "
        "state streamed filtered filterCategory filterSeverity filterSide minTotalTokens source bypass error cached "
        "requestedModel vendor truncated unreadable filterFailed possibleRefusal callersDiffer purpose q limit "
        "cursor".split()
    )


def test_the_page_shows_every_route_and_loads_nothing(client: Client) -> None:
    response = client.get("/api/docs")

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert all(f"{'POST' if path in _POSTED else 'GET'} {path}</h2>" in response.text for path in _PATHS)
    for name in ("subscriptionId", "chat.completions, completions", "complete, pending", "ai-hub-gateway"):
        assert name in response.text
    assert re.findall(r"<(?:script|link|img)|https?://", response.text) == []
