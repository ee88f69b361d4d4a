"""What a webhook receives, over HTTP to a server on this machine."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shared.errors import WebhookError
from shared.stores.budget_ports import Alert
from shared.stores.webhooks import FORMATS, HttpWebhook, message_of

_BUDGET = {
    "name": "Team <Red> & *Co*", "target": "team", "value": "red", "period": "month", "measure": "money",
    "amount": "1000", "currency": "USD",
}  # fmt: skip


def an_alert(kind: str = "threshold", **detail: str) -> Alert:
    return Alert(
        id="red 2026-03-01T00 threshold 80",
        raised_at="2026-03-11T12:00:00.000Z",
        budget_id="red",
        kind=kind,
        threshold=80 if kind == "threshold" else None,
        period_start="2026-03-01T00:00:00.000Z",
        used=Decimal("801.5"),
        detail=json.dumps({"budget": _BUDGET, **detail}),
    )


@dataclass
class Server:
    """Takes what is posted, and answers what it is told to."""

    url: str = ""
    status: int = 202
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.requests.append((self.path, dict(self.headers), body))
            self.send_response(state.status)
            for name, value in {"Content-Length": "0", **state.headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    state.url = f"http://127.0.0.1:{listening.server_port}/hook?token=secret"
    yield state
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.mark.parametrize("form", FORMATS)
def test_an_alert_arrives_with_its_id_and_a_signature_of_its_body(server: Server, form: str) -> None:
    result = HttpWebhook(form, server.url, "key", clock=lambda: 1_773_230_400.9).send(an_alert())

    ((path, headers, body),) = server.requests
    signed = hmac.new(b"key", b"1773230400." + body, hashlib.sha256).hexdigest()
    assert (result, path) == ("status 202", "/hook?token=secret")
    assert headers["X-PromptLedger-Id"] == "red 2026-03-01T00 threshold 80"
    assert headers["X-PromptLedger-Signature"] == f"t=1773230400,v1={signed}"
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == FORMATS[form](an_alert())


def test_without_a_key_nothing_is_signed(server: Server) -> None:
    HttpWebhook("json", server.url, "").send(an_alert())

    assert "X-PromptLedger-Signature" not in server.requests[0][1]


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 429, 500, 503])
def test_any_answer_but_a_success_is_a_failure_and_no_redirect_is_followed(server: Server, status: int) -> None:
    server.status, server.headers = status, {"Location": server.url}

    with pytest.raises(WebhookError, match=f"^status {status}$"):
        HttpWebhook("json", server.url, "").send(an_alert())

    assert len(server.requests) == 1


def test_a_server_that_is_not_there_is_a_failure_that_does_not_tell_the_address() -> None:
    with pytest.raises(WebhookError, match=r"^ConnectionRefusedError$"):
        HttpWebhook("json", "http://127.0.0.1:1/secret", "").send(an_alert())


def test_https_wants_a_certificate_that_holds(server: Server) -> None:
    with pytest.raises(WebhookError, match=r"^SSL"):
        HttpWebhook("json", server.url.replace("http:", "https:"), "").send(an_alert())


def test_a_webhook_is_named_without_its_address_and_two_of_one_host_apart() -> None:
    one, other = (HttpWebhook("slack", f"https://hooks.slack.com/services/{name}", "") for name in ("secret", "more"))

    assert one.name.startswith("slack hooks.slack.com ")
    assert "secret" not in one.name
    assert one.name != other.name
    assert len(HttpWebhook("json", f"https://{'a' * 60}.{'b' * 60}.example", "").name) <= 64


def test_each_kind_of_alert_is_one_sentence() -> None:
    head = "Team <Red> & *Co* (team red, month)"

    assert message_of(an_alert()) == f"{head}: 80% reached, 801.50 USD of 1,000 USD used"
    assert message_of(an_alert("forecast", forecast="1200.126", method="last-7-days")) == (
        f"{head}: 801.50 USD used, and 1,200.13 of 1,000 USD expected at the period's end"
    )
    anomaly = an_alert("anomaly", hour="2026-03-11T11:00:00.000Z", usual="3", limit="9")
    assert message_of(anomaly) == f"{head}: 801.50 USD in the hour from 2026-03-11T11:00:00.000Z, where 3 USD is usual"


def test_names_are_no_markup_in_slack_and_teams() -> None:
    slack: Any = FORMATS["slack"](an_alert())
    teams: Any = FORMATS["teams"](an_alert())

    assert "Team &lt;Red&gt; &amp; *Co*" in slack["text"]
    (attachment,) = teams["attachments"]
    assert teams["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["type"] == "AdaptiveCard"
    assert attachment["content"]["body"][1]["text"].startswith(r"Team \<Red\> & \*Co\* \(team red, month\)")
