"""What templates cannot make, scripts do: the Entra application, and the app's user in the ledger."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shared.api.callers import Role
from tests.unit.infra.templates import INFRA

pytestmark = pytest.mark.slow

SCRIPT = INFRA / "scripts" / "audit-app.sh"
CLIENT = "00000000-0000-4000-8000-000000000001"
AZ = f"""#!/bin/sh
printf '%s\\0' "$@" >>"$CALLS"
printf '\\036' >>"$CALLS"
case "$1 $2 $3" in
    "ad app list") printf "$FOUND" ;;
    "ad app create") echo {CLIENT} ;;
    "ad sp show") exit 3 ;;
esac
"""


def run(folder: Path, found: str = "") -> tuple[subprocess.CompletedProcess[str], list[list[str]]]:
    """Run the script with an `az` that notes its arguments; `found` is what it says of applications of that name."""
    az, calls = folder / "az", folder / "calls"
    az.write_text(AZ, encoding="utf-8")
    az.chmod(0o755)
    calls.touch()
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(calls), "FOUND": found}
    ended = subprocess.run(
        ["bash", str(SCRIPT), "promptledger-audit"],  # noqa: S607  # whichever bash the machine has
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    noted = calls.read_text(encoding="utf-8").split("\036")[:-1]
    return ended, [call.split("\0")[:-1] for call in noted]


def argument(call: list[str], name: str) -> Any:
    return json.loads(call[call.index(name) + 1])


def test_the_script_makes_the_application_and_prints_its_client_id(tmp_path: Path) -> None:
    ended, calls = run(tmp_path)

    assert (ended.returncode, ended.stdout.strip()) == (0, CLIENT)
    assert [call[:3] for call in calls if call[2] == "create"] == [["ad", "app", "create"], ["ad", "sp", "create"]]


def test_an_application_that_is_there_is_kept(tmp_path: Path) -> None:
    ended, calls = run(tmp_path, found=f"{CLIENT}\\n")

    assert (ended.returncode, ended.stdout.strip()) == (0, CLIENT)
    assert ["ad", "app", "create"] not in [call[:3] for call in calls]


def test_two_applications_of_one_name_stop_the_script(tmp_path: Path) -> None:
    ended, calls = run(tmp_path, found=f"{CLIENT}\\n{CLIENT}\\n")

    assert ended.returncode == 1
    assert "more than one application" in ended.stderr
    assert [call[:3] for call in calls] == [["ad", "app", "list"]]


def test_the_application_has_the_roles_that_the_audit_api_knows(tmp_path: Path) -> None:
    _, calls = run(tmp_path)
    update = next(call for call in calls if call[:3] == ["ad", "app", "update"])

    roles = argument(update, "--app-roles")

    assert {role["value"] for role in roles} == {role.value for role in Role}
    assert len({role["id"] for role in roles}) == len(roles)
    assert all(role["isEnabled"] and role["description"] for role in roles)


def test_the_scope_is_made_before_a_client_may_use_it(tmp_path: Path) -> None:
    _, calls = run(tmp_path)

    scope, client = [argument(call, "--body")["api"] for call in calls if call[0] == "rest"]

    assert [client["preAuthorizedApplications"][0]["delegatedPermissionIds"]] == [
        [one["id"] for one in scope["oauth2PermissionScopes"]]
    ]


def test_nobody_gets_a_token_without_a_role(tmp_path: Path) -> None:
    _, calls = run(tmp_path)

    assert "appRoleAssignmentRequired=true" in calls[-1]


@pytest.mark.parametrize("word", ["db_owner", "db_datawriter", "alter any", "control"])
def test_the_app_s_user_gets_no_right_beyond_its_role(word: str) -> None:
    grants = (INFRA / "scripts" / "grant-database.sql").read_text(encoding="utf-8")

    assert word not in grants.lower()
    assert re.findall(r"^alter role (\w+) add member", grants, re.MULTILINE) == ["promptledger_app"]


# Locking the audit logs

LOCKING_AZ = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
"storage account list"*) printf "$ACCOUNTS" ;;
"storage container-rm list"*) printf 'sqldbauditlogs\\nsqldbledgerdigests\\n' ;;
*"immutability-policy show"*sqldbauditlogs*) printf "$STATE\\n\\"0x8D1\\"\\n" ;;
*"immutability-policy show"*) printf 'Locked\\n"0x8D2"\\n' ;;
esac
"""


def lock(
    folder: Path, *arguments: str, accounts: str = "stplaudit1\\n", state: str = "Unlocked", answer: str = ""
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run the script with an `az` that has one unlocked container and one that is locked; return its calls to lock."""
    az, calls = folder / "az", folder / "calls"
    az.write_text(LOCKING_AZ, encoding="utf-8")
    az.chmod(0o755)
    calls.touch()
    path = f"{folder}:{os.environ['PATH']}"
    ended = subprocess.run(
        [INFRA / "scripts" / "lock-audit-logs", "rg", *arguments],
        env={"PATH": path, "CALLS": str(calls), "ACCOUNTS": accounts, "STATE": state},
        input=answer,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended, [
        call for call in calls.read_text(encoding="utf-8").splitlines() if "immutability-policy lock" in call
    ]


def test_what_is_not_locked_yet_is_locked_as_it_was_seen(tmp_path: Path) -> None:
    ended, locked = lock(tmp_path, "--yes")

    assert ended.returncode == 0, ended.stderr
    assert [call.split(" lock ")[1].split(" --resource-group")[0] for call in locked] == [
        "--account-name stplaudit1 --container-name sqldbauditlogs"
    ]
    assert '--if-match "0x8D1"' in locked[0]
    assert "sqldbledgerdigests is locked already" in ended.stdout


@pytest.mark.parametrize(("answer", "count"), [("yes\n", 1), ("y\n", 0), ("", 0)])
def test_nothing_is_locked_without_a_yes(answer: str, count: int, tmp_path: Path) -> None:
    ended, locked = lock(tmp_path, answer=answer)

    assert (ended.returncode == 0, len(locked)) == (count == 1, count)


@pytest.mark.parametrize(("accounts", "state"), [("", "Unlocked"), ("stplaudit1\\n", "")])
def test_what_has_no_retention_cannot_be_locked(accounts: str, state: str, tmp_path: Path) -> None:
    ended, locked = lock(tmp_path, "--yes", accounts=accounts, state=state)

    assert ended.returncode == 1
    assert "deploy first" in ended.stderr
    assert locked == []
