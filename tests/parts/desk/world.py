"""What the stand-ins of Azure's programs know of one another's doings, and the places where they run."""

import json
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[3]
FOLDER = "STAND_INS"
"""The environment variable that names the folder."""

SUBSCRIPTION = "00000000-0000-4000-8000-00000000000a"
ME = "00000000-0000-4000-8000-00000000000b"
APPLICATION = "00000000-0000-4000-8000-00000000000c"
PRINCIPAL = "00000000-0000-4000-8000-00000000000d"
GROUP = "00000000-0000-4000-8000-00000000000e"
OUTPUTS = {
    "APP_IDENTITY_CLIENT_ID": "00000000-0000-4000-8000-00000000000f",
    "APP_IDENTITY_NAME": "id-promptledger-app-prod-abcdefghijklm",
    "APPLICATION_GATEWAY_ADDRESS": "203.0.113.7",
    "AZURE_FUNCTION_APP_NAME": "func-promptledger-prod-abcdefghijklm",
    "GATEWAY_HOST_NAME": "apim-promptledger-prod-abcdefghijklm.azure-api.net",
    "KEY_VAULT_NAME": "kv-pl-abcdefghijklm",
    "OPERATOR_CLIENT_ID": "00000000-0000-4000-8000-000000000010",
    "OPERATOR_MACHINE_NAME": "vm-promptledger-operator-prod-abcdefghijklm",
    "OPERATOR_PRINCIPAL_ID": "00000000-0000-4000-8000-000000000011",
    "PROMPTLEDGER_SQL_OPTIONS": "",
    "SQL_HOST_NAME": "sql-promptledger-prod-abcdefghijklm.database.windows.net",
}
MODEL = "gpt-chat"
KEY = "key-of-the-default-team"


def fail(message: str) -> NoReturn:
    """End as a program that refuses its arguments."""
    sys.stderr.write(f"{message}\n")
    raise SystemExit(1)


class World:
    """What the stand-ins know: a JSON object in the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "world.json"
        self.known: dict[str, Any] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def save(self) -> None:
        self._file.write_text(json.dumps(self.known))

    def note(self, arguments: list[str]) -> None:
        with (self.folder / "calls.jsonl").open("a", encoding="utf-8") as calls:
            calls.write(json.dumps(arguments) + "\n")

    def calls(self) -> list[list[str]]:
        file = self.folder / "calls.jsonl"
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def set_up(folder: Path) -> dict[str, str]:
    """Make a desk and an operator machine in a folder; return the environment of the desk."""
    start = f"#!{sys.executable}\nimport sys\nsys.path[0] = {str(ROOT)!r}\nfrom tests.parts.desk.programs import main\n"
    machine = folder / "machine"
    for place, programs in ((folder / "bin", ("az", "azd", "curl", "sqlcmd")), (machine / "bin", ("az", "sqlcmd"))):
        for program in programs:
            executable(place / program, f"{start}main({program!r})\n")
        (place / "python3").symlink_to(sys.executable)
    executable(folder / "bin" / "sleep", "#!/bin/sh\n")
    executable(machine / "bin" / "cloud-init", "#!/bin/sh\n[ \"$*\" = 'status --wait' ]\n")
    executable(machine / "bin" / "odbcinst", "#!/bin/sh\necho '[ODBC Driver 18 for SQL Server]'\n")
    # An environment that holds what the requirements pin, so that nothing is fetched; the ledger is a SQLite file.
    with (ROOT / "requirements-local.txt").open("rb") as pinned:
        pins = subprocess.run(["/usr/bin/cksum"], stdin=pinned, capture_output=True, check=True)
    venv = machine / "opt" / "venv"
    executable(
        venv / "bin" / "python",
        f"""#!/bin/sh
if [ "$1 $2 $3" = '-m shared.stores.sql.migrate upgrade' ]; then
    echo "$4" >'{machine}/database'
    set -- "$1" "$2" "$3" 'sqlite:///{machine}/ledger.sqlite'
fi
exec '{sys.executable}' -B "$@"
""",
    )
    (venv / ".holds-requirements-local").write_text(pins.stdout.decode(), encoding="utf-8")
    return {"PATH": f"{folder / 'bin'}:/usr/bin:/bin", FOLDER: str(folder), "HOME": str(folder), "PAUSE": "0"}


def copy_of_checkout(folder: Path) -> Path:
    """Copy what a deployment needs of this checkout."""
    ignored = shutil.ignore_patterns("__pycache__", "*.snapshot.json")
    folder.mkdir()
    for name in (".ci", "blueprints", "infra", "shared", "sql"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in (".funcignore", "function_app.py", "host.json", "requirements-local.txt", "requirements.txt"):
        shutil.copy2(ROOT / name, folder / name)
    return folder


def tables_of(database: Path) -> set[str]:
    """Return the names of a SQLite file's tables."""
    with closing(sqlite3.connect(database)) as connection:
        return {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
