"""The namespace that a gateway's calls go to: what attach asks of it before it changes anything."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from .errors import ManagementError, RefusedError
from .gateway import Gateway
from .management import Answer, Management

__all__ = ["EventHubs", "Identity", "identity_of"]

_VERSION = "2024-01-01"
_ROLES_VERSION = "2022-04-01"
_ROLES = json.loads((Path(__file__).parents[2] / "roles.json").read_text(encoding="utf-8"))
_SENDER = _ROLES["eventHubsDataSender"]["id"]
_OWNER = "f526a384-b230-433a-b45c-95f59c4a2dec"
"""Azure Event Hubs Data Owner, which sends too."""


class Identity(NamedTuple):
    """One of a gateway's identities."""

    client_id: str
    """As a logger names it: `SystemAssigned` for the gateway's own."""
    principal_id: str
    """Its object id in Entra."""


def identity_of(service: Answer, name: str) -> Identity:
    """Return the identity that is to send: the one that is asked for, or the only one.

    Raises:
        RefusedError: there is no such identity, or more than one.
    """
    members = service.body.get("identity") or {}
    found = {}
    if members.get("principalId"):
        found["system"] = Identity("SystemAssigned", members["principalId"])
    for one in (members.get("userAssignedIdentities") or {}).values():
        if one.get("clientId") and one.get("principalId"):
            found[one["clientId"].lower()] = Identity(one["clientId"], one["principalId"])
    names = ", ".join(found) or "none"
    if name:
        if name.lower() not in found:
            raise RefusedError(f"the gateway has no identity {name}; it has: {names}")
        return found[name.lower()]
    if not found:
        raise RefusedError(
            "the gateway has no identity: give it one by `az apim update --enable-managed-identity true`"
        )
    if len(found) > 1:
        raise RefusedError(f"the gateway has several identities ({names}): say which one sends, by --identity")
    return next(iter(found.values()))


class EventHubs:
    """One namespace with its two hubs."""

    def __init__(self, management: Management, path: str, *, hub: str, monitor_hub: str, rule: str) -> None:
        """Read it.

        Raises:
            RefusedError: it, a hub or the rule is not there.
        """
        self._management, self._path = management, path
        self.rule = f"{path}/authorizationRules/{rule}"
        self._hub = f"{path}/eventhubs/{hub}"
        namespace = self._there(path, "namespace")
        self._there(self._hub, "hub of the policy's events")
        self._there(f"{path}/eventhubs/{monitor_hub}", "hub of the logs")
        self._there(self.rule, "rule that diagnostic settings name")
        self._properties = namespace.properties
        self._location = str(namespace.body.get("location", ""))
        self.host = (
            str(self._properties.get("serviceBusEndpoint", "")).removeprefix("https://").partition(":")[0].rstrip("/")
        )

    def _there(self, path: str, what: str) -> Answer:
        found = self._management.get(path, _VERSION)
        if found is None:
            raise RefusedError(f"the {what} is not there: {path}")
        return found

    def check_region(self, gateway: Gateway) -> None:
        """Refuse to send logs to another region: diagnostic settings cannot."""
        region = str(gateway.service.body.get("location", ""))
        if _plain(region) != _plain(self._location):
            raise RefusedError(
                f"the gateway is in {region} and the namespace in {self._location}: diagnostic settings stream within "
                "a region alone. Take a namespace there, or --without-logs, and do without the texts of streams"
            )

    def check_sender(self, identity: Identity) -> list[str]:
        """Refuse an identity that may not send: API Management would tell nobody that it cannot; return notes.

        Raises:
            RefusedError: it has no role that sends, with the command that gives it one.
        """
        query = {"$filter": f"assignedTo('{identity.principal_id}')"}
        command = (
            f"az role assignment create --assignee-object-id {identity.principal_id} "
            f'--assignee-principal-type ServicePrincipal --role "Azure Event Hubs Data Sender" --scope {self._hub}'
        )
        try:
            place = f"{self._hub}/providers/Microsoft.Authorization/roleAssignments"
            found = list(self._management.pages(place, _ROLES_VERSION, **query))
        except ManagementError as error:
            if error.status != 403:
                raise
            return [f"you may not see who sends to the hub; the gateway's identity needs a role there: {command}"]
        roles = {_role(one) for one in found}
        if not roles & {_SENDER, _OWNER}:
            raise RefusedError(
                f"the gateway's identity may not send to the hub. Give it the role, and wait ten minutes: {command}"
            )
        return []

    def notes(self) -> list[str]:
        """Return what has to be looked at after the first call."""
        notes = []
        if self._properties.get("publicNetworkAccess") == "Disabled":
            notes.append(
                "the namespace is closed to the public: the gateway must reach it through its network (docs/attach.md)"
            )
        if self._properties.get("disableLocalAuth"):
            notes.append(
                "the namespace takes no keys: some clouds' diagnostic settings need them; see whether logs arrive"
            )
        return notes


def _role(assignment: dict[str, Any]) -> str:
    return str(assignment.get("properties", {}).get("roleDefinitionId", "")).rpartition("/")[2].lower()


def _plain(location: str) -> str:
    return location.replace(" ", "").lower()
