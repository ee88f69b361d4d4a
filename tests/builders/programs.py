"""Stand-ins of az, azd, sqlcmd and curl for hooks: programs on a PATH of their own, which note each call."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["NAMES", "Answer", "Desk", "pinned", "write_program"]

NAMES = ("az", "azd", "sqlcmd", "curl")
_PROGRAM = f"""#!{sys.executable} -IS
import json, os, re, sys, time
folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
call = " ".join([os.path.basename(__file__), *sys.argv[1:]])
told = "" if "--config -" not in call else sys.stdin.read()
log = os.path.join(folder, "calls.jsonl")
calls = [json.loads(line) for line in open(log)] if os.path.exists(log) else []
with open(log, "a") as notes:
    notes.write(json.dumps(call) + "\\n")


def holds(pair):
    # Whether something was opened and not closed since.
    last = [bool(re.search(pair[0], one)) for one in calls if re.search(pair[0], one) or re.search(pair[1], one)]
    return bool(last) and last[-1]


for answer in json.load(open(os.path.join(folder, "answers.json"))):
    if not re.search(answer["call"], call) or (answer["told"] and not re.search(answer["told"], told)):
        continue
    if answer["while_open"] and not holds(answer["while_open"]):
        continue
    if "--output" in sys.argv and os.path.basename(__file__) == "curl":
        open(sys.argv[sys.argv.index("--output") + 1], "w").write(answer["body"])
    sys.stderr.write(answer["err"])
    sys.stdout.write(answer["out"])
    sys.stdout.flush()
    time.sleep(answer["seconds"])
    sys.exit(answer["code"])
sys.stderr.write(f"the stand-in knows no {{call}}\\n")
sys.exit(97)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a call that matches gets. The first that matches is given."""

    call: str
    """Of the whole command line, a pattern."""
    out: str = ""
    err: str = ""
    body: str = ""
    """What curl writes to the file that it is told."""
    code: int = 0
    seconds: float = 0
    told: str = ""
    """Of what curl reads as its settings, a pattern."""
    while_open: tuple[str, str] | None = None
    """Only between a call of the first pattern and the next one of the second."""


class Desk:
    """A folder with the stand-ins, and what they were asked."""

    def __init__(self, folder: Path, answers: Iterable[Answer], missing: Iterable[str] = ()) -> None:
        self._folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        for name in {*NAMES} - {*missing}:
            write_program(self.bin / name, _PROGRAM)
        (self.bin / "python3").symlink_to(sys.executable)
        for name in (
            "bash",
            "sh",
            "cksum",
            "cat",
            "dirname",
            "basename",
            "mktemp",
            "rm",
            "grep",
            "head",
            "sort",
            "sed",
            "wc",
            "tr",
            "sleep",
        ):
            (self.bin / name).symlink_to(
                next(path for path in (Path("/usr/bin", name), Path("/bin", name)) if path.exists())
            )
        (folder / "answers.json").write_text(json.dumps([asdict(one) for one in answers]), encoding="utf-8")

    @property
    def calls(self) -> list[str]:
        """Return each command line, in order."""
        log = self._folder / "calls.jsonl"
        return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []

    def asked(self, pattern: str) -> list[str]:
        """Return the calls that match a pattern."""
        return [call for call in self.calls if re.search(pattern, call)]

    def environment(self, **values: str) -> dict[str, str]:
        """Return the environment of a hook: this PATH alone, and values of azd."""
        return {"PATH": str(self.bin), "HOME": str(self._folder), "PAUSE": "0", "ATTEMPTS": "3", **values}

    def start(self, *command: str, **values: str) -> subprocess.Popen[str]:
        """Start a hook."""
        return subprocess.Popen(
            command,
            env=self.environment(**values),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str, **values: str) -> tuple[int, str]:
        """Run a hook to its end; return its exit code and what it said."""
        ended = subprocess.run(
            command, env=self.environment(**values), capture_output=True, text=True, check=False, timeout=120
        )
        return ended.returncode, ended.stdout + ended.stderr


def write_program(path: Path, text: str) -> None:
    """Write a file that can be run."""
    path.write_text(text, encoding="utf-8")
    path.chmod(0o700)


def pinned(venv: Path, requirements: Path) -> None:
    """Mark an environment as one that holds what a file of requirements pins, so that nothing is installed into it."""
    sums = subprocess.run(["/usr/bin/cksum"], input=requirements.read_bytes(), capture_output=True, check=True)
    (venv / f".holds-{requirements.stem}").write_bytes(sums.stdout)
