"""Closed by default: no public door, no key, no role wider than its reason, and a log of all of it."""

import json
import re
from typing import Any

import pytest

from tests.unit.infra.templates import (
    INFRA,
    Declaration,
    Node,
    Template,
    dig,
    objects,
    properties,
    templates,
    text_of,
    walk,
)

ALL = templates()
ROLES: dict[str, dict[str, str]] = json.loads((INFRA / "roles.json").read_text(encoding="utf-8"))
ROLE_ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
DIAGNOSTIC_SETTING = "Microsoft.Insights/diagnosticSettings"

REQUIRED: dict[str, dict[str, str]] = {
    "Microsoft.CognitiveServices/accounts": {
        "properties.publicNetworkAccess": "Disabled",
        "properties.disableLocalAuth": "true",
        "properties.networkAcls.defaultAction": "Deny",
    },
    "Microsoft.Compute/virtualMachines": {
        "properties.osProfile.linuxConfiguration.disablePasswordAuthentication": "true",
        "properties.osProfile.linuxConfiguration.patchSettings.patchMode": "AutomaticByPlatform",
        "properties.securityProfile.encryptionAtHost": "true",
        "properties.securityProfile.securityType": "TrustedLaunch",
        "properties.securityProfile.uefiSettings.secureBootEnabled": "true",
        "properties.securityProfile.uefiSettings.vTpmEnabled": "true",
    },
    "Microsoft.DevTestLab/schedules": {
        "properties.status": "Enabled",
        "properties.taskType": "ComputeVmShutdownTask",
        "properties.targetResourceId": "machine.id",
    },
    "Microsoft.DocumentDB/databaseAccounts": {
        "properties.publicNetworkAccess": "Disabled",
        "properties.disableLocalAuth": "true",
        "properties.disableKeyBasedMetadataWriteAccess": "true",
        "properties.minimalTlsVersion": "Tls12",
        "properties.backupPolicy.type": "Continuous",
    },
    "Microsoft.EventHub/namespaces": {
        "properties.publicNetworkAccess": "isOpen ? 'Enabled' : 'Disabled'",
        "properties.disableLocalAuth": "!allowKeys",
        "properties.minimumTlsVersion": "1.2",
    },
    "Microsoft.EventHub/namespaces/networkRuleSets": {
        "properties.publicNetworkAccess": "isOpen ? 'Enabled' : 'Disabled'",
        "properties.defaultAction": "Deny",
    },
    "Microsoft.Insights/components": {
        "properties.DisableLocalAuth": "true",
        "properties.publicNetworkAccessForIngestion": "publicIngestion ? 'Enabled' : 'Disabled'",
    },
    "Microsoft.KeyVault/vaults": {
        "properties.publicNetworkAccess": "Disabled",
        "properties.enableRbacAuthorization": "true",
        "properties.enablePurgeProtection": "true",
    },
    "Microsoft.Kusto/clusters": {"properties.publicNetworkAccess": "Disabled"},
    "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies": {
        "properties.policySettings.state": "Enabled",
        "properties.policySettings.requestBodyCheck": "true",
    },
    "Microsoft.OperationalInsights/workspaces": {
        "properties.features.disableLocalAuth": "true",
        "properties.publicNetworkAccessForIngestion": "publicIngestion ? 'Enabled' : 'Disabled'",
    },
    "Microsoft.Sql/servers": {
        "properties.administrators": "administrators",
        "properties.minimalTlsVersion": "1.2",
    },
    "Microsoft.Storage/storageAccounts": {
        "properties.publicNetworkAccess": "isOpen ? 'Enabled' : 'Disabled'",
        "properties.allowBlobPublicAccess": "false",
        "properties.allowSharedKeyAccess": "false",
        "properties.minimumTlsVersion": "TLS1_2",
        "properties.supportsHttpsTrafficOnly": "true",
        "properties.networkAcls.defaultAction": "Deny",
    },
    "Microsoft.Web/sites": {
        "properties.publicNetworkAccess": "isOpen ? 'Enabled' : 'Disabled'",
        "properties.siteConfig.ipSecurityRestrictionsDefaultAction": "isOpen ? 'Deny' : null",
        "properties.siteConfig.scmIpSecurityRestrictionsDefaultAction": "isOpen ? 'Deny' : null",
        "properties.siteConfig.scmIpSecurityRestrictionsUseMain": "isOpen ? true : null",
        "properties.httpsOnly": "true",
        "properties.siteConfig.minTlsVersion": "1.2",
        "properties.siteConfig.ftpsState": "Disabled",
    },
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"properties.allow": "false"},
}
"""What every resource of a type must say, by the path of the property."""

DIAGNOSED = {
    "Microsoft.ApiManagement/service",
    "Microsoft.CognitiveServices/accounts",
    "Microsoft.DocumentDB/databaseAccounts",
    "Microsoft.EventHub/namespaces",
    "Microsoft.KeyVault/vaults",
    "Microsoft.Kusto/clusters",
    "Microsoft.Network/applicationGateways",
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Network/virtualNetworkGateways",
    "Microsoft.Network/virtualNetworks",
    "Microsoft.OperationalInsights/workspaces",
    "Microsoft.Sql/servers/databases",
    "Microsoft.Storage/storageAccounts/blobServices",
    "Microsoft.Web/serverfarms",
    "Microsoft.Web/sites",
}
UNDIAGNOSED = {
    "Microsoft.Compute/virtualMachines": "its commands stand in the activity log, what they do elsewhere in logs there",
    "Microsoft.DevTestLab/schedules": "no logs of its own",
    "Microsoft.Insights/actionGroups": "its notifications stand in the activity log",
    "Microsoft.Insights/components": "its data lies in the workspace, whose audit log says who asked",
    "Microsoft.Insights/metricAlerts": "no logs of its own",
    "Microsoft.Insights/privateLinkScopes": "no logs of its own",
    "Microsoft.Insights/scheduledQueryRules": "no logs of its own",
    "Microsoft.Insights/workbooks": "no logs of its own",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "its sign-ins stand in Entra's own log",
    "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies": "logged by the gateway that uses it",
    "Microsoft.Network/networkInterfaces": "flows are the virtual network's to log",
    "Microsoft.Network/networkSecurityGroups": "flows are the virtual network's to log; no rule counters are kept",
    "Microsoft.Network/privateDnsZones": "no logs of its own",
    "Microsoft.Network/privateEndpoints": "logged by the service behind it",
    "Microsoft.Sql/servers": "audited by its auditing settings, through its master database",
    "Microsoft.Storage/storageAccounts": "logged by its blob service",
}
"""Top-level types without a diagnostic setting, and why."""


def resources(*, existing: bool = False) -> list[tuple[Template, Declaration]]:
    return [(one, found) for one in ALL for found in one.all("resource") if existing or not found.existing]


def of_type(name: str) -> list[tuple[Template, Declaration]]:
    return [(one, found) for one, found in resources() if found.type == name]


def label(value: Any) -> str:
    return f"{value.name}" if isinstance(value, Template | Declaration) else str(value)


@pytest.mark.parametrize(("one", "resource"), resources(), ids=label)
def test_a_resource_is_closed(one: Template, resource: Declaration) -> None:
    found = {path: dig(resource.body, path) for path in REQUIRED.get(resource.type, {})}

    said = {path: text_of(value) if value is not None else "nothing" for path, value in found.items()}

    assert said == REQUIRED.get(resource.type, {}), one.name


@pytest.mark.parametrize("name", REQUIRED)
def test_every_type_that_must_be_closed_is_there(name: str) -> None:
    assert of_type(name)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("monitorPrivateLink", "true"), ("publicLogQueries", "false"), ("apiManagementOpenOnCreation", "false"),
     ("firewallMode", "Prevention"), ("vendorApis", "[]")],
)  # fmt: skip
def test_what_opens_a_door_is_off_unless_somebody_says_so(parameter: str, value: str) -> None:
    declared = next(one for one in ALL if one.name == "main.bicep").all("param")
    default = next(one.value for one in declared if one.name == parameter)

    assert default is not None
    assert text_of(default) == value


def test_api_management_has_an_identity_of_its_own_only_where_it_reads_a_vendor_s_key() -> None:
    assert "hasOwnIdentity: gatewayReadsKeys" in (INFRA / "main.bicep").read_text(encoding="utf-8")


def test_sql_servers_take_entra_sign_in_alone() -> None:
    sql = next(one for one in ALL if one.name == "modules/sql.bicep")
    administrators = next(one.value for one in sql.all("var") if one.name == "administrators")

    assert administrators is not None
    assert text_of(properties(administrators)["azureADOnlyAuthentication"]) == "true"
    assert "administratorLogin" not in sql.path.read_text(encoding="utf-8")


def test_every_sql_server_is_audited_and_watched() -> None:
    sql = next(one for one in ALL if one.name == "modules/sql.bicep")
    servers = {one.name for one in sql.all("resource") if one.type == "Microsoft.Sql/servers"}

    for kind in ("extendedAuditingSettings", "securityAlertPolicies", "sqlVulnerabilityAssessments"):
        found = [one for one in sql.all("resource") if one.type == f"Microsoft.Sql/servers/{kind}"]
        assert {text_of(one.body["parent"]) for one in found} == servers, kind
        assert {text_of(value) for one in found if (value := dig(one.body, "properties.state"))} == {"Enabled"}


def test_nobody_comes_past_the_app_s_sign_in_but_those_who_ask_for_its_health() -> None:
    app = next(one for one in ALL if one.name == "modules/function-app.bicep")
    sign_in = next(one for one in app.all("resource") if one.name == "signIn")
    validation = properties(properties(sign_in.body["properties"])["globalValidation"])
    blueprint = (INFRA.parent / "blueprints" / "health.py").read_text(encoding="utf-8")

    assert text_of(validation["requireAuthentication"]) == "true"
    assert [text_of(path) for path in validation["excludedPaths"].named_children] == [
        f"/api/{route}" for route in re.findall(r'route="([^"]+)"', blueprint)
    ]


# Private endpoints


def test_every_service_that_has_a_private_endpoint_gets_one() -> None:
    services = [
        "Microsoft.ApiManagement/service",
        "Microsoft.CognitiveServices/accounts",
        "Microsoft.DocumentDB/databaseAccounts",
        "Microsoft.EventHub/namespaces",
        "Microsoft.Insights/privateLinkScopes",
        "Microsoft.KeyVault/vaults",
        "Microsoft.Kusto/clusters",
        "Microsoft.Sql/servers",
        "Microsoft.Storage/storageAccounts",
        "Microsoft.Web/sites",
    ]
    reached = {
        (one.name, text_of(value).removesuffix(".id"))
        for one in ALL
        for call in one.all("module")
        if (value := dig(call.body, "params.serviceId")) is not None
    }
    reached |= {
        (one.name, text_of(service).removesuffix(".id"))
        for one, endpoint in of_type("Microsoft.Network/privateEndpoints")
        for node in walk(endpoint.node)
        if node.type == "object" and (service := properties(node).get("privateLinkServiceId")) is not None
    }

    needed = {(one.name, resource.name) for kind in services for one, resource in of_type(kind)}

    assert needed - reached == set()


def rules() -> list[dict[str, Node]]:
    return [
        properties(rule)
        for one in ALL
        for node in walk(one.root)
        if node.type == "object" and {"access", "direction", "priority"} <= set(rule_of(node))
        for rule in [node]
    ]


def rule_of(node: Node) -> dict[str, Node]:
    return properties(node)


def test_nothing_comes_in_from_the_internet_but_to_application_gateway() -> None:
    open_ones = [
        rule
        for rule in rules()
        if text_of(rule["access"]) == "Allow"
        and text_of(rule["direction"]) == "Inbound"
        and text_of(rule["sourceAddressPrefix"]) in ("*", "Internet", "prefix")
    ]
    network = next(one for one in ALL if one.name == "modules/network.bicep").path.read_text(encoding="utf-8")

    assert [text_of(rule["sourceAddressPrefix"]) for rule in open_ones] == ["prefix"]
    assert "[for (prefix, index) in clientPrefixes: {" in network
    assert [text_of(rule["destinationPortRange"]) for rule in open_ones] == ["443"]


def test_no_rule_lists_addresses_since_a_list_takes_no_service_tag() -> None:
    assert rules()
    assert [text_of(rule["priority"]) for rule in rules() if "sourceAddressPrefixes" in rule] == []


def test_every_subnet_but_the_platform_s_own_has_a_security_group() -> None:
    network = next(one for one in ALL if one.name == "modules/network.bicep")
    subnets = [
        found for node in walk(network.root) if node.type == "object" and "addressPrefix" in (found := properties(node))
    ]

    bare = [text_of(found["addressPrefix"]) for found in subnets if "networkSecurityGroup" not in found]

    assert bare == ["subnetPrefixes.gateway"]


def test_the_operator_machine_has_no_public_address_and_no_ssh_server() -> None:
    machine = (INFRA / "modules" / "operator-machine.bicep").read_text(encoding="utf-8")
    first_start = (INFRA / "operator-machine.yaml").read_text(encoding="utf-8")

    assert "publicIPAddress" not in machine
    assert "systemctl mask --now ssh.socket ssh.service" in first_start


def test_the_operator_machine_goes_out_to_the_web_alone() -> None:
    network = next(one for one in ALL if one.name == "modules/network.bicep")
    group = next(one for one in network.all("resource") if one.name == "operationsRules")
    out = [
        (text_of(found["access"]), text_of(found["destinationAddressPrefix"]))
        for node in walk(group.node)
        if node.type == "object" and text_of((found := properties(node)).get("direction", node)) == "Outbound"
    ]

    assert out == [("Allow", "Internet"), ("Deny", "Internet")]


# Roles


def roles_given() -> set[str]:
    """Return the names of roles that templates hand out: as `roles.NAME.id`, or to a storage account as `role`."""
    named: set[str] = set()
    for one in ALL:
        named |= set(re.findall(r"\broles\.(\w+)\.id\b", one.path.read_text(encoding="utf-8")))
        for node in walk(one.root):
            found = properties(node) if node.type == "object" else {}
            if {"container", "principalId", "role"} <= set(found):
                named.add(text_of(found["role"]))
        for declared in one.all("var"):
            if declared.name == "role" and declared.value is not None:
                named |= set(re.findall(r"'(\w+)'", text_of(declared.value)))
    return named


def test_every_role_that_is_given_is_in_the_table_and_every_role_of_the_table_is_given() -> None:
    assert roles_given() == set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_an_id_a_name_and_a_reason(role: str) -> None:
    entry = ROLES[role]

    assert set(entry) == {"id", "name", "reason"}
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", entry["id"])
    assert len(entry["reason"].split()) >= 8


def test_no_role_lets_anybody_manage_or_grant() -> None:
    names = {entry["name"] for entry in ROLES.values()}

    assert len({entry["id"] for entry in ROLES.values()}) == len(ROLES)
    assert (
        names & {"Owner", "Contributor", "User Access Administrator", "Role Based Access Control Administrator"}
        == set()
    )


@pytest.mark.parametrize(("one", "assignment"), of_type(ROLE_ASSIGNMENT), ids=label)
def test_a_role_is_given_on_one_resource_to_one_identity(one: Template, assignment: Declaration) -> None:
    body = assignment.body
    declared = {resource.name for resource in one.all("resource")}
    scope = text_of(body["scope"])

    assert scope.partition("[")[0] in declared
    assert text_of(body["name"]).startswith(f"guid({scope}.id, ")
    assert text_of(properties(body["properties"])["principalType"]) == "ServicePrincipal"
    assert names_a_role_of_the_table(one, properties(body["properties"])["roleDefinitionId"])


def names_a_role_of_the_table(one: Template, value: Node) -> bool:
    if value.type == "identifier":
        value = next(
            found.value for found in one.all("var") if found.name == text_of(value) and found.value is not None
        )
    source = text_of(value)
    return "/roleDefinitions', roles" in source or any(entry["id"] in source for entry in ROLES.values())


def test_the_one_role_of_cosmos_db_is_on_one_database() -> None:
    ((_, assignment),) = of_type("Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments")
    scope = dig(assignment.body, "properties.scope")

    assert scope is not None
    assert text_of(scope) == "${account.id}/dbs/${database.name}"


# Logs


def test_every_type_of_resource_is_logged_or_says_why_not() -> None:
    top = {found.type for _, found in resources() if found.type.count("/") == 1}

    assert top - DIAGNOSED - set(UNDIAGNOSED) - {ROLE_ASSIGNMENT, DIAGNOSTIC_SETTING} == set()


@pytest.mark.parametrize(("one", "resource"), [case for case in resources() if case[1].type in DIAGNOSED], ids=label)
def test_a_resource_has_a_diagnostic_setting(one: Template, resource: Declaration) -> None:
    scopes = {
        text_of(found.body["scope"]): found
        for found in one.all("resource")
        if found.type == DIAGNOSTIC_SETTING and dig(found.body, "properties.workspaceId") is not None
    }

    assert resource.name in scopes


GATEWAY_LOGS = [
    *of_type("Microsoft.ApiManagement/service/diagnostics"),
    *of_type("Microsoft.ApiManagement/service/apis/diagnostics"),
]


def variable(one: Template, name: str) -> Node:
    return next(found.value for found in one.all("var") if found.name == name and found.value is not None)


@pytest.mark.parametrize(("one", "resource"), GATEWAY_LOGS, ids=label)
@pytest.mark.parametrize("side", ["frontend", "backend"])
@pytest.mark.parametrize("message", ["request", "response"])
def test_no_log_of_the_gateway_gets_a_body_a_header_or_a_key_in_a_url(
    one: Template, resource: Declaration, side: str, message: str
) -> None:
    named = dig(resource.body, f"properties.{side}.{message}")
    assert named is not None

    told = variable(one, text_of(named))

    assert text_of(dig(properties(told), "body.bytes") or told) == "0"
    assert text_of(dig(properties(told), "headers") or told) == "[]"
    assert text_of(dig(properties(told), "dataMasking.headers") or told) == "maskedHeaders"
    if message == "request":
        assert text_of(dig(properties(told), "dataMasking.queryParams") or told) == "maskedQueryParameters"
    for list_name, masked in (("maskedHeaders", "headers"), ("maskedQueryParameters", "queryParameters")):
        assert f"for name in masked.{masked}: " in text_of(variable(one, list_name))
        assert "mode: 'Hide'" in text_of(variable(one, list_name))
    assert "../masked.json" in text_of(variable(one, "masked"))


def test_the_gateway_s_logs_and_those_of_each_api_are_masked() -> None:
    names = sorted(text_of(resource.body["name"]) for _, resource in GATEWAY_LOGS)

    assert names == ["applicationinsights", "azuremonitor", "azuremonitor", "azuremonitor"]


def test_what_the_logs_mask_is_what_the_app_and_the_policies_take_for_secrets() -> None:
    masked = json.loads((INFRA / "masked.json").read_text(encoding="utf-8"))
    policy = (INFRA / "policies" / "fragments" / "capture-request.xml").read_text(encoding="utf-8")
    (listed,) = re.findall(r"var secrets = new \[\] \{([^}]*)\}", policy)

    assert set(masked["queryParameters"]) == set(re.findall(r'"([^"]+)"', listed))
    assert set(masked["queryParameters"]) >= {"subscription-key", "api-key", "key", "sig", "code", "access_token"}
    assert {name.lower() for name in masked["headers"]} >= {"authorization", "api-key", "ocp-apim-subscription-key"}
    assert {name.lower() for name in masked["headers"]} >= {"x-api-key", "x-goog-api-key", "x-amz-security-token"}


def test_the_app_s_hub_gets_the_logs_that_it_reads() -> None:
    streams = {
        one.name: {
            text_of(properties(log)["category"]) for log in objects(found.body["properties"]) for log in _logs(log)
        }
        for one, found in of_type(DIAGNOSTIC_SETTING)
        if dig(found.body, "properties.eventHubName") is not None
    }

    assert streams == {
        "modules/apim.bicep": {"GatewayLogs", "GatewayLlmLogs"},
        "modules/openai.bicep": {"Audit", "AzureOpenAIRequestUsage", "RequestResponse"},
    }


def _logs(setting: Node) -> list[Node]:
    return objects(properties(setting)["logs"])


def test_what_people_wrote_goes_to_the_workspace_only_when_somebody_says_so() -> None:
    source = (INFRA / "modules" / "apim.bicep").read_text(encoding="utf-8")
    main = next(one for one in ALL if one.name == "main.bicep").all("param")
    default = next(one.value for one in main if one.name == "contentInWorkspace")

    assert default is not None
    assert text_of(default) == "false"
    assert re.search(
        r"contentInWorkspace \? \[\s+'GatewayLogs'\s+'GatewayLlmLogs'\s+\] : \[\s+'GatewayLogs'\s+\]", source
    )


def test_the_audit_of_the_database_holds_no_statement() -> None:
    assert "BATCH_COMPLETED_GROUP'" not in (INFRA / "modules" / "sql.bicep").read_text(encoding="utf-8")


# Secrets


def test_no_template_asks_for_a_key() -> None:
    assert [one.name for one in ALL if re.search(r"\blist(Keys|Secrets|\w*Sas)?\(", one.path.read_text("utf-8"))] == []


def test_no_template_or_file_of_parameters_holds_a_secret() -> None:
    words = re.compile(r"(password|accountkey|sharedaccesskey|sas_?token|client_?secret)\b\s*[:=]", re.IGNORECASE)
    files = [
        path for path in INFRA.rglob("*") if path.is_file() and path.suffix in (".bicep", ".bicepparam", ".json", ".sh")
    ]

    assert files
    assert [path.name for path in files if words.search(path.read_text(encoding="utf-8"))] == []


def test_every_check_that_is_off_says_why() -> None:
    skips = [
        (one.name, skip)
        for one in ALL
        for skip in re.findall(r"checkov:skip=([^\n]*)", one.path.read_text(encoding="utf-8"))
    ]

    assert skips
    assert [skip for skip in skips if not re.fullmatch(r"CKV_AZURE_\d+: \S+( \S+){2,}", skip[1])] == []
