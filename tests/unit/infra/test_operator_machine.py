"""What runs on the operator machine: files arrive whole, steps end as they ended, and no secret is left behind."""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.parts.desk.world import GROUP, OUTPUTS, ROOT, World, copy_of_checkout, set_up
from tests.unit.infra.templates import INFRA

PASSWORD = "correct horse"  # noqa: S105  # of a file that the test makes
STEP = (INFRA / "scripts" / "operator-machine-step.sh").read_text(encoding="utf-8")

slow = pytest.mark.slow


@dataclass
class Desk:
    """A checkout, and the stand-ins of what it talks to."""

    checkout: Path
    environment: dict[str, str]
    world: World

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["/bin/sh", "infra/scripts/on-operator-machine", *arguments],
            cwd=self.checkout,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.world = World(self.world.folder)
        return done

    def tell(self, **known: Any) -> None:
        self.world.known |= known
        self.world.save()

    @property
    def machine(self) -> Path:
        return self.world.folder / "machine"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    environment = set_up(tmp_path / "azure") | OUTPUTS | {"AZURE_RESOURCE_GROUP": "rg"}
    found = Desk(copy_of_checkout(tmp_path / "checkout"), environment, World(tmp_path / "azure"))
    found.tell(
        group="rg", outputs=OUTPUTS, power="VM running", key="ssh-rsa AAAA", members=[OUTPUTS["OPERATOR_PRINCIPAL_ID"]]
    )
    return found


@pytest.fixture
def sent(desk: Desk) -> Desk:
    assert desk.run("send").returncode == 0
    return desk


def certificate(folder: Path) -> Path:
    files = {name: folder / f"clients.{name}" for name in ("key", "crt", "pfx")}
    for command in (
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=ai.example.com", "-days", "2",
         "-keyout", files["key"], "-out", files["crt"]],
        ["pkcs12", "-export", "-inkey", files["key"], "-in", files["crt"], "-out", files["pfx"],
         "-passout", f"pass:{PASSWORD}"],
    ):  # fmt: skip
        subprocess.run(["/usr/bin/openssl", *map(str, command)], check=True, capture_output=True)
    return files["pfx"]


def everything_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


# Files


@slow
def test_the_machine_gets_the_files_that_the_steps_need_and_no_other(sent: Desk) -> None:
    there = {path.relative_to(sent.machine / "opt" / "release").as_posix()
             for path in (sent.machine / "opt" / "release").rglob("*") if path.is_file()}  # fmt: skip

    assert {"sql/roles.sql", "shared/stores/sql/migrate.py", "infra/scripts/grant-database.sql", "host.json"} <= there
    assert {name for name in there if not (sent.checkout / name).is_file()} == set()
    assert {name for name in there if name.endswith((".pyc", ".bicep", ".env", ".pfx"))} == set()
    assert not (sent.machine / "opt" / "incoming").exists()


@slow
def test_files_that_arrive_damaged_are_refused_and_the_ones_before_stay_out_of_use(desk: Desk) -> None:
    # Of the parts, the machine's base64 keeps the beginning alone.
    broken = desk.machine / "bin" / "base64"
    broken.write_text('#!/bin/sh\n/usr/bin/base64 "$@" | head -c 1000\n', encoding="utf-8")
    broken.chmod(0o755)

    done = desk.run("send")

    assert done.returncode == 1
    assert "arrived damaged" in done.stderr
    assert not (desk.machine / "opt" / "sent").exists()


@slow
def test_a_step_runs_on_the_very_files_that_were_sent(sent: Desk) -> None:
    (sent.checkout / "sql" / "roles.sql").write_text("-- another release\n", encoding="utf-8")

    done = sent.run("prepare-database")

    assert done.returncode == 1
    assert "does not have these files" in done.stderr
    assert "scripts run" not in sent.world.known


@slow
def test_a_step_before_any_files_says_what_to_do(desk: Desk) -> None:
    done = desk.run("prepare-database")

    assert done.returncode == 1
    assert "infra/scripts/on-operator-machine send" in done.stderr


@slow
def test_tools_that_are_missing_are_installed_again_and_named_when_that_fails(desk: Desk) -> None:
    (desk.machine / "bin" / "sqlcmd").unlink()
    installer = desk.machine / "bin" / "install-tools"
    installer.write_text("#!/bin/sh\necho tried\n", encoding="utf-8")
    installer.chmod(0o755)

    done = desk.run("send")

    assert done.returncode == 1
    assert "tried" in done.stdout
    assert "The machine lacks: sqlcmd" in done.stderr


# Steps


@slow
def test_a_certificate_with_a_password_goes_into_the_vault(sent: Desk, tmp_path: Path) -> None:
    done = sent.run("import-certificate", str(certificate(tmp_path)), CERTIFICATE_PASSWORD=PASSWORD)

    assert (done.returncode, done.stderr) == (0, "")
    assert f"https://{OUTPUTS['KEY_VAULT_NAME']}.vault.azure.net/secrets/clients\n" in done.stdout
    assert sent.world.known["certificate"] == "clients"


@slow
def test_a_wrong_password_ends_as_the_vault_says(sent: Desk, tmp_path: Path) -> None:
    done = sent.run("import-certificate", str(certificate(tmp_path)), CERTIFICATE_PASSWORD="another")  # noqa: S106

    assert done.returncode == 1
    assert "password may be incorrect" in done.stderr
    assert "certificate" not in sent.world.known


@slow
def test_no_secret_is_in_a_command_line_a_script_or_a_file_afterwards(sent: Desk, tmp_path: Path) -> None:
    before = set(Path("/dev/shm").iterdir())  # noqa: S108  # where the step keeps secrets while it runs
    sent.run("import-certificate", str(certificate(tmp_path)), CERTIFICATE_PASSWORD=PASSWORD)
    (tmp_path / "key").write_text("a-vendor-s-key\n", encoding="utf-8")

    sent.run("set-secret", "gemini", str(tmp_path / "key"))

    arguments = "\n".join("\0".join(call) for call in sent.world.calls())
    kept = everything_below(sent.machine) + json.dumps(sent.world.known["commands"]).encode()
    assert sent.world.known["secrets"] == {"gemini": "a-vendor-s-key"}
    assert not re.search(f"{PASSWORD}|a-vendor-s-key", arguments)
    assert not re.search(f"{PASSWORD}|a-vendor-s-key".encode(), kept)
    assert {path for path in set(Path("/dev/shm").iterdir()) - before if (path / "CERTIFICATE").exists()} == set()  # noqa: S108
    assert sent.world.known["commands"] == {}, "the command is removed, and its protected parameters with it"


@slow
def test_whoever_is_no_administrator_of_the_database_is_told_so(sent: Desk) -> None:
    sent.tell(members=[])

    done = sent.run("prepare-database")

    assert done.returncode == 1
    assert "Login failed for user '<token-identified principal>'" in done.stderr
    assert "exit code 1" in done.stderr


@slow
def test_a_package_whose_functions_do_not_come_is_no_deployment(sent: Desk) -> None:
    # The host lists no function, whatever was deployed.
    program = sent.machine / "bin" / "az"
    program.write_text(
        f'#!/bin/sh\n[ "$1 $2" = "functionapp function" ] || exec "{sent.world.folder}/bin/az" "$@"\n', encoding="utf-8"
    )
    script = sent.checkout / "infra" / "scripts" / "operator-machine-step.sh"
    script.write_text(script.read_text().replace("timeout 2700", "ATTEMPTS=1 PAUSE=0 timeout 60"), encoding="utf-8")
    assert sent.run("send").returncode == 0

    done = sent.run("deploy")

    assert done.returncode == 1
    assert "does not run the functions" in done.stderr


@slow
def test_the_exit_code_of_a_step_is_that_of_the_machine(sent: Desk) -> None:
    script = sent.checkout / "infra" / "scripts" / "operator-machine-step.sh"
    script.write_text("echo half\necho trouble >&2\nexit 7\n", encoding="utf-8")
    assert sent.run("send").returncode == 0

    done = sent.run("prepare-database")

    assert done.returncode == 7
    assert done.stdout == "half\n"
    assert done.stderr.startswith("trouble\n")


@slow
def test_a_machine_that_does_not_run_is_not_started_unasked(desk: Desk) -> None:
    desk.tell(power="VM deallocated")

    done = desk.run("send")

    assert done.returncode == 1
    assert done.stderr == "VM deallocated, not running: infra/scripts/on-operator-machine start\n"


@slow
def test_the_machine_is_an_administrator_from_its_start_to_its_stop_and_both_may_be_repeated(desk: Desk) -> None:
    desk.tell(power="VM deallocated", members=["somebody else"])
    administrators = {"SQL_ADMINISTRATORS_OBJECT_ID": GROUP}

    codes = [desk.run(step, **administrators).returncode for step in ("start", "start")]
    started = dict(desk.world.known)
    codes += [desk.run(step, **administrators).returncode for step in ("stop", "stop")]

    assert codes == [0, 0, 0, 0]
    assert (started["power"], started["members"]) == (
        "VM running", ["somebody else", OUTPUTS["OPERATOR_PRINCIPAL_ID"]],
    )  # fmt: skip
    assert (desk.world.known["power"], desk.world.known["members"]) == ("VM deallocated", ["somebody else"])


@slow
@pytest.mark.parametrize(
    "name", ["AZURE_RESOURCE_GROUP", "OPERATOR_MACHINE_NAME", "OPERATOR_CLIENT_ID", "SQL_HOST_NAME"]
)
def test_a_variable_that_is_not_set_is_named(desk: Desk, name: str) -> None:
    done = desk.run("prepare-database", **{name: ""})

    assert done.returncode == 1
    assert done.stderr.startswith(f"{name} is not set:")


@slow
def test_a_file_that_is_not_there_or_too_long_is_refused_at_the_desk(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "long.pfx").write_bytes(bytes(65537))

    missing = desk.run("import-certificate", str(tmp_path / "none.pfx"))
    long = desk.run("import-certificate", str(tmp_path / "long.pfx"))

    assert "none.pfx cannot be read: No such file or directory" in missing.stderr
    assert "has 65,537 bytes" in long.stderr


@slow
@pytest.mark.parametrize("arguments", [(), ("destroy",), ("send", "more"), ("set-secret", "gemini")])
def test_what_is_no_step_gets_the_list_of_steps(desk: Desk, arguments: tuple[str, ...]) -> None:
    done = desk.run(*arguments)

    assert done.returncode == 2
    assert "import-certificate FILE" in done.stderr


@slow
def test_a_line_that_breaks_leaves_the_command_and_says_how_to_look_at_it(sent: Desk) -> None:
    program = sent.world.folder / "bin" / "az"
    whole = program.read_text(encoding="utf-8")
    program.with_name("real-az").write_text(whole, encoding="utf-8")
    program.with_name("real-az").chmod(0o755)
    program.write_text(
        '#!/bin/sh\n[ "$1 $2 $3" != "vm run-command show" ] || { echo "connection reset" >&2; exit 1; }\n'
        f'exec {program.with_name("real-az")} "$@"\n',
        encoding="utf-8",
    )

    done = sent.run("prepare-database")

    assert done.returncode == 1
    assert "connection reset" in done.stderr
    assert "az vm run-command show --resource-group rg" in done.stderr
    assert len(sent.world.known["commands"]) == 1


# What the first start installs


def test_the_first_start_is_cloud_init_s_own_yaml_and_installs_every_tool_that_the_steps_use() -> None:
    text = (INFRA / "operator-machine.yaml").read_text(encoding="utf-8")
    read = YAML(typ="safe").load(text)
    (script,) = [file["content"] for file in read["write_files"]]

    assert text.startswith("#cloud-config\n")
    assert next(file["path"] for file in read["write_files"]) in read["runcmd"]
    for package in ("azure-cli", "msodbcsql18", "python3-venv", "sqlcmd", "unixodbc", "xz-utils"):
        assert re.search(rf"\b{package}\b", script.partition("install --no-install-recommends")[2]), package
    subprocess.run(["/bin/sh", "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize(
    "name", ["operator-machine-step.sh", "operator-machine-receive.sh", "on-operator-machine", "outputs"]
)
def test_a_script_is_shell_and_may_be_run(name: str) -> None:
    path = INFRA / "scripts" / name

    checked = subprocess.run(["/bin/bash", "-n", str(path)], check=False)

    assert checked.returncode == 0
    assert os.access(path, os.X_OK)


def test_nothing_but_the_steps_themselves_gets_the_rights_of_the_machine() -> None:
    module = (INFRA / "modules" / "operator-machine.bicep").read_text(encoding="utf-8")
    roles = json.loads((INFRA / "roles.json").read_text(encoding="utf-8"))

    given = re.findall(r"roles\.(\w+)\.id", module)

    assert [roles[name]["name"] for name in given] == [
        "Key Vault Certificates Officer", "Key Vault Secrets Officer", "Website Contributor",
    ]  # fmt: skip
    assert (
        "resource setsKeys 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (setsSecrets && !empty(vaultName))"
        in module
    )


def test_the_step_script_has_every_step_of_the_desk() -> None:
    desk = (ROOT / "infra" / "scripts" / "operator_machine.py").read_text(encoding="utf-8")
    named = set(re.findall(r"^    infra/scripts/on-operator-machine ([\w-]+)", desk, re.MULTILINE)) - {
        "send",
        "start",
        "stop",
    }

    assert set(re.findall(r"^([a-z-]+)\)$", STEP, re.MULTILINE)) == named
