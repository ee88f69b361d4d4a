"""Local roles are for callers on this machine, and nobody gets them by what he writes into a request."""

import asyncio
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from blueprints import audit, health
from blueprints.asgi import PEER
from localhost.environment import let_this_machine_ask
from localhost.functions import functions_of
from localhost.http_app import HttpApp, LocalContext, Routes
from shared import bootstrap
from shared.settings import Settings
from tests.builders.databases import new_sqlite

_FUNCTIONS = [builder._function for blueprint in (audit.bp, health.bp) for builder in blueprint._function_builders]
_AUDIT_ROUTES = {
    "read_interactions": "/api/v1/interactions",
    "read_usage": "/api/v1/usage",
    "read_prompts": "/api/v1/prompts",
    "read_balance": "/api/v1/balance",
    "read_completeness": "/api/v1/completeness",
    "read_quarantine": "/api/v1/quarantine",
    "read_openapi": "/api/openapi.json",
    "read_docs": "/api/docs",
}
_TOKEN = "0123456789" * 4
_LOOPBACK = ("127.0.0.1", 50_000)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    engine = new_sqlite(tmp_path)
    monkeypatch.setenv("PROMPTLEDGER_DATABASE", str(engine.url))
    engine.dispose()
    return monkeypatch


def called(name: str, url: str, headers: dict[str, str], peer: tuple[str, int] | None = None) -> func.HttpResponse:
    """Return a function's answer, called as the Functions host calls it: `peer` is nobody's there."""
    function: Callable[..., Any] = next(
        one.get_user_function() for one in _FUNCTIONS if one.get_function_name() == name
    )
    request = func.HttpRequest("GET", f"http://localhost:7071{url}", headers=headers, body=b"")
    PEER.set(peer)
    answer = asyncio.run(function(request, None))
    assert isinstance(answer, func.HttpResponse)
    return answer


def balance(headers: dict[str, str], peer: tuple[str, int] | None = None) -> int:
    return int(called("read_balance", "/api/v1/balance", headers, peer).status_code)


@pytest.mark.parametrize(("name", "url"), _AUDIT_ROUTES.items())
@pytest.mark.parametrize("peer", [None, _LOOPBACK])
def test_an_api_that_was_not_told_who_may_ask_answers_nobody_and_names_the_setting(
    environment: pytest.MonkeyPatch, name: str, url: str, peer: tuple[str, int] | None
) -> None:
    environment.delenv("PROMPTLEDGER_AUTH", raising=False)

    response = called(name, url, {"Host": "localhost", "X-Local-Roles": "Audit.Admin"}, peer)

    assert (response.status_code, response.mimetype) == (503, "application/problem+json")
    assert json.loads(response.get_body())["settings"] == ["PROMPTLEDGER_AUTH"]
    assert "PROMPTLEDGER_AUTH" in json.loads(response.get_body())["detail"]


@pytest.mark.parametrize("value", ["", None])
def test_an_app_that_was_not_told_who_may_ask_is_not_ready_and_says_why(
    environment: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is not None:
        environment.setenv("PROMPTLEDGER_AUTH", value)

    response = health.check_readiness.build().get_user_function()(
        func.HttpRequest("GET", "http://localhost/api/health/ready", body=b""), LocalContext("check_readiness")
    )
    if inspect.iscoroutine(response):
        response = asyncio.run(response)

    assert response.status_code == 503
    assert json.loads(response.get_body())["settings"] == ["PROMPTLEDGER_AUTH"]


def test_an_app_that_was_not_told_who_may_ask_still_takes_events(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("PROMPTLEDGER_AUTH", raising=False)

    assert bootstrap.services().settings.auth == ""


@pytest.mark.parametrize("host", ["localhost", "localhost:7071", "127.0.0.1", "[::1]:7071"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Local-User": "root", "X-Local-Roles": "Audit.Admin,Content.Read"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Real-IP": "::1"},
        {"X-Local-Token": ""},
        {"X-Local-Token": "guess"},
    ],
)
def test_a_loopback_host_header_opens_nothing_where_no_peer_is_known(
    environment: pytest.MonkeyPatch, host: str, headers: dict[str, str]
) -> None:
    environment.setenv("PROMPTLEDGER_AUTH", "local")

    assert balance({"Host": host, **headers}) == 403
    assert balance({"Host": host}, _LOOPBACK) == 200


def test_under_core_tools_the_token_opens_what_an_address_cannot(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PROMPTLEDGER_AUTH", "local")
    environment.setenv("PROMPTLEDGER_LOCAL_TOKEN", _TOKEN)
    environment.setenv("AZURE_FUNCTIONS_ENVIRONMENT", "Development")

    assert balance({"Host": "localhost", "X-Local-Token": _TOKEN}) == 200
    assert balance({"Host": "localhost"}) == 403
    assert balance({"Host": "localhost", "X-Local-Token": _TOKEN[:-1]}) == 403
    assert balance({"Host": "localhost", "X-Local-Token": _TOKEN + "ä"}) == 403
    assert balance({"Host": "ledger.example.org", "X-Local-Token": _TOKEN}) == 403


@pytest.mark.parametrize("value", [None, "Production", "Staging", ""])
def test_the_token_opens_nothing_where_nobody_develops(environment: pytest.MonkeyPatch, value: str | None) -> None:
    environment.setenv("PROMPTLEDGER_AUTH", "local")
    environment.setenv("PROMPTLEDGER_LOCAL_TOKEN", _TOKEN)
    if value is not None:
        environment.setenv("AZURE_FUNCTIONS_ENVIRONMENT", value)

    assert balance({"Host": "localhost", "X-Local-Token": _TOKEN}) == 403


@pytest.mark.parametrize("name", ["WEBSITE_SITE_NAME", "WEBSITE_INSTANCE_ID"])
@pytest.mark.parametrize("token", ["", _TOKEN])
def test_in_azure_local_mode_opens_nothing_whatever_else_is_set(
    environment: pytest.MonkeyPatch, name: str, token: str
) -> None:
    environment.setenv(name, "ledger")
    environment.setenv("PROMPTLEDGER_AUTH", "local")
    environment.setenv("PROMPTLEDGER_LOCAL_TOKEN", token)
    environment.setenv("AZURE_FUNCTIONS_ENVIRONMENT", "Development")

    assert balance({"Host": "localhost", "X-Local-Token": token}, _LOOPBACK) == 503


def test_the_token_is_never_shown() -> None:
    settings = Settings.read(
        {
            "PROMPTLEDGER_DATABASE": "sqlite://",
            "PROMPTLEDGER_LOCAL_TOKEN": _TOKEN,
            "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        }
    )

    assert settings.local_token == _TOKEN
    assert _TOKEN not in repr(settings)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 200, id="a tool that is no browser"),
        pytest.param({"Sec-Fetch-Site": "none"}, 200, id="an address that somebody typed"),
        pytest.param({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:7071"}, 200, id="its own page"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, 403, id="an image on a page from elsewhere"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="a page of another server on this machine"),
        pytest.param({"Sec-Fetch-Site": "same-origin,cross-site"}, 403, id="one that says both"),
        pytest.param({"Sec-Fetch-Site": "anything"}, 403, id="a word that nobody knows"),
        pytest.param({"Origin": "https://evil.example"}, 403, id="a script from elsewhere"),
        pytest.param({"Origin": "null"}, 403, id="a page in a sandbox"),
        pytest.param({"Origin": "http://[::1"}, 403, id="an origin that cannot be read"),
        pytest.param({"Host": "evil.example:7071"}, 403, id="a name elsewhere that leads here"),
        pytest.param({"Host": "localhost.evil.example"}, 403, id="a name that begins like ours"),
        pytest.param({"Host": "localhost@evil.example"}, 403, id="a name behind ours"),
        pytest.param({"X-Forwarded-Host": "ledger.example.org"}, 403, id="a proxy that was called by another name"),
    ],
)
def test_no_page_from_elsewhere_makes_a_browser_on_this_machine_ask(
    environment: pytest.MonkeyPatch, headers: dict[str, str], status: int
) -> None:
    environment.setenv("PROMPTLEDGER_AUTH", "local")

    assert balance({"Host": "localhost:7071"} | headers, _LOOPBACK) == status


@pytest.mark.parametrize(
    ("peer", "seen"),
    [(("127.0.0.1", 7), "('127.0.0.1', 7)"), (("203.0.113.7", 7), "('203.0.113.7', 7)"), (None, "None")],
)
def test_our_own_server_tells_who_is_connected_whatever_the_request_says(
    peer: tuple[str, int] | None, seen: str
) -> None:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.route(route="peer", methods=["GET"])
    def read_peer(req: func.HttpRequest) -> str:  # noqa: ARG001
        return str(PEER.get())

    served = HttpApp(Routes(functions_of(app.get_functions()).http, "api"))
    scope = {
        "method": "GET",
        "path": "/api/peer",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"x-forwarded-for", b"127.0.0.1")],
        "client": peer,
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(served(scope, receive, send))

    assert sent[1]["body"].decode() == seen


def test_our_own_server_is_local_unless_the_settings_say_otherwise() -> None:
    bare: dict[str, str] = {}
    told = {"PROMPTLEDGER_AUTH": "entra"}

    let_this_machine_ask(bare)
    let_this_machine_ask(told)

    assert (bare["PROMPTLEDGER_AUTH"], told["PROMPTLEDGER_AUTH"]) == ("local", "entra")
