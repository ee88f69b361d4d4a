"""The audit API says soon that the database cannot be had, through Microsoft's own driver, whatever ails it.

Wall clock, as the limit is one: three seconds from the request to the answer.
"""

import asyncio
import inspect
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from azure.core.credentials import AccessToken
from sqlalchemy.engine import Engine, make_url

from blueprints import audit
from blueprints.asgi import PEER
from shared import bootstrap
from shared.audit_app import audit_app
from shared.errors import StoreUnavailableError
from shared.services.audit import Reader
from shared.stores.sql.azure_sql import azure_sql_engine
from shared.stores.sql.engine import reading
from tests.builders.databases import new_sqlite
from tests.builders.tds import Fault, serving

pyodbc = pytest.importorskip("pyodbc", reason="the system's unixODBC is not here", exc_type=ImportError)

_SECONDS = 3.0
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    builder._function.get_user_function().__name__: builder._function.get_user_function()
    for builder in audit.bp._function_builders
}
_READS = [
    ("read_interactions", "/api/v1/interactions"),
    ("read_interactions", "/api/v1/interactions/call-1/content"),
    ("read_usage", "/api/v1/usage"),
    ("read_prompts", "/api/v1/prompts"),
    ("read_balance", "/api/v1/balance"),
    ("read_completeness", "/api/v1/completeness"),
    ("read_quarantine", "/api/v1/quarantine"),
    ("read_quarantine", "/api/v1/quarantine/ab12/body"),
]


def asked(name: str, url: str, method: str = "GET", body: bytes = b"") -> tuple[int, str, float]:
    """Return the status, the kind of problem, and the seconds that the answer took."""
    headers = {"content-type": "application/json"}
    request = func.HttpRequest(method, f"http://localhost:7071{url}", headers=headers, body=body)
    function = _FUNCTIONS[name]
    PEER.set(("127.0.0.1", 50_000))
    began = time.monotonic()
    answer = function(request, None) if "context" in inspect.signature(function).parameters else function(request)
    response = asyncio.run(answer) if inspect.iscoroutine(answer) else answer
    return response.status_code, json.loads(response.get_body())["type"], time.monotonic() - began


def refused_in_time(told: tuple[int, str, float]) -> bool:
    status, kind, seconds = told
    return (status, kind) == (503, "urn:promptledger:problem:unavailable") and seconds < _SECONDS


@contextmanager
def a_port(*, listens: bool) -> Iterator[int]:
    """Give a port that takes connections and never answers, or one where nobody is."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        if listens:
            yield listener.getsockname()[1]
            return
        port = listener.getsockname()[1]
    yield port


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def use(port: int, user: str = "app:pass@") -> None:
        monkeypatch.setenv("PROMPTLEDGER_AUTH", "local")
        url = f"mssql+pyodbc://{user}127.0.0.1:{port}/ledger?TrustServerCertificate=yes"
        monkeypatch.setenv("PROMPTLEDGER_DATABASE", url)
        audit_app()  # what is loaded once is not what is measured

    return use


@pytest.mark.parametrize(("name", "url"), _READS)
def test_each_resource_says_soon_that_nobody_is_there(name: str, url: str, at: Callable[..., None]) -> None:
    with a_port(listens=False) as port:
        at(port)

        assert refused_in_time(asked(name, url))


@pytest.mark.parametrize(("name", "url"), _READS[:2])
def test_a_server_that_takes_connections_and_never_answers_is_given_up_soon(
    name: str, url: str, at: Callable[..., None]
) -> None:
    with a_port(listens=True) as port:
        at(port)

        assert refused_in_time(asked(name, url))


@pytest.mark.parametrize("number", [18456, 4060, 40613, 10928])
def test_a_server_that_refuses_the_login_is_given_up_soon(number: int, at: Callable[..., None], tmp_path: Path) -> None:
    with serving(tmp_path, lambda _: 0) as server:
        server.login = lambda: Fault(number, "Login failed.", severity=14)
        at(server.port)

        assert refused_in_time(asked(*_READS[0]))


def test_a_login_that_is_never_answered_is_given_up_soon(at: Callable[..., None], tmp_path: Path) -> None:
    def never() -> int:
        time.sleep(6)
        return 0

    with serving(tmp_path, lambda _: 0) as server:
        server.login = never
        at(server.port)

        assert refused_in_time(asked(*_READS[0]))


@pytest.mark.parametrize(("action", "body"), [("replay", b'{"ids":["ab12"]}'), ("ab12/discard", b'{"reason":"noise"}')])
def test_what_is_done_to_quarantined_events_is_refused_soon_too(
    action: str, body: bytes, at: Callable[..., None]
) -> None:
    with a_port(listens=True) as port:
        at(port)

        assert refused_in_time(asked("manage_quarantine", f"/api/v1/quarantine/{action}", "POST", body))


def test_an_identity_endpoint_that_never_answers_is_given_up_soon(
    at: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_port(listens=True) as identity, a_port(listens=False) as port:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{identity}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "x")
        at(port, user="")

        assert refused_in_time(asked(*_READS[0]))


class SlowCredential:
    """Hands out a token after some time, and knows how often it was asked."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.asked = 0

    def get_token(self, *_: str, **__: object) -> AccessToken:
        self.asked += 1
        time.sleep(self.seconds)
        return AccessToken("secret", 2_000_000_000)


def impatient(port: int, credential: SlowCredential) -> Engine:
    url = make_url(f"mssql+pyodbc://127.0.0.1:{port}/ledger?TrustServerCertificate=yes")
    return azure_sql_engine(url, connections=2, credential=lambda: credential, connect_seconds=1)


def test_a_token_that_came_too_late_serves_the_next_try(tmp_path: Path) -> None:
    credential = SlowCredential(1.5)
    with serving(tmp_path, lambda _: 0) as server:
        engine = impatient(server.port, credential)
        with pytest.raises(StoreUnavailableError, match=r"^no Entra token for the database: TimeoutError$"):
            ask(engine)

        ask(engine)

        assert credential.asked == 1
        engine.dispose()


class BrokenCredential(SlowCredential):
    def get_token(self, *_: str, **__: object) -> AccessToken:
        raise RuntimeError


def test_an_identity_library_that_breaks_is_told_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    told = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _: told.set())

    with pytest.raises(StoreUnavailableError, match=r"^no Entra token for the database: CancelledError$"):
        ask(impatient(1, BrokenCredential(0)))

    assert told.wait(5)


def test_the_time_of_the_token_is_taken_off_that_of_the_login() -> None:
    with a_port(listens=True) as port:
        engine = impatient(port, SlowCredential(0.8))
        began = time.monotonic()
        with pytest.raises(StoreUnavailableError):
            ask(engine)

        assert time.monotonic() - began < 2.5


def ask(engine: Engine) -> None:
    with reading(engine) as connection:
        connection.exec_driver_sql("select ledger")


def test_ingest_waits_longer_for_a_connection_than_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTLEDGER_DATABASE", "mssql+pyodbc://app:pass@127.0.0.1:1/ledger")

    settings = bootstrap.services().settings

    assert (settings.connect_seconds, settings.api_connect_seconds) == (15, 2)


def test_a_reading_that_cannot_be_recorded_on_sqlite_is_refused_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = new_sqlite(tmp_path)
    monkeypatch.setenv("PROMPTLEDGER_DATABASE", str(engine.url))
    services = bootstrap.services()
    # The ledger, and the file beside it that takes what the ledger cannot at once.
    writers = [sqlite3.connect(f"{engine.url.database}{suffix}", isolation_level=None) for suffix in ("", "-reads")]
    for writer in writers:
        writer.execute("begin immediate")
    began = time.monotonic()

    with pytest.raises(StoreUnavailableError):
        services.audit.record(Reader("ada", "content"), "call-1")

    assert time.monotonic() - began < _SECONDS
    for writer in writers:
        writer.close()
    services.close()
    engine.dispose()
