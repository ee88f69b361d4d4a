"""Stand-ins for Azure's services, each a process of its own on 127.0.0.1, ended by the test that started it.

What they need is installed by `make packages-e2e`; without it the test that asks for one is skipped, and says so.
"""

import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

__all__ = ["Azurite", "CosmosEmulator", "EventHubs", "Server", "azurite", "cosmos_emulator", "event_hubs"]

ROOT = Path(__file__).parents[2]
MODULES = Path(__file__).parent / "node_modules"
ADDRESS = "127.0.0.1"
SECONDS = 60
"""Within which a server answers, or has gone. Starting node takes long on a machine that is busy."""
_INSTALL = "make packages-e2e installs it"
_ACCOUNT = "devstoreaccount1"


class Server:
    """A process that listens on one port, which it keeps however often it is killed and started again."""

    def __init__(self, command: Sequence[str], port: int, folder: Path, environment: Mapping[str, str]) -> None:
        """Prepare to run `command`, which is to listen on `port`, with its output in `folder`."""
        self.port = port
        self.log = folder / "server.log"
        self._command = command
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and wait until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{self._command[1]} did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ask the process to end, which lets it write what it holds, and wait until it has."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(SECONDS)
            self._process = None

    def kill(self) -> None:
        """End the process as a crash would: no word of farewell to its clients."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(SECONDS)
            self._process = None

    def _answers(self) -> bool:
        with socket.socket() as client:
            client.settimeout(1)
            return client.connect_ex((ADDRESS, self.port)) == 0


class Azurite(NamedTuple):
    """Blob storage. What is in it stays when it is stopped and started again; killed, it forgets some seconds."""

    server: Server
    connection_string: str


class CosmosEmulator(NamedTuple):
    """Cosmos DB: reads and writes of items. What else it can't do, or does wrongly, see its tests."""

    server: Server
    endpoint: str
    """Its certificate is its own; azure-cosmos does not verify it for a loopback address."""
    key: str


class EventHubs(NamedTuple):
    """Event Hubs. What was sent to it stays when it is killed and started again."""

    server: Server
    connection_string: str
    """Of the namespace, in the emulator's form: without TLS."""


@contextmanager
def azurite() -> Iterator[Azurite]:
    """Run Azurite's Blob service with nothing in it."""
    script = _script("azurite/dist/src/blob/main.js")
    key = b64encode(secrets.token_bytes(64)).decode()
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *script, "--silent", "--location", folder, "--blobHost", ADDRESS, "--blobPort", str(port),
            "--disableTelemetry", "--skipApiVersionCheck",  # it always lags behind the client's newest version
        ]  # fmt: skip
        with _running(command, port, Path(folder), {"AZURITE_ACCOUNTS": f"{_ACCOUNT}:{key}"}) as server:
            yield Azurite(
                server,
                f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={key};"
                f"BlobEndpoint=http://{ADDRESS}:{port}/{_ACCOUNT};",
            )


@contextmanager
def cosmos_emulator() -> Iterator[CosmosEmulator]:
    """Run the Cosmos DB emulator with nothing in it."""
    script = _script("@vercel/cosmosdb-server/lib/cli.js")
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [*script, "--host", ADDRESS, "--port", str(port)]
        with _running(command, port, Path(folder), {}) as server:
            key = b64encode(secrets.token_bytes(64)).decode()  # it takes any
            yield CosmosEmulator(server, f"https://{ADDRESS}:{port}", key)


@contextmanager
def event_hubs(*hubs: str, partitions: int = 4, geo: bool = False) -> Iterator[EventHubs]:
    """Run the Event Hubs stand-in with these hubs, empty; `geo`: with offsets as geo-replication makes them."""
    if importlib.util.find_spec("proton") is None:
        pytest.skip(f"python-qpid-proton is not here: {_INSTALL}")
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "tests.parts.hub", "--port", str(port), "--partitions", str(partitions),
            "--journal", str(Path(folder) / "events"), *hubs, *(["--geo"] if geo else []),
        ]  # fmt: skip
        with _running(command, port, Path(folder), {"PYTHONPATH": str(ROOT)}) as server:
            yield EventHubs(
                server,
                f"Endpoint=sb://{ADDRESS}:{port};SharedAccessKeyName=Root;SharedAccessKey=any;"
                "UseDevelopmentEmulator=true;",
            )


@contextmanager
def _running(command: Sequence[str], port: int, folder: Path, environment: Mapping[str, str]) -> Iterator[Server]:
    server = Server(command, port, folder, environment)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def _script(path: str) -> list[str]:
    node = shutil.which("node")
    if node is None or not (MODULES / path).exists():
        pytest.skip(f"{path.partition('/dist')[0].partition('/lib')[0]} is not here: {_INSTALL}")
    return [node, str(MODULES / path)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port: int = probe.getsockname()[1]
        return port
