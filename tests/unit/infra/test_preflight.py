"""Before `azd up`, the preflight hook says what is missing, each thing with what mends it, and makes nothing."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.builders.programs import NAMES, Answer, Desk, pinned, write_program
from tests.unit.infra.templates import INFRA

pytestmark = pytest.mark.slow

HOOK = INFRA / "scripts" / "hooks" / "preflight.py"
SUBSCRIPTION = "00000000-0000-4000-8000-00000000000a"
ME = "00000000-0000-4000-8000-00000000000b"
CLIENT = "00000000-0000-4000-8000-00000000000c"
SERVICE = "00000000-0000-4000-8000-00000000000d"
PROVIDERS = re.findall(r'^    "(Microsoft\.\w+)",$', HOOK.read_text(encoding="utf-8"), re.MULTILINE)
VALUES = {
    "AZURE_ENV_NAME": "prod",
    "AZURE_LOCATION": "swedencentral",
    "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
    "ALERT_MAIL_ADDRESSES": "operators@example.com",
}


def said(value: object) -> str:
    return json.dumps(value)


def account(**changes: str) -> str:
    return said({"id": SUBSCRIPTION, "name": "Research", "state": "Enabled", "user": {"type": "user"}} | changes)


def permissions(actions: list[str], refused: list[str]) -> str:
    return said({"value": [{"actions": actions, "notActions": refused, "dataActions": [], "notDataActions": []}]})


ALL_IS_THERE = [
    Answer(call="^az version", out=said({"azure-cli": "2.91.0", "extensions": {}})),
    Answer(call="^azd version", out=said({"azd": {"version": "1.25.3", "commit": "0123456"}})),
    Answer(call="^sqlcmd --version", out="Version: v1.8.2\n"),
    Answer(call="^azd auth login --check-status", out="Logged in to Azure.\n"),
    Answer(call="^az account show", out=account()),
    Answer(call="^az provider list", out=said([{"name": one, "state": "Registered"} for one in PROVIDERS])),
    Answer(
        call="^az functionapp list-flexconsumption-locations",
        out=said([{"name": "Sweden Central"}, {"name": "France Central"}]),
    ),
    Answer(call="^az sql db list-editions .*--service-objective S0 --available", out=said([{"name": "Standard"}])),
    Answer(
        call="^az sql list-usages",
        out=said(
            [{"name": "ServerQuota", "currentValue": 3.0, "limit": 250.0, "displayName": "Regional Server Quota"}]
        ),
    ),
    Answer(call="^az group exists", out="false\n"),
    Answer(call="^az rest .*/permissions", out=permissions(["*"], [])),
    Answer(call="^az group create", out=said({"properties": {"provisioningState": "Succeeded"}})),
    Answer(call="^az ad signed-in-user show", out=said({"id": ME, "userPrincipalName": "ada@example.com"})),
    Answer(call="^az ad app list"),
    Answer(call="^az ad app create", out=f"{CLIENT}\n"),
    Answer(call="^az ad app update"),
    Answer(call="^az ad sp show .*--output json", out=said({"id": SERVICE})),
    Answer(call="^az ad sp"),
    Answer(call="^az rest --method get .*appRoleAssignments", out=said({"value": []})),
    Answer(call="^az rest --method (patch|post)"),
    Answer(call="^azd env set [A-Z_]+ .+"),
]


def desk(folder: Path, *instead: Answer, missing: tuple[str, ...] = ()) -> Desk:
    """Return a desk where all is there, but for what is said instead; its Python has all packages."""
    venv = folder / "venv" / "bin"
    venv.mkdir(parents=True)
    write_program(venv / "python", "#!/bin/sh\necho 3.13.0\n")
    made = Desk(folder, [*instead, *ALL_IS_THERE], missing)
    pinned(folder / "venv", INFRA.parent / "requirements-local.txt")
    return made


def run(at: Desk, folder: Path, **changes: str) -> tuple[int, str]:
    values = {name: value for name, value in (VALUES | {"VENV": str(folder / "venv")} | changes).items() if value}
    return at.run(sys.executable, str(HOOK), **values)


def test_where_all_is_there_it_settles_the_rest(tmp_path: Path) -> None:
    at = desk(tmp_path)

    code, told = run(at, tmp_path)

    assert (code, told.splitlines()[-1]) == (0, "All is there for prod in rg-promptledger-prod, swedencentral.")
    assert set(at.asked("^azd env set")) == {
        "azd env set AZURE_RESOURCE_GROUP rg-promptledger-prod",
        "azd env set SQL_ADMINISTRATORS_NAME ada@example.com",
        "azd env set SQL_ADMINISTRATORS_TYPE User",
        f"azd env set SQL_ADMINISTRATORS_OBJECT_ID {ME}",
        f"azd env set AUDIT_CLIENT_ID {CLIENT}",
    }
    assert at.asked("^az group create .*--tags azd-env-name=prod")


def test_run_again_it_makes_nothing(tmp_path: Path) -> None:
    at = desk(tmp_path, Answer(call="^az group exists", out="true\n"))

    code, _ = run(at, tmp_path, SQL_ADMINISTRATORS_NAME="a", SQL_ADMINISTRATORS_OBJECT_ID=ME, AUDIT_CLIENT_ID=CLIENT)

    assert code == 0
    assert at.asked(r"\b(create|post|patch|update|delete)\b") == []


def test_a_person_who_has_the_role_already_is_not_given_it_twice(tmp_path: Path) -> None:
    role = said({"value": [{"appRoleId": "5b0c1d0e-4f4c-4a39-9c57-0a0d6f0a1b02"}]})
    at = desk(tmp_path, Answer(call="^az rest --method get .*appRoleAssignments", out=role))

    code, _ = run(at, tmp_path)

    assert code == 0
    assert at.asked("--method post") == []


MISSING = {
    "an old az": (Answer(call="^az version", out=said({"azure-cli": "2.86.0"})), {}, "az upgrade"),
    "an old azd": (Answer(call="^azd version", out=said({"azd": {"version": "1.9.5"}})), {}, "https://aka.ms/azd"),
    "the other sqlcmd": (Answer(call="^sqlcmd", code=1, err="Unknown Option"), {}, "https://aka.ms/go-sqlcmd"),
    "a sign-in of azd": (Answer(call="^azd auth", code=1, err="Not logged in"), {}, "azd auth login"),
    "a sign-in of az": (Answer(call="^az account", code=1, err="Please run 'az login'"), {}, "az login"),
    "a subscription": (
        Answer(call="^none"),
        {"AZURE_SUBSCRIPTION_ID": ""},
        f"azd env set AZURE_SUBSCRIPTION_ID {SUBSCRIPTION}",
    ),
    "the same subscription": (
        Answer(call="^az account", out=account(id="other")),
        {},
        f"az account set --subscription {SUBSCRIPTION}",
    ),
    "a subscription that works": (Answer(call="^az account", out=account(state="Disabled")), {}, "is Disabled"),
    "a name that fits": (Answer(call="^none"), {"AZURE_ENV_NAME": "a-name-too-long"}, "azd env new"),
    "a region": (Answer(call="^none"), {"AZURE_LOCATION": ""}, "azd env set AZURE_LOCATION"),
    "a mail address": (Answer(call="^none"), {"ALERT_MAIL_ADDRESSES": ""}, "azd env set ALERT_MAIL_ADDRESSES"),
    "an isolation": (Answer(call="^none"), {"ISOLATION": "closed"}, "azd env set ISOLATION"),
    "a size": (Answer(call="^none"), {"SQL_SKU": "S9"}, "azd env set SQL_SKU"),
    "the group's name": (
        Answer(call="^none"),
        {"SQL_ADMINISTRATORS_OBJECT_ID": ME},
        "azd env set SQL_ADMINISTRATORS_NAME",
    ),
    "the region's Flex Consumption": (
        Answer(call="^az functionapp list-flex", out=said([{"name": "westeurope"}])),
        {},
        "one of westeurope",
    ),
    "the database's size": (Answer(call="^az sql db list-editions", out="[]"), {}, "another SQL_SKU or AZURE_LOCATION"),
    "quota for a server": (
        Answer(call="^az sql list-usages", out=said([{"name": "ServerQuota", "currentValue": 20.0, "limit": 20.0}])),
        {},
        "ask for more quota",
    ),
    "an answer": (Answer(call="^az provider", code=1, err="ServiceUnavailable"), {}, "ServiceUnavailable"),
}


@pytest.mark.parametrize("what", MISSING)
def test_what_is_missing_is_said_with_what_mends_it_and_nothing_is_made(tmp_path: Path, what: str) -> None:
    answer, changes, words = MISSING[what]
    at = desk(tmp_path, answer)

    code, told = run(at, tmp_path, **changes)

    assert code == 1
    assert [line for line in told.splitlines() if line.startswith("- ") and words in line]
    assert told.startswith("Before `azd up`, 1 thing to do; nothing was made:")
    assert at.asked("create|update|post|patch|env set") == []


@pytest.mark.parametrize("name", NAMES)
def test_a_program_that_is_not_here_is_named(tmp_path: Path, name: str) -> None:
    at = desk(tmp_path, missing=(name,))

    code, told = run(at, tmp_path)

    assert code == 1
    assert f"- {name} is not on PATH" in told


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_that_is_not_registered_comes_with_the_command_to_register_it(tmp_path: Path, name: str) -> None:
    states = [{"name": one, "state": "NotRegistered" if one == name else "Registered"} for one in PROVIDERS]
    at = desk(tmp_path, Answer(call="^az provider list", out=said(states)))

    code, told = run(at, tmp_path)

    assert code == 1
    assert f"az provider register --namespace {name} --wait" in told


def test_everything_that_is_missing_is_said_at_once(tmp_path: Path) -> None:
    at = desk(tmp_path, Answer(call="^azd auth", code=1), Answer(call="^az account", code=1, err="az login"))

    code, told = run(at, tmp_path, AZURE_LOCATION="", ALERT_MAIL_ADDRESSES="")

    assert code == 1
    assert told.startswith("Before `azd up`, 4 things to do; nothing was made:")


@pytest.mark.parametrize(
    ("actions", "refused", "lacking"),
    [
        (["*"], ["Microsoft.Authorization/*/Write", "Microsoft.Authorization/*/Delete"], "roleAssignments/write"),
        (["*/read"], [], "Microsoft.Sql/servers/write"),
        ([], [], "Microsoft.Resources/deployments/write"),
    ],
)
def test_rights_that_do_not_suffice_are_named(
    tmp_path: Path, actions: list[str], refused: list[str], lacking: str
) -> None:
    at = desk(tmp_path, Answer(call="^az rest .*/permissions", out=permissions(actions, refused)))

    code, told = run(at, tmp_path)

    assert code == 1
    assert lacking in told
    assert "Role Based Access Control Administrator" in told


def test_rights_are_looked_for_where_the_estate_is_to_stand(tmp_path: Path) -> None:
    at = desk(tmp_path, Answer(call="^az group exists", out="true\n"))

    run(at, tmp_path, AZURE_RESOURCE_GROUP="rg-ours")

    assert at.asked("/resourceGroups/rg-ours/providers/Microsoft.Authorization/permissions")


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        ("^az ad app create", "you may not register applications"),
        ("^az rest --method post", "you may not register applications"),
        ("^az group create", "the resource group cannot be made"),
        ("^az ad signed-in-user", "your user cannot be read"),
    ],
)
def test_what_it_cannot_settle_it_says_in_plain_words(tmp_path: Path, refused: str, words: str) -> None:
    at = desk(tmp_path, Answer(call=refused, code=1, err="Insufficient privileges to complete the operation."))

    code, told = run(at, tmp_path)

    assert code == 1
    assert words in told
    assert "Insufficient privileges" in told
    assert "env set AUDIT_CLIENT_ID" not in " ".join(at.calls)


def test_a_python_without_unixodbc_is_told_how_to_get_it(tmp_path: Path) -> None:
    at = desk(tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    write_program(python, '#!/bin/sh\ncase "$*" in *pyodbc*) echo libodbc.so.2 >&2; exit 1 ;; esac\necho 3.13.0\n')

    code, told = run(at, tmp_path)

    assert code == 1
    assert "brew install unixodbc" in told
    assert at.asked("create|env set") == []
