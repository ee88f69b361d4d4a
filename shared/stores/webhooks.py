"""Webhooks: alerts as messages of Teams, of Slack, or as plain JSON, signed, over HTTPS.

No redirect is ever followed: where an answer points is nobody's to choose but the operator's.
"""

import hashlib
import hmac
import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from shared.errors import WebhookError
from shared.stores.budget_ports import Alert

__all__ = ["FORMATS", "HttpWebhook", "message_of"]

_SECONDS: Final = 10
_MOST_ANSWER: Final = 1024


class HttpWebhook:
    """`shared.stores.budget_ports.Webhook` that posts to a URL."""

    def __init__(self, form: str, url: str, key: str, *, clock: Callable[[], float] = time.time) -> None:
        """Post to `url`, in one of `FORMATS`; sign with `key`, unless it is empty."""
        self._form = form
        self._url = urlsplit(url)
        self._key = key.encode()
        self._clock = clock
        # By a digest too: two channels of one host are two webhooks.
        self.name = f"{form} {self._url.hostname or ''}"[:54] + f" {hashlib.sha256(url.encode()).hexdigest()[:8]}"

    def send(self, alert: Alert) -> str:
        """Tell it of an alert; see the port."""
        body = orjson.dumps(FORMATS[self._form](alert))
        headers = {"Content-Type": "application/json", "User-Agent": "PromptLedger", "X-PromptLedger-Id": alert.id}
        if self._key:
            headers["X-PromptLedger-Signature"] = self._signature(body)
        connection = self._connection()
        try:
            path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            response.read(_MOST_ANSWER)
        except (OSError, http.client.HTTPException) as error:
            # Not the error's own text, which may quote the address.
            raise WebhookError(type(error).__name__) from None
        finally:
            connection.close()
        if not 200 <= response.status < 300:
            raise WebhookError(f"status {response.status}")
        return f"status {response.status}"

    def _signature(self, body: bytes) -> str:
        """Return when, and HMAC-SHA256 of that and the body: an old message cannot be sent anew as another."""
        moment = str(int(self._clock()))
        signed = hmac.new(self._key, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={moment},v1={signed}"

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=ssl.create_default_context())
        return http.client.HTTPConnection(host, port, timeout=_SECONDS)


def message_of(alert: Alert) -> str:
    """Return an alert in one sentence."""
    detail = orjson.loads(alert.detail)
    budget = detail["budget"]
    unit = budget["currency"] or "tokens"
    of = budget["target"] + (f" {budget['value']}" if budget["value"] else "")
    head = f"{budget['name']} ({of}, {budget['period']})"
    used = f"{_number(alert.used)} {unit}"
    match alert.kind:
        case "threshold":
            return f"{head}: {alert.threshold}% reached, {used} of {_number(budget['amount'])} {unit} used"
        case "forecast":
            ahead, limit = _number(detail["forecast"]), _number(budget["amount"])
            return f"{head}: {used} used, and {ahead} of {limit} {unit} expected at the period's end"
        case _:
            hour, usual = detail["hour"], _number(detail["usual"])
            return f"{head}: {used} in the hour from {hour}, where {usual} {unit} is usual"


def _number(value: Decimal | str) -> str:
    return f"{Decimal(value):,.2f}".removesuffix(".00")


def _json(alert: Alert) -> Mapping[str, Any]:
    return {
        "id": alert.id,
        "raisedAt": alert.raised_at,
        "kind": alert.kind,
        "threshold": alert.threshold,
        "budgetId": alert.budget_id,
        "periodStart": alert.period_start,
        "used": f"{alert.used:f}",
        **orjson.loads(alert.detail),
        "text": message_of(alert),
    }


def _slack(alert: Alert) -> Mapping[str, Any]:
    """Return a message of Slack: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks."""
    text = message_of(alert).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": text, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]}


def _teams(alert: Alert) -> Mapping[str, Any]:
    """Return an adaptive card, as the workflows of Teams take it.

    Source: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
    """
    block = {"type": "TextBlock", "wrap": True}
    # A card reads Markdown: a name must not become a link.
    text = "".join(f"\\{letter}" if letter in "\\`*_[]()#!|<>" else letter for letter in message_of(alert))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [block | {"text": f"PromptLedger: {alert.kind}", "weight": "Bolder"}, block | {"text": text}],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


FORMATS: Final[Mapping[str, Callable[[Alert], Mapping[str, Any]]]] = {"json": _json, "slack": _slack, "teams": _teams}
"""How alerts are written."""
