"""Products' policies, run as `base` of an API: a team's token limit, its Entra group; the roles of the audit API."""

from pathlib import Path
from typing import Any

import pytest

from shared.api.callers import Role
from tests.gateway.calls import TOKEN, a_call, a_gateway
from tests.gateway.policies import Call
from tests.unit.infra.policies.record import parts, recorded

LIMITED = {"__TOKENS_PER_MINUTE__": "1000", "__GROUP_ID__": "group-2"}


def a_run(product: str, token: dict[str, list[str]] | None = None, **changes: Any) -> Call:
    document = "vendor-api" if product == "vendor-group" else "api"
    settings: dict[str, Any] = {"document": document, "product": product, "written": LIMITED, "token": token or TOKEN}
    return a_gateway(**(settings | changes)).run(a_call())


def test_a_team_within_its_limit_is_served() -> None:
    call = a_run("product", tokens={"team-a": 999})

    assert call.status == 200


@pytest.mark.parametrize("product", ["product", "product-group"])
def test_a_team_beyond_its_limit_is_refused_and_its_question_is_recorded(product: str, tmp_path: Path) -> None:
    call = a_run(product, tokens={"team-a": 1000})

    record = recorded(call, tmp_path)
    assert (call.status, call.forwarded) == (429, [])
    assert (record.row["state"], record.row["error_code"]) == ("refused", "TokenLimitExceeded")
    assert record.row["product_id"] == "standard"
    assert record.content.prompt is not None


def test_what_another_team_used_is_no_matter() -> None:
    assert a_run("product", tokens={"team-b": 5000}).status == 200


def test_the_ceiling_of_the_api_counts_apart_from_the_teams_limit() -> None:
    """Two policies with one key would count every token twice."""
    below = a_run("product", tokens={"team-a": 0, "api/team-a": 499_999})
    above = a_run("product", tokens={"team-a": 0, "api/team-a": 500_000})

    assert (below.status, above.status) == (200, 429)


@pytest.mark.parametrize("product", ["product-group", "vendor-group"])
@pytest.mark.parametrize("groups", [["group-2"], ["group-1", "group-2", "group-3"]])
def test_a_member_of_the_teams_group_is_served(product: str, groups: list[str]) -> None:
    assert a_run(product, TOKEN | {"groups": groups}).status == 200


@pytest.mark.parametrize("product", ["product-group", "vendor-group"])
@pytest.mark.parametrize("groups", [None, [], ["group-1"], ["group-22"]])
def test_whoever_is_not_in_the_teams_group_is_refused_and_recorded(
    product: str, groups: list[str] | None, tmp_path: Path
) -> None:
    token = {name: value for name, value in TOKEN.items() if name != "groups"}

    call = a_run(product, token if groups is None else token | {"groups": groups})

    record = recorded(call, tmp_path)
    assert (call.status, call.forwarded) == (403, [])
    assert [one["part"] for one in parts(call)] == ["request", "error"]
    assert parts(call)[1]["lastError"]["message"] == "This subscription belongs to another team."
    assert (record.row["state"], record.row["user_id"]) == ("refused", "oid-1")


def test_a_product_s_check_leaves_the_identity_that_the_api_took() -> None:
    request, response = parts(a_run("product-group"))

    assert request["identity"]["oid"] == "oid-1"
    assert response["status"] == 200


@pytest.mark.parametrize("document", ["api", "vendor-api", "audit-api"])
def test_a_token_for_another_audience_opens_nothing(document: str) -> None:
    gateway = a_gateway(document=document, token=TOKEN | {"aud": ["api://another"], "roles": ["Audit.Read"]})

    call = gateway.run(a_call())

    assert (call.status, call.forwarded) == (401, [])
    assert not any(b"2 + 2" in event for _, _, event in call.events)


@pytest.mark.parametrize("role", Role)
def test_each_role_of_the_audit_api_comes_through(role: Role) -> None:
    call = a_gateway(document="audit-api", token={"roles": ["Other", role.value]}).run(a_call(None, method="GET"))

    assert len(call.forwarded) == 1


@pytest.mark.parametrize("roles", [None, [], ["Other"], ["audit.read"], ["Audit.Read.All"]])
def test_without_a_role_nobody_reaches_the_audit_api(roles: list[str] | None) -> None:
    token = {"oid": ["oid-1"]} | ({} if roles is None else {"roles": roles})

    call = a_gateway(document="audit-api", token=token).run(a_call(None, method="GET"))

    assert (call.status, call.forwarded) == (401, [])
