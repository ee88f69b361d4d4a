"""An API Management as it stands: its APIs, their policies, and all that runs around them."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .document import Element, read_policy
from .errors import ChangedError, NotUnderstoodError, RefusedError
from .management import Answer, Management
from .surroundings import FRAGMENTS, Scope, Surroundings

__all__ = ["LOGS_VERSION", "VERSION", "Api", "Gateway", "Policy"]

VERSION = "2024-05-01"
LOGS_VERSION = "2024-06-01-preview"
"""Of diagnostics: what models are asked and answer is part of the preview alone."""
_KINDS = {"http", "soap", "odata", ""}


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document as API Management gives it, and its entity tag."""

    text: str
    etag: str


@dataclass(frozen=True, slots=True)
class Api:
    """One API in its current revision."""

    name: str
    path: str
    """Its resource id, below which policies and diagnostics are."""
    kind: str
    needs_subscription: bool


class Gateway:
    """One API Management, read as it is asked."""

    def __init__(self, management: Management, path: str) -> None:
        """Take the resource id of the service."""
        self.management, self.path = management, path

    @cached_property
    def service(self) -> Answer:
        """The service itself.

        Raises:
            RefusedError: there is none, or its tier keeps no logs.
        """
        found = self.management.get(self.path, VERSION)
        if found is None:
            raise RefusedError(f"there is no API Management {self.path}")
        if found.body.get("sku", {}).get("name") == "Consumption":
            raise RefusedError(
                "the tier Consumption has neither resource logs nor a cache of its own: capture needs both"
            )
        return found

    @cached_property
    def apis(self) -> dict[str, Api]:
        """All APIs in their current revision, by name."""
        found = {}
        for item in self.management.pages(f"{self.path}/apis", VERSION):
            properties = item.get("properties", {})
            if properties.get("isCurrent", True) and ";rev=" not in item["name"]:
                found[item["name"]] = Api(
                    item["name"],
                    f"{self.path}/apis/{item['name']}",
                    str(properties.get("type") or properties.get("apiType") or ""),
                    properties.get("subscriptionRequired", True) is not False,
                )
        return found

    def chosen(self, names: Iterable[str]) -> list[Api]:
        """Return the APIs of these names.

        Raises:
            RefusedError: there is none of that name, or it is of a kind whose calls no policy sees.
        """
        chosen = []
        for name in dict.fromkeys(names):
            if name not in self.apis:
                names = ", ".join(sorted(self.apis)) or "none"
                raise RefusedError(f"there is no API {name}; there are: {names}")
            if self.apis[name].kind.lower() not in _KINDS:
                raise RefusedError(f"{name} is an API of type {self.apis[name].kind}: capture reads plain HTTP alone")
            chosen.append(self.apis[name])
        return chosen

    def policy(self, path: str) -> Policy | None:
        """Return the policy of a service, product, API or operation; None if it has none."""
        found = self.management.get(f"{path}/policies/policy", VERSION, format="rawxml")
        return None if found is None else Policy(str(found.properties.get("value", "")), found.etag)

    def write_policy(self, path: str, before: Policy | None, text: str | None) -> str | None:
        """Replace a policy that is still what it was, delete it if `text` is None; return what is there now.

        Raises:
            ChangedError: somebody changed it since it was read.
        """
        place = f"{path}/policies/policy"
        if before is None and self.policy(path) is not None:
            raise ChangedError("there is a policy by now")
        try:
            if text is None:
                self.management.delete(place, VERSION, etag=before.etag if before else "*")
                return None
            body = {"properties": {"format": "rawxml", "value": text}}
            self.management.put(place, VERSION, body, etag=before.etag if before else "")
        except ChangedError:
            # An answer that was lost on its way looks the same: what counts is what is there.
            now = self.policy(path)
            if now is None or text is None or now.text.split() != text.split():
                raise
        now = self.policy(path)
        return None if now is None else now.text

    @cached_property
    def fragments(self) -> dict[str, Element]:
        """The service's fragments but ours, by id: those that can be read."""
        found = {}
        for item in self.management.pages(f"{self.path}/policyFragments", VERSION):
            name = item["name"]
            if name not in FRAGMENTS:
                answer = self.management.get(f"{self.path}/policyFragments/{name}", VERSION, format="rawxml")
                text = "" if answer is None else str(answer.properties.get("value", ""))
                whole = text if "<fragment" in text else f"<fragment>{text}</fragment>"
                # One that cannot be read matters where it is included alone: attach refuses it there.
                with suppress(NotUnderstoodError):
                    found[name] = read_policy(whole, "fragment")
        return found

    @cached_property
    def named_values(self) -> dict[str, str]:
        """The ids of named values by display name, which is what policies name."""
        values = self.management.pages(f"{self.path}/namedValues", VERSION)
        return {item.get("properties", {}).get("displayName", ""): item["name"] for item in values}

    @cached_property
    def _global(self) -> list[Scope]:
        found = self.policy(self.path)
        return [] if found is None else [Scope("the policy of all APIs", _read(found.text, "the policy of all APIs"))]

    def around(self, api: Api) -> Surroundings:
        """Return what else runs for the calls of an API."""
        products = list(self.management.pages(f"{api.path}/products", VERSION))
        parents = [*self._global, *self._scopes("the product", f"{self.path}/products", products)]
        operations = list(self.management.pages(f"{api.path}/operations", VERSION))
        open_door = any(one.get("properties", {}).get("subscriptionRequired") is False for one in products)
        return Surroundings(
            parents,
            self._scopes("the operation", f"{api.path}/operations", operations),
            self.fragments,
            api.needs_subscription and not open_door,
        )

    def _scopes(self, kind: str, path: str, items: list[dict[str, Any]]) -> list[Scope]:
        found = []
        for item in items:
            policy = self.policy(f"{path}/{item['name']}")
            if policy is not None:
                name = f"{kind} {item['name']}"
                found.append(Scope(name, _read(policy.text, name)))
        return found


def _read(text: str, name: str) -> Element:
    try:
        return read_policy(text)
    except NotUnderstoodError as error:
        raise NotUnderstoodError(f"{name}: {error}") from error
