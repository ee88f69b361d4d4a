"""Microsoft's own KQL parser, which needs node and npm: installed once into build/, asked through check.cjs."""

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

__all__ = ["Answer", "Command", "Script", "ask"]

_HERE = Path(__file__).parent
_BUILD = _HERE.parents[2] / "build"
_PACKAGE = Path("node_modules/@kusto/language-service-next")
_FILES = ("package.json", "package-lock.json")


class Script(NamedTuple):
    """A query, or management commands with blank lines between them."""

    name: str
    text: str


class Command(NamedTuple):
    """What the parser says of one command or query."""

    script: str
    line: int
    name: str | None
    """Of the table or function that the command creates."""
    faults: list[str]
    columns: dict[str, str] | None
    """Name -> type, in order, of a table, a tabular function or a query."""


class Answer(NamedTuple):
    """What the parser says of several scripts, in order."""

    commands: list[Command]
    tables: dict[str, dict[str, str]]

    def named(self, name: str) -> Command:
        """Return the command that creates `name`."""
        return next(command for command in self.commands if command.name == name)


def ask(scripts: Iterable[Script], tables: Mapping[str, str] | None = None) -> Answer:
    """Parse and schema-check `scripts`; what a command creates, the ones behind it know.

    `tables` are known from the start: name -> "(Column: type, ...)". Skips the test where there is no node or npm.
    """
    request = {"tables": dict(tables or {}), "scripts": [script._asdict() for script in scripts]}
    program = [_tool("node"), str(_HERE / "check.cjs"), str(_installed() / _PACKAGE)]
    done = subprocess.run(program, input=json.dumps(request), check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return Answer([Command(**command) for command in answer["commands"]], answer["tables"])


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not here: KQL is not checked")
    return path


def _installed() -> Path:
    """Return the folder that holds the package as package-lock.json pins it, installing it if need be."""
    pins = hashlib.sha256(b"".join((_HERE / name).read_bytes() for name in _FILES)).hexdigest()[:16]
    folder = _BUILD / f"kql-{pins}"
    if (folder / _PACKAGE).is_dir():
        return folder
    npm = _tool("npm")
    _BUILD.mkdir(exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=_BUILD, prefix="kql-"))
    for name in _FILES:
        shutil.copy(_HERE / name, fresh)
    install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(install, cwd=fresh, check=False, capture_output=True, text=True, timeout=300)
    if done.returncode:
        shutil.rmtree(fresh)
        pytest.skip(f"npm could not install Microsoft's parser: {done.stderr.strip().splitlines()[-1:]}")
    try:
        fresh.rename(folder)
    except OSError:  # another run was faster
        shutil.rmtree(fresh)
    return folder
