"""Says in plain words what `azd up` would miss, before anything is made; settles what it can settle by itself.

Runs before `azd up` and `azd provision`, with the values of the azd environment in its own. Standard library only.
Exit code 1 where something is missing: each thing with the command that mends it. Nothing is made before all is there.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
LEAST = {
    # Older ones wait for ever when they publish to Flex Consumption.
    "az": (2, 87, 0),
    # Reads files of parameters, and knows templates of a resource group without a switch.
    "azd": (1, 20, 0),
}
PROVIDERS = [
    "Microsoft.App",
    "Microsoft.EventHub",
    "Microsoft.Insights",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.Sql",
    "Microsoft.Storage",
    "Microsoft.Web",
]
"""What the beside profile deploys, and what its subnet is delegated to."""
RIGHTS = [
    "Microsoft.Resources/deployments/write",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.Sql/servers/write",
    "Microsoft.Sql/servers/firewallRules/write",
    "Microsoft.Web/sites/write",
]
SIZES = ("Basic", "S0", "S1", "GP_S_Gen5", "GP_Gen5", "BC_Gen5", "HS_Gen5")
GRAPH = "https://graph.microsoft.com/v1.0"
MANAGEMENT = "https://management.azure.com"
AUDIT_READ = "5b0c1d0e-4f4c-4a39-9c57-0a0d6f0a1b02"
"""The role Audit.Read, as infra/scripts/audit-app.sh makes it."""


class RefusedError(Exception):
    """A command of Azure's ended with an error; the text is what it said."""


def run(*command: str) -> str:
    """Return what a command printed.

    Raises:
        RefusedError: it ended with an error.
    """
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if ended.returncode != 0:
        raise RefusedError(
            ended.stderr.strip() or ended.stdout.strip() or f"{command[0]} ended with {ended.returncode}"
        )
    return ended.stdout


def az(*words: str) -> Any:  # noqa: ANN401  # JSON of Azure's making
    """Return Azure CLI's answer."""
    said = run("az", *words, "--output", "json")
    return json.loads(said) if said.strip() else None


def setting(name: str, default: str = "") -> str:
    """Return a value of the azd environment."""
    return os.environ.get(name, "").strip() or default


def settle(name: str, value: str) -> None:
    """Put a value into the azd environment, for the file of parameters and for later runs."""
    run("azd", "env", "set", name, value)
    os.environ[name] = value


# What may be missing


def missing_tools() -> list[str]:
    """Return which programs are not here or too old."""
    found = []
    for name, why in (
        ("az", "install Azure CLI: https://aka.ms/azure-cli"),
        ("azd", "install Azure Developer CLI: https://aka.ms/azd"),
        ("sqlcmd", "install the sqlcmd that is written in Go: https://aka.ms/go-sqlcmd"),
        ("curl", "install curl"),
        ("bash", "install bash"),
    ):
        if shutil.which(name) is None:
            found.append(f"{name} is not on PATH: {why}")
    if sys.version_info < (3, 11):  # noqa: UP036  # here it is whichever Python the machine calls python3
        found.append("python3 is older than 3.11: install a newer Python")
    return found or [*old("az", az_version), *old("azd", azd_version), *other_sqlcmd()]


def az_version() -> str:
    """Return the version of Azure CLI."""
    return str(az("version")["azure-cli"])


def azd_version() -> str:
    """Return the version of Azure Developer CLI."""
    return str(json.loads(run("azd", "version", "--output", "json"))["azd"]["version"])


def old(name: str, version: Callable[[], str]) -> list[str]:
    """Return that a program is older than we need."""
    try:
        said = version()
    except RefusedError as error:
        return [f"{name} does not run: {error}"]
    numbers = tuple(int(number) for number in re.findall(r"\d+", said)[:3])
    if numbers >= LEAST[name]:
        return []
    least = ".".join(map(str, LEAST[name]))
    how = "az upgrade" if name == "az" else "https://aka.ms/azd"
    return [f"{name} is {said}, and {least} is the least that does: {how}"]


def other_sqlcmd() -> list[str]:
    """Return that sqlcmd is the older one, which cannot sign in as you did in Azure CLI."""
    try:
        run("sqlcmd", "--version")
    except RefusedError:
        return [
            "sqlcmd is the one that comes with the ODBC driver, which does not take your sign-in: https://aka.ms/go-sqlcmd"
        ]
    return []


def missing_sign_in() -> list[str]:
    """Return whether somebody is signed in, and works on the subscription of the environment."""
    found = []
    try:
        run("azd", "auth", "login", "--check-status")
    except RefusedError:
        found.append("nobody is signed in to azd: azd auth login")
    try:
        account = az("account", "show")
    except RefusedError:
        return [*found, "nobody is signed in to Azure CLI: az login"]
    wanted = setting("AZURE_SUBSCRIPTION_ID")
    if not wanted:
        found.append(
            f"no subscription is chosen: azd env set AZURE_SUBSCRIPTION_ID {account['id']}, if it is {account['name']}"
        )
    elif account["id"] != wanted:
        found.append(
            f"Azure CLI works on another subscription, {account['name']}: az account set --subscription {wanted}"
        )
    if account.get("state", "Enabled") != "Enabled":
        found.append(f"the subscription {account['name']} is {account['state']}: its owner has to enable it")
    return found


def missing_settings() -> list[str]:
    """Return which values of the azd environment are not there, or are none."""
    found = []
    if not re.fullmatch(r"[A-Za-z0-9-]{2,12}", setting("AZURE_ENV_NAME")):
        found.append("the environment's name has 2 to 12 letters, digits and hyphens: azd env new prod")
    if not setting("AZURE_LOCATION"):
        found.append("no region is chosen: azd env set AZURE_LOCATION swedencentral")
    if not setting("ALERT_MAIL_ADDRESSES"):
        found.append("nobody would get the alerts: azd env set ALERT_MAIL_ADDRESSES you@example.com")
    if setting("ISOLATION", "open") not in ("open", "private"):
        found.append("ISOLATION is open or private: azd env set ISOLATION open")
    if setting("SQL_SKU", "S0") not in SIZES:
        found.append(f"SQL_SKU is one of {', '.join(SIZES)}: azd env set SQL_SKU S0")
    if setting("SQL_ADMINISTRATORS_OBJECT_ID") and not setting("SQL_ADMINISTRATORS_NAME"):
        found.append("the administrators' group has an id but no name: azd env set SQL_ADMINISTRATORS_NAME NAME")
    return found


def missing_providers() -> list[str]:
    """Return the resource providers that the subscription has not registered."""
    listed = az("provider", "list", "--query", "[].{name:namespace, state:registrationState}")
    states = {one["name"].lower(): one["state"] for one in listed}
    return [
        f"the subscription does not know {name} yet: az provider register --namespace {name} --wait"
        for name in PROVIDERS
        if states.get(name.lower()) != "Registered"
    ]


def missing_quota() -> list[str]:
    """Return what the region does not have, or this subscription has too little of there."""
    region, size = setting("AZURE_LOCATION"), setting("SQL_SKU", "S0")
    found = []
    regions = {plain(one["name"]) for one in az("functionapp", "list-flexconsumption-locations")}
    if plain(region) not in regions:
        found.append(
            f"Flex Consumption is not in {region}: azd env set AZURE_LOCATION to one of {', '.join(sorted(regions))}"
        )
    objective = f"{size}_2" if size.endswith("_Gen5") else size
    if not az("sql", "db", "list-editions", "--location", region, "--service-objective", objective, "--available"):
        found.append(
            f"this subscription gets no Azure SQL of size {size} in {region}: choose another SQL_SKU or AZURE_LOCATION"
        )
    usages = az("sql", "list-usages", "--location", region)
    (servers,) = [one for one in usages if one["name"] == "ServerQuota"] or [{"currentValue": 0, "limit": 1}]
    if servers["currentValue"] >= servers["limit"] and not group_exists():
        taken = f"all {servers['limit']:g} SQL servers of this subscription in {region} are taken"
        found.append(f"{taken}: ask for more quota")
    return found


def plain(region: str) -> str:
    """Return a region's name without capitals and spaces."""
    return region.replace(" ", "").lower()


def missing_rights() -> list[str]:
    """Return what the person signed in may not do where the estate is to stand."""
    scope, needed = f"/subscriptions/{setting('AZURE_SUBSCRIPTION_ID')}", list(RIGHTS)
    if group_exists():
        scope += f"/resourceGroups/{group()}"
    else:
        needed.append("Microsoft.Resources/subscriptions/resourceGroups/write")
    url = f"{MANAGEMENT}{scope}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
    granted = az("rest", "--method", "get", "--url", url)["value"]
    lacking = [action for action in needed if not any(allows(one, action) for one in granted)]
    if not lacking:
        return []
    roles = "Owner there, or Contributor and Role Based Access Control Administrator"
    return [f"you may not {', '.join(lacking)} in {scope}: have an owner give you {roles}"]


def allows(permission: dict[str, list[str]], action: str) -> bool:
    """Tell whether one permission covers an action."""

    def covered(patterns: list[str]) -> bool:
        return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)

    return covered(permission.get("actions", [])) and not covered(permission.get("notActions", []))


def group() -> str:
    """Return the name of the resource group."""
    return setting("AZURE_RESOURCE_GROUP", f"rg-promptledger-{setting('AZURE_ENV_NAME')}")


def group_exists() -> bool:
    """Tell whether the resource group is there."""
    return bool(az("group", "exists", "--name", group()))


# What it settles


def settle_group() -> None:
    """Make the resource group, marked as this environment's, so that `azd down` may take it away."""
    if not group_exists():
        tag = f"azd-env-name={setting('AZURE_ENV_NAME')}"
        az("group", "create", "--name", group(), "--location", setting("AZURE_LOCATION"), "--tags", tag)
    settle("AZURE_RESOURCE_GROUP", group())


def settle_administrator() -> None:
    """Make the person signed in the administrator of the ledger's server, unless a group is named."""
    if setting("SQL_ADMINISTRATORS_OBJECT_ID"):
        return
    me = az("ad", "signed-in-user", "show")
    settle("SQL_ADMINISTRATORS_NAME", me["userPrincipalName"])
    settle("SQL_ADMINISTRATORS_TYPE", "User")
    # The last of them: a run that ends before it begins again.
    settle("SQL_ADMINISTRATORS_OBJECT_ID", me["id"])
    say(f"{me['userPrincipalName']} will administer the ledger's server. Better a group: docs/deploy.md.")


def settle_application() -> None:
    """Make the audit API's application, and let the person signed in ask it."""
    if setting("AUDIT_CLIENT_ID"):
        return
    name = f"promptledger-audit-{setting('AZURE_ENV_NAME')}"
    client = run("bash", "infra/scripts/audit-app.sh", name).strip().splitlines()[-1]
    service = az("ad", "sp", "show", "--id", client)["id"]
    me = az("ad", "signed-in-user", "show")["id"]
    given = az(
        "rest", "--method", "get", "--url", f"{GRAPH}/users/{me}/appRoleAssignments?$filter=resourceId eq {service}"
    )
    if AUDIT_READ not in {one["appRoleId"] for one in given["value"]}:
        body = json.dumps({"principalId": me, "resourceId": service, "appRoleId": AUDIT_READ})
        headers = "Content-Type=application/json"
        url = f"{GRAPH}/servicePrincipals/{service}/appRoleAssignedTo"
        az("rest", "--method", "post", "--url", url, "--headers", headers, "--body", body)
    settle("AUDIT_CLIENT_ID", client)
    say(f"The audit API's application is {name}, and you have its role Audit.Read.")


_APPLICATION = (
    "you may not register applications or give their roles: have somebody who is Cloud Application Administrator run "
    "infra/scripts/audit-app.sh and give you Audit.Read, then azd env set AUDIT_CLIENT_ID ID"
)


def settle_packages() -> None:
    """Install what migrates the ledger."""
    venv = setting("VENV", ".venv")
    run(".ci/venv", venv, "requirements-local.txt")
    run(f"{venv}/bin/python", "-c", "import pyodbc")


SETTLED: list[tuple[Callable[[], None], str]] = [
    (settle_packages, "Python's packages cannot be used; is unixODBC there? apt-get or brew install unixodbc"),
    (settle_group, "the resource group cannot be made"),
    (settle_administrator, "your user cannot be read: set SQL_ADMINISTRATORS_NAME and SQL_ADMINISTRATORS_OBJECT_ID"),
    (settle_application, _APPLICATION),
]
"""What to do once all is there, and what to say where it cannot be done."""


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")


def main() -> int:
    """Return 0 when all is there."""
    missing = missing_tools()
    if shutil.which("az") and shutil.which("azd"):
        missing += missing_sign_in()
    missing += missing_settings()
    if not missing:
        for ask in (missing_providers, missing_quota, missing_rights):
            try:
                missing += ask()
            except RefusedError as error:
                missing.append(f"Azure does not answer: {error}")
    if missing:
        say(f"Before `azd up`, {len(missing)} thing{'s' if len(missing) > 1 else ''} to do; nothing was made:")
        for one in missing:
            say(f"- {one}")
        return 1
    for act, failed in SETTLED:
        try:
            act()
        except RefusedError as error:
            say(f"Before `azd up`: {failed}\n  {error}")
            return 1
    say(f"All is there for {setting('AZURE_ENV_NAME')} in {group()}, {setting('AZURE_LOCATION')}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
