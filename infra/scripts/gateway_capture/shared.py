"""What all attached APIs of a gateway share: values, loggers, fragments, and where its logs go."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from .errors import RefusedError
from .gateway import VERSION, Gateway
from .management import Answer

__all__ = [
    "LOGGER",
    "MONITOR_LOGGER",
    "SETTINGS_VERSION",
    "Ledger",
    "Resource",
    "action",
    "ours",
    "resources",
    "whose_logger",
]

LOGGER = "promptledger"
MONITOR_LOGGER = "azuremonitor"
SETTINGS_VERSION = "2021-05-01-preview"
_MADE = "PromptLedger attach"
"""How descriptions begin of what attach made; named values have it as a tag."""
_TAG = "promptledger-attach"
_FRAGMENTS = Path(__file__).parents[2] / "policies" / "fragments"
_DESCRIPTIONS = {
    "capture-request": "the request part",
    "capture-response": "the response part",
    "capture-error": "the error part",
}


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where a gateway's calls go, and as whom it sends them."""

    host: str
    """Of the Event Hubs namespace."""
    hub: str
    monitor_hub: str
    rule: str
    """Resource id of the rule that diagnostic settings name; empty: no logs are sent."""
    identity: str
    """Client id of the gateway's identity, or `SystemAssigned`."""
    calls_per_minute: int = 600
    container: str = ""
    """Address of the container for claim checks; empty: none are made."""

    def named_values(self) -> dict[str, str]:
        """Return the values that the capture fragments name."""
        account, _, container = self.container.rstrip("/").rpartition("/")
        return {
            "promptledger-logger": LOGGER,
            "capture-calls-per-minute": str(self.calls_per_minute),
            "capture-claim-check": "true" if self.container else "false",
            # A value cannot be empty. Where no claim check is made, nothing reads these.
            "content-account": account or "none",
            "content-container": container or "none",
            "gateway-client-id": "none" if self.identity == "SystemAssigned" else self.identity,
        }


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource that attach makes, and how it knows it."""

    kind: str
    name: str
    path: str
    version: str
    properties: dict[str, Any]
    same: Callable[[dict[str, Any]], bool]
    """Whether properties that are there do what ours would."""
    ours: Callable[[dict[str, Any]], bool]
    """Whether properties that are there are of attach's making."""
    reads: tuple[tuple[str, str], ...] = ()
    """What is asked for when it is read."""

    @property
    def title(self) -> str:
        """How people name it."""
        return f"{self.kind} {self.name}"

    def read(self, gateway: Gateway) -> Answer | None:
        """Return it as it is, None if it is not there."""
        return gateway.management.get(self.path, self.version, **dict(self.reads))


def ours(properties: dict[str, Any]) -> bool:
    """Say whether attach made it."""
    description = str(properties.get("description") or "")
    return description.startswith(_MADE) or _TAG in (properties.get("tags") or [])


def action(resource: Resource, found: Answer | None) -> str:
    """Return what is to be done: `make`, `update`, or nothing.

    Raises:
        RefusedError: the name is taken by something else.
    """
    if found is None:
        return "make"
    if resource.same(found.properties):
        return ""
    if resource.ours(found.properties):
        return "update"
    raise RefusedError(f"the {resource.title} is there already, is not what capture needs, and attach did not make it")


def resources(gateway: Gateway, ledger: Ledger) -> Iterator[Resource]:
    """Yield what is needed, in the order in which it is made."""
    for name, value in ledger.named_values().items():
        yield _named_value(gateway, name, value)
    yield _event_logger(gateway, ledger)
    for name in _DESCRIPTIONS:
        yield _fragment(gateway, name)
    if ledger.rule:
        yield _monitor_logger(gateway)
        yield _setting(gateway, ledger)


def _named_value(gateway: Gateway, name: str, value: str) -> Resource:
    properties = {"displayName": name, "value": value, "secret": False, "tags": [_TAG]}

    def same(found: dict[str, Any]) -> bool:
        return bool(found.get("value") == value and found.get("displayName") == name and not found.get("secret"))

    # Policies name a value by its display name, whatever its id is.
    path = f"{gateway.path}/namedValues/{gateway.named_values.get(name, name)}"
    return Resource("named value", name, path, VERSION, properties, same, ours)


def _event_logger(gateway: Gateway, ledger: Ledger) -> Resource:
    description = f"{_MADE}: {ledger.hub} of {ledger.host} as {ledger.identity}"
    credentials = {"name": ledger.hub, "endpointAddress": ledger.host, "identityClientId": ledger.identity}
    properties = {
        "loggerType": "azureEventHub",
        "description": description,
        "isBuffered": True,
        "credentials": credentials,
    }

    # What API Management answers of credentials is not what it was given: of ours, the description tells.
    def same(found: dict[str, Any]) -> bool:
        returned = found.get("credentials") or {}
        alike = all(str(returned.get(name, "")).lower() == value.lower() for name, value in credentials.items())
        return found.get("description") == description or (alike and not ours(found))

    return Resource("logger", LOGGER, f"{gateway.path}/loggers/{LOGGER}", VERSION, properties, same, ours)


def whose_logger(properties: dict[str, Any]) -> str:
    """Return the host of the namespace that a logger of ours sends to."""
    return str(properties.get("description", "")).partition(" of ")[2].partition(" as ")[0]


def _fragment(gateway: Gateway, name: str) -> Resource:
    text = (_FRAGMENTS / f"{name}.xml").read_text(encoding="utf-8")
    properties = {"description": f"{_MADE}: {_DESCRIPTIONS[name]}.", "format": "xml", "value": text}

    def same(found: dict[str, Any]) -> bool:
        return _alike(str(found.get("value", "")), text)

    path = f"{gateway.path}/policyFragments/{name}"
    return Resource("fragment", name, path, VERSION, properties, same, ours, (("format", "xml"),))


def _alike(one: str, other: str) -> bool:
    """Say whether two documents mean the same: API Management writes them anew, with blanks of its own."""
    whole = one if "<fragment" in one else f"<fragment>{one}</fragment>"
    try:
        return _meaning(ET.fromstring(whole)) == _meaning(ET.fromstring(other))  # noqa: S314 - API Management wrote it
    except ET.ParseError:
        return False


def _meaning(element: ET.Element) -> tuple[object, ...]:
    attributes = sorted((name, " ".join(value.split())) for name, value in element.attrib.items())
    return element.tag, attributes, " ".join((element.text or "").split()), [_meaning(child) for child in element]


def _monitor_logger(gateway: Gateway) -> Resource:
    properties = {
        "loggerType": "azureMonitor",
        "description": f"{_MADE}: Azure Monitor, where diagnostic settings say.",
        "isBuffered": True,
    }

    def same(found: dict[str, Any]) -> bool:
        return found.get("loggerType") == "azureMonitor"

    return Resource(
        "logger", MONITOR_LOGGER, f"{gateway.path}/loggers/{MONITOR_LOGGER}", VERSION, properties, same, ours
    )


def _setting(gateway: Gateway, ledger: Ledger) -> Resource:
    categories = ("GatewayLogs", "GatewayLlmLogs")
    properties = {
        "eventHubAuthorizationRuleId": ledger.rule,
        "eventHubName": ledger.monitor_hub,
        "logs": [{"category": name, "enabled": True} for name in categories],
    }
    namespace = ledger.rule.lower().partition("/authorizationrules/")[0]

    def mine(found: dict[str, Any]) -> bool:
        return str(found.get("eventHubAuthorizationRuleId", "")).lower().startswith(namespace + "/")

    def same(found: dict[str, Any]) -> bool:
        on = {one.get("category") for one in found.get("logs", []) if one.get("enabled")}
        all_of_it = any(one.get("categoryGroup") == "allLogs" and one.get("enabled") for one in found.get("logs", []))
        streams = mine(found) and str(found.get("eventHubName", "")).lower() == ledger.monitor_hub.lower()
        return streams and (all_of_it or on >= set(categories))

    path = f"{gateway.path}/providers/Microsoft.Insights/diagnosticSettings/{LOGGER}"
    return Resource("diagnostic setting", LOGGER, path, SETTINGS_VERSION, properties, same, mine)
