"""Have Microsoft's own parser, ScriptDom, read every line of T-SQL that the product sends or ships.

It knows the grammar of SQL Server 2019, the newest that a Python package brings: it finds what no server takes, and not
whether a table is there. What stands in a string that is executed is read too.

python -m tests.tsql
"""

import importlib.util
import itertools
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.builders.tsql import recorded

_ROOT = Path(__file__).parents[2]
_SCRIPTS = [_ROOT / "sql/schema.sql", _ROOT / "sql/roles.sql", *sorted(_ROOT.glob("sql/options/*.sql"))]
_QUERIES = sorted(_ROOT.glob("sql/queries/*.sql"))
_BROKEN = [
    "select top 5 * frm x;",
    "create table x (a int,, b int);",
    "update x set a = 1 limit 1;",
    "insert x values (",
]
"""What it must refuse, lest it be a check that cannot fail."""
_EXECUTED = re.compile(r"\bsp_executesql\s+N'((?:[^']|'')*)'", re.IGNORECASE)
_NEWER = "with (ledger = on (append_only = on))"
"""The one clause we have that came with SQL Server 2022; a test of its own holds it."""
_IN_STRING = ", in a string"
_STRINGS = 5
"""As many there are in sql/options: fewer found are strings that are not looked into."""


def main() -> int:
    """Read it all, print what is wrong and how much was read; return 1 when something is wrong or nothing was read."""
    parser = _parser()
    if parser is None:
        print("NOTE: there is no T-SQL parser for this machine: make tsql installs it on Linux, x86-64")
        return 0
    if not all(_faults(parser, broken) for broken in _BROKEN):
        print("the parser takes what is no T-SQL")
        return 1
    count = wrong = 0
    inner = 0
    for name, text in _with_strings(_everything()):
        count += 1
        inner += name.endswith(_IN_STRING)
        for fault in _faults(parser, text):
            wrong += 1
            print(f"{name}: {fault}\n    {' '.join(text.split())[:200]}")
    print(f"{count} pieces of T-SQL read, {inner} of them in strings, {wrong} faults found.")
    return 1 if wrong or count < 50 or inner < _STRINGS else 0


def _with_strings(pieces: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield each piece, and behind it each string of it that is executed as it stands."""
    for name, text in pieces:
        yield name, text
        for string in _EXECUTED.findall(text):
            yield name + _IN_STRING, string.replace("''", "'").replace(_NEWER, "")


def _everything() -> Iterator[tuple[str, str]]:
    for statement in dict.fromkeys(statement for statement, _ in recorded().statements):
        numbers = itertools.count(1)
        yield "a statement of the stores", re.sub(r"\?", lambda _: f"@p{next(numbers)}", statement)  # noqa: B023
    for path in [*_SCRIPTS, *_QUERIES]:
        for batch in re.split(r"^GO$", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
            yield path.relative_to(_ROOT).as_posix(), batch


def _parser() -> Any:
    """Return ScriptDom's parser, None where the packages are not installed."""
    runtime, tools = _folder("dotnetcore2"), _folder("mssqlcli")
    if runtime is None or tools is None:
        return None
    # Loaded here: they are in no other environment. The runtime needs no ICU for what we ask of it.
    os.environ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1"
    clr_loader, pythonnet = map(importlib.import_module, ("clr_loader", "pythonnet"))
    version = next((runtime / "bin/shared/Microsoft.NETCore.App").iterdir()).name
    chosen = {"runtimeOptions": {"framework": {"name": "Microsoft.NETCore.App", "version": version}}}
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "runtimeconfig.json"
        config.write_text(json.dumps(chosen))
        pythonnet.set_runtime(clr_loader.get_coreclr(runtime_config=str(config), dotnet_root=str(runtime / "bin")))
        clr = importlib.import_module("clr")
    clr.AddReference(str(tools / "mssqltoolsservice/bin/Microsoft.SqlServer.TransactSql.ScriptDom"))
    return importlib.import_module("Microsoft.SqlServer.TransactSql.ScriptDom").TSql150Parser(True)  # noqa: FBT003  # [x] quotes


def _folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def _faults(parser: Any, text: str) -> list[str]:
    reader = importlib.import_module("System.IO").StringReader(text)
    _, errors = parser.Parse(reader, None)
    return [f"line {error.Line}: {error.Message}" for error in errors]


if __name__ == "__main__":
    sys.exit(main())
