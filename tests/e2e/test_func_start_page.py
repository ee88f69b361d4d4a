"""docs/func-start.md, walked: settings, traffic and questions, on stand-ins for the emulators and for Core Tools."""

import json
import shlex
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.builders.pages import blocks, commands
from tests.e2e.commands import ROOT, Started, environment, started, until
from tests.parts.servers import azurite, event_hubs

PAGE = ROOT / "docs" / "func-start.md"


class Reader:
    """Types what the page says, in a folder of their own."""

    def __init__(self, folder: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._stack = stack
        self._monkeypatch = monkeypatch
        self._ports: dict[str, str] = {}
        self._host: Started | None = None
        self._token = ""
        self.answers: list[dict[str, Any]] = []

    def type(self, line: str) -> None:
        match shlex.split(line):
            case ["docker", *_]:
                self._start_emulators()
            case ["cp", source, target]:
                shutil.copy(ROOT / source, self._folder / target)
                self._use_settings(self._folder / target)
            case ["python", *arguments, ">.local/token"]:
                token = subprocess.run([sys.executable, *arguments], check=True, capture_output=True).stdout.strip()
                (self._folder / ".local/token").write_bytes(token)
            case ["python", *arguments]:
                done = subprocess.run(
                    [sys.executable, *arguments], cwd=self._folder, env=environment(), capture_output=True, check=False
                )
                assert done.returncode == 0, done.stderr.decode()
            case ["mkdir", "-p", folder]:
                (self._folder / folder).mkdir()
            case ["PROMPTLEDGER_LOCAL_TOKEN=$(cat .local/token)", "func", "start"]:
                self._token = (self._folder / ".local/token").read_text()
                self._monkeypatch.setenv("PROMPTLEDGER_LOCAL_TOKEN", self._token)
                self._host = self._stack.enter_context(started(self._folder))
            case ["curl", *_, url]:
                self._ask(url)
            case ["make", "packages"] | [".", ".venv/bin/activate"]:
                pass  # this test's interpreter has them
            case _:
                raise AssertionError(f"{PAGE.name} has people type what no test knows: {line}")

    def _start_emulators(self) -> None:
        (config,) = (json.loads(block.text) for block in blocks(PAGE) if block.language == "json")
        (namespace,) = config["UserConfig"]["NamespaceConfig"]
        hubs = self._stack.enter_context(event_hubs(*(hub["Name"] for hub in namespace["Entities"])))
        storage = self._stack.enter_context(azurite())
        self._ports = {
            "sb://localhost;": f"sb://localhost:{hubs.server.port};",
            "UseDevelopmentStorage=true": storage.connection_string,
        }

    def _use_settings(self, path: Path) -> None:
        # The ports are the only thing that is not the example's: the emulators' own may be taken here.
        values: dict[str, str] = json.loads(path.read_text())["Values"]
        for name, value in values.items():
            for known, here in self._ports.items():
                value = value.replace(known, here)  # noqa: PLW2901
            self._monkeypatch.setenv(name, value)

    def _ask(self, url: str) -> None:
        assert self._host is not None
        here = url.replace("http://localhost:7071", self._host.url)

        def answer() -> dict[str, Any] | None:
            told: dict[str, Any] = httpx.get(here, headers={"X-Local-Token": self._token}).raise_for_status().json()
            return told if told.get("total", {"received": 1000})["received"] == 1000 else None

        self.answers.append(until(answer))


def test_who_follows_the_page_sees_every_event_counted_and_the_newest_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        reader = Reader(tmp_path, stack, monkeypatch)
        for line in commands(PAGE):
            reader.type(line)

    balance, calls = reader.answers
    counts = balance["total"]
    assert sum(number for name, number in counts.items() if name != "received") == 1000
    assert len(calls["items"]) == 5
