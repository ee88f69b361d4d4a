"""Commands of the stand-in of Azure CLI: Entra, the subscription, and what the templates make."""

import os
import re
from pathlib import Path
from typing import Any

from tests.parts.desk.azure_cli import Options, command, first, in_the_group
from tests.parts.desk.world import APPLICATION, GROUP, ME, MODEL, OUTPUTS, PRINCIPAL, SUBSCRIPTION, World, fail

# Signing in, Entra


@command("account show")
@command("account list")
def _account(_world: World, _options: Options) -> Any:
    return {"id": SUBSCRIPTION, "tenantId": PRINCIPAL, "user": {"name": "reader@example.com", "type": "user"}}


@command("account get-access-token", optional="resource scope")
def _token(_world: World, options: Options) -> Any:
    return {"accessToken": f"token for {first(options, 'resource')}", "tokenType": "Bearer"}


@command("login", optional="identity client-id allow-no-subscriptions")
def _login(world: World, options: Options) -> Any:
    if "identity" in options and first(options, "client-id") != OUTPUTS["OPERATOR_CLIENT_ID"]:
        fail("Failed to connect to MSI: identity not found")
    world.known["signed in"] = os.environ.get("AZURE_CONFIG_DIR", "")
    return []


@command("ad signed-in-user show")
def _me(_world: World, _options: Options) -> Any:
    return {"id": ME, "displayName": "Reader"}


@command("ad group list", "display-name")
def _groups(world: World, options: Options) -> Any:
    return [{"id": GROUP}] if first(options, "display-name") in world.known.get("entra groups", []) else []


@command("ad group create", "display-name mail-nickname")
def _group_create(world: World, options: Options) -> Any:
    world.known.setdefault("entra groups", []).append(first(options, "display-name"))
    return {"id": GROUP}


@command("ad group show", "group")
@command("ad group delete", "group")
def _group_show(_world: World, options: Options) -> Any:
    return {"id": known_group(options)}


def known_group(options: Options) -> str:
    if first(options, "group") != GROUP:
        fail(f"Resource '{first(options, 'group')}' does not exist")
    return GROUP


@command("ad group member add", "group member-id")
def _member_add(world: World, options: Options) -> Any:
    known_group(options)
    members = world.known.setdefault("members", [])
    if first(options, "member-id") in members:
        fail("One or more added object references already exist for the following modified properties: 'members'.")
    members.append(first(options, "member-id"))


@command("ad group member remove", "group member-id")
def _member_remove(world: World, options: Options) -> Any:
    known_group(options)
    if first(options, "member-id") not in world.known.get("members", []):
        fail("Resource does not exist or one of its queried reference-property objects are not present.")
    world.known["members"].remove(first(options, "member-id"))


@command("ad group member check", "group member-id")
def _member_check(world: World, options: Options) -> Any:
    return {"value": first(options, "member-id") in world.known.get("members", [])}


@command("ad app list", "display-name")
def _apps(world: World, _options: Options) -> Any:
    return [{"appId": APPLICATION}] if world.known.get("application") else []


@command("ad app create", "display-name", "sign-in-audience")
def _app_create(world: World, options: Options) -> Any:
    world.known["application"] = first(options, "display-name")
    return {"appId": APPLICATION}


def known_application(world: World, options: Options) -> None:
    if first(options, "id") != APPLICATION or not world.known.get("application"):
        fail("Resource does not exist")


@command("ad app update", "id", "identifier-uris app-roles")
@command("ad app delete", "id")
@command("ad sp update", "id", "set")
def _app_update(world: World, options: Options) -> Any:
    known_application(world, options)


@command("ad sp create", "id")
@command("ad sp show", "id")
def _app_show(world: World, options: Options) -> Any:
    known_application(world, options)
    return {"id": PRINCIPAL, "appId": APPLICATION, "appRoles": [{"id": ME, "value": "Audit.Read"}]}


# The subscription, the group, the templates


@command("bicep install")
@command("provider register", "namespace", "wait")
@command("feature register", "namespace name")
def _registered(world: World, options: Options) -> Any:
    world.known.setdefault("registered", []).extend(options.get("namespace", []))


@command("provider show", "namespace")
def _provider(world: World, options: Options) -> Any:
    found = first(options, "namespace") in world.known.get("registered", [])
    return {"registrationState": "Registered" if found else "NotRegistered"}


@command("feature show", "namespace name")
def _feature(world: World, options: Options) -> Any:
    if first(options, "namespace") not in world.known.get("registered", []):
        fail("The feature is not registered")
    return {"properties": {"state": "Registered"}}


@command("group create", "name location", "tags")
def _group(world: World, options: Options) -> Any:
    world.known["group"] = first(options, "name")
    return {"properties": {"provisioningState": "Succeeded"}}


@command("group delete", "name", "yes no-wait")
def _group_gone(world: World, options: Options) -> Any:
    if first(options, "name") != world.known.pop("group", None):
        fail("ResourceGroupNotFound")


@command("deployment group create", "resource-group parameters", "name template-file")
@command("deployment group what-if", "resource-group parameters", "name template-file")
def _deploy(world: World, options: Options) -> Any:
    in_the_group(world, options)
    file = Path(first(options, "parameters"))
    if not file.is_file():
        fail(f"{file} is not there")
    text = file.read_text(encoding="utf-8")
    template = (file.parent / re.findall(r"^using '([^']+)'", text, re.MULTILINE)[0]).resolve()
    for name, default in re.findall(r"readEnvironmentVariable\('(\w+)'(,)?", text):
        if not default and not os.environ.get(name):
            fail(f"BCP338: Environment variable {name} is not set")
    made = dict.fromkeys(re.findall(r"^output (\w+) string", template.read_text(encoding="utf-8"), re.MULTILINE), "")
    for name in made:
        made[name] = OUTPUTS.get(name, f"the output {name}")
        unmade = (name.startswith("OPERATOR_") and not os.environ.get("OPERATOR_MACHINE_KEY")) or (
            name == "APPLICATION_GATEWAY_ADDRESS" and not os.environ.get("CERTIFICATE_ID")
        )
        if unmade:
            made[name] = ""
    if options.get("name") == ["promptledger"]:
        keep_the_machine_s_key(world)
        world.known["outputs"] = made
    return {"properties": {"provisioningState": "Succeeded"}}


def keep_the_machine_s_key(world: World) -> None:
    """Make the operator machine where a key is given; refuse another key than that of the machine that is there."""
    key = os.environ.get("OPERATOR_MACHINE_KEY", "")
    if key and not key.startswith("ssh-rsa AAAA"):
        fail("InvalidParameter: linuxConfiguration.ssh.publicKeys.keyData")
    if key and key != world.known.setdefault("key", key):
        fail("PropertyChangeNotAllowed: Changing property 'linuxConfiguration.ssh.publicKeys' is not allowed.")
    if key:
        world.known.setdefault("power", "VM running")


def as_azure_writes(name: str) -> str:
    """Return the name of an output as Azure hands it out: its first word in small letters, but for the last of them."""
    word = re.match(r"[A-Z]+", name)
    return name[: word.end() - 1].lower() + name[word.end() - 1 :] if word else name


@command("deployment group show", "resource-group name")
def _deployment(world: World, options: Options) -> Any:
    in_the_group(world, options)
    if first(options, "name") != "promptledger" or "outputs" not in world.known:
        fail("DeploymentNotFound")
    outputs = {
        as_azure_writes(name): {"type": "String", "value": value} for name, value in world.known["outputs"].items()
    }
    return {"name": "promptledger", "properties": {"provisioningState": "Succeeded", "outputs": outputs}}


# What the estate has


@command("apim list", "resource-group")
def _apim(world: World, options: Options) -> Any:
    in_the_group(world, options)
    return [{"name": OUTPUTS["GATEWAY_HOST_NAME"].partition(".")[0]}]


@command("cognitiveservices account list", "resource-group")
def _instances(world: World, options: Options) -> Any:
    in_the_group(world, options)
    return [{"name": "oai-first-prod-abcdefghijklm", "location": "swedencentral"}]


@command("cognitiveservices account deployment list", "resource-group name")
def _deployments(world: World, options: Options) -> Any:
    in_the_group(world, options)
    return [
        {"name": "text-embedding-3-small", "properties": {"capabilities": {"embeddings": "true"}}},
        {"name": MODEL, "properties": {"capabilities": {"chatCompletion": "true"}}},
    ]


@command("eventhubs namespace list", "resource-group")
def _namespaces(world: World, options: Options) -> Any:
    in_the_group(world, options)
    return [{"id": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.EventHub/namespaces/evhns"}]


@command("monitor metrics list", "resource metric", "aggregation offset interval filter dimension")
def _metrics(_world: World, _options: Options) -> Any:
    series = [
        {"metadatavalues": [{"name": {"value": "entityname"}, "value": hub}], "data": [{"total": 2.0}, {"total": None}]}
        for hub in ("gateway", "monitor")
    ]
    return {"value": [{"name": {"value": "IncomingMessages"}, "timeseries": series}]}


@command("sql server list", "resource-group")
def _servers(world: World, options: Options) -> Any:
    in_the_group(world, options)
    return [{"name": "sql-promptledger-prod-abcdefghijklm"}, {"name": "sql-promptledger2-prod-abcdefghijklm"}]


@command("sql failover-group list", "resource-group server")
def _failover_groups(world: World, options: Options) -> Any:
    in_the_group(world, options)
    return [{"name": "sql-promptledger-prod-abcdefghijklm-failover"}]


@command("sql failover-group set-primary", "resource-group server name", "allow-data-loss")
@command("cosmosdb failover-priority-change", "resource-group name failover-policies")
@command("cognitiveservices account purge", "location name resource-group")
@command("apim deletedservice purge", "location service-name")
def _done(_world: World, _options: Options) -> Any:
    return None


@command("cosmosdb list", "resource-group")
def _cosmos(world: World, options: Options) -> Any:
    in_the_group(world, options)
    return [{"name": "cosmos-pl-prod-abcdefghijklm"}]
