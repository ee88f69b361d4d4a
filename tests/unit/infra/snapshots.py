"""What each file of parameters would deploy, as Bicep's compiler evaluates it."""

import fcntl
import hashlib
import json
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from tests.unit.infra.templates import INFRA

__all__ = [
    "MODELS",
    "NAMES",
    "NEEDS_COMPILER",
    "Snapshot",
    "deployed_models",
    "doors",
    "has_compiler",
    "named_doors",
    "providers",
    "snapshot",
]

ROOT = INFRA.parent
MODELS: dict[str, Any] = json.loads((INFRA / "models.json").read_text(encoding="utf-8"))
NAMES = sorted(path.stem for path in INFRA.rglob("*.bicepparam"))
"""Every file of parameters, by its name without `.bicepparam`."""
_CACHE = ROOT / "build" / "snapshots"
_COMPILE = ROOT / ".ci" / "compile-templates"
# Snapshots are made for no cloud; the names of the public one stand in for it.
_CLOUD = {
    "environment().suffixes.storage": "'core.windows.net'",
    "environment().suffixes.sqlServerHostname": "'.database.windows.net'",
    "environment().authentication.loginEndpoint": "'https://login.microsoftonline.com/'",
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The resources that one file of parameters deploys."""

    name: str
    resources: list[dict[str, Any]]
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def ids(self) -> set[str]:
        """Return the id of each resource, in lower case."""
        return {str(one["id"]).lower() for one in self.resources}

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Return the resources of a type, however it spells its capitals."""
        return [one for one in self.resources if one["type"].lower() == kind.lower()]

    def at(self, identifier: str) -> dict[str, Any]:
        """Return the resource of an id."""
        return next(one for one in self.resources if str(one["id"]).lower() == identifier.lower())

    def counted(self) -> Counter[str]:
        """Return how many resources there are by type; what stands within another is counted there as `TYPE/`."""
        return Counter(_top(one["type"]) + ("/" if one["type"].count("/") > 1 else "") for one in self.resources)


def has_compiler() -> bool:
    """Tell whether there is a Bicep compiler here."""
    found = subprocess.run([ROOT / ".ci" / "find-bicep"], capture_output=True, check=False)
    return found.returncode == 0


NEEDS_COMPILER = [
    pytest.mark.slow,
    pytest.mark.skipif(not has_compiler(), reason="no Bicep compiler here: BICEP=/path/to/bicep, or bicep on PATH"),
]
"""What tests that ask snapshots are marked with."""


@cache
def snapshot(name: str) -> Snapshot:
    """Return what a file of parameters deploys, compiled once for the same templates.

    Raises:
        AssertionError: the compiler refuses a template or a file of parameters, or cannot evaluate it.
    """
    folder = _CACHE / _digest()
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            for older in _CACHE.glob("*/"):
                shutil.rmtree(older)
            made = _CACHE / "made"
            done = subprocess.run([_COMPILE, made], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            made.rename(folder)
        content = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    assert content["diagnostics"] == [], f"{name} cannot be evaluated: {content['diagnostics']}"
    outputs = _plain(content["outputs"])
    return Snapshot(name, [_plain(one) for one in content["predictedResources"]], outputs)


def _digest() -> str:
    files = [_COMPILE, *(path for folder in (INFRA, ROOT / "sql" / "kql") for path in folder.rglob("*"))]
    said = hashlib.sha256()
    for path in sorted(path for path in files if path.is_file()):
        said.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return said.hexdigest()[:20]


def _plain(value: Any) -> Any:
    """Return a value of a snapshot with what depends on the cloud alone written out."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not (isinstance(value, str) and value.startswith("[")):
        return value
    for expression, literal in _CLOUD.items():
        value = value.replace(expression, literal)
    before = ""
    while before != value:
        before = value
        value = re.sub(r"format\('((?:[^'{}]|\{\d\})*)'((?:, '[^']*')+)\)", _formatted, value)
        value = re.sub(
            r"resourceId\('([^']*)', '([^']*)', '([^']*)', '([^']*)'\)",
            r"'/subscriptions/\1/resourceGroups/\2/providers/\3/\4'",
            value,
        )
    return value[2:-2] if re.fullmatch(r"\['[^']*'\]", value) else value


def _formatted(found: re.Match[str]) -> str:
    return "'" + found[1].format(*re.findall(r"'([^']*)'", found[2])) + "'"


def _top(kind: str) -> str:
    return "/".join(kind.split("/")[:2]).replace("microsoft.insights", "Microsoft.Insights")


def deployed_models(shot: Snapshot) -> list[tuple[str, str, str, str]]:
    """Return model, version, SKU and region of each deployment of a model."""
    return [
        (
            one["properties"]["model"]["name"],
            one["properties"]["model"]["version"],
            one["sku"]["name"],
            shot.at(str(one["id"]).rpartition("/deployments/")[0])["location"],
        )
        for one in shot.all("Microsoft.CognitiveServices/accounts/deployments")
    ]


def providers(shot: Snapshot) -> set[str]:
    """Return the resource providers that a deployment needs: of its resources, and of what subnets are delegated to.

    Every subscription has that of roles.
    """
    delegations = re.findall(r'"serviceName": "([\w.]+)/', json.dumps(shot.resources))
    found = {one["type"].partition("/")[0] for one in shot.resources} | set(delegations)
    return {name.replace("microsoft.insights", "Microsoft.Insights") for name in found} - {"Microsoft.Authorization"}


def doors(shot: Snapshot) -> set[str]:
    """Return the types of what can be called from outside the network, whoever may sign in there."""
    return {_top(one["type"]) for one in shot.resources if _is_open(one)}


def named_doors(name: str) -> dict[str, str]:
    """Return the doors that a file of parameters names, each with its reason: `// Public door: TYPE: why`."""
    (path,) = INFRA.rglob(f"{name}.bicepparam")
    return dict(re.findall(r"^// Public door: ([\w./]+): (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE))


_CLOSABLE = {
    "Microsoft.ApiManagement/service",
    "Microsoft.CognitiveServices/accounts",
    "Microsoft.DocumentDB/databaseAccounts",
    "Microsoft.EventHub/namespaces",
    "Microsoft.EventHub/namespaces/networkRuleSets",
    "Microsoft.KeyVault/vaults",
    "Microsoft.Kusto/clusters",
    "Microsoft.Sql/servers",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.Web/sites",
}
"""Types that are open unless they say that they are not."""


def _is_open(one: dict[str, Any]) -> bool:
    kind, properties = one["type"], one.get("properties") or {}
    if kind in _CLOSABLE and properties.get("publicNetworkAccess") not in ("Disabled", "SecuredByPerimeter"):
        return True
    if kind in ("Microsoft.Network/publicIPAddresses", "Microsoft.Sql/servers/firewallRules"):
        return True
    if "Enabled" in (properties.get("publicNetworkAccessForIngestion"), properties.get("publicNetworkAccessForQuery")):
        return True
    return any(
        rule["properties"]["access"] == "Allow"
        and rule["properties"]["direction"] == "Inbound"
        and rule["properties"].get("sourceAddressPrefix") not in _INSIDE
        for rule in properties.get("securityRules", [])
    )


_INSIDE = {"VirtualNetwork", "AzureLoadBalancer", "GatewayManager", "ApiManagement"}
"""Where rules may let in from without being a door to the public: the network, and what manages it."""
