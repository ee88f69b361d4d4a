"""What each file of parameters deploys, as Bicep evaluates it: names, doors, roles, endpoints, models, alerts.

Skipped where there is no compiler: .ci/find-bicep.
"""

import json
import re
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from tests.unit.infra.profile_page import section, written_section
from tests.unit.infra.snapshots import (
    MODELS,
    NAMES,
    NEEDS_COMPILER,
    Snapshot,
    deployed_models,
    doors,
    named_doors,
    snapshot,
)
from tests.unit.infra.templates import INFRA

pytestmark = NEEDS_COMPILER

ROLES: dict[str, dict[str, str]] = json.loads((INFRA / "roles.json").read_text(encoding="utf-8"))
DEPLOYMENT = "Microsoft.CognitiveServices/accounts/deployments"
PRIVATE_ENDPOINT = "Microsoft.Network/privateEndpoints"
ZONE = "Microsoft.Network/privateDnsZones"


@pytest.fixture(params=NAMES)
def shot(request: pytest.FixtureRequest) -> Snapshot:
    return snapshot(request.param)


# Names


GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
RULES = {
    "Microsoft.ApiManagement/service": r"[A-Za-z][A-Za-z0-9-]{0,48}[A-Za-z0-9]",
    "Microsoft.Authorization/roleAssignments": GUID,
    "Microsoft.CognitiveServices/accounts": r"[A-Za-z0-9][A-Za-z0-9-]{1,62}[A-Za-z0-9]",
    "Microsoft.Compute/virtualMachines": r"[A-Za-z0-9][A-Za-z0-9-]{0,62}[A-Za-z0-9]",
    "Microsoft.DocumentDB/databaseAccounts": r"[a-z0-9][a-z0-9-]{1,42}[a-z0-9]",
    "Microsoft.EventHub/namespaces": r"[A-Za-z][A-Za-z0-9-]{4,48}[A-Za-z0-9]",
    "Microsoft.Insights/actionGroups": r"[^:<>+/&%\\?|]{1,260}",
    "Microsoft.Insights/components": r"[^%&\\?/]{1,259}[^%&\\?/ .]",
    "Microsoft.Insights/diagnosticSettings": r"[^*<>%&:\\?+/]{1,260}",
    "Microsoft.Insights/metricAlerts": r"[^*#&+:<>?@%{}\\/|]{1,259}[^*#&+:<>?@%{}\\/|. ]",
    "Microsoft.Insights/privateLinkScopes": r"[\w.-]{1,254}\w",
    "Microsoft.Insights/scheduledQueryRules": r"[^*<>%{}&:\\?/#|]{1,259}[^*<>%{}&:\\?/#|. ]",
    "Microsoft.Insights/workbooks": GUID,
    "Microsoft.KeyVault/vaults": r"[A-Za-z](?!.*--)[A-Za-z0-9-]{1,22}[A-Za-z0-9]",
    "Microsoft.Kusto/clusters": r"[a-z][a-z0-9]{3,21}",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][\w-]{2,127}",
    "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/applicationGateways": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/networkInterfaces": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/networkSecurityGroups": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/privateDnsZones": r"(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,33}",
    "Microsoft.Network/privateEndpoints": r"[A-Za-z0-9][\w.-]{0,62}\w",
    "Microsoft.Network/publicIPAddresses": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/virtualNetworkGateways": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/virtualNetworks": r"[A-Za-z0-9][\w.-]{0,62}\w",
    "Microsoft.OperationalInsights/workspaces": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "Microsoft.Sql/servers": r"[a-z0-9][a-z0-9-]{0,61}[a-z0-9]",
    "Microsoft.Sql/servers/failoverGroups": r"[a-z0-9][a-z0-9-]{0,61}[a-z0-9]",
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.Storage/storageAccounts/blobServices/containers": r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "Microsoft.Web/serverfarms": r"[A-Za-z0-9-]{1,60}",
    "Microsoft.Web/sites": r"[A-Za-z0-9][A-Za-z0-9-]{0,58}[A-Za-z0-9]",
}
"""What the platform takes: learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules."""
INNER = r"[A-Za-z0-9@][\w.-]{0,79}"
"""What every type that stands within another takes, where it has no rule of its own."""


def rule_for(kind: str) -> str | None:
    known = {name.lower(): rule for name, rule in RULES.items()}
    return known.get(kind.lower(), INNER if kind.count("/") > 1 else None)


def test_every_name_is_one_that_the_platform_takes(shot: Snapshot) -> None:
    # Names that the platform works out itself, as those of role assignments, are GUIDs.
    named = [one for one in shot.resources if not one["name"].startswith("[")]

    wrong = [
        (one["type"], name, rule)
        for one in named
        for name, rule in [(one["name"].rpartition("/")[2], rule_for(one["type"]))]
        if rule is None or not re.fullmatch(rule, name)
    ]

    assert wrong == []


def test_names_that_cannot_be_read_here_are_guids(shot: Snapshot) -> None:
    unread = [one["name"] for one in shot.resources if one["name"].startswith("[")]

    assert [name for name in unread if not re.match(r"\[(format\('\{0\}/\{1\}', '[\w-]+', )?guid\(", name)] == []


def test_no_two_resources_are_one(shot: Snapshot) -> None:
    assert [one for one, count in Counter(str(one["id"]).lower() for one in shot.resources).items() if count > 1] == []


# Doors, roles, endpoints


def test_there_is_no_public_door_that_the_file_of_parameters_does_not_name(shot: Snapshot) -> None:
    named = named_doors(shot.name)

    assert set(named) == doors(shot)
    assert [why for why in named.values() if len(why.split()) < 5] == []


def test_a_public_door_is_found(shot: Snapshot) -> None:
    opened = {"type": "Microsoft.Storage/storageAccounts", "id": "x", "name": "x", "properties": {}}

    assert doors(Snapshot(shot.name, [opened])) == {"Microsoft.Storage/storageAccounts"}


def scope_of(assignment: dict[str, Any]) -> str:
    (scope,) = re.findall(r"extensionResourceId\('([^']+)'", str(assignment["id"])) or [
        str(assignment["id"]).rpartition("/providers/Microsoft.Authorization/")[0]
    ]
    return str(scope)


def test_each_role_is_given_on_one_resource_and_has_a_reason(shot: Snapshot) -> None:
    reasons = {entry["id"]: entry["reason"] for entry in ROLES.values()}
    given = shot.all("Microsoft.Authorization/roleAssignments")

    unfounded = [
        one["name"]
        for one in given
        if one["properties"]["roleDefinitionId"].rpartition("/")[2] not in reasons
        or scope_of(one).lower() not in shot.ids
    ]

    assert given
    assert unfounded == []


def test_no_role_is_given_twice(shot: Snapshot) -> None:
    # The platform refuses the second, under whatever name.
    given = Counter(
        (scope_of(one), one["properties"]["principalId"], one["properties"]["roleDefinitionId"])
        for one in shot.all("Microsoft.Authorization/roleAssignments")
    )

    assert [one for one, count in given.items() if count > 1] == []


ZONES = {
    "account": {"privatelink.openai.azure.com"},
    "azuremonitor": {
        "privatelink.agentsvc.azure-automation.net",
        "privatelink.blob.core.windows.net",
        "privatelink.monitor.azure.com",
        "privatelink.ods.opinsights.azure.com",
        "privatelink.oms.opinsights.azure.com",
    },
    "blob": {"privatelink.blob.core.windows.net"},
    "cluster": {"privatelink.swedencentral.kusto.windows.net"},
    "Gateway": {"privatelink.azure-api.net"},
    "namespace": {"privatelink.servicebus.windows.net"},
    "sites": {"privatelink.azurewebsites.net"},
    "Sql": {"privatelink.documents.azure.com"},
    "sqlServer": {"privatelink.database.windows.net"},
    "table": {"privatelink.table.core.windows.net"},
    "vault": {"privatelink.vaultcore.azure.net"},
}
"""The zones of each kind of private endpoint: learn.microsoft.com/azure/private-link/private-endpoint-dns."""


def zones_by_endpoint(shot: Snapshot) -> dict[str, set[str]]:
    return {
        group["name"].partition("/")[0]: {
            one["properties"]["privateDnsZoneId"] for one in group["properties"]["privateDnsZoneConfigs"]
        }
        for group in shot.all(f"{PRIVATE_ENDPOINT}/privateDnsZoneGroups")
    }


def test_each_private_endpoint_has_its_zones(shot: Snapshot) -> None:
    zones = zones_by_endpoint(shot)

    for endpoint in shot.all(PRIVATE_ENDPOINT):
        (connection,) = endpoint["properties"]["privateLinkServiceConnections"]
        (group,) = connection["properties"]["groupIds"]
        assert {zone.rpartition("/")[2] for zone in zones[endpoint["name"]]} == ZONES[group], endpoint["name"]


def test_each_zone_is_made_and_linked_and_has_a_use(shot: Snapshot) -> None:
    made = {one["name"] for one in shot.all(ZONE)}
    linked = {one["name"].partition("/")[0] for one in shot.all(f"{ZONE}/virtualNetworkLinks")}
    used = {zone.rpartition("/")[2] for zones in zones_by_endpoint(shot).values() for zone in zones}
    recorded = {one["name"].partition("/")[0] for one in shot.all(f"{ZONE}/A")}

    assert linked == made
    assert made == used | recorded


def test_each_service_that_is_closed_has_a_private_endpoint(shot: Snapshot) -> None:
    reached = {
        connection["properties"]["privateLinkServiceId"].lower()
        for endpoint in shot.all(PRIVATE_ENDPOINT)
        for connection in endpoint["properties"]["privateLinkServiceConnections"]
    }
    closed = {
        str(one["id"]).lower()
        for one in shot.resources
        if one["type"].count("/") == 1 and (one.get("properties") or {}).get("publicNetworkAccess") == "Disabled"
    }

    assert closed - reached == set()


# Models


def test_each_model_is_offered_by_its_version_and_sku_in_its_region(shot: Snapshot) -> None:
    offered = {
        (entry["model"], entry["version"], sku, region)
        for entry in MODELS["models"]
        for sku, regions in entry["skus"].items()
        for region in regions
    }

    assert set(deployed_models(shot)) - offered == set()


def test_no_model_that_is_deployed_retires_within_a_year_of_the_day_its_date_was_read(shot: Snapshot) -> None:
    read_on = date.fromisoformat(MODELS["retirementsReadOn"])
    retires = {(one["model"], one["version"]): date.fromisoformat(one["retires"]) for one in MODELS["models"]}

    soon = {model for model in deployed_models(shot) if retires[model[:2]] < read_on + timedelta(days=365)}

    assert soon == set()


def test_the_table_of_models_has_no_model_that_nobody_deploys() -> None:
    used = {model[:2] for name in NAMES for model in deployed_models(snapshot(name))}

    assert {(one["model"], one["version"]) for one in MODELS["models"]} == used


def test_a_model_stays_until_its_version_expires_and_is_then_replaced(shot: Snapshot) -> None:
    options = {one["properties"]["versionUpgradeOption"] for one in shot.all(DEPLOYMENT)}

    assert options <= {"OnceCurrentVersionExpired"}


def test_every_instance_of_a_pool_answers_to_the_same_names(shot: Snapshot) -> None:
    names: dict[str, set[str]] = {}
    for one in shot.all(DEPLOYMENT):
        account, _, name = one["name"].partition("/")
        names.setdefault(account, set()).add(name)

    assert len({frozenset(found) for found in names.values()}) <= 1


# What the platform refuses at the end of an hour


def test_a_hyperscale_database_in_several_zones_has_a_replica_in_another(shot: Snapshot) -> None:
    lone = [
        one["name"]
        for one in shot.all("Microsoft.Sql/servers/databases")
        if one["sku"]["name"].startswith("HS_")
        and one["properties"]["zoneRedundant"]
        and one["properties"].get("highAvailabilityReplicaCount", 0) < 1
    ]

    assert lone == []


def test_no_administrator_is_nobody(shot: Snapshot) -> None:
    administrators = {one["properties"]["administrators"]["sid"] for one in shot.all("Microsoft.Sql/servers")}

    assert administrators & {"", "00000000-0000-0000-0000-000000000000"} == set()


# Alerts


def test_each_alert_reaches_somebody(shot: Snapshot) -> None:
    reached = {
        str(group["id"]).lower()
        for group in shot.all("Microsoft.Insights/actionGroups")
        if any("@" in one["emailAddress"] for one in group["properties"]["emailReceivers"])
    }
    rules = [
        (one["name"], {group.lower() for group in one["properties"]["actions"]["actionGroups"]})
        for one in shot.all("Microsoft.Insights/scheduledQueryRules")
    ] + [
        (one["name"], {action["actionGroupId"].lower() for action in one["properties"]["actions"]})
        for one in shot.all("Microsoft.Insights/metricAlerts")
    ]

    assert rules
    assert [name for name, groups in rules if not groups or groups - reached] == []


# The page


def test_the_page_on_deployment_says_what_each_profile_makes() -> None:
    assert written_section() == section(), "run python -m tests.unit.infra.profile_page"


# What must not be lost, nor changed by those of whom it tells


def account_of(shot: Snapshot, endpoint: str) -> dict[str, Any]:
    """Return the storage account behind a blob address, as a template refers to it."""
    (identifier,) = re.findall(r"reference\('([^']+/storageAccounts/[^']+)'", endpoint)
    return shot.at(identifier)


def server_of(one: dict[str, Any]) -> str:
    return str(one["name"].partition("/")[0])


def test_each_sql_server_is_audited_as_a_server_into_an_account_of_its_own_region(shot: Snapshot) -> None:
    # The platform writes past an account's firewall in the server's region alone.
    audited = {server_of(one): one["properties"] for one in shot.all("Microsoft.Sql/servers/extendedAuditingSettings")}
    servers = {one["name"]: one["location"] for one in shot.all("Microsoft.Sql/servers")}

    regions = {name: account_of(shot, said["storageEndpoint"])["location"] for name, said in audited.items()}

    assert regions == servers
    assert {said["state"] for said in audited.values()} == {"Enabled"}
    assert [one["name"] for one in shot.resources if one["type"].endswith("/databases/auditingSettings")] == []


def test_each_sql_server_s_audit_reaches_the_workspace(shot: Snapshot) -> None:
    told = {
        one["id"].partition("/providers/Microsoft.Insights/")[0].rpartition("/servers/")[2]
        for one in shot.all("Microsoft.Insights/diagnosticSettings")
        if any(log.get("category") == "SQLSecurityAuditEvents" for log in one["properties"].get("logs", []))
    }

    assert told == {f"{one['name']}/databases/master" for one in shot.all("Microsoft.Sql/servers")}


def test_nobody_s_statements_are_left_out_of_the_audit_but_the_app_s(shot: Snapshot) -> None:
    identities = {one["name"] for one in shot.all("Microsoft.ManagedIdentity/userAssignedIdentities")}

    for one in shot.all("Microsoft.Sql/servers/extendedAuditingSettings"):
        (left_out,) = re.findall(r"^database_principal_name <> '([^']+)'$", one["properties"]["predicateExpression"])
        assert left_out in identities
        assert "-app-" in left_out
        assert {"SCHEMA_OBJECT_ACCESS_GROUP", "DATABASE_PRINCIPAL_IMPERSONATION_GROUP"} <= set(
            one["properties"]["auditActionsAndGroups"]
        )


def test_audit_logs_and_digests_can_be_added_to_and_not_changed(shot: Snapshot) -> None:
    kept = {
        one["name"].removesuffix("/default"): one["properties"]
        for one in shot.all("Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies")
    }
    accounts = [
        account_of(shot, one["properties"]["storageEndpoint"])["name"]
        for one in shot.all("Microsoft.Sql/servers/extendedAuditingSettings")
    ]

    wanted = {f"{account}/default/sqldbauditlogs" for account in accounts}
    wanted |= {
        f"{account_of(shot, one['properties']['digestStorageEndpoint'])['name']}/default/sqldbledgerdigests"
        for one in shot.all("Microsoft.Sql/servers/databases/ledgerDigestUploads")
    }

    assert wanted
    assert wanted - set(kept) == set()
    assert {
        (said["allowProtectedAppendWrites"], said["immutabilityPeriodSinceCreationInDays"]) for said in kept.values()
    } == {(True, 365)}


def test_digests_go_to_an_account_of_a_redundancy_that_ledgers_take(shot: Snapshot) -> None:
    accounts = [
        account_of(shot, one["properties"]["digestStorageEndpoint"])
        for one in shot.all("Microsoft.Sql/servers/databases/ledgerDigestUploads")
    ]

    assert [one["name"] for one in accounts if one["sku"]["name"] == "Standard_LRS"] == []


def test_the_ledger_option_is_migrated_where_digests_are_on(shot: Snapshot) -> None:
    digests = shot.all("Microsoft.Sql/servers/databases/ledgerDigestUploads")

    assert shot.outputs["PROMPTLEDGER_SQL_OPTIONS"] == ("ledger" if digests else "")


def test_nothing_waits_for_a_person_to_approve_it(shot: Snapshot) -> None:
    assert [one["name"] for one in shot.resources if one["type"].endswith("/managedPrivateEndpoints")] == []


def test_data_explorer_reads_the_hubs_as_itself_and_as_a_trusted_service(shot: Snapshot) -> None:
    trusted = {
        one["properties"]["trustedServiceAccessEnabled"]
        for one in shot.all("Microsoft.EventHub/namespaces/networkRuleSets")
    }

    for connection in shot.all("Microsoft.Kusto/clusters/databases/dataConnections"):
        assert shot.at(connection["properties"]["managedIdentityResourceId"])["type"] == "Microsoft.Kusto/clusters"
        assert trusted == {True}


def test_application_gateway_comes_past_the_vault_s_firewall(shot: Snapshot) -> None:
    bypassed = {one["properties"]["networkAcls"]["bypass"] for one in shot.all("Microsoft.KeyVault/vaults")}

    assert bypassed <= {"AzureServices"}


def test_diagnostic_settings_that_stream_find_a_namespace_that_takes_their_keys(shot: Snapshot) -> None:
    # Until somebody has seen the platform stream without: docs/operations.md, Keys of the hubs.
    streamed = [one for one in shot.all("Microsoft.Insights/diagnosticSettings") if "eventHubName" in one["properties"]]
    keyless = [
        one["name"] for one in shot.all("Microsoft.EventHub/namespaces") if one["properties"]["disableLocalAuth"]
    ]

    assert not (streamed and keyless)
