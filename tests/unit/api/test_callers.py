"""Who may ask what, and from where."""

import base64
import json
from dataclasses import replace

import pytest

from shared.api.app import create_app
from shared.errors import ConfigurationError
from shared.settings import Settings
from shared.token_settings import TokenSettings
from tests.unit.api.rows import SETTINGS, Ledger, an_interaction, client_of

_ROUTES = {
    "/api/v1/interactions": "Audit.Read",
    "/api/v1/interactions/x": "Audit.Read",
    "/api/v1/interactions/x/content": "Content.Read",
    "/api/v1/usage": "Usage.Read",
    "/api/v1/prompts": "Usage.Read",
    "/api/v1/balance": "Audit.Read",
    "/api/v1/quarantine": "Audit.Admin",
}
_ROLES = ("Usage.Read", "Audit.Read", "Content.Read", "Audit.Admin")


@pytest.mark.parametrize(("route", "role"), _ROUTES.items())
def test_a_route_is_open_to_its_role_and_to_no_other(ledger: Ledger, route: str, role: str) -> None:
    client = client_of(ledger.audit())
    others = ", ".join(other for other in _ROLES if other != role)

    refused = client.get(route, headers={"X-Local-Roles": others})
    allowed = client.get(route, headers={"X-Local-Roles": role})

    assert (refused.status_code, refused.json()["role"]) == (403, role)
    assert refused.headers["content-type"] == "application/problem+json"
    assert allowed.status_code == (404 if "/x" in route else 200)


def test_without_headers_a_local_caller_has_all_roles(ledger: Ledger) -> None:
    assert client_of(ledger.audit()).get("/api/v1/quarantine").status_code == 200


def test_an_empty_list_of_roles_is_no_role(ledger: Ledger) -> None:
    response = client_of(ledger.audit()).get("/api/v1/usage", headers={"X-Local-Roles": ""})

    assert response.status_code == 403


def test_an_unknown_role_is_refused_by_the_headers_name(ledger: Ledger) -> None:
    response = client_of(ledger.audit()).get("/api/v1/usage", headers={"X-Local-Roles": "Usage.Read,Root"})

    assert (response.status_code, response.json()["parameter"]) == (400, "X-Local-Roles")


@pytest.mark.parametrize(
    ("address", "url", "headers"),
    [
        pytest.param("203.0.113.7", "http://localhost", {}, id="another machine calls"),
        pytest.param("127.0.0.1", "http://ledger.example.org", {}, id="it is called by a public name"),
        pytest.param("127.0.0.1", "http://192.168.1.5:7071", {}, id="it is called by a network address"),
        pytest.param("127.0.0.1", "http://localhost", {"X-Forwarded-For": "203.0.113.7"}, id="a proxy forwards"),
        pytest.param("127.0.0.1", "http://localhost", {"X-Forwarded-For": "::1, 203.0.113.7:80"}, id="two proxies"),
        pytest.param("127.0.0.1", "http://localhost", {"Forwarded": "for=127.0.0.1"}, id="a newer proxy forwards"),
        pytest.param("127.0.0.1", "http://localhost", {"Origin": "https://evil.example"}, id="a web page calls"),
        pytest.param("127.0.0.1", "http://localhost", {"Origin": "null"}, id="a page without origin calls"),
        pytest.param("127.0.0.1", "http://localhost", {"Host": "[::1"}, id="the name cannot be read"),
    ],
)
def test_role_headers_are_trusted_on_a_loopback_address_only(
    ledger: Ledger, address: str, url: str, headers: dict[str, str]
) -> None:
    client = client_of(ledger.audit(), address=address, base_url=url)

    response = client.get("/api/v1/balance", headers=headers)

    assert response.status_code == 403
    assert response.json()["type"] == "urn:promptledger:problem:refused-caller"


@pytest.mark.parametrize(
    ("address", "url", "headers"),
    [
        ("127.0.0.1", "http://localhost:7071", {}),
        ("::1", "http://[::1]:7071", {}),
        ("::ffff:127.0.0.1", "http://127.0.0.1:7071", {"X-Forwarded-For": "127.0.0.1:50000"}),
        ("127.0.0.1", "http://127.0.0.1", {"Origin": "http://localhost:7071"}),
    ],
)
def test_every_spelling_of_this_machine_is_local(
    ledger: Ledger, address: str, url: str, headers: dict[str, str]
) -> None:
    client = client_of(ledger.audit(), address=address, base_url=url)

    assert client.get("/api/v1/balance", headers=headers).status_code == 200


def test_local_roles_do_not_start_in_azure(ledger: Ledger) -> None:
    with pytest.raises(ConfigurationError, match="PROMPTLEDGER_AUTH"):
        create_app(ledger.audit(), replace(SETTINGS, in_azure=True), ledger.quarantine())


_OID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
_TENANT = "0f5c2b1e-7d3a-4c55-9a0e-5b1f3d2c4a60"
_ISSUER = f"https://login.microsoftonline.com/{_TENANT}/v2.0"
_OURS = TokenSettings(tenant_ids=(_TENANT,))
_SIGNED_IN = replace(SETTINGS, auth="app-service", in_azure=True, signs_in=True, tokens=_OURS)


def a_principal(*claims: tuple[str, str]) -> dict[str, str]:
    of_the_tenant = (("iss", _ISSUER), ("tid", _TENANT))
    told = {"auth_typ": "aad", "claims": [{"typ": kind, "val": value} for kind, value in (*of_the_tenant, *claims)]}
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps(told).encode()).decode()}


@pytest.mark.parametrize(("oid", "role"), [("oid", "roles"), (_OID, _ROLE)])
def test_the_roles_of_an_entra_token_open_their_routes_and_no_other(ledger: Ledger, oid: str, role: str) -> None:
    client = client_of(
        ledger.audit(), address="203.0.113.7", base_url="https://ledger.example.org", settings=_SIGNED_IN
    )
    auditor = a_principal((oid, "0a1b"), (role, "Audit.Read"), (role, "Somebody.Elses"))

    assert client.get("/api/v1/balance", headers=auditor).status_code == 200
    assert client.get("/api/v1/usage", headers=auditor).json()["role"] == "Usage.Read"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="nobody"),
        pytest.param({"X-Local-User": "ada", "X-Local-Roles": "Audit.Read"}, id="local headers"),
        pytest.param({"X-MS-CLIENT-PRINCIPAL": "no base64"}, id="no base64"),
        pytest.param({"X-MS-CLIENT-PRINCIPAL": base64.b64encode(b"[1]").decode()}, id="no object"),
        pytest.param({"X-MS-CLIENT-PRINCIPAL": base64.b64encode(b'{"claims": [7, {}]}').decode()}, id="no claims"),
        pytest.param(a_principal(("roles", "Audit.Read")), id="a principal without an id"),
    ],
)
def test_without_an_entra_principal_nobody_is_let_in(ledger: Ledger, headers: dict[str, str]) -> None:
    client = client_of(ledger.audit(), settings=_SIGNED_IN)

    response = client.get("/api/v1/balance", headers=headers)

    assert (response.status_code, response.headers["content-type"]) == (401, "application/problem+json")
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["type"] == "urn:promptledger:problem:not-signed-in"


def test_a_reading_of_content_is_recorded_with_name_and_id_of_who_signed_in(ledger: Ledger) -> None:
    ledger.has(an_interaction())
    client = client_of(ledger.audit(), settings=_SIGNED_IN)
    reader = a_principal(("oid", "0a1b"), ("preferred_username", "ada@example.org"), ("roles", "Content.Read"))

    assert client.get("/api/v1/interactions/call-1/content", headers=reader).status_code == 200
    assert ledger.reads() == [("0a1b (ada@example.org)", "/api/v1/interactions/{id}/content", "call-1")]


def test_principals_do_not_count_where_nobody_checks_the_tokens(ledger: Ledger) -> None:
    with pytest.raises(ConfigurationError, match="App Service authentication"):
        create_app(ledger.audit(), replace(_SIGNED_IN, signs_in=False), ledger.quarantine())


def test_principals_do_not_count_without_a_tenant(ledger: Ledger) -> None:
    with pytest.raises(ConfigurationError, match="PROMPTLEDGER_TENANT_ID"):
        create_app(ledger.audit(), replace(_SIGNED_IN, tokens=TokenSettings()), ledger.quarantine())


def test_the_platform_says_whether_its_authentication_is_on() -> None:
    least = {"PROMPTLEDGER_DATABASE": "sqlite://", "PROMPTLEDGER_AUTH": "entra"}

    assert Settings.read(least | {"WEBSITE_SITE_NAME": "app", "WEBSITE_AUTH_ENABLED": "True"}).signs_in
    assert not Settings.read(least | {"WEBSITE_SITE_NAME": "app", "WEBSITE_AUTH_ENABLED": "False"}).signs_in
    assert not Settings.read(least | {"WEBSITE_AUTH_ENABLED": "True"}).signs_in
