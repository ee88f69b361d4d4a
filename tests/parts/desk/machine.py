"""Commands of the stand-in of Azure CLI: the operator machine's, and those that the machine itself gives.

The machine is a folder below the stand-ins' own: what az hands over to it runs there, with a PATH of the machine's own.
"""

import ast
import json
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

from tests.parts.desk.azure_cli import Options, command, first, in_the_group
from tests.parts.desk.world import FOLDER, KEY, OUTPUTS, World, fail

# From the desk


def the_machine(world: World, options: Options) -> None:
    in_the_group(world, options)
    name = first(options, "vm-name" if "vm-name" in options else "name")
    if not name or name != world.known.get("outputs", {}).get("OPERATOR_MACHINE_NAME"):
        fail(f"ResourceNotFound: {name}")


@command("vm show", "resource-group name", "show-details")
def _vm(world: World, options: Options) -> Any:
    the_machine(world, options)
    keys = [{"keyData": world.known["key"], "path": "/home/promptledger/.ssh/authorized_keys"}]
    profile = {"linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": {"publicKeys": keys}}}
    return {"location": "swedencentral", "osProfile": profile} | (
        {"powerState": world.known["power"]} if "show-details" in options else {}
    )


@command("vm start", "resource-group name", "no-wait")
def _vm_start(world: World, options: Options) -> Any:
    the_machine(world, options)
    world.known["power"] = "VM running"


@command("vm deallocate", "resource-group name", "no-wait")
def _vm_deallocate(world: World, options: Options) -> Any:
    the_machine(world, options)
    world.known["power"] = "VM deallocated"


@command("vm run-command show", "resource-group vm-name name", "expand")
def _run_command(world: World, options: Options) -> Any:
    the_machine(world, options)
    found = world.known.get("commands", {}).get(first(options, "name"))
    if found is None:
        fail("ResourceNotFound")
    if found["output"] and not found.pop("looked at", False):
        found["looked at"] = True
        half = found["output"][: len(found["output"]) // 2]
        return {"provisioningState": "Creating", "instanceView": {"executionState": "Running", "output": half}}
    view = {"executionState": "Failed" if found["exitCode"] else "Succeeded", "executionMessage": ""} | found
    return {"provisioningState": "Succeeded", "instanceView": view}


@command("vm run-command delete", "resource-group vm-name name", "yes")
def _run_command_gone(world: World, options: Options) -> Any:
    the_machine(world, options)
    del world.known["commands"][first(options, "name")]


@command("rest", "method url", "body headers resource uri-parameters")
def _rest(world: World, options: Options) -> Any:
    method, url = first(options, "method"), first(options, "url")
    body = first(options, "body") if "body" in options else "null"
    content = json.loads(Path(body[1:]).read_text(encoding="utf-8") if body.startswith("@") else body)
    machine = re.fullmatch(
        r"/subscriptions/\{subscriptionId\}/resourceGroups/([^/]+)/providers/Microsoft\.Compute/virtualMachines/([^/]+)"
        r"/runCommands/([\w-]+)\?api-version=2024-11-01",
        url,
    )
    if machine and method == "put":
        options |= {"resource-group": [machine[1]], "vm-name": [machine[2]]}
        the_machine(world, options)
        run_on_the_machine(world, machine[3], content)
        return {}
    if url.endswith("/appRoleAssignedTo"):
        given = world.known.setdefault("roles given", [])
        if content in given:
            fail("Bad Request: Permission being assigned already exists on the object")
        return given.append(content) if method == "post" else {"value": given}
    if url.startswith("https://graph.microsoft.com/v1.0/applications(") and method == "patch" and content:
        return {}
    keys = re.fullmatch(
        r"/subscriptions/\{subscriptionId\}/resourceGroups/([^/]+)/providers/Microsoft\.ApiManagement/service/([^/]+)"
        r"/subscriptions/([\w-]+)/listSecrets\?api-version=2024-05-01",
        url,
    )
    if keys and method == "post" and OUTPUTS["GATEWAY_HOST_NAME"].startswith(f"{keys[2]}."):
        return {"primaryKey": KEY, "secondaryKey": "another"}
    return fail(f"The stand-in knows no {method} {url}")


def run_on_the_machine(world: World, name: str, content: dict[str, Any]) -> None:
    """Run a managed run command in the machine's folder, and keep what became of it."""
    if world.known["power"] != "VM running":
        fail("OperationNotAllowed: Cannot modify extensions in the VM when the VM is not running.")
    if set(content) != {"location", "properties"}:
        fail("InvalidRequestContent")
    properties = content["properties"]
    script: str = properties["source"]["script"]
    if len(script.encode()) > 256 * 1024:
        fail("the script is longer than the machine's agent takes")
    parameters = {one["name"]: one["value"] for one in properties["parameters"] + properties["protectedParameters"]}
    secrets = [one["value"] for one in properties["protectedParameters"]]
    if any(secret in script for secret in secrets):
        fail("a secret stands in the script")
    machine = world.folder / "machine"
    file = machine / "script.sh"
    file.write_text(script.replace("/opt/promptledger", str(machine / "opt")), encoding="utf-8")
    world.save()
    done = subprocess.run(
        ["/bin/bash", str(file)],
        env={"PATH": f"{machine / 'bin'}:/usr/bin:/bin", FOLDER: str(world.folder), "HOME": str(machine)} | parameters,
        capture_output=True,
        text=True,
        check=False,
        cwd=machine,
    )
    world.__init__(world.folder)  # type: ignore[misc]  # the machine's own programs wrote to it
    ended = {"exitCode": done.returncode, "output": done.stdout[-4096:], "error": done.stderr[-4096:]}
    world.known.setdefault("commands", {})[name] = ended
    (machine / "log").open("a", encoding="utf-8").write(done.stdout + done.stderr)


# On the machine


def signed_in(world: World) -> None:
    if not world.known.get("signed in") or not Path(world.known["signed in"]).parent.is_dir():
        fail("Please run 'az login' to setup account.")


@command("keyvault certificate import", "vault-name name file", "password")
def _import(world: World, options: Options) -> Any:
    signed_in(world)
    if first(options, "vault-name") != OUTPUTS["KEY_VAULT_NAME"]:
        fail("vault not found")
    given = options.get("password", [""])[0]
    password = Path(given[1:]).read_text(encoding="utf-8") if given.startswith("@") else given
    done = subprocess.run(
        ["openssl", "pkcs12", "-in", first(options, "file"), "-passin", "stdin", "-noout"],  # noqa: S607
        input=f"{password}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        fail("The specified PKCS#12 X.509 certificate content can not be read. The password may be incorrect.")
    vault = f"https://{first(options, 'vault-name')}.vault.azure.net"
    world.known["certificate"] = first(options, "name")
    return {"id": f"{vault}/certificates/clients/0123456789", "sid": f"{vault}/secrets/clients/0123456789"}


@command("keyvault secret set", "vault-name name file", "encoding")
def _secret(world: World, options: Options) -> Any:
    signed_in(world)
    world.known.setdefault("secrets", {})[first(options, "name")] = Path(first(options, "file")).read_text("utf-8")
    return {}


@command("functionapp deployment source config-zip", "resource-group name src", "build-remote timeout")
def _config_zip(world: World, options: Options) -> Any:
    in_the_group(world, options)
    signed_in(world)
    triggers = {"event_hub_message_trigger", "route", "timer_trigger"}
    with zipfile.ZipFile(first(options, "src")) as package:
        names = [name for name in package.namelist() if re.fullmatch(r"blueprints/\w+\.py", name)]
        trees = [ast.parse(package.read(name)) for name in names]
        package.getinfo("host.json")
    world.known["functions"] = [
        function.name
        for tree in trees
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        if any(getattr(getattr(one, "func", None), "attr", "") in triggers for one in function.decorator_list)
    ]


@command("functionapp function list", "resource-group name")
def _functions(world: World, options: Options) -> Any:
    in_the_group(world, options)
    return [{"name": f"{first(options, 'name')}/{name}"} for name in world.known["functions"]]
