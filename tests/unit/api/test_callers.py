"""Who may ask what, and from where."""

from dataclasses import replace

import pytest

from shared.api.app import create_app
from shared.errors import ConfigurationError
from tests.unit.api.rows import SETTINGS, Ledger, client_of

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
