"""Claimed bodies out of Azurite, through the functions, into either content store; and what memory that takes."""

import base64
import json
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from tests.builders import events
from tests.builders.claims import CONTAINER, a_claim, claiming
from tests.e2e.commands import environment
from tests.parts.servers import Azurite, azurite, cosmos_emulator

MEBIBYTE = 1024 * 1024
MOST_RESIDENT = 400 * MEBIBYTE

MEASURED = """
import runpy, sys
sys.argv[0] = "localhost"
try:
    runpy.run_module("localhost", run_name="__main__", alter_sys=True)
finally:
    status = open("/proc/self/status").read()
    print("VmHWM", status.partition("VmHWM:")[2].split()[0], file=sys.stderr)
"""


@pytest.fixture(scope="module")
def storage() -> Iterator[Azurite]:
    with azurite() as server:
        with BlobServiceClient.from_connection_string(server.connection_string) as client:
            client.create_container(CONTAINER)
        yield server


def upload(storage: Azurite, blob: str, body: bytes) -> None:
    with BlobServiceClient.from_connection_string(storage.connection_string) as client:
        client.get_blob_client(CONTAINER, blob).upload_blob(body, max_concurrency=1)


def settings(storage: Azurite, **others: str) -> dict[str, str]:
    return environment() | {
        "PROMPTLEDGER_CLAIM_CHECK_ACCOUNT": storage.connection_string,
        "PROMPTLEDGER_CLAIM_CHECK_CONTAINERS": f"others, {CONTAINER}",
        **others,
    }


def run(folder: Path, values: Mapping[str, str], *arguments: str) -> tuple[str, int]:
    """Run a command of `localhost`; return what it printed and the most memory it had, in bytes."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *arguments, "--database", "sqlite:///ledger.db"],
        cwd=folder, env=dict(values), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout, int(done.stderr.rpartition("VmHWM ")[2]) * 1024


def replay(folder: Path, values: Mapping[str, str], *bodies: bytes) -> tuple[dict[str, int], int]:
    lines = [json.dumps({"hub": "gateway", "body": body.decode()}) for body in bodies]
    (folder / "events.ndjson").write_text("\n".join(lines))
    printed, memory = run(folder, values, "replay", "events.ndjson")
    return json.loads(printed.splitlines()[-1]), memory


def row_of(folder: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(folder / "ledger.db")) as connection:
        connection.row_factory = sqlite3.Row
        (row,) = connection.execute("select * from interaction").fetchall()
        return dict(row)


def pictures(size: int) -> bytes:
    """Return a chat of large pictures: few values, nothing to compress."""
    data = base64.b64encode(random.Random(3).randbytes(size // 4 * 3 - 300)).decode()
    url = f"data:image/png;base64,{data}"
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    return json.dumps({"messages": [{"role": "user", "content": parts}]}).encode()


def conversation(size: int) -> bytes:
    """Return a chat of many messages of a kilobyte each."""
    said = 'Then, as I said before, "everything" begins anew. ' * 20
    messages = [{"role": "user" if number % 2 else "assistant", "content": said} for number in range(size // 1140)]
    return json.dumps({"messages": messages}).encode()


def test_a_body_that_comes_late_is_fetched_by_the_timer(tmp_path: Path, storage: Azurite) -> None:
    question = {"messages": [{"role": "user", "content": "Late?"}]}
    events_of_call = (claiming("call-1", "late", question), events.a_response())

    balance, _ = replay(tmp_path, settings(storage), *events_of_call)
    early = row_of(tmp_path)
    upload(storage, "late", json.dumps(question).encode())
    run(tmp_path, settings(storage), "timer", "fetch_claimed_bodies")

    assert (balance["received"], balance["pending"], balance["stored"]) == (2, 2, 0)
    assert early["awaited"] == '["request: its body: it is not in Blob storage"]'
    row = row_of(tmp_path)
    assert (row["state"], row["prompt_preview"], row["awaited"]) == ("complete", "Late?", None)


@pytest.mark.parametrize("make", [pictures, conversation])
def test_a_body_of_64_megabytes_stays_under_400_resident(tmp_path: Path, storage: Azurite, make: Any) -> None:
    body = make(64 * MEBIBYTE)
    upload(storage, make.__name__, body)
    request = claiming("call-1", make.__name__, body, bodyRef=a_claim(make.__name__, body))

    balance, memory = replay(tmp_path, settings(storage), request, events.a_response())

    assert 60 * MEBIBYTE < len(body) <= 64 * MEBIBYTE
    assert (balance["received"], balance["stored"]) == (2, 2)
    assert row_of(tmp_path)["prompt_preview"] is not None
    assert memory < MOST_RESIDENT, f"{memory / MEBIBYTE:.0f} MiB"
    print(f"{make.__name__}: {memory / MEBIBYTE:.0f} MiB resident at most")  # noqa: T201  # the figure, with -s


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_body_of_64_megabytes_goes_to_cosmos_db_in_chunks_in_the_same_memory(
    tmp_path: Path, storage: Azurite
) -> None:
    body = pictures(64 * MEBIBYTE)
    upload(storage, "to cosmos", body)
    with cosmos_emulator() as cosmos:
        values = settings(
            storage,
            PROMPTLEDGER_CONTENT="cosmos",
            PROMPTLEDGER_COSMOS_ENDPOINT=cosmos.endpoint,
            PROMPTLEDGER_COSMOS_DATABASE="promptledger",
            PROMPTLEDGER_COSMOS_CONTAINER="content",
            PROMPTLEDGER_COSMOS_KEY=cosmos.key,
        )

        balance, memory = replay(tmp_path, values, claiming("call-1", "to cosmos", body), events.a_response())

    assert balance["stored"] == 2
    assert memory < MOST_RESIDENT, f"{memory / MEBIBYTE:.0f} MiB"
    print(f"cosmos: {memory / MEBIBYTE:.0f} MiB resident at most")  # noqa: T201  # the figure, with -s
