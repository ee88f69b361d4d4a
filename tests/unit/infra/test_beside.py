"""What the profile beside a gateway deploys, as the compiler evaluates it: no gateway, and no door for all."""

import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.unit.infra.templates import INFRA

ROOT = INFRA.parent
ID = "11111111-1111-4111-8111-111111111111"
NAMESPACE = f"/subscriptions/{ID}/resourceGroups/events/providers/Microsoft.EventHub/namespaces/ours"
WORKSPACE = f"/subscriptions/{ID}/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/ours"
Resources = list[dict[str, Any]]


@cache
def compiler() -> str:
    found = subprocess.run([ROOT / ".ci" / "find-bicep"], capture_output=True, text=True, check=False)
    return found.stdout.strip()


@cache
def evaluated(values: frozenset[tuple[str, str]], replaced: tuple[str, str] = ("", "")) -> tuple[str, str]:
    """Return the snapshot of the profile, and what the compiler said, with values of an azd environment."""
    with TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(INFRA, copy / "infra")
        shutil.copytree(ROOT / "sql" / "kql", copy / "sql" / "kql")
        profile = copy / "infra" / "profiles" / "beside.bicepparam"
        profile.write_text(profile.read_text(encoding="utf-8").replace(*replaced), encoding="utf-8")
        where = ["--subscription-id", ID, "--resource-group", "rg", "--tenant-id", ID, "--location", "swedencentral"]
        done = subprocess.run(
            [compiler(), "snapshot", str(profile), "--mode", "overwrite", *where],
            env=os.environ
            | {"ALERT_MAIL_ADDRESSES": "a@example.com", "SQL_ADMINISTRATORS_OBJECT_ID": ID}
            | dict(values),
            capture_output=True,
            text=True,
            check=False,
        )
        snapshot = profile.with_suffix(".snapshot.json")
        return snapshot.read_text(encoding="utf-8") if snapshot.exists() else "", done.stdout + done.stderr


def deployed(**values: str) -> Resources:
    snapshot, said = evaluated(frozenset(values.items()))
    assert snapshot, said
    content = json.loads(snapshot)
    assert content["diagnostics"] == []
    found: Resources = content["predictedResources"]
    return found


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not compiler(), reason="no Bicep compiler on this machine"),
]


def of(resources: Resources, kind: str) -> Resources:
    return [one for one in resources if one["type"].lower() == kind.lower()]


def test_it_has_no_gateway_no_models_and_nothing_that_costs_much() -> None:
    kinds = {one["type"] for one in deployed()}

    dear = ("ApiManagement", "CognitiveServices", "DocumentDB", "KeyVault", "Kusto", "privateEndpoints", "publicIP")
    assert [kind for kind in kinds for word in dear if word in kind] == []


def test_whoever_is_not_named_finds_every_door_shut() -> None:
    found = deployed()

    functions = "/subnets/functions"
    for one in of(found, "Microsoft.Storage/storageAccounts"):
        rules = one["properties"]["networkAcls"]
        assert rules["defaultAction"] == "Deny"
        assert [rule["id"].endswith(functions) for rule in rules["virtualNetworkRules"]] == [True]
    (hubs,) = of(found, "Microsoft.EventHub/namespaces/networkRuleSets")
    assert (hubs["properties"]["defaultAction"], hubs["properties"]["ipRules"]) == ("Deny", [])
    assert [one["subnet"]["id"].endswith(functions) for one in hubs["properties"]["virtualNetworkRules"]] == [True]
    (app,) = of(found, "Microsoft.Web/sites")
    site = app["properties"]["siteConfig"]
    assert (site["ipSecurityRestrictionsDefaultAction"], site["ipSecurityRestrictions"]) == ("Deny", [])
    assert (site["scmIpSecurityRestrictionsDefaultAction"], site["scmIpSecurityRestrictionsUseMain"]) == ("Deny", True)
    (ledger,) = of(found, "Microsoft.Sql/servers/virtualNetworkRules")
    assert ledger["properties"]["virtualNetworkSubnetId"].endswith(functions)
    assert of(found, "Microsoft.Sql/servers/firewallRules") == []


def test_keys_open_nothing() -> None:
    found = deployed()

    assert {one["properties"]["disableLocalAuth"] for one in of(found, "Microsoft.EventHub/namespaces")} == {True}
    assert {one["properties"]["allowSharedKeyAccess"] for one in of(found, "Microsoft.Storage/storageAccounts")} == {
        False
    }
    (server,) = of(found, "Microsoft.Sql/servers")
    assert server["properties"]["administrators"]["azureADOnlyAuthentication"] is True


def test_those_who_are_named_come_in() -> None:
    found = deployed(SENDER_PREFIXES="203.0.113.4", CALLER_PREFIXES="198.51.100.0/24, 203.0.113.9")

    (hubs,) = of(found, "Microsoft.EventHub/namespaces/networkRuleSets")
    (app,) = of(found, "Microsoft.Web/sites")
    assert [one["ipMask"] for one in hubs["properties"]["ipRules"]] == ["203.0.113.4"]
    assert [one["ipAddress"] for one in app["properties"]["siteConfig"]["ipSecurityRestrictions"]] == [
        "198.51.100.0/24",
        "203.0.113.9/32",
    ]


def test_the_functions_reach_all_of_it_by_service_endpoints() -> None:
    (network,) = of(deployed(), "Microsoft.Network/virtualNetworks")

    (subnet,) = network["properties"]["subnets"]

    services = [one["service"] for one in subnet["properties"]["serviceEndpoints"]]
    assert services == ["Microsoft.EventHub", "Microsoft.Sql", "Microsoft.Storage"]


def test_private_it_has_no_public_endpoint_but_that_of_nobody() -> None:
    found = deployed(ISOLATION="private")

    access = {one["properties"].get("publicNetworkAccess") for one in found if "properties" in one} - {None}
    assert access == {"Disabled"}
    assert len(of(found, "Microsoft.Network/privateEndpoints")) == 9


def test_hubs_and_a_workspace_that_are_there_are_taken_and_not_made() -> None:
    found = deployed(EXISTING_EVENT_HUBS_ID=NAMESPACE, EXISTING_WORKSPACE_ID=WORKSPACE)

    made = {one["type"] for one in found}
    assert [kind for kind in made if "EventHub/namespaces" in kind or "OperationalInsights" in kind] == []
    scopes = {one["scope"].rpartition("/")[2] for one in found if str(one.get("scope", "")).startswith(NAMESPACE)}
    assert scopes <= {"gateway", "monitor"}
    assert WORKSPACE in json.dumps(of(found, "Microsoft.Insights/diagnosticSettings"))


@pytest.mark.parametrize("size", ["Basic", "S0", "S1"])
def test_a_small_ledger_is_sold_by_transaction_units(size: str) -> None:
    (database,) = of(deployed(SQL_SKU=size), "Microsoft.Sql/servers/databases")

    assert database["sku"] == {"name": size, "tier": "Basic" if size == "Basic" else "Standard"}
    assert database["properties"]["maxSizeBytes"] == (2 if size == "Basic" else 32) * 1024**3


def test_an_estate_with_a_gateway_cannot_be_open() -> None:
    snapshot, said = evaluated(frozenset(), ("deployGateway = false", "deployGateway = true"))

    assert snapshot == ""
    assert "The isolation open is for an estate without gateway" in said


def test_the_preflight_hook_asks_for_the_providers_of_all_that_is_deployed() -> None:
    found = deployed()
    hook = (INFRA / "scripts" / "hooks" / "preflight.py").read_text(encoding="utf-8")

    delegated = re.findall(r'"serviceName": "([\w.]+)/', json.dumps(found))
    needed = {one["type"].partition("/")[0] for one in found} | set(delegated)

    assert set(re.findall(r'^    "(Microsoft\.\w+)",$', hook, re.MULTILINE)) == needed - {"Microsoft.Authorization"}
