"""Runs a step of a deployment on the operator machine, which stands in the private network, from a desk that does not.

    infra/scripts/on-operator-machine start                       the machine, as one of the database's administrators
    infra/scripts/on-operator-machine send                        this checkout's files to the machine
    infra/scripts/on-operator-machine import-certificate FILE     a PKCS #12 file into the vault, as `clients`
    infra/scripts/on-operator-machine set-secret NAME FILE        a vendor's key into the vault
    infra/scripts/on-operator-machine prepare-database            migrations, roles, and the app's grant
    infra/scripts/on-operator-machine deploy                      the app, until the host has all its functions
    infra/scripts/on-operator-machine stop                        the machine, which is no administrator any more

Needs: az, signed in as somebody who may run commands on the machine (Virtual Machine Contributor), and in the
environment AZURE_RESOURCE_GROUP and the outputs of the template, as infra/scripts/outputs prints them. The password of
the PKCS #12 file is asked for, or taken from CERTIFICATE_PASSWORD. Prints what the step printed; the exit code is the
step's.

Commands travel through Azure's management plane (managed run command) and run as root. What a step needs to know goes
along as parameters, secrets as protected ones: encrypted on the way, and in no script, process list or log. The
command is removed from the machine as soon as it ends. Standard library only.
"""

import base64
import getpass
import hashlib
import io
import json
import lzma
import os
import secrets
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SENT = (".ci", ".funcignore", "blueprints", "function_app.py", "host.json", "infra/scripts", "requirements-local.txt",
        "requirements.txt", "shared", "sql")  # fmt: skip
"""What the steps need of a checkout: the app's package is built from it, and the ledger migrated."""

FOLDER = "/opt/promptledger"
PART_BYTES = 128 * 1024
"""In base64, 174 KiB: the machine's agent takes scripts of 256 KiB."""

SECRET_BYTES = 64 * 1024
"""A parameter becomes an environment variable, of which Linux takes 128 KiB."""

STEP_SECONDS = 3600
API = "2024-11-01"
ENDED = ("Succeeded", "Failed", "TimedOut", "Canceled")

STEPS: dict[str, tuple[int, tuple[str, ...]]] = {
    "start": (0, ()),
    "send": (0, ()),
    "import-certificate": (1, ("KEY_VAULT_NAME",)),
    "set-secret": (2, ("KEY_VAULT_NAME",)),
    "prepare-database": (0, ("SQL_HOST_NAME", "APP_IDENTITY_NAME", "APP_IDENTITY_CLIENT_ID")),
    "deploy": (0, ("AZURE_FUNCTION_APP_NAME",)),
    "stop": (0, ()),
}
"""How many arguments each step takes, and which of the template's outputs the machine is told."""

OPTIONAL = ("PROMPTLEDGER_SQL_OPTIONS",)  # told where it is set


class StepError(Exception):
    """The step could not be run, or did not end well: a sentence for whoever ran it."""

    code = 1
    """The exit code."""


def archive(root: Path) -> bytes:
    """Return the files of `SENT` as a tar: the same bytes for the same files.

    Raises:
        StepError: one of them is not there.
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path in sorted(_files(root)):
            member = tarfile.TarInfo(path.relative_to(root).as_posix())
            member.size = path.stat().st_size
            member.mode = 0o700 if os.access(path, os.X_OK) else 0o600
            with path.open("rb") as content:
                tar.addfile(member, content)
    return packed.getvalue()


def _files(root: Path) -> Iterator[Path]:
    for start in (root / name for name in SENT):
        if not start.exists():
            raise StepError(f"{start} is not there: run this in a whole checkout")
        for path in start.rglob("*") if start.is_dir() else [start]:
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def part_script(index: int, content: bytes) -> str:
    """Return the script that puts a part of an archive onto the machine."""
    return f"""#!/bin/sh
set -eu
umask 077
base64 --decode >{FOLDER}/incoming/{index:03} <<'END'
{base64.encodebytes(content).decode()}END
"""


def step_script(step: str, digest: str) -> str:
    """Return the script that runs a step in the files that were sent, if they are those of this checkout."""
    return f"""#!/bin/sh
set -eu
[ "$(cat {FOLDER}/sent 2>/dev/null)" = {digest} ] ||
    {{ echo 'The machine does not have these files: infra/scripts/on-operator-machine send' >&2; exit 1; }}
cd {FOLDER}/release
exec bash infra/scripts/operator-machine-step.sh {step}
"""


@dataclass(slots=True)
class Machine:
    """The operator machine: its name in a group, its region, and the seconds between two looks at a command."""

    group: str
    name: str
    location: str
    pause: float

    def run(self, script: str, parameters: Mapping[str, str], protected: Mapping[str, str]) -> None:
        """Run a script as root, and print what it prints. Parameters become its environment; protected ones are secret.

        Raises:
            StepError: the script could not be run, or did not end with 0.
        """
        command = f"promptledger-{secrets.token_hex(4)}"
        body = {
            "location": self.location,
            "properties": {
                "source": {"script": script},
                "parameters": [{"name": name, "value": value} for name, value in parameters.items() if value],
                "protectedParameters": [{"name": name, "value": value} for name, value in protected.items() if value],
                "timeoutInSeconds": STEP_SECONDS,
                "asyncExecution": False,
            },
        }
        url = (
            f"/subscriptions/{{subscriptionId}}/resourceGroups/{self.group}/providers/Microsoft.Compute"
            f"/virtualMachines/{self.name}/runCommands/{command}?api-version={API}"
        )
        # `az vm run-command create` would take secrets as arguments, which every process of this desk can read.
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "command.json")
            file.write_text(json.dumps(body), encoding="utf-8")
            az("rest", "--method", "put", "--url", url, "--body", f"@{file}", "--output", "none")
        try:
            view = self._wait(command)
        except (KeyboardInterrupt, StepError) as error:
            look = ["vm", "run-command", "show", *self._named(command), "--expand", "instanceView"]
            raise StepError(f"{error}\nThe command may go on without us: az {' '.join(look)}".lstrip()) from error
        az("vm", "run-command", "delete", *self._named(command), "--yes", "--output", "none")
        _judge(view)

    def _named(self, command: str) -> list[str]:
        return ["--resource-group", self.group, "--vm-name", self.name, "--name", command]

    def _wait(self, command: str) -> dict[str, Any]:
        shown = {"output": "", "error": ""}
        failures, deadline = 0, time.monotonic() + STEP_SECONDS + 600
        while time.monotonic() < deadline:
            try:
                told = az(
                    "vm", "run-command", "show", *self._named(command), "--expand", "instanceView", "--output", "json"
                )
                answer, failures = json.loads(told), 0
            except StepError:
                # The line to Azure may break for a while.
                answer, failures = {}, failures + 1
                if failures == 5:
                    raise
            view: dict[str, Any] = answer.get("instanceView") or {}
            ended = view.get("executionState") in ENDED
            _show(view, shown, whole=ended)
            if ended:
                return view
            if answer.get("provisioningState") == "Failed":
                raise StepError(f"Azure could not run the command: {view.get('executionMessage') or 'no reason given'}")
            time.sleep(self.pause)
        raise StepError(f"The command {command} has not ended within {STEP_SECONDS + 600} seconds")


def _show(view: Mapping[str, Any], shown: dict[str, str], *, whole: bool) -> None:
    """Print the lines that are new, the last one too where nothing follows: the platform hands out the last 4 KiB."""
    for name, stream in (("output", sys.stdout), ("error", sys.stderr)):
        text: str = view.get(name) or ""
        text = f"{text}\n" if whole and text and not text.endswith("\n") else text[: text.rfind("\n") + 1]
        stream.write(text.removeprefix(shown[name]))
        stream.flush()
        shown[name] = text


def _judge(view: Mapping[str, Any]) -> None:
    state, code = view["executionState"], view.get("exitCode")
    # An exit code that the platform does not tell is no success.
    if state != "Succeeded" or code != 0:
        message = f"The step did not succeed: {state}, exit code {code}. {view.get('executionMessage') or ''}"
        error = StepError(message.rstrip())
        error.code = code if isinstance(code, int) and 0 < code < 256 else 1
        raise error


def az(*arguments: str) -> str:
    """Return what Azure CLI prints.

    Raises:
        StepError: it is not there, or failed: with its own words.
    """
    try:
        done = subprocess.run(["az", *arguments], check=False, capture_output=True, text=True)  # noqa: S607
    except FileNotFoundError as error:
        raise StepError("Azure CLI (az) is not on PATH") from error
    if done.returncode != 0:
        raise StepError(f"az {' '.join(arguments[:2])} failed: {done.stderr.strip()}")
    return done.stdout


def secret_file(path: str) -> bytes:
    """Return the content of a file with a secret.

    Raises:
        StepError: it cannot be read, is empty or longer than a parameter may be.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise StepError(f"{path} cannot be read: {error.strerror}") from error
    if not 0 < len(content) <= SECRET_BYTES:
        raise StepError(f"{path} has {len(content):,} bytes, not 1 to {SECRET_BYTES:,}")
    return content


def protected_of(step: str, arguments: list[str]) -> dict[str, str]:
    """Return the secrets of a step: binary ones in base64."""
    if step == "import-certificate":
        password = os.environ.get("CERTIFICATE_PASSWORD")
        if password is None:
            password = getpass.getpass("Password of the file, empty for none: ") if sys.stdin.isatty() else ""
        content = base64.b64encode(secret_file(arguments[0])).decode()
        return {"CERTIFICATE": content, "CERTIFICATE_PASSWORD": password}
    if step == "set-secret":
        return {"SECRET": base64.b64encode(secret_file(arguments[1]).rstrip(b"\r\n")).decode()}
    return {}


def needed(name: str) -> str:
    """Return a variable of the environment.

    Raises:
        StepError: it is not set, or empty.
    """
    value = os.environ.get(name, "")
    if not value:
        raise StepError(f"{name} is not set: docs/deploy.md says under `Another day` what sets it")
    return value


def start_or_stop(step: str, group: str, name: str) -> None:
    """Start the machine as an administrator of the database, or stop it as none. Safe to repeat.

    Raises:
        StepError: Azure refused.
    """
    member = ["--group", needed("SQL_ADMINISTRATORS_OBJECT_ID"), "--member-id", needed("OPERATOR_PRINCIPAL_ID")]
    is_member = json.loads(az("ad", "group", "member", "check", *member, "--output", "json"))["value"]
    # Membership first: Azure hands a machine the same token for up to a day.
    if is_member != (step == "start"):
        az("ad", "group", "member", "add" if step == "start" else "remove", *member)
    az("vm", "start" if step == "start" else "deallocate", "--resource-group", group, "--name", name)


def find_machine(group: str, name: str, pause: float) -> Machine:
    """Return the operator machine, which runs.

    Raises:
        StepError: it is not there, or does not run.
    """
    answer = az("vm", "show", "--resource-group", group, "--name", name, "--show-details",
                "--query", "{location: location, power: powerState}", "--output", "json")  # fmt: skip
    found = json.loads(answer)
    if found["power"] != "VM running":
        raise StepError(f"{found['power']}, not running: infra/scripts/on-operator-machine start")
    return Machine(group, name, found["location"], pause)


def send(machine: Machine) -> None:
    """Put this checkout's files onto the machine.

    Raises:
        StepError: they did not arrive.
    """
    files = archive(ROOT)
    digest = hashlib.sha256(files).hexdigest()
    content = lzma.compress(files)
    receive = (ROOT / "infra/scripts/operator-machine-receive.sh").read_text(encoding="utf-8")
    machine.run(receive, {"PART": "begin", "DIGEST": digest}, {})
    starts = range(0, len(content), PART_BYTES)
    for index, start in enumerate(starts):
        machine.run(part_script(index, content[start : start + PART_BYTES]), {}, {})
        sys.stdout.write(f"Part {index + 1} of {len(starts)} is there.\n")
        sys.stdout.flush()
    machine.run(receive, {"PART": "end", "DIGEST": digest}, {})


def run_step(machine: Machine, step: str, arguments: list[str]) -> None:
    """Run a step on the machine in the files that were sent.

    Raises:
        StepError: it did not end well.
    """
    parameters = {name: needed(name) for name in ("AZURE_RESOURCE_GROUP", "OPERATOR_CLIENT_ID", *STEPS[step][1])}
    parameters |= {name: os.environ.get(name, "") for name in OPTIONAL}
    if step == "set-secret":
        parameters["SECRET_NAME"] = arguments[0]
    protected = protected_of(step, arguments)
    machine.run(step_script(step, hashlib.sha256(archive(ROOT)).hexdigest()), parameters, protected)


def main(arguments: list[str]) -> int:
    """Run one of the steps above; return the exit code."""
    step, *rest = arguments or [""]
    if step not in STEPS or STEPS[step][0] != len(rest):
        sys.stderr.write(__doc__ or "")
        return 2
    try:
        group, name = needed("AZURE_RESOURCE_GROUP"), needed("OPERATOR_MACHINE_NAME")
        if step in ("start", "stop"):
            start_or_stop(step, group, name)
        else:
            machine = find_machine(group, name, float(os.environ.get("PAUSE", "5")))
            send(machine) if step == "send" else run_step(machine, step, rest)
    except StepError as error:
        sys.stderr.write(f"{error}\n")
        return error.code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
