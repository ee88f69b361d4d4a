"""The app in the real worker's runtime: what reaches the host's log, and who answers while stores are locked."""

import sys
from pathlib import Path
from typing import Any

import pytest

from shared.stores.sql.migrate import upgrade
from tests.unit.test_worker_index import in_a_new_process

pytestmark = pytest.mark.skipif(sys.version_info < (3, 13), reason="the runtime is a package from Python 3.13 on")

PRELUDE = """
import asyncio, json, os, sys, time
os.environ.update(
    PROMPTLEDGER_DATABASE={url!r}, PROMPTLEDGER_AUTH="local", PROMPTLEDGER_LOCAL_TOKEN="t" * 32,
    AZURE_FUNCTIONS_ENVIRONMENT="Development", PYTHON_THREADPOOL_THREAD_COUNT="8",
)
from tests.builders.worker import Worker, hold_lock
from tests.builders import events
worker = Worker()
told = lambda: [line._asdict() for line in worker.lines]
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    upgrade(url)
    return url


def run(url: str, script: str) -> dict[str, Any]:
    return in_a_new_process(PRELUDE.format(url=url) + script)


def ours(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["logger"].startswith(("shared", "blueprints"))]


@pytest.mark.slow
def test_every_line_of_ours_has_its_invocation_whichever_thread_logs_it(url: str) -> None:
    answer = run(
        url,
        """
async def main():
    await worker.events("ingest_gateway", [b"no JSON", events.a_request(), events.a_response()])
    held = json.loads((await worker.http("read_quarantine", "/api/v1/quarantine"))[1])["items"]
    body = json.dumps({"ids": [held[0]["id"]]}).encode()
    await worker.http("manage_quarantine", "/api/v1/quarantine/replay", method="POST", body=body)
    body = json.dumps({"reason": "rubbish"}).encode()
    await worker.http("manage_quarantine", f"/api/v1/quarantine/{held[0]['id']}/discard", method="POST", body=body)
    from shared.bootstrap import services
    import sqlalchemy as sa
    with sa.create_engine(os.environ["PROMPTLEDGER_DATABASE"]).begin() as connection:
        connection.execute(sa.text("drop table interaction"))
    status, _ = await worker.http("read_interactions", "/api/v1/interactions")
    ready, _ = await worker.http("check_readiness", "/api/health/ready")
    print(json.dumps({"lines": told(), "statuses": [status, ready]}))
asyncio.run(main())
""",
    )

    lines = ours(answer["lines"])
    named = {line["text"].split()[0] for line in lines}
    assert named >= {"ingest.batch", "quarantine.replay", "quarantine.discard", "audit.unavailable", "health.unready"}
    assert [line for line in lines if line["invocation"] is None] == []
    assert answer["statuses"] == [503, 503]


@pytest.mark.slow
def test_two_questions_at_once_log_each_under_its_own_invocation(url: str) -> None:
    answer = run(
        url,
        """
async def main():
    body = json.dumps({"from": "2026-01-01"}).encode()
    import logging
    await worker.events("ingest_gateway", [b"no JSON"])
    ask = lambda: worker.http("manage_quarantine", "/api/v1/quarantine/replay", method="POST", body=body)
    await asyncio.gather(*(ask() for _ in range(8)))
    print(json.dumps({"lines": told()}))
asyncio.run(main())
""",
    )

    replays = [line["invocation"] for line in answer["lines"] if line["text"].startswith("quarantine.replay")]
    assert len(replays) == len(set(replays)) == 8
    assert None not in replays


@pytest.mark.slow
def test_liveness_and_readiness_answer_within_a_second_while_eight_batches_wait_for_a_locked_database(url: str) -> None:
    answer = run(
        url,
        """
async def main():
    await worker.http("check_readiness", "/api/health/ready")
    over = hold_lock(os.environ["PROMPTLEDGER_DATABASE"].removeprefix("sqlite:///"))
    batches = [
        asyncio.create_task(worker.events("ingest_gateway", [events.a_request(f"call-{n}")], partition=str(n)))
        for n in range(8)
    ]
    await asyncio.sleep(1)
    took = {}
    for name in ("check_liveness", "check_readiness", "check_liveness"):
        began = time.monotonic()
        status, _ = await worker.http(name, "/api/health/x")
        took[name] = [time.monotonic() - began, status]
    waiting = sum(not batch.done() for batch in batches)
    over.set()
    done = await asyncio.gather(*batches)
    print(json.dumps({"took": took, "waiting": waiting, "done": [ok for ok, *_ in done]}))
asyncio.run(main())
""",
    )

    assert answer["waiting"] == 8
    assert all(seconds < 1 for seconds, _ in answer["took"].values()), answer["took"]
    assert answer["took"]["check_liveness"][1] == 200
    assert answer["done"] == [True] * 8


@pytest.mark.slow
def test_readiness_in_the_host_names_each_dead_part(url: str) -> None:
    answer = run(
        url,
        """
os.environ.update(
    GATEWAY_HUB_NAME="gateway", HUB_CONSUMER_GROUP="promptledger", ROLLUP_SCHEDULE="often",
    CLAIM_CHECK_SCHEDULE="30 * * * * *", EXPIRE_SCHEDULE="30 */5 * * * *", COMPLETENESS_SCHEDULE="0 10 * * * *",
    WORDS_SCHEDULE="15 * * * * *",
    BUDGET_SCHEDULE="0 2-57/5 * * * *",
    PRICES_SCHEDULE="0 40 3 * * *",
    FORWARD_SCHEDULE="20 * * * * *",
    EXPORT_SCHEDULE="45 * * * * *",
    EVENT_HUBS="Endpoint=sb://127.0.0.1:9;SharedAccessKeyName=x;SharedAccessKey=y;UseDevelopmentEmulator=true",
)
async def main():
    for _ in range(40):
        status, body = await worker.http("check_readiness", "/api/health/ready")
        parts = json.loads(body)["unreachable"]
        if "hub gateway" in parts and "hub monitor" in parts:
            break
        await asyncio.sleep(0.5)
    print(json.dumps({"status": status, "parts": parts}))
asyncio.run(main())
os._exit(0)
""".replace("os._exit(0)", "sys.stdout.flush(); os._exit(0)"),
    )

    assert answer["status"] == 503
    assert set(answer["parts"]) == {
        "schedule rebuild_usage_rollups",
        "setting MONITOR_HUB_NAME",
        "storage",
        "hub gateway",
        "hub monitor",
    }


@pytest.mark.slow
def test_a_refused_batch_logs_one_line_and_hands_the_host_a_short_trace(url: str) -> None:
    answer = run(
        url,
        """
async def main():
    ok, _, _, error, trace = await worker.events("ingest_gateway", [f"no JSON {n}".encode() for n in range(60)])
    print(json.dumps({"ok": ok, "error": error, "trace": trace, "lines": told()}))
asyncio.run(main())
""",
    )

    lines = ours(answer["lines"])
    assert (answer["ok"], len(lines)) == (False, 1)
    assert lines[0]["text"].startswith("ingest.refused hub=gateway partition=0 sequence=0 enqueued_at=2026-03-02T09:30")
    assert "\n" not in lines[0]["text"]
    assert "60 of 60 events cannot be read" in answer["error"]
    assert "shared/services" not in answer["trace"]


@pytest.mark.slow
def test_a_batch_that_waits_for_a_store_logs_one_line_that_says_why(url: str) -> None:
    answer = run(
        url,
        """
import sqlalchemy as sa
with sa.create_engine(os.environ["PROMPTLEDGER_DATABASE"]).begin() as connection:
    connection.execute(sa.text("drop table delivery"))
async def main():
    ok, _, _, error, trace = await worker.events("ingest_gateway", [events.a_request()])
    print(json.dumps({"ok": ok, "trace": trace, "lines": told()}))
asyncio.run(main())
""",
    )

    (line,) = ours(answer["lines"])
    assert line["text"].startswith("ingest.unavailable hub=gateway partition=0 sequence=0")
    assert "run the migrations" in line["text"]
    assert "sqlalchemy" not in answer["trace"]


@pytest.mark.slow
def test_the_sdks_log_nothing_of_the_requests_that_went_well(url: str) -> None:
    answer = run(
        url,
        """
import http.server, threading
from azure.core import PipelineClient
from azure.core.rest import HttpRequest

class Store(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *told):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = PipelineClient(f"http://127.0.0.1:{server.server_port}")

def asked():
    before = len(worker.lines)
    request = HttpRequest("GET", f"http://127.0.0.1:{server.server_port}/item", headers={"x-ms-version": "1"})
    client.send_request(request).raise_for_status()
    lines = [line for line in worker.lines[before:] if line.logger.startswith(("azure.core", "urllib3"))]
    return [len(lines), sum(len(line.text) for line in lines)]

before = asked()
from shared.bootstrap import services
services()
print(json.dumps({"before": before, "after": asked()}))
""",
    )

    assert answer["before"][0] == 2, "records of a request, and of its answer"
    assert answer["before"][1] > 200
    assert answer["after"] == [0, 0]


def test_the_times_of_a_batch_are_read_fast_and_as_the_library_reads_them(url: str) -> None:
    answer = run(
        url,
        """
from azure.functions.eventhub import EventHubTriggerConverter as converter
times = ["2026-03-02T09:02:33.3", "2026-03-02T09:02:33", "2026-03-02T09:02:33.1234567Z", "2026-03-02T09:02:33+00:00",
         "2026-03-02T09:02:33.123Z", "3/2/2026 09:02:33Z", "", None]
library = converter._parse_datetime._library
read = lambda parse: [str(parse(told)) for told in times]
def seconds(parse):
    began = time.process_time()
    for _ in range(256):
        parse(times[0])
    return time.process_time() - began
print(json.dumps({"ours": read(converter._parse_datetime), "library": read(library),
                  "times": seconds(library) / seconds(converter._parse_datetime)}))
""",
    )

    assert answer["ours"] == answer["library"]
    assert answer["times"] > 10
